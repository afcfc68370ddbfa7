"""Clips and takes, solved offline: meshes, Action Units, the chosen format."""

from livefacs.offline.clip import solve_clip, work_on_clip
from livefacs.offline.find_clips import find_jobs
from livefacs.offline.options import (
    TAKE_FORMAT,
    ClipReport,
    SolveOptions,
    checked_mark,
    is_take,
    suffix_of,
)

__all__ = [
    "TAKE_FORMAT",
    "ClipReport",
    "SolveOptions",
    "checked_mark",
    "find_jobs",
    "is_take",
    "solve_clip",
    "suffix_of",
    "work_on_clip",
]

"""Clips and takes, solved offline: meshes, Action Units, the chosen format."""

from livefacs.solving.clip import solve_clip, work_on_clip
from livefacs.solving.options import (
    TAKE_FORMAT,
    ClipReport,
    SolveOptions,
    is_take,
    suffix_of,
)

__all__ = [
    "TAKE_FORMAT",
    "ClipReport",
    "SolveOptions",
    "is_take",
    "solve_clip",
    "suffix_of",
    "work_on_clip",
]

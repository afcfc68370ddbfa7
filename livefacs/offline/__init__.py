"""Clips and takes, solved offline: meshes, Action Units, the chosen format."""

from livefacs.offline.calibrate_clip import (
    Calibrated,
    Lesson,
    calibrate_clip,
    teach_from_clip,
    without_lesson,
)
from livefacs.offline.clip import solve_clip, work_on_clip
from livefacs.offline.estimating import clip_estimator, estimates
from livefacs.offline.find_clips import find_jobs
from livefacs.offline.meshes import Mesh, Meshes
from livefacs.offline.solve_options import (
    TAKE_FORMAT,
    ClipReport,
    SolveOptions,
    checked_mark,
    is_take,
    suffix_of,
)
from livefacs.offline.working import WorkingTake, working_take

__all__ = [
    "TAKE_FORMAT",
    "Calibrated",
    "ClipReport",
    "Lesson",
    "Mesh",
    "Meshes",
    "SolveOptions",
    "WorkingTake",
    "calibrate_clip",
    "checked_mark",
    "clip_estimator",
    "estimates",
    "find_jobs",
    "is_take",
    "solve_clip",
    "suffix_of",
    "teach_from_clip",
    "without_lesson",
    "work_on_clip",
    "working_take",
]

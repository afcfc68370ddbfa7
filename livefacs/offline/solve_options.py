"""What a clip is solved with, and what is said of it afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from livefacs.au.estimator_model import load_model, weights_path
from livefacs.au.profile import load_profile, profile_path
from livefacs.batch import content_of
from livefacs.config import TrackingOptions
from livefacs.errors import ConfigError, LandmarkerError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import check_export, find_format
from livefacs.retarget.library import load_map
from livefacs.session.parts import NO_PROFILE, profile_name, tracking_of_performers
from livefacs.sources.turned import TURNS
from livefacs.take.layout import DOCUMENT_NAME

TAKE_FORMAT: Final = "take"
"""Besides the export formats: the solved take itself, as a folder."""


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """What a clip is solved with; plain values, so that other processes can be told.

    Attributes
    ----------
    tracking : TrackingOptions
        What is None is as the take was recorded, for a take, and as shipped, for a clip.
    rate_hz : float
        Of image folders.
    rotate : int
        Degrees clockwise by which the pictures of clips are turned: 0, 90, 180 or 270.
    focal_px : float or None
    neutral_s : (start, end) or None
        Seconds in which the face rests; None: the whole clip says.
    as_live : bool or None
        Find the neutral as the live run does; a take then comes out as it was recorded. None: for
        takes, unless ``neutral_s`` is given.
    format : str
        Name of an export format, or ``take``.
    export : ExportOptions
    read_ahead : bool
        Decode in a thread of its own, and read what is not the mesh in another; not where every
        core has a clip already.
    """

    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    rate_hz: float = 30.0
    rotate: int = 0
    focal_px: float | None = None
    neutral_s: tuple[float, float] | None = None
    as_live: bool | None = None
    format: str = "csv"
    export: ExportOptions = field(default_factory=ExportOptions)
    read_ahead: bool = True


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What became of a clip.

    Attributes
    ----------
    n_faces_at_once : int
        Most faces seen in one frame; with more than one the largest was followed.
    notices : tuple of str
        What the user should know: damaged frames, several faces, frames without one.
    """

    clip: str
    target: str
    n_frames: int
    n_with_face: int
    n_faces_at_once: int
    work_s: float
    notices: tuple[str, ...] = ()


def suffix_of(options: SolveOptions) -> str:
    """File name ending of what is written."""
    if options.format == TAKE_FORMAT:
        return ""
    return find_format(options.format).suffixes[0]


def checked_mark(options: SolveOptions) -> str:
    """Find errors of the options before any clip is opened; what a result depends on besides it.

    Returns
    -------
    mark : str
        The options, and the content of the weights, profile, model and rig that they name.

    Raises
    ------
    ConfigError, LandmarkerError
        Something that they name is not there, or cannot be had.
    """
    for name, value in (("--rate", options.rate_hz), ("--focal", options.focal_px)):
        if value is not None and not 0.0 < value < math.inf:
            raise ConfigError(f"{name} {value:g}: expected a number greater than 0")
    if options.rotate not in TURNS:
        raise ConfigError(f"--rotate {options.rotate}: expected 90, 180 or 270")
    tracking, export = options.tracking, options.export
    load_model(tracking.weights)
    weights = content_of(weights_path(tracking.weights))
    parts = [repr(replace(options, read_ahead=True)), weights]
    for own in tracking_of_performers(tracking):
        person = profile_name(own)
        if person is not None and person != NO_PROFILE:
            load_profile(person)
            parts.append(content_of(profile_path(person)))
    if tracking.model is not None:
        if not tracking.model.exists():
            raise LandmarkerError(f"no landmark model at {tracking.model}")
        parts.append(content_of(tracking.model))
    if export.rig:
        parts.append(repr(load_map(export.rig)))
    check_export(find_format("csv" if options.format == TAKE_FORMAT else options.format), export)
    return "\0".join(parts)


def is_take(clip: str) -> bool:
    """True for the folder of a take."""
    return (Path(clip) / DOCUMENT_NAME).is_file()

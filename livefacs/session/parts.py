"""Parts of the chain from checked options: source, landmarker, estimator, filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.from_shapes import ShapeEstimator
from livefacs.au.profile import Profile, load_profile
from livefacs.au.smoothing import Smoothing
from livefacs.batch import usable_cores
from livefacs.config import SourceOptions, TrackingOptions
from livefacs.errors import ConfigError
from livefacs.kernels._jit import is_compiled
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.recorded import NO_MESH, RecordedLandmarks
from livefacs.protocols import FaceFinder, Landmarker, Source
from livefacs.retarget.inverse import load_inverse
from livefacs.sources import open_source
from livefacs.sources.recorded_take import is_take
from livefacs.sources.source_from_words import gives_shapes
from livefacs.take.reader import Take

if TYPE_CHECKING:
    from livefacs.landmarkers.performers import Performers

NO_PROFILE: Final = "none"
"""Name that stands for no profile."""


def first_run_notice() -> str:
    """What a user should be told before kernels are compiled; empty where they are."""
    return "" if is_compiled() else "compiling for this machine, this once: up to half a minute"


def open_source_from_options(options: SourceOptions, notify: Callable[[str], None]) -> Source:
    """The frame source of these options; ``SourceError`` where it cannot be had."""
    return open_source(
        options.spec,
        width=options.width,
        height=options.height,
        rate_hz=options.rate_hz,
        pixel_format=options.pixel_format,
        realtime=options.realtime,
        loop=options.loop,
        rotate=options.rotate,
        notify=notify,
    )


def landmarker_from_options(
    tracking: TrackingOptions,
    notify: Callable[[str], None] = lambda _sentence: None,
    n_at_once: int = 1,
) -> FaceFinder:
    """The landmarker of these options, which needs images; ``LandmarkerError`` where it is none."""
    return open_landmarker(
        tracking.landmarker,
        model=tracking.model,
        max_faces=tracking.max_faces,
        n_threads=tracking.threads,
        n_performers=tracking.faces,
        n_at_once=n_at_once,
        notify=notify,
    )


def performers_from_options(
    tracking: TrackingOptions,
    model: EstimatorModel,
    notify: Callable[[str], None],
    *,
    takes_over: bool = True,
    side_by_side: bool = True,
) -> Performers:
    """The landmarker of several performers, with the readers that are asked for.

    Parameters
    ----------
    takes_over : bool
        As of ``RollCall``.
    side_by_side : bool
        Use the cores that are there; else one, as in a batch.

    Raises
    ------
    LandmarkerError
        It cannot be had.
    """
    from livefacs.landmarkers.performers import open_performers  # SciPy, 35 MB

    n_at_once = min(tracking.faces, usable_cores()) if side_by_side else 1
    return open_performers(
        landmarker_from_options(tracking, notify, n_at_once),
        tracking.faces,
        model,
        with_image=tracking.reader == "all",
        by_place=has_places(tracking),
        takes_over=takes_over,
        n_at_once=n_at_once,
    )


def landmarker_for_source(
    spec: str, tracking: TrackingOptions, notify: Callable[[str], None]
) -> Landmarker:
    """The landmarker of these options; a take brings its meshes, another tracker has none.

    Raises
    ------
    ConfigError
        Another landmarker was asked for, but a take has no images for it.
    LandmarkerError, TakeError
        It cannot be had.
    """
    if gives_shapes(spec):
        return RecordedLandmarks(NO_MESH)
    if not is_take(spec):
        return landmarker_from_options(tracking, notify)
    if tracking.landmarker != "auto" or tracking.model is not None:
        raise ConfigError(
            f"take {spec}: its recorded meshes are replayed, there are no images for another"
            " landmarker; leave --landmarker and --model out"
        )
    return RecordedLandmarks(Take(Path(spec)).document["landmarker"])


def tracking_of_performers(options: TrackingOptions) -> tuple[TrackingOptions, ...]:
    """The options of each performer: everybody's, with a profile of their own.

    Raises
    ------
    ConfigError
        More profiles than performers, or a place that is none or stands twice.
    """
    asked = options.profile
    words = () if asked is None else (asked,) if isinstance(asked, str) else asked
    names: dict[int, str | None] = {}
    for i, word in enumerate(words):
        place, has_place, name = word.rpartition("=")
        number = _performer_at(place, options.faces) if has_place else i + 1
        if number is None or number > options.faces or number in names:
            raise ConfigError(
                f"profile {word!r}: expected one profile for each of {options.faces} performers, in"
                " order from the left, or as left=NAME, right=NAME, 2=NAME"
            )
        names[number] = None if options.faces > 1 and name == NO_PROFILE else name
    numbers = range(1, options.faces + 1)
    return tuple(replace(options, profile=names.get(number), faces=1) for number in numbers)


def has_places(options: TrackingOptions) -> bool:
    """True where profiles are named for places in the picture."""
    asked = options.profile
    words = () if asked is None or isinstance(asked, str) else asked
    return any(word.startswith(("left=", "right=")) for word in words)


def _performer_at(place: str, n: int) -> int | None:
    if place.isascii() and place.isdigit() and place != "0":
        return int(place)
    return {"left": 1, "right": n}.get(place)


def make_estimator(options: TrackingOptions, model: EstimatorModel, backend: str) -> Estimator:
    """The estimator of these options: profile and filter."""
    name = profile_name(options)
    profile = None if name is None else load_profile(name, backend)
    return Estimator(model, profile, make_smoothing(options), reader=options.reader)


def estimator_for_source(
    spec: str, options: TrackingOptions, model: EstimatorModel, backend: str
) -> Estimator | ShapeEstimator:
    """The estimator of these options for what a source gives: images, or another tracker's shapes.

    Raises
    ------
    ProfileError
        The profile is none, or of another mesh.
    """
    if not gives_shapes(spec):
        return make_estimator(options, model, backend)
    name = profile_name(options)
    profile = None if name is None else load_profile(name)
    return ShapeEstimator(load_inverse(), profile, make_smoothing(options))


def profile_name(options: TrackingOptions) -> str | None:
    """The profile of one performer's options.

    Raises
    ------
    ConfigError
        There are several, for one performer.
    """
    name = options.profile
    if isinstance(name, tuple):
        (only,) = tracking_of_performers(options)
        name = only.profile
        assert not isinstance(name, tuple)  # one performer has one
    return name


def make_smoothing(options: TrackingOptions) -> Smoothing:
    """The temporal filter of these options."""
    smoothing = Smoothing()
    if options.filter_cutoff_hz is not None:
        smoothing = replace(smoothing, cutoff_hz=options.filter_cutoff_hz)
    if options.filter_beta is not None:
        smoothing = replace(smoothing, beta=options.filter_beta)
    return smoothing


def profile_entry(profile: Profile | None) -> dict[str, str] | None:
    """What a take keeps of a profile: enough to tell it from a later one of the same name."""
    if profile is None:
        return None
    return {"name": profile.name, "created": profile.created, "sha256": profile.digest}


def plain(value: Any) -> Any:
    """JSON values: paths become text, tuples lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)

"""From a take of meshes to a take of Action Units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from livefacs.app import make_smoothing, plain, profile_entry
from livefacs.au.estimator import Estimator
from livefacs.au.model import EstimatorModel, load_model
from livefacs.au.profile import Profile, load_profile
from livefacs.au.solving import solve
from livefacs.config import TrackingOptions
from livefacs.errors import ConfigError, SourceError, TakeError
from livefacs.offline.meshes import unknown_units
from livefacs.offline.options import NO_PROFILE, SolveOptions, is_take
from livefacs.offline.replay import TakeMeshes, replay_take
from livefacs.offline.writing import append_all
from livefacs.session.tracker import Tracker
from livefacs.take.integrity import faults_of
from livefacs.take.model import TakeInfo, TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.types import Estimate, Frame, Gaze, HeadPose, Landmarks, TrackedFrame


def estimate_take(clip: str, meshes: Take, folder: Path, options: SolveOptions) -> tuple[str, ...]:
    """Estimate every mesh of a take and write the result as a take into ``folder``.

    Returns
    -------
    notices : tuple of str
        What the user should know of the weights.
    """
    as_live = options.as_live
    if as_live is None:
        as_live = is_take(clip) and options.neutral_s is None
    if is_take(clip):
        options = replace(options, tracking=_as_recorded(meshes, options.tracking))
    options = replace(options, as_live=as_live)
    tracking = options.tracking
    model = load_model(tracking.weights)
    backend = str(meshes.document["landmarker"])
    name = None if tracking.profile == NO_PROFILE else tracking.profile
    profile = None if name is None else load_profile(name, backend)
    if as_live:
        frames = _as_live(meshes, model, profile, options)
    else:
        frames = _with_whole_clip(clip, meshes, model, profile, options)
    folder.mkdir()
    writer = TakeWriter(folder, _solved_info(meshes, model, profile, options), meshes.clock)
    append_all(writer, frames)
    for marker in meshes.markers:
        writer.mark(marker)
    writer.close()
    if not is_take(clip):
        return ()
    return (
        *faults_of(meshes),
        *_weights_notice(meshes, model),
        *_profile_notice(meshes, profile),
    )


def _as_recorded(take: Take, asked: TrackingOptions) -> TrackingOptions:
    """Tracking options with the recording's own where nothing else is asked for."""
    config = take.document["config"]
    recorded = config.get("tracking", {}) if isinstance(config, dict) else {}
    try:
        return replace(
            asked,
            weights=asked.weights or recorded.get("weights"),
            profile=asked.profile or recorded.get("profile"),
            filter_cutoff_hz=_first(asked.filter_cutoff_hz, recorded.get("filter_cutoff_hz")),
            filter_beta=_first(asked.filter_beta, recorded.get("filter_beta")),
        )
    except ValueError as error:
        raise TakeError(f"{take.folder}: the recording's options cannot be used: {error}") from None


def _first(asked: float | None, recorded: float | None) -> float | None:
    return recorded if asked is None else asked


def _weights_notice(take: Take, model: EstimatorModel) -> tuple[str, ...]:
    weights = take.document["weights"]
    recorded = weights.get("sha256", "") if isinstance(weights, dict) else ""
    if not recorded or recorded == model.digest:
        return ()
    return (f"other weights than the recording's ({model.digest}, then {recorded})",)


def _profile_notice(take: Take, profile: Profile | None) -> tuple[str, ...]:
    """Where the recording's profile was calibrated anew since, its numbers do not come back."""
    recorded = take.document["profile"]
    then = recorded.get("sha256", "") if isinstance(recorded, dict) else ""
    if not then or profile is None or profile.digest == then:
        return ()
    return (f"another profile than the recording's ({profile.digest}, then {then})",)


def _as_live(
    meshes: Take, model: EstimatorModel, profile: Profile | None, options: SolveOptions
) -> Iterator[TrackedFrame]:
    estimator = Estimator(
        model, profile, make_smoothing(options.tracking), focal_px=options.focal_px
    )
    return replay_take(meshes, Tracker(_NoLandmarker(), estimator))


def _with_whole_clip(
    clip: str,
    meshes: Take,
    model: EstimatorModel,
    profile: Profile | None,
    options: SolveOptions,
) -> Iterator[TrackedFrame]:
    try:
        rows = solve(
            TakeMeshes(meshes),
            model,
            profile=profile,
            smoothing=make_smoothing(options.tracking),
            neutral_s=options.neutral_s,
            focal_px=options.focal_px,
        )
    except SourceError as error:
        raise SourceError(f"{clip}: {error}") from None
    return _solved_frames(meshes, rows)


def _solved_frames(
    meshes: Take, rows: Sequence[tuple[int, int, Estimate | None]]
) -> Iterator[TrackedFrame]:
    unknown = unknown_units()
    for mesh, (_, _, estimate) in zip(meshes, rows, strict=True):
        if estimate is None:
            yield replace(mesh, units=unknown, head=HeadPose(), gaze=Gaze(), rigs={})
        else:
            yield replace(
                mesh,
                units=estimate.units,
                head=estimate.head,
                gaze=estimate.gaze,
                health=estimate.health,
                rigs={},
            )


def _solved_info(
    meshes: Take, model: EstimatorModel, profile: Profile | None, options: SolveOptions
) -> TakeInfo:
    document = meshes.document
    tracking = options.tracking
    config = document["config"]
    source = config.get("source") if isinstance(config, dict) else None
    return TakeInfo(
        slate=meshes.slate,
        number=meshes.number,
        notes=str(document["notes"]),
        source=str(document["source"]["description"]),
        rate_hz=float(document["source"]["rate_hz"]),
        is_live=bool(document["source"]["is_live"]),
        landmarker=str(document["landmarker"]),
        weights={
            "file": str(tracking.weights) if tracking.weights else "shipped",
            "sha256": model.digest,
        },
        profile=profile_entry(profile),
        estimator={
            **asdict(make_smoothing(tracking)),
            "as_live": options.as_live,
            "neutral_s": options.neutral_s,
            "focal_px": options.focal_px,
        },
        config={
            "tracking": plain(asdict(tracking)),
            **({"source": source} if source else {}),
        },
        timecode=_recorded_timecode(meshes),
    )


def _recorded_timecode(take: Take) -> TimecodeStart:
    """The same labels for the same times, whatever they came from."""
    timecode = take.document["timecode"]
    return TimecodeStart(take.rate, timecode["source"], timecode["start"], timecode["start_ns"])


class _NoLandmarker:
    """Stands where a tracker that only replays has no model."""

    name = "replay"

    def detect(self, frame: Frame) -> Landmarks | None:
        """Never asked."""
        raise ConfigError(f"frame {frame.i_frame}: a replay has no images")

    def close(self) -> None:
        """Nothing to free."""

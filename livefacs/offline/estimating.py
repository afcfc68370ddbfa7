"""The engine of offline work: meshes in, one estimate a mesh out, whatever asked for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from livefacs.au.clip_neutral import neutral_of_clip, neutral_of_seconds
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel, load_model
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile, load_profile
from livefacs.au.smoothing import Smoothing
from livefacs.config import TrackingOptions
from livefacs.errors import TakeError
from livefacs.offline.meshes import UNKNOWN, Mesh, Meshes
from livefacs.offline.solve_options import SolveOptions
from livefacs.session.parts import (
    NO_PROFILE,
    make_smoothing,
    plain,
    profile_entry,
    profile_name,
)
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.types import Estimate, Health
from livefacs.vocab.facs import AU_CHANNELS


def estimates(
    meshes: Iterable[Mesh],
    estimator: Estimator,
    *,
    holds: bool = False,
    captures: Collection[int] = (),
    resets: Collection[int] = (),
) -> Iterator[Estimate]:
    """One estimate a mesh, in order.

    Parameters
    ----------
    meshes : iterable of Mesh
        Times must rise.
    estimator : Estimator
        Fresh; ``clip_estimator`` makes one that knows the neutral.
    holds : bool
        Where there is no face: what a live run sends (held, then fading); else ``UNKNOWN``.
    captures : collection of int
        Rows before which the neutral is captured anew.
    resets : collection of int
        Rows from which on it is another performer.
    """
    for row, mesh in enumerate(meshes):
        if row in resets:
            estimator.reset()
        if row in captures:
            estimator.capture_neutral()
        if mesh.landmarks is not None:
            yield estimator.estimate(mesh.landmarks)
        else:
            held = estimator.hold(mesh.t_ns)
            yield held if holds else UNKNOWN


def clip_estimator(
    meshes: Meshes,
    model: EstimatorModel,
    *,
    profile: Profile | None = None,
    smoothing: Smoothing | None = None,
    neutral: Neutral | None = None,
    neutral_s: tuple[float, float] | None = None,
    focal_px: float | None = None,
) -> Estimator:
    """An estimator that knows the neutral of a whole clip before its first frame.

    Parameters
    ----------
    profile : Profile or None
        Its neutral and range are used.
    neutral : Neutral or None
        Used as it is.
    neutral_s : (start, end) or None
        Seconds in which the face rests. Without either the profile's neutral is used, completed by
        the clip's where it is of a few glimpses, else the whole clip's.

    Raises
    ------
    SourceError
        There is no face in the clip, or none in the seconds that were named.
    """
    if neutral is None:
        if neutral_s is not None:
            neutral = neutral_of_seconds(model, meshes.faces, *neutral_s)
        elif profile is None or profile.is_open_to_rest:
            neutral = neutral_of_clip(model, meshes.faces, profile.neutral if profile else None)
    return Estimator(model, profile, smoothing, focal_px=focal_px, neutral=neutral)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a clip's meshes are estimated with; nothing is left open.

    Attributes
    ----------
    backend : str
        Landmark backend of the meshes.
    options : SolveOptions
        ``as_live`` is settled, and a take's tracking is as it was recorded where nothing else was
        asked for.
    """

    backend: str
    model: EstimatorModel
    profile: Profile | None
    options: SolveOptions

    def estimates(
        self, take: Take, neutral: Neutral | None = None
    ) -> tuple[Estimator, Iterator[Estimate]]:
        """The estimator, and an estimate for every row of a take.

        Parameters
        ----------
        neutral : Neutral or None
            None: the clip's, or the profile's.
        """
        options, reader = self.options, self.options.tracking.reader
        meshes = Meshes.of_take(take, reader, as_recorded=bool(options.as_live))
        smoothing = make_smoothing(options.tracking)
        if options.as_live:
            estimator = Estimator(
                self.model, self.profile, smoothing, focal_px=options.focal_px, reader=reader
            )
            captures = {mark.row + 1 for mark in take.markers if mark.kind == "neutral"}
            new = np.flatnonzero(take.frames["health"] & int(Health.NEW_PERFORMER))
            resets = frozenset(new.tolist())
            found = estimates(meshes, estimator, holds=True, captures=captures, resets=resets)
            return estimator, found
        estimator = clip_estimator(
            meshes,
            self.model,
            profile=self.profile,
            smoothing=smoothing,
            neutral=neutral,
            neutral_s=options.neutral_s,
            focal_px=options.focal_px,
        )
        return estimator, estimates(meshes, estimator)

    def entries(self) -> dict[str, Any]:
        """What a take says of how it was estimated."""
        tracking = self.options.tracking
        return {
            "landmarker": self.backend,
            "weights": {
                "file": str(tracking.weights) if tracking.weights else "shipped",
                "sha256": self.model.digest,
            },
            "profile": profile_entry(self.profile),
            "channels": self.profile.channels if self.profile else AU_CHANNELS,
            "estimator": {
                **asdict(make_smoothing(tracking)),
                "as_live": self.options.as_live,
                "neutral_s": self.options.neutral_s,
                "focal_px": self.options.focal_px,
            },
        }

    def config(self) -> dict[str, Any]:
        """The tracking options, as a take keeps them."""
        return {"tracking": plain(asdict(self.options.tracking))}


def clip_setup(options: SolveOptions, backend: str, person: Profile | None = None) -> Setup:
    """The set-up for a clip: with the neutral of the whole clip where nothing else is asked for.

    Parameters
    ----------
    person : Profile or None
        A profile in place of the one that the options name.
    """
    return _setup(replace(options, as_live=bool(options.as_live)), backend, person)


def take_setup(
    options: SolveOptions, take: Take, person: Profile | None = None
) -> tuple[Setup, tuple[str, ...]]:
    """The set-up for a take: as it was recorded, but for what is asked for otherwise.

    Returns
    -------
    setup : Setup
    notices : tuple of str
        Errors of the take; other weights or another profile than the recording's.

    Raises
    ------
    TakeError
        The options that it was recorded with cannot be used.
    """
    as_live = options.neutral_s is None if options.as_live is None else options.as_live
    tracking = _as_recorded(take, options.tracking)
    options = replace(options, as_live=as_live, tracking=tracking)
    setup = _setup(options, str(take.document["landmarker"]), person)
    notices = (
        *errors_of(take),
        *_weights_notice(take, setup.model),
        *_profile_notice(take, setup.profile),
    )
    return setup, notices


def _setup(options: SolveOptions, backend: str, person: Profile | None) -> Setup:
    tracking, profile = options.tracking, person
    name = profile_name(tracking)
    if profile is None and name is not None and name != NO_PROFILE:
        profile = load_profile(name, backend)
    return Setup(backend, load_model(tracking.weights), profile, options)


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

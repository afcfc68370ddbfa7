"""The synchronous core: one frame in, everything known of it out. Same frames, same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.protocols import AuEstimator, Landmarker, RigRetargeter, ShapesAuEstimator
from livefacs.types import (
    ActionUnits,
    Estimate,
    Frame,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    RigFrame,
    TrackedFrame,
)

_REST_NS: Final = 2 * NS_PER_S  # a pause this long ends every control's smoothing


class Tracker:
    """Landmarks, Action Units and rig controls of a frame.

    Starts no thread and opens no socket. ``stopwatch_ns`` only fills ``stage_ns``; no value
    depends on it.

    Parameters
    ----------
    landmarker, estimator
    retargeters : retargeters that read the performance as it is
    mirrored_retargeters : retargeters that read its mirror image
    stopwatch_ns : callable that gives nanoseconds
    keep_image : bool
        Hand the image on in ``TrackedFrame.image``.

    Attributes
    ----------
    straight_retargeters, mirrored_retargeters : tuple of RigRetargeter
    """

    def __init__(
        self,
        landmarker: Landmarker,
        estimator: AuEstimator,
        *,
        retargeters: Sequence[RigRetargeter] = (),
        mirrored_retargeters: Sequence[RigRetargeter] = (),
        stopwatch_ns: Callable[[], int] = lambda: 0,
        keep_image: bool = False,
    ) -> None:
        self.landmarker = landmarker
        self.estimator = estimator
        self.straight_retargeters = tuple(retargeters)
        self.mirrored_retargeters = tuple(mirrored_retargeters)
        self.stopwatch_ns = stopwatch_ns
        self.keep_image = keep_image

    @property
    def retargeters(self) -> tuple[RigRetargeter, ...]:
        """Those that read the performance as it is, then those that read its mirror image."""
        return (*self.straight_retargeters, *self.mirrored_retargeters)

    def add_retargeter(self, retargeter: RigRetargeter, *, mirrored: bool = False) -> None:
        """Make one more rig's controls from the next frame on; one of the same name makes way."""
        among = self.mirrored_retargeters if mirrored else self.straight_retargeters
        others = tuple(each for each in among if each.rig != retargeter.rig)
        if mirrored:
            self.mirrored_retargeters = (*others, retargeter)
        else:
            self.straight_retargeters = (*others, retargeter)

    def step(self, frame: Frame) -> TrackedFrame:
        """Track one frame. A frame without a face gives held, then neutral values and the flag."""
        began_ns = self.stopwatch_ns()
        landmarks = None if frame.shapes is not None else self.landmarker.detect(frame)
        return self.step_found(frame, landmarks, began_ns, self.stopwatch_ns())

    def step_found(
        self, frame: Frame, landmarks: Landmarks | None, began_ns: int, found_ns: int
    ) -> TrackedFrame:
        """Track one frame whose mesh was found between two readings of the stopwatch."""
        if frame.shapes is not None:
            assert isinstance(self.estimator, ShapesAuEstimator)  # opened for such a source
            estimate = self.estimator.estimate_shapes(frame.shapes, frame.t_ns)
        elif landmarks is None:
            estimate = self.estimator.hold(frame.t_ns)
        else:
            estimate = self.estimator.estimate(landmarks)
        height, width = frame.image.shape[:2]
        return self._finish(
            TrackedFrame(
                i_frame=frame.i_frame,
                t_ns=frame.t_ns,
                health=estimate.health,
                image_size=(width, height),
                landmarks=landmarks,
                head=estimate.head,
                gaze=estimate.gaze,
                units=estimate.units,
                stage_ns={"landmarks": found_ns - began_ns},
                image=frame.image if self.keep_image else None,
            ),
            found_ns,
        )

    def hold(self, i_frame: int, t_ns: int, image_size: tuple[int, int] = (0, 0)) -> TrackedFrame:
        """A moment without any image: the camera is gone."""
        began_ns = self.stopwatch_ns()
        estimate = self.estimator.hold(t_ns)
        return self._finish(_tracked_without_face(estimate, i_frame, t_ns, image_size), began_ns)

    @property
    def performers(self) -> tuple[Tracker, ...]:
        """A tracker for each performer, this one first."""
        return (self,)

    def check_face(self, face: int | None) -> None:
        """Refuse a number that no performer has; None stands for all of them.

        Raises
        ------
        ConfigError
        """
        n = len(self.performers)
        if face is not None and not 1 <= face <= n:
            raise ConfigError(f"face {face}: this session tracks {n}, numbered from 1")

    def capture_neutral(self, face: int | None = None) -> None:
        """Take the next second of frames as the neutral of one performer, or of all."""
        for number, performer in enumerate(self.performers, 1):
            if face in (None, number):
                performer.estimator.capture_neutral()

    def neutral(self, i_frame: int, t_ns: int) -> TrackedFrame:
        """The frame that leaves a rig at rest when a session ends."""
        units = ActionUnits.neutral(self.estimator.channels)
        estimate = Estimate(units, HeadPose(), Gaze(), Health.NO_FACE)
        rested_ns = t_ns + _REST_NS
        tracked = _tracked_without_face(estimate, i_frame, rested_ns, (0, 0))
        return replace(self._finish(tracked, 0), t_ns=t_ns)

    def _finish(self, tracked: TrackedFrame, estimating_since_ns: int) -> TrackedFrame:
        estimated_ns = self.stopwatch_ns()
        rigs = _retargeted(self.straight_retargeters, tracked)
        mirrored = (
            _retargeted(self.mirrored_retargeters, tracked.mirrored())
            if self.mirrored_retargeters
            else {}
        )
        done_ns = self.stopwatch_ns()
        stage_ns = {
            **tracked.stage_ns,
            "estimate": estimated_ns - estimating_since_ns,
            "retarget": done_ns - estimated_ns,
        }
        return replace(tracked, rigs=rigs, rigs_mirrored=mirrored, stage_ns=stage_ns)


def _retargeted(retargeters: Sequence[RigRetargeter], tracked: TrackedFrame) -> dict[str, RigFrame]:
    return {retargeter.rig: retargeter.retarget(tracked) for retargeter in retargeters}


def _tracked_without_face(
    estimate: Estimate, i_frame: int, t_ns: int, image_size: tuple[int, int]
) -> TrackedFrame:
    return TrackedFrame(
        i_frame=i_frame,
        t_ns=t_ns,
        health=estimate.health,
        image_size=image_size,
        landmarks=None,
        head=estimate.head,
        gaze=estimate.gaze,
        units=estimate.units,
    )

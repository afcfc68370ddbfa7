"""Sources, landmarkers and estimators of the tests: small, real implementations of the borders."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from livefacs.types import (
    ActionUnits,
    Estimate,
    Frame,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    RigFrame,
    SinkCounters,
    TrackedFrame,
)
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from tests.support.keeping import Keeper

PERIOD_NS = 33_333_333


def frame(i_frame: int, t_ns: int | None = None) -> Frame:
    """A tiny image whose brightness is its number."""
    image = np.full((8, 8, 3), i_frame % 256, np.uint8)
    return Frame(image, i_frame * PERIOD_NS if t_ns is None else t_ns, i_frame)


class ListSource:
    """A file-like source of given frames."""

    description = "list"
    is_live = False
    rate_hz = 30.0
    notices: tuple[str, ...] = ()
    start_ns = 0
    timecode: str | None = None

    def __init__(self, frames: Sequence[Frame], failure: Exception | None = None) -> None:
        self._frames = iter(frames)
        self._failure = failure
        self.n_frames: int | None = len(frames)
        self.closed = False

    def closing_notices(self) -> tuple[str, ...]:
        """Nothing to tell."""
        return ()

    def read(self) -> Frame | None:
        """The next frame; after the last one the failure, if there is one."""
        item = next(self._frames, None)
        if item is None and self._failure is not None:
            raise self._failure
        return item

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class HandSource:
    """A live source that gives a frame when the test says so."""

    description = "hand"
    is_live = True
    rate_hz = 100.0
    n_frames: int | None = None
    notices: tuple[str, ...] = ()
    start_ns = 0
    timecode: str | None = None

    def __init__(self) -> None:
        self._ready = threading.Semaphore(0)
        self._frames: list[Frame | None] = []

    def push(self, item: Frame | None) -> None:
        """Let ``read`` return this next."""
        self._frames.append(item)
        self._ready.release()

    def read(self) -> Frame | None:
        """Blocks until ``push`` or ``close``."""
        self._ready.acquire()
        return self._frames.pop(0) if self._frames else None

    def closing_notices(self) -> tuple[str, ...]:
        """Nothing to tell."""
        return ()

    def close(self) -> None:
        """Wake the reader."""
        self._ready.release()


class CornerLandmarker:
    """Finds a face in every image that is not black."""

    name = "corner"

    def __init__(self) -> None:
        self.closed = False

    def detect(self, item: Frame) -> Landmarks | None:
        """Points at the brightness of the image."""
        brightness = float(item.image[0, 0, 0])
        if brightness == 0:
            return None
        points = np.full((478, 3), brightness, np.float32)
        return Landmarks(points, item.t_ns, item.i_frame, (8, 8))

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class BrightnessEstimator:
    """AU12_L is the brightness."""

    channels = AU_CHANNELS

    def __init__(self) -> None:
        self.neutral_captures = 0
        self._last = np.zeros(N_AU, np.float32)

    def estimate(self, landmarks: Landmarks) -> Estimate:
        """AU12_L from the first point."""
        values = np.zeros(N_AU, np.float32)
        values[CHANNEL_INDEX["AU12_L"]] = landmarks.points_px[0, 0] / 255
        self._last = values
        return _estimate(values, Health.UNCALIBRATED)

    def hold(self, t_ns: int) -> Estimate:
        """The last values."""
        return _estimate(self._last, Health.NO_FACE | Health.HELD)

    def capture_neutral(self) -> None:
        """Count the calls."""
        self.neutral_captures += 1


class SmileRetargeter:
    """One control: the sum of both AU12, left counted twice."""

    rig = "smile"

    def retarget(self, tracked: TrackedFrame) -> RigFrame:
        """2 × AU12_L + AU12_R."""
        units = tracked.units.intensity
        value = 2 * units[CHANNEL_INDEX["AU12_L"]] + units[CHANNEL_INDEX["AU12_R"]]
        return RigFrame("smile", ("smile",), np.array([value], np.float32))


def _estimate(values: np.ndarray, health: Health) -> Estimate:
    units = ActionUnits(values, values, np.ones(N_AU, np.float32))
    return Estimate(units, HeadPose(yaw_rad=0.5), Gaze(), health)


class ListOutputs:
    """Destinations that keep what they were sent."""

    def __init__(self) -> None:
        self.sink = Keeper("list://")
        self.forced = 0

    @property
    def counters(self) -> dict[str, SinkCounters]:
        """Counters by URL."""
        return {self.sink.url: self.sink.counters}

    @property
    def frames(self) -> list[TrackedFrame]:
        """What was sent."""
        return self.sink.frames

    def send(self, tracked: TrackedFrame, *, force: bool = False) -> None:
        """Keep the frame."""
        self.forced += force
        self.sink.send(tracked)

    def close(self) -> None:
        """Close the sink."""
        self.sink.close()

"""The narrow borders: who gives frames, finds landmarks, estimates, retargets, sends, controls.

The engine in ``session`` knows only these; ``app`` puts the adapters in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from livefacs.arrays import F32
from livefacs.types import (
    Estimate,
    Frame,
    Landmarks,
    RigFrame,
    Shapes,
    Sighting,
    SinkCounters,
    TrackedFrame,
)


@runtime_checkable
class Source(Protocol):
    """Gives frames, one after the other.

    Attributes
    ----------
    description : str
        One line for people: device or file, size, rate.
    is_live : bool
        True where frames come by themselves and the newest wins; False where every frame waits
        until it is read (files), so that nothing is dropped.
    rate_hz : float
        Nominal frame rate; 0 where it is unknown.
    n_frames : int or None
        Number of frames, where the source knows it.
    notices : tuple of str
        What a user should be told before the start.
    timecode : str or None
        Start timecode where the source carries one (``01:00:00:00``; ``;`` for drop frame).
    start_ns : int
        Time of the first frame in the source's file, in nanoseconds: a clip's sound may begin
        before its picture, and players count from there. 0 where there is no such file.
    """

    description: str
    is_live: bool
    rate_hz: float
    n_frames: int | None
    notices: tuple[str, ...]
    timecode: str | None
    start_ns: int

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end: damaged frames, lost connections."""

    def read(self) -> Frame | None:
        """The next frame, or None at the end. Blocks; a lost camera is retried inside.

        Raises
        ------
        SourceError
            Nothing more can be had and retrying is no use.
        """

    def close(self) -> None:
        """Let the device or file go. ``read`` in another thread returns None soon after."""


@runtime_checkable
class SelfReading(Protocol):
    """What a live source has besides that reads in a thread of its own: the newest frame."""

    @property
    def ended(self) -> bool:
        """True when no frame comes any more."""

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest frame that was not taken yet; None when none came in time, or at the end.

        Raises
        ------
        SourceError
            Nothing more can be had and retrying is no use.
        """


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Some samples of a microphone.

    Attributes
    ----------
    samples : (n, channels) float32, full scale ±1
    t_ns : int
        Session time at which the first of them was heard.
    overflowed : bool
        The device said that samples were lost before it.
    """

    samples: F32
    t_ns: int
    overflowed: bool = False


@runtime_checkable
class SoundInput(Protocol):
    """An open microphone at 48 kHz, which tells every block to whoever listens.

    Attributes
    ----------
    description : str
    n_channels : int
    """

    description: str
    n_channels: int

    def subscribe(
        self, listener: Callable[[SoundBlock], object], since_ns: int | None = None
    ) -> None:
        """Tell a listener every block from now on, in the device's thread: it must not wait.

        ``since_ns``: first the blocks since then, as far back as they are kept, in this thread.
        """

    def unsubscribe(self, listener: Callable[[SoundBlock], object]) -> None:
        """Tell it no more."""


@runtime_checkable
class ClipSound(Protocol):
    """The sound of a clip at 48 kHz, sample 0 at its first picture.

    Attributes
    ----------
    description : str
    n_channels : int
    """

    description: str
    n_channels: int

    def blocks(self) -> Iterator[F32]:
        """(n, channels) float32, one after the other, to the end."""

    def close(self) -> None:
        """Let the file go."""


@runtime_checkable
class Landmarker(Protocol):
    """Finds the mesh of the largest face.

    Attributes
    ----------
    name : str
        Whose mesh it is: ``facemesh-litert`` or ``tasks``.
    description : str
        One line for people: what finds the mesh, and what computes it.
    """

    name: str
    description: str

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh, or None where there is no face."""

    def close(self) -> None:
        """Free the model."""


@runtime_checkable
class FaceFinder(Landmarker, Protocol):
    """A landmarker that also gives every face of a frame."""

    def faces(self, frame: Frame) -> list[F32]:
        """The meshes, (478, 3) float32 pixels each, in no order."""


@runtime_checkable
class PerformersLandmarker(Landmarker, Protocol):
    """Finds the meshes of several performers, who keep their numbers."""

    def detect_all(self, frame: Frame) -> tuple[Sighting, ...]:
        """What is seen of each performer, in the order of their numbers."""


@runtime_checkable
class AuEstimator(Protocol):
    """Turns meshes into Action Units; keeps neutral and filter state. Reads no clock.

    Attributes
    ----------
    channels : tuple of str
        Those of every estimate: FACS, then what the performer taught.
    """

    channels: tuple[str, ...]

    def estimate(self, landmarks: Landmarks) -> Estimate:
        """Action Units, head pose and gaze of one mesh."""

    def hold(self, t_ns: int) -> Estimate:
        """The frame has no face: hold the last values, then fade them to neutral."""

    def capture_neutral(self) -> None:
        """Take the next second of frames as the person's neutral."""


@runtime_checkable
class PerformerEstimator(AuEstimator, Protocol):
    """An estimator whose performer may be followed by another."""

    def reset(self) -> None:
        """Forget the performer: neutral (unless a profile gives it), filter, held values."""


@runtime_checkable
class ShapesAuEstimator(AuEstimator, Protocol):
    """Turns the blend shapes of another tracker into Action Units."""

    def estimate_shapes(self, shapes: Shapes, t_ns: int) -> Estimate:
        """Action Units, head pose and gaze of one frame."""


@runtime_checkable
class RigRetargeter(Protocol):
    """Turns Action Units into the controls of one rig; may keep per-control smoothing state."""

    @property
    def rig(self) -> str:
        """Name of the map, key of ``TrackedFrame.rigs``."""

    def retarget(self, tracked: TrackedFrame) -> RigFrame:
        """Control values from the units, head and gaze of a frame (its ``rigs`` are not read)."""


@runtime_checkable
class Encoder(Protocol):
    """Bytes of one protocol, no sockets. May keep a sequence number and prebuilt datagrams."""

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes | bytearray | memoryview]:
        """The datagrams of one frame, in sending order; valid until the next call."""


@runtime_checkable
class Sink(Protocol):
    """Takes tracked frames somewhere. ``send`` never blocks and never raises for a bad receiver.

    Attributes
    ----------
    url : str
        The destination as the user wrote it.
    counters : SinkCounters
    """

    url: str
    counters: SinkCounters

    def send(self, tracked: TrackedFrame) -> None:
        """Send, queue or drop one frame; counts what it did."""

    def close(self) -> None:
        """Send what is due (a last neutral is the runner's business) and let the socket go."""


@runtime_checkable
class Outputs(Protocol):
    """All destinations of a session, each with its rate limit and mirror switch.

    Attributes
    ----------
    counters : mapping of destination URL to its SinkCounters
    """

    @property
    def counters(self) -> Mapping[str, SinkCounters]:
        """Counters of every destination by its URL."""

    def send(self, tracked: TrackedFrame, *, force: bool = False) -> None:
        """Send one frame everywhere; ``force`` passes the rate limits."""

    def close(self) -> None:
        """Close every destination."""


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """How a take is to be named; None: as the session has it.

    Attributes
    ----------
    slate : str or None
    number : int or None
        One that is taken moves on to the next free one.
    notes : str or None
    since_ns : int or None
        Session time from which on frames belong to it, as far back as they are kept.
    """

    slate: str | None = None
    number: int | None = None
    notes: str | None = None
    since_ns: int | None = None


@runtime_checkable
class SessionControl(Protocol):
    """What a control port may ask of a running session. Thread-safe; returns at once."""

    def time_s(self) -> float:
        """Seconds on the session clock."""

    def start_streaming(self) -> None:
        """Let the outputs send (they do from the start)."""

    def stop_streaming(self) -> None:
        """Send one neutral frame, then hold the outputs back; tracking goes on."""

    def capture_neutral(self, face: int | None = None) -> None:
        """Take the next second of frames as the neutral of one performer, or of all.

        Raises
        ------
        ConfigError
            There is no such performer.
        """

    def set_slate(self, slate: str) -> None:
        """Name of the next take."""

    def set_take(self, number: int) -> None:
        """Number of the next take."""

    def record_start(
        self, slate: str | None = None, take: int | None = None, notes: str | None = None
    ) -> str:
        """Start a take; the timecode it starts at. None: as the session has it.

        Raises
        ------
        TakeError
            There is no take folder, or a take is already being recorded.
        """

    def record_stop(self) -> tuple[str, str, str]:
        """End the take: timecode, path of its curves, path of its video (empty without one)."""

    def mark(self, label: str) -> None:
        """Put a marker at the present frame."""

    def status(self) -> dict[str, Any]:
        """State of the session in plain values: frames, drops, health, outputs, take, rigs."""

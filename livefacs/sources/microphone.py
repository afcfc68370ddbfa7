"""Microphones through PortAudio (the extra ``audio``), stamped by the session clock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Protocol

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import ConfigError, SourceError
from livefacs.protocols import SoundBlock
from livefacs.sources.device_names import devices_named

_RATE_HZ: Final = 48_000
_USUAL_CHANNELS: Final = 2
_SETTLED_S: Final = 0.015
_SETTLING_S: Final = 0.3
_LONGEST_SETTLING_S: Final = 3.0
_FIRST_BLOCK_S: Final = 5.0
_LONGEST_LATENCY_S: Final = 5.0
_KEPT_NS: Final = 3 * NS_PER_S  # of sound, for takes that begin a moment ago


@dataclass(frozen=True, slots=True)
class MicrophoneInfo:
    """One device that gives sound.

    Attributes
    ----------
    index : int
        PortAudio's number.
    name : str
    n_channels : int
        The most that it gives.
    is_default : bool
    """

    index: int
    name: str
    n_channels: int
    is_default: bool = False


class SoundStream(Protocol):
    """An open stream of PortAudio."""

    def start(self) -> None:
        """Let blocks come."""

    def close(self) -> None:
        """Let the device go; no block comes any more."""


Heard = Callable[[F32, float, bool], None]
"""Takes (n, channels) float32, how long ago the first of them was heard (s), and whether some
were lost before."""

OpenStream = Callable[[int, int, Heard], SoundStream]
"""Opens a device by index with so many channels at 48 kHz."""


def portaudio() -> ModuleType:
    """The library.

    Raises
    ------
    ConfigError
        It is not installed, or PortAudio itself is not.
    """
    try:
        import sounddevice
    except ImportError:
        raise ConfigError(
            "sound needs sounddevice, which is not installed: pip install 'livefacs[audio]'"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"sound needs PortAudio, which is not here ({error}); on Debian and Ubuntu: apt"
            " install libportaudio2"
        ) from None
    module: ModuleType = sounddevice
    return module


def list_microphones() -> list[MicrophoneInfo]:
    """Devices that give sound, by PortAudio's number.

    Raises
    ------
    ConfigError
        The library is not installed.
    """
    library = portaudio()
    default = int(library.default.device[0])
    return [
        MicrophoneInfo(
            index, str(device["name"]), int(device["max_input_channels"]), index == default
        )
        for index, device in enumerate(library.query_devices())
        if device["max_input_channels"] > 0
    ]


def find_microphone(spec: str, found: Sequence[MicrophoneInfo]) -> MicrophoneInfo:
    """The device that a user means: ``auto``, a number, a name or a part of one.

    Raises
    ------
    SourceError
        None, or several.
    """
    if spec == "auto":
        fitting = [each for each in found if each.is_default] or list(found[:1])
    elif spec.isdecimal():
        fitting = [each for each in found if each.index == int(spec)]
    else:
        fitting = devices_named(spec, found, lambda each: each.name)
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(f"{each.index} {each.name!r}" for each in found) or "none found"
    what = "several microphones fit" if fitting else "no microphone"
    raise SourceError(
        f"{what} {spec!r} (microphones: {known}); expected auto, a number, or a name that fits one"
    )


def _open_portaudio(index: int, n_channels: int, heard: Heard) -> SoundStream:
    library = portaudio()

    def callback(samples: F32, _n: int, times: Any, status: Any) -> None:
        heard(samples, times.currentTime - times.inputBufferAdcTime, bool(status.input_overflow))

    stream: SoundStream = library.InputStream(
        device=index,
        channels=n_channels,
        samplerate=_RATE_HZ,
        dtype="float32",
        latency="high",
        callback=callback,
    )
    return stream


class Microphone:
    """A device that is listened to until it is closed (``protocols.SoundInput``).

    A block's time is when its first sample was heard, as PortAudio tells it, on the session clock.
    What it tells of the first moments is often wrong: opening waits until the times agree with the
    number of samples.

    Parameters
    ----------
    spec : str
        As of ``find_microphone``.
    n_channels : int or None
        None: two, or the one that there is.
    clock : callable, nanoseconds
    find : callable that gives the devices
    open_stream : OpenStream

    Attributes
    ----------
    notices : tuple of str

    Raises
    ------
    SourceError
        No such device, it does not open at 48 kHz, or gives nothing.
    ConfigError
        The library is not installed, or the device has not so many channels.
    """

    def __init__(
        self,
        spec: str,
        n_channels: int | None = None,
        *,
        clock: Callable[[], int] = now_ns,
        find: Callable[[], list[MicrophoneInfo]] = list_microphones,
        open_stream: OpenStream = _open_portaudio,
    ) -> None:
        device = find_microphone(spec, find())
        self.n_channels = n_channels or min(_USUAL_CHANNELS, device.n_channels)
        if self.n_channels > device.n_channels:
            raise ConfigError(
                f"microphone {device.name!r} has {device.n_channels} channel(s);"
                f" {self.n_channels} were asked for"
            )
        self.description = f"microphone {device.name!r}, {self.n_channels} channel(s)"
        self.notices: tuple[str, ...] = ()
        self._clock = clock
        self._listeners: tuple[Callable[[SoundBlock], object], ...] = ()
        self._kept: deque[SoundBlock] = deque()
        self._lock = threading.Lock()
        self._n_samples = 0
        self._lates: deque[tuple[float, float]] = deque()
        self._has_come = threading.Event()
        self._is_settled = threading.Event()
        try:
            self._stream = open_stream(device.index, self.n_channels, self._hear)
            self._stream.start()
        except Exception as error:  # PortAudio's own derive from nothing else
            raise SourceError(
                f"{self.description} does not open at 48 kHz: {error}; choose another with --audio"
                " (see `livefacs cameras`)"
            ) from None
        self._settle()

    def _settle(self) -> None:
        if not self._has_come.wait(_FIRST_BLOCK_S):
            self.close()
            raise SourceError(f"{self.description} gives nothing; choose another with --audio")
        if not self._is_settled.wait(_LONGEST_SETTLING_S):
            self.notices = (
                f"{self.description}: its times swing by more than"
                f" {1000 * _SETTLED_S:.0f} ms; sound may be as far from the picture",
            )

    def subscribe(
        self, listener: Callable[[SoundBlock], object], since_ns: int | None = None
    ) -> None:
        """Tell a listener every block from now on, in the device's thread: it must not wait.

        ``since_ns``: first the blocks since then, as far back as they are kept, in this thread.
        """
        with self._lock:
            for block in self._kept:
                end_ns = block.t_ns + len(block.samples) * NS_PER_S // _RATE_HZ
                if since_ns is not None and end_ns > since_ns:
                    listener(block)
            self._listeners = (*self._listeners, listener)

    def unsubscribe(self, listener: Callable[[SoundBlock], object]) -> None:
        """Tell it no more."""
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each != listener)

    def close(self) -> None:
        """Let the device go."""
        self._stream.close()

    def _hear(self, samples: F32, latency_s: float, overflowed: bool) -> None:
        heard_ns = self._clock()
        if not 0.0 <= latency_s <= _LONGEST_LATENCY_S:  # a host that does not know
            latency_s = len(samples) / _RATE_HZ
        t_ns = heard_ns - round(latency_s * NS_PER_S)
        if not self._is_settled.is_set():
            self._note(t_ns, len(samples))
        block = SoundBlock(np.array(samples, np.float32), t_ns, overflowed)
        with self._lock:
            self._kept.append(block)
            while t_ns - self._kept[0].t_ns > _KEPT_NS:
                self._kept.popleft()
            listeners = self._listeners
        for listener in listeners:
            listener(block)

    def _note(self, t_ns: int, n_samples: int) -> None:
        at_s = self._n_samples / _RATE_HZ
        self._n_samples += n_samples
        self._lates.append((at_s, t_ns / NS_PER_S - at_s))
        while at_s - self._lates[0][0] > _SETTLING_S:
            self._lates.popleft()
        lates = [late for _, late in self._lates]
        spans = at_s - self._lates[0][0] > 0.8 * _SETTLING_S
        if spans and max(lates) - min(lates) < _SETTLED_S:
            self._is_settled.set()
        self._has_come.set()

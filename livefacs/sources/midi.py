"""MIDI ports through mido (the extra ``midi``), and the timecode that comes in by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import ConfigError, SourceError
from livefacs.sources.device_names import devices_named
from livefacs.sources.wire_timecode import WireTimecode
from livefacs.timecode import TimecodeRate
from livefacs.wire.following import TimecodeFollower
from livefacs.wire.mtc import MtcReader

_ALSA_SEQUENCER: Final = Path("/dev/snd/seq")
_USUAL_BACKEND: Final = "mido.backends.rtmidi"


def mido_library() -> ModuleType:
    """The library, with the backend that ``MIDO_BACKEND`` names; RtMidi where it names none.

    Raises
    ------
    ConfigError
        It is not installed, or its backend is not.
    """
    try:
        import mido

        mido.backend.load()
    except ImportError as error:
        raise ConfigError(
            f"MIDI timecode needs mido and python-rtmidi ({error}): pip install 'livefacs[midi]'"
        ) from None
    module: ModuleType = mido
    return module


def list_midi_ports() -> list[str]:
    """Names of the ports that messages come in by.

    Raises
    ------
    ConfigError
        The library is not installed.
    SourceError
        The system has no MIDI.
    """
    library = mido_library()
    is_alsa = library.backend.name == _USUAL_BACKEND and library.backend.api is None
    if is_alsa and sys.platform == "linux" and not _ALSA_SEQUENCER.exists():
        raise SourceError(
            f"no MIDI here: ALSA's sequencer ({_ALSA_SEQUENCER}) is not there; load it with"
            " `modprobe snd-seq`"
        )
    try:
        return list(library.get_input_names())
    except Exception as error:  # what a backend raises is its own
        raise SourceError(f"no MIDI here: {error}") from None


def find_midi_port(spec: str, found: Sequence[str]) -> str:
    """The port that a user means: its name or a part of it; nothing takes the only one.

    Raises
    ------
    SourceError
        None, or several.
    """
    fitting = devices_named(spec, found, str)
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(map(repr, found)) or "none found"
    what = "several MIDI ports fit" if fitting else "no MIDI port"
    raise SourceError(
        f"{what} 'mtc:{spec}' (MIDI ports: {known}); expected mtc: and a name that fits one"
    )


class MidiTimecode(WireTimecode):
    """MIDI timecode from a port.

    Parameters
    ----------
    spec : str
        As of ``find_midi_port``.
    rate : TimecodeRate or None
        The rate that is expected.
    clock : callable, nanoseconds

    Raises
    ------
    ConfigError
        The library is not installed.
    SourceError
        No such port, or it does not open.
    """

    def __init__(
        self, spec: str, rate: TimecodeRate | None = None, clock: Callable[[], int] = now_ns
    ) -> None:
        name = find_midi_port(spec, list_midi_ports())
        follower = TimecodeFollower(NS_PER_S, rate, is_exact=False)
        super().__init__(f"MIDI timecode from {name!r}", follower, clock)
        self._reader = MtcReader()
        try:
            self._port = mido_library().open_input(name, callback=self._hear)
        except Exception as error:  # what a backend raises is its own
            raise SourceError(
                f"MIDI port {name!r} does not open: {error}; is another program using it?"
            ) from None

    def close(self) -> None:
        """Let the port go."""
        self._port.close()

    def _hear(self, message: Any) -> None:
        """In the port's thread: some microseconds a message."""
        t_ns = self._clock()
        with self._lock:
            if message.type == "quarter_frame":
                frames = self._reader.quarter(message.frame_type, message.frame_value, t_ns)
                self._follower.follow(frames)
            elif message.type == "sysex" and (frame := self._reader.full(message.data, t_ns)):
                self._follower.locate(frame)
            self._lock.notify_all()

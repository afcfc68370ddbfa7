"""The claps in a recording's sound."""

from __future__ import annotations

from dataclasses import dataclass

from livefacs.errors import ConfigError
from livefacs.offline.recordings import Recording
from livefacs.take.claps import ClapFinder


@dataclass(frozen=True, slots=True)
class TimedClap:
    """A clap and its time since the recording's first frame."""

    time_s: float
    level_db: float


def find_claps(recording: Recording) -> list[TimedClap]:
    """Every clap, by time.

    Raises
    ------
    ConfigError
        There is no sound.
    """
    if not recording.has_sound:
        raise ConfigError(
            f"{recording.path} has no sound: claps are heard, not seen; record with --audio"
        )
    finder = ClapFinder()
    claps = [clap for block in recording.blocks() for clap in finder.find(block)]
    return [
        TimedClap(recording.start_s + clap.sample / recording.rate_hz, clap.level_db)
        for clap in (*claps, *finder.flush())
    ]

"""The take's sound on the clock of its frames: Broadcast Wave that begins at the first frame.

The drift of the microphone's clock is taken out by resampling (SoXR), so that sound and curves stay
together over any length; where there is none, the samples are the recorded ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions, need
from livefacs.take.reader import Take
from livefacs.take.sound import (
    TakeSound,
    broadcast_of,
    seconds_of_day,
    sound_of,
    with_reference,
)
from livefacs.take.wave import SAMPLE_RATE_HZ, WaveWriter

_NO_DRIFT_PPM: Final = 0.05  # less than a millisecond in five hours


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; needs soxr where the microphone's clock drifted."""
    sound = needed_sound(take)
    path.unlink(missing_ok=True)
    document = take.document
    broadcast = broadcast_of(
        take.slate, take.number, document["notes"], document["clock"]["unix_ns"]
    )
    seconds = seconds_of_day(document["timecode"], int(take.t_ns[0]))
    writer = WaveWriter(path, sound.info.n_channels, with_reference(broadcast, seconds))
    try:
        for samples in samples_on_frames(take, sound, int(take.t_ns[0])):
            writer.append(samples)
    finally:
        writer.close()


def needed_sound(take: Take) -> TakeSound:
    """The take's sound.

    Raises
    ------
    TakeError
        It has none, or no frames.
    """
    sound = sound_of(take)
    if sound is None:
        raise TakeError(
            f"{take.folder}: the take has no sound; record with --audio, or a clip that has some"
        )
    if not take.n_rows:
        raise TakeError(f"{take.folder}: the take has no frames, nothing can be exported")
    return sound


def samples_on_frames(take: Take, sound: TakeSound, begin_ns: int) -> Iterator[F32]:
    """(n, channels) float32 at 48 kHz of the session clock, up to the end of the last frame.

    Parameters
    ----------
    take : Take
    sound : TakeSound
    begin_ns : int
        Session time of the first sample.

    Raises
    ------
    ConfigError
        soxr is needed and not installed.
    """
    end_ns = int(take.t_ns[-1])
    end_ns += round(NS_PER_S / take.frame_rate_hz) if take.frame_rate_hz else 0
    begin = round(sound.clock.sample_at(begin_ns))
    end = round(sound.clock.sample_at(end_ns))
    blocks = sound.blocks(begin, end)
    if abs(sound.clock.drift_ppm) < _NO_DRIFT_PPM:
        yield from blocks
        return
    try:
        import soxr
    except ImportError:
        raise need("soxr", "audio") from None
    stream = soxr.ResampleStream(
        sound.clock.rate_hz, SAMPLE_RATE_HZ, sound.info.n_channels, dtype="float32"
    )
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, sound.info.n_channels), np.float32), last=True)

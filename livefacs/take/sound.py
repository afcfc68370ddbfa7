"""The sound of a take: ``sound.wav``, and in ``sound.rec`` when each block of it was heard.

A microphone has a clock of its own. Its samples stand in the file as they came, lost ones as
silence; where a sample lies on the session clock follows from the blocks' times, by the line
through them. That line is the measured drift, and ``take.json`` has it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntFlag
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from livefacs.arrays import F32, Records
from livefacs.clock import NS_PER_S
from livefacs.errors import TakeError
from livefacs.files.bounded_reading import read_bytes
from livefacs.take.checksums import damage_of_file
from livefacs.take.layout import SOUND_BLOCKS_FILE, SOUND_FILE, stream_entry
from livefacs.take.wave import (
    BITS,
    HEADER_BYTES,
    SAMPLE_RATE_HZ,
    Broadcast,
    WaveInfo,
    mend_header,
    read_info,
    read_samples,
)
from livefacs.timecode import RATES

if TYPE_CHECKING:
    from livefacs.take.reader import Take

_MOST_BLOCK_BYTES: Final = 1 << 30
_BIN_S: Final = 1.0
_FEWEST_BINS: Final = 10
_WORST_DRIFT: Final = 2e-3  # no clock is so wrong: then the times are, and the nominal rate stands
_BLOCK_SAMPLES: Final = 1 << 16


class BlockFlag(IntFlag):
    """What befell a block, in ``sound.rec``."""

    OK = 0
    SILENCE = 1
    """Put in for samples that were lost."""
    OVERFLOW = 2
    """The device said that samples were lost before it (an xrun)."""


def sound_dtype() -> np.dtype[Any]:
    """Record of ``sound.rec``: first sample, session time of it, how many, ``BlockFlag``."""
    return np.dtype([("sample", "<i8"), ("t_ns", "<i8"), ("n_samples", "<i4"), ("flags", "<u4")])


@dataclass(frozen=True, slots=True)
class SoundClock:
    """Where samples lie on the session clock.

    Attributes
    ----------
    start_ns : int
        Session time of sample 0.
    rate_hz : float
        Samples in a second of the session clock.
    """

    start_ns: int
    rate_hz: float = float(SAMPLE_RATE_HZ)

    @property
    def drift_ppm(self) -> float:
        """How much faster than the session clock the device counts, millionths."""
        return (self.rate_hz / SAMPLE_RATE_HZ - 1.0) * 1e6

    def sample_at(self, t_ns: int) -> float:
        """Sample that a session time falls on."""
        return (t_ns - self.start_ns) * self.rate_hz / NS_PER_S

    def ns_at(self, sample: float) -> int:
        """Session time of a sample."""
        return self.start_ns + round(sample * NS_PER_S / self.rate_hz)


def clock_from_blocks(blocks: Records) -> SoundClock | None:
    """The line through the times of blocks; None where there is none.

    A second's blocks count as one, by the median of their times, so that a late one says nothing;
    below ten seconds the rate cannot be told from the jitter and is the nominal one.

    Parameters
    ----------
    blocks : (N,) records as of ``sound_dtype``
    """
    heard = blocks[(blocks["flags"] & BlockFlag.SILENCE) == 0]
    if not len(heard):
        return None
    first_ns = int(heard["t_ns"][0])
    at_s = heard["sample"] / SAMPLE_RATE_HZ
    late_s = (heard["t_ns"] - first_ns) / NS_PER_S - at_s
    bins = np.floor(at_s / _BIN_S)
    edges = np.flatnonzero(np.diff(bins, prepend=-1.0))
    places = [float(np.mean(part)) for part in np.split(at_s, edges[1:])]
    lates = [float(np.median(part)) for part in np.split(late_s, edges[1:])]
    slope, offset = 0.0, float(np.median(lates))
    if len(lates) >= _FEWEST_BINS:
        slope, offset = _line(np.array(places), np.array(lates))
        if abs(slope) > _WORST_DRIFT:
            slope, offset = 0.0, float(np.median(lates))
    return SoundClock(first_ns + round(offset * NS_PER_S), SAMPLE_RATE_HZ / (1.0 + slope))


def _line(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Slope and offset by least squares, once more without what lies far off."""
    slope, offset = np.polyfit(x, y, 1)
    rest = np.abs(y - (slope * x + offset))
    near = rest <= 3.0 * float(np.median(rest)) + 1e-6
    if near.sum() >= _FEWEST_BINS:
        slope, offset = np.polyfit(x[near], y[near], 1)
    return float(slope), float(offset)


def sound_entry(n_channels: int, device: str, kind: str) -> dict[str, Any]:
    """``sound`` in ``take.json`` of a take that begins now.

    Parameters
    ----------
    n_channels : int
    device : str
        What it is recorded from, in words.
    kind : str
        ``microphone`` or ``clip``.
    """
    return {
        "file": SOUND_FILE,
        "source": kind,
        "device": device,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "channels": n_channels,
        "bits": BITS,
        "blocks": stream_entry("sound", SOUND_BLOCKS_FILE, sound_dtype()),
    }


def measured_entry(blocks: Records) -> dict[str, Any]:
    """What the blocks of a finished sound say, for ``take.json``."""
    clock = clock_from_blocks(blocks)
    silent = (blocks["flags"] & BlockFlag.SILENCE) != 0
    entry: dict[str, Any] = {
        "samples": int(blocks["n_samples"].sum()),
        "gaps": int(silent.sum()),
        "gap_samples": int(blocks["n_samples"][silent].sum()),
        "xruns": int(((blocks["flags"] & BlockFlag.OVERFLOW) != 0).sum()),
    }
    if clock is not None:
        entry["start_ns"] = clock.start_ns
        entry["measured_rate_hz"] = round(clock.rate_hz, 4)
        entry["drift_ppm"] = round(clock.drift_ppm, 2)
    return entry


def broadcast_of(slate: str, number: int, notes: str, unix_ns: int) -> Broadcast:
    """What the ``bext`` chunk says of a take, but for its time reference."""
    words = f"{slate} take {number}" + (f": {notes}" if notes else "")
    moment = datetime.fromtimestamp(unix_ns / NS_PER_S)
    return Broadcast(words, f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}")


def seconds_of_day(timecode: Mapping[str, Any], t_ns: int) -> float | None:
    """Seconds of the exact rate since 00:00:00:00 at a session time.

    Parameters
    ----------
    timecode : mapping
        ``timecode`` of ``take.json``.
    t_ns : int

    Returns
    -------
    float or None
        None while the first frame, which the start belongs to, is to come.
    """
    if timecode["start_ns"] is None:
        return None
    rate = RATES[timecode["rate"]]
    start_s = float(timecode["start_frame"] / rate.fraction)
    day_s = float(rate.frames_a_day / rate.fraction)
    return float((start_s + (t_ns - timecode["start_ns"]) / NS_PER_S) % day_s)


def with_reference(broadcast: Broadcast, seconds: float | None) -> Broadcast:
    """With the time of the first sample, in seconds since midnight; None: not known yet."""
    reference = 0 if seconds is None else round(seconds * SAMPLE_RATE_HZ)
    return replace(broadcast, time_reference=reference)


def mend_sound(folder: Path, document: dict[str, Any]) -> int | None:
    """Let header and ``take.json`` tell all of the sound that a crash left.

    Parameters
    ----------
    folder : Path
    document : dict
        ``take.json``; what is measured is put into it.

    Returns
    -------
    int or None
        Samples in the file; None where there was nothing to mend.

    Raises
    ------
    TakeError, OSError
    """
    entry, path = document.get("sound"), folder / SOUND_FILE
    if entry is None or not path.is_file() or not (folder / SOUND_BLOCKS_FILE).is_file():
        return None
    info = read_info(path)
    if document["state"] != "recording" and info.n_told == info.n_samples:
        return None
    blocks = sound_blocks(folder, document)
    clock = clock_from_blocks(blocks)
    broadcast = broadcast_of(
        document["slate"], document["take"], document["notes"], document["clock"]["unix_ns"]
    )
    if clock is not None:
        seconds = seconds_of_day(document["timecode"], clock.start_ns)
        broadcast = with_reference(broadcast, seconds)
    mend_header(path, broadcast)
    document["sound"] = {**entry, **measured_entry(blocks), "samples": info.n_samples}
    return info.n_samples


def check_sound(sound: Any) -> None:
    """Raises whatever Python does where ``sound`` of ``take.json`` is of no use."""
    if sound is None:
        return
    if not isinstance(sound, dict) or sound["file"] != SOUND_FILE:
        raise TypeError("sound")
    if sound["blocks"]["file"] != SOUND_BLOCKS_FILE:
        raise TypeError("blocks of the sound")
    for key in ("sample_rate_hz", "channels", "bits", "samples", "start_ns"):
        if type(sound.get(key, 0)) is not int or abs(sound.get(key, 0)) >= 2**63:
            raise TypeError(f"{key} of the sound")


def read_blocks(folder: Path) -> Records:
    """Records of ``sound.rec``, a torn last one left out.

    Raises
    ------
    TakeError
    """
    path = folder / SOUND_BLOCKS_FILE
    try:
        data = read_bytes(path, _MOST_BLOCK_BYTES)
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    whole = len(data) // sound_dtype().itemsize
    return np.frombuffer(data, sound_dtype(), whole)


def sound_blocks(folder: Path, document: Mapping[str, Any]) -> Records:
    """Records of ``sound.rec`` without those that are damaged, as far as that can be known.

    All of them where none would be left: a short sound has no more than one checksum.

    Raises
    ------
    TakeError
    """
    blocks = read_blocks(folder)
    is_sound = np.ones(len(blocks), bool)
    with contextlib.suppress(TakeError, OSError):  # no checksums to be had: as takes of before
        for n_bytes in damage_of_file(folder, document, SOUND_BLOCKS_FILE).rows:
            blocks_there = blocks_of_bytes(n_bytes)
            is_sound[blocks_there.start : blocks_there.stop] = False
    return blocks[is_sound] if is_sound.any() else blocks  # some of each may be right


def blocks_of_bytes(n_bytes: range) -> range:
    """Records of ``sound.rec`` that some of its bytes belong to."""
    size = sound_dtype().itemsize
    return range(n_bytes.start // size, -(-n_bytes.stop // size))


@dataclass(frozen=True, slots=True)
class TakeSound:
    """The sound of a take, opened for reading.

    Attributes
    ----------
    path : Path
    info : WaveInfo
    clock : SoundClock
    """

    path: Path
    info: WaveInfo
    clock: SoundClock

    @property
    def end_ns(self) -> int:
        """Session time at the end of the last sample."""
        return self.clock.ns_at(self.info.n_samples)

    def blocks(self, begin: int, end: int) -> Iterator[F32]:
        """(n, channels) float32 from one sample to another; silence where there are none.

        Raises
        ------
        TakeError
        """
        for at in range(begin, end, _BLOCK_SAMPLES):
            wanted = min(_BLOCK_SAMPLES, end - at)
            block = np.zeros((wanted, self.info.n_channels), np.float32)
            first = max(at, 0)
            if first < at + wanted:
                found = read_samples(self.path, self.info, first, at + wanted - first)
                block[first - at : first - at + len(found)] = found
            yield block


def has_sound(take: Take) -> bool:
    """Whether the take has a sound file; it may be kept elsewhere, as the video."""
    return take.document.get("sound") is not None and (take.folder / SOUND_FILE).is_file()


def _take_around(take: Take) -> Take | None:
    """The take of all performers that one of them belongs to; None where there is none."""
    if take.document.get("performer", 1) == 1:
        return None
    try:
        around = type(take)(take.folder.resolve().parent)
    except TakeError:  # taken out of it
        return None
    return around if around.document["clock"] == take.document["clock"] else None


def sound_of(take: Take) -> TakeSound | None:
    """The sound of a take; None where it has none, or nothing of it was written.

    A further performer's is that of the take that their folder lies in.

    Raises
    ------
    TakeError
        It is there and cannot be read.
    """
    take = take if has_sound(take) else _take_around(take) or take
    if not has_sound(take):
        return None
    info = read_info(take.folder / SOUND_FILE)
    n_channels = take.document["sound"].get("channels", info.n_channels)
    if (info.bits, info.data_start, info.n_channels) != (BITS, HEADER_BYTES, n_channels):
        raise TakeError(f"{take.folder / SOUND_FILE}: expected the file that livefacs wrote")
    clock = clock_from_blocks(sound_blocks(take.folder, take.document))
    return None if clock is None else TakeSound(take.folder / SOUND_FILE, info, clock)


def sound_errors(document: Mapping[str, Any], folder: Path) -> list[str]:
    """What is wrong with the sound of a take, in sentences."""
    sound = document.get("sound")
    if sound is None:
        return []
    missing = [name for name in (SOUND_FILE, SOUND_BLOCKS_FILE) if not (folder / name).is_file()]
    if missing:
        return [f"{name} is missing" for name in missing]
    try:
        info = read_info(folder / SOUND_FILE)
    except TakeError as error:
        return [str(error)]
    n_channels = sound.get("channels", info.n_channels)
    if (info.n_channels, info.bits, info.sample_rate_hz) != (n_channels, BITS, SAMPLE_RATE_HZ):
        return [f"{SOUND_FILE}: its header is damaged, or it is from another take"]
    told = sound.get("samples")
    if told is not None and info.n_samples < told:
        return [f"{SOUND_FILE}: {told - info.n_samples} of {told} samples are missing at its end"]
    return []

"""Broadcast Wave (EBU Tech 3285): PCM with its time of day, whole whenever the writer dies.

The header has one size from the start: room for the sizes that a file beyond 4 GB needs (RF64, EBU
Tech 3306) stands in it as a ``JUNK`` chunk, so that nothing moves when it grows over. Sizes are
written anew now and then; after a kill the length of the file tells them (``mend_header``).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.errors import TakeError
from livefacs.files.atomic import write_all
from livefacs.files.bounded_reading import open_own

SAMPLE_RATE_HZ: Final = 48_000
BITS: Final = 24
_FULL_SCALE: Final = 2 ** (BITS - 1)  # a power of two: what was read is written as it was
_PCM: Final = 1
_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")
_DS64: Final = struct.Struct("<QQQI")
_BEXT: Final = struct.Struct("<256s32s32s10s8sIIH254s")
_HISTORY_BYTES: Final = 64
_UNKNOWN: Final = 0xFFFFFFFF  # "look in ds64"
_MOST_RIFF_BYTES: Final = 0xFFFFFFFE
_MOST_CHUNKS: Final = 64
HEADER_BYTES: Final = (
    12
    + _CHUNK.size * 4  # JUNK or ds64, bext, fmt, data
    + _DS64.size
    + _BEXT.size
    + _HISTORY_BYTES
    + _FORMAT.size
)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What the ``bext`` chunk says.

    Attributes
    ----------
    description : str
        At most 256 ASCII characters; others become ``?``.
    date, time : str
        ``YYYY-MM-DD`` and ``HH:MM:SS``, local.
    time_reference : int
        Samples since midnight, of the first one.
    """

    description: str = ""
    date: str = ""
    time: str = ""
    time_reference: int = 0


@dataclass(frozen=True, slots=True)
class WaveInfo:
    """What a file's header says, sizes by what is there.

    Attributes
    ----------
    data_start : int
        Bytes before the first sample.
    n_samples : int
        Whole samples (of all channels) that are in the file.
    n_told : int
        As many as the header tells of.
    time_reference : int
        Samples since midnight; 0 without a ``bext`` chunk.
    """

    sample_rate_hz: int
    n_channels: int
    bits: int
    data_start: int
    n_samples: int
    n_told: int
    time_reference: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.bits // 8


def header(n_channels: int, n_data: int, broadcast: Broadcast) -> bytes:
    """The first ``HEADER_BYTES`` of a file at 48 kHz and 24 bits.

    Parameters
    ----------
    n_channels : int
    n_data : int
        Bytes of samples; from 4 GB on the file is an RF64.
    broadcast : Broadcast
    """
    frame = n_channels * BITS // 8
    n_riff = HEADER_BYTES - 8 + n_data + n_data % 2
    is_long = n_riff > _MOST_RIFF_BYTES
    sizes = _DS64.pack(n_riff, n_data, n_data // frame, 0) if is_long else bytes(_DS64.size)
    layout = {1: "mono", 2: "stereo"}.get(n_channels, "multitrack")
    history = f"A=PCM,F={SAMPLE_RATE_HZ},W={BITS},M={layout},T=livefacs\r\n"
    bext = _BEXT.pack(
        *(_ascii(text) for text in (broadcast.description, "livefacs", "")),
        *(_ascii(text) for text in (broadcast.date, broadcast.time)),
        broadcast.time_reference & 0xFFFFFFFF,
        broadcast.time_reference >> 32,
        1,
        b"",
    )
    rate = SAMPLE_RATE_HZ
    form = _FORMAT.pack(_PCM, n_channels, rate, rate * frame, frame, BITS)
    return b"".join(
        (
            _CHUNK.pack(b"RF64" if is_long else b"RIFF", _UNKNOWN if is_long else n_riff),
            b"WAVE",
            _CHUNK.pack(b"ds64" if is_long else b"JUNK", _DS64.size) + sizes,
            _CHUNK.pack(b"bext", _BEXT.size + _HISTORY_BYTES) + bext,
            _ascii(history).ljust(_HISTORY_BYTES, b"\0"),
            _CHUNK.pack(b"fmt ", _FORMAT.size) + form,
            _CHUNK.pack(b"data", _UNKNOWN if is_long else n_data),
        )
    )


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")


def pcm_from_samples(samples: F32) -> bytes:
    """24-bit little-endian bytes of (n, channels) samples; full scale ±1, beyond it clipped."""
    scaled = np.clip(np.rint(samples * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1)
    octets = np.ascontiguousarray(scaled.astype("<i4")).view(np.uint8).reshape(-1, 4)
    return octets[:, :3].tobytes()


def samples_from_pcm(pcm: bytes, n_channels: int) -> F32:
    """(n, channels) float32 of 24-bit bytes, full scale ±1."""
    octets = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
    wide = np.zeros((len(octets), 4), np.uint8)
    wide[:, 1:] = octets  # in the upper three bytes: the sign comes by itself
    values = wide.view("<i4").reshape(-1, n_channels) >> 8
    return values.astype(np.float32) / np.float32(_FULL_SCALE)


class WaveWriter:
    """Writes a file; after each ``append`` the system has the samples. One thread writes.

    Parameters
    ----------
    path : Path
        Must not exist.
    n_channels : int
    broadcast : Broadcast

    Raises
    ------
    OSError
    """

    def __init__(self, path: Path, n_channels: int, broadcast: Broadcast) -> None:
        self.path = path
        self.n_channels = n_channels
        self.n_samples = 0
        self._broadcast = broadcast
        # Unbuffered: what a write call took, the system has, whatever becomes of this process.
        self._file: BinaryIO = path.open("xb", buffering=0)
        self.settle()

    def append(self, samples: F32) -> bytes:
        """Append (n, channels) float32; a part that got through before a failure is cut off.

        Returns
        -------
        bytes
            Of the samples, as they stand in the file now.

        Raises
        ------
        OSError
        """
        pcm = pcm_from_samples(samples)
        try:
            write_all(self._file, pcm)
        except OSError:
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise
        self.n_samples += len(samples)
        return pcm

    def settle(self, broadcast: Broadcast | None = None) -> None:
        """Let the header tell what is there, and its time where a new one is given.

        Raises
        ------
        OSError
        """
        self._broadcast = broadcast or self._broadcast
        self._file.seek(0)
        self._file.write(header(self.n_channels, self._n_data, self._broadcast))
        self._file.seek(self._end)

    def sync(self) -> None:
        """Let the disk have it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Finish the file.

        Raises
        ------
        OSError
        """
        try:
            if self._n_data % 2:
                self._file.write(b"\0")
            self.settle()
            self.sync()
        finally:
            self._file.close()

    @property
    def _n_data(self) -> int:
        return self.n_samples * self.n_channels * BITS // 8

    @property
    def _end(self) -> int:
        return HEADER_BYTES + self._n_data


def read_info(path: Path) -> WaveInfo:
    """What a file of PCM holds.

    Raises
    ------
    TakeError
        It cannot be read, or is no WAV of PCM.
    """
    try:
        with open_own(path) as file:
            return _read_info(file, path)
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error


def _read_info(file: BinaryIO, path: Path) -> WaveInfo:
    size = os.fstat(file.fileno()).st_size
    form, data, reference, long_bytes = None, None, 0, 0
    kind, _ = _CHUNK.unpack(file.read(_CHUNK.size).ljust(_CHUNK.size, b"\0"))
    at = 12
    if kind in (b"RIFF", b"RF64") and file.read(4) == b"WAVE":
        for _ in range(_MOST_CHUNKS):
            file.seek(at)
            head = file.read(_CHUNK.size)
            if len(head) < _CHUNK.size:
                break
            name, n_bytes = _CHUNK.unpack(head)
            body = file.read(min(n_bytes, _BEXT.size)) if name != b"data" else b""
            if name == b"ds64" and len(body) >= _DS64.size:
                long_bytes = _DS64.unpack_from(body)[1]
            elif name == b"fmt " and len(body) >= _FORMAT.size:
                form = _FORMAT.unpack_from(body)
            elif name == b"bext" and len(body) >= _BEXT.size:
                low, high = _BEXT.unpack_from(body)[5:7]
                reference = low | high << 32
            elif name == b"data":
                data = at + _CHUNK.size, long_bytes if n_bytes == _UNKNOWN else n_bytes
                break
            at += _CHUNK.size + n_bytes + n_bytes % 2
    is_pcm = form is not None and form[0] == _PCM and form[1] > 0 and form[5] in (16, 24, 32)
    if form is None or data is None or not is_pcm:
        raise TakeError(f"{path}: expected a WAV file of PCM")
    frame = form[1] * form[5] // 8
    return WaveInfo(
        sample_rate_hz=form[2],
        n_channels=form[1],
        bits=form[5],
        data_start=data[0],
        n_samples=max(0, size - data[0]) // frame,
        n_told=data[1] // frame,
        time_reference=reference,
    )


def mend_header(path: Path, broadcast: Broadcast) -> int:
    """Let the header of a file of ours tell all that is there; samples that it told nothing of.

    A torn last sample is cut off.

    Raises
    ------
    TakeError, OSError
    """
    info = read_info(path)
    if info.bits != BITS or info.data_start != HEADER_BYTES:
        raise TakeError(f"{path} was not written by livefacs: its header is left as it is")
    n_data = info.n_samples * info.frame_bytes
    with open_own(path, write=True) as file:
        file.write(header(info.n_channels, n_data, broadcast))
        file.truncate(HEADER_BYTES + n_data)
        if n_data % 2:
            file.seek(HEADER_BYTES + n_data)
            file.write(b"\0")
        os.fsync(file.fileno())
    return info.n_samples - info.n_told


def read_samples(path: Path, info: WaveInfo, begin: int, n_samples: int) -> F32:
    """(n, channels) float32 from a sample on, as many as there are of those asked for.

    Raises
    ------
    TakeError
    """
    begin = max(0, begin)
    n_samples = max(0, min(n_samples, info.n_samples - begin))
    try:
        with open_own(path) as file:
            file.seek(info.data_start + begin * info.frame_bytes)
            pcm = file.read(n_samples * info.frame_bytes)
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    return samples_from_pcm(pcm[: len(pcm) // info.frame_bytes * info.frame_bytes], info.n_channels)

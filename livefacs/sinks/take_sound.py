"""Records the sound of a take beside its curves: of a microphone, or of the clip it comes from.

Each has a thread of its own, which writes ten times a second and asks twice a second that it
reaches the disk; neither the session's thread nor the device's ever waits for it. What ends the
sound early is told, and the curves go on.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.files.atomic import write_all
from livefacs.protocols import ClipSound, SoundBlock, SoundInput
from livefacs.take.checksums import BLOCK_ROWS
from livefacs.take.layout import SOUND_BLOCKS_FILE, SOUND_FILE
from livefacs.take.sound import (
    BlockFlag,
    broadcast_of,
    clock_from_blocks,
    measured_entry,
    read_blocks,
    sound_dtype,
    sound_entry,
    with_reference,
)
from livefacs.take.sound_timing import SoundTiming, silence
from livefacs.take.wave import HEADER_BYTES, SAMPLE_RATE_HZ, WaveWriter
from livefacs.take.writer import TakeWriter
from livefacs.workers import Worker

_WRITE_PERIOD_S: Final = 0.1
_SETTLE_PERIOD_S: Final = 0.5
_SILENT_S: Final = 2.0
_STALLED_S: Final = 2.0
_LAST_BLOCK_S: Final = 1.0
_MOST_QUEUED: Final = 30 * SAMPLE_RATE_HZ


class SoundSink(Protocol):
    """What the recorder of a take does with its sound.

    Attributes
    ----------
    entry : dict
        ``sound`` in ``take.json``.
    """

    entry: dict[str, Any]

    def reach(self, begin_ns: int, end_ns: int) -> None:
        """Frames from one session time to another were written."""

    def close(self, end_ns: int) -> dict[str, Any]:
        """Write what belongs to the take up to a session time, and close; ``sound`` as measured."""


OpenSound = Callable[[TakeWriter, Callable[[str], None]], SoundSink]
"""Opens the sound of a take, which a writer has begun; the other is told of trouble."""


class SoundFiles:
    """``sound.wav`` and ``sound.rec`` of a take, written together.

    Parameters
    ----------
    take : TakeWriter
        Open; another thread may write into it meanwhile.
    n_channels : int

    Raises
    ------
    OSError
    """

    def __init__(self, take: TakeWriter, n_channels: int) -> None:
        info = take.info
        self._folder = take.folder
        self._seconds = take.timecode_seconds
        self._start_ns: int | None = None
        self._broadcast = broadcast_of(info.slate, info.number, info.notes, take.clock.unix_ns)
        self._wave = WaveWriter(take.folder / SOUND_FILE, n_channels, self._broadcast)
        self._blocks = (take.folder / SOUND_BLOCKS_FILE).open("xb", buffering=0)
        self._sample_sums = take.sums_of(SOUND_FILE, HEADER_BYTES)
        block_bytes = BLOCK_ROWS * sound_dtype().itemsize
        self._block_sums = take.sums_of(SOUND_BLOCKS_FILE, block_bytes=block_bytes)

    @property
    def n_samples(self) -> int:
        """Written so far."""
        return self._wave.n_samples

    def append(self, samples: F32, t_ns: int, flags: BlockFlag = BlockFlag.OK) -> None:
        """Append a block and note its time.

        Raises
        ------
        OSError
        """
        if self._start_ns is None:
            self._start_ns = t_ns
        record = np.array([(self._wave.n_samples, t_ns, len(samples), flags)], sound_dtype())
        self._sample_sums.add(self._wave.append(samples))
        write_all(self._blocks, record.tobytes())
        self._block_sums.add(record.tobytes())

    def append_silence(self, n_samples: int, end_ns: int) -> None:
        """Put silence in for samples that were lost up to a session time."""
        for block in silence(n_samples, self._wave.n_channels):
            t_ns = end_ns - n_samples * NS_PER_S // SAMPLE_RATE_HZ
            self.append(block, t_ns, BlockFlag.SILENCE)
            n_samples -= len(block)

    def settle(self) -> None:
        """Let the header and the disk have what is written."""
        self._label(self._start_ns)
        self._wave.sync()
        os.fsync(self._blocks.fileno())
        self._sample_sums.seal()

    def close(self) -> dict[str, Any]:
        """Finish; what the blocks say, for ``take.json``."""
        os.fsync(self._blocks.fileno())
        self._blocks.close()
        self._sample_sums.seal()
        self._block_sums.seal()
        try:
            blocks = read_blocks(self._folder)
            clock = clock_from_blocks(blocks)
            self._label(self._start_ns if clock is None else clock.start_ns)
        finally:
            self._wave.close()
        return measured_entry(blocks)

    def _label(self, start_ns: int | None) -> None:
        seconds = None if start_ns is None else self._seconds(start_ns)
        self._wave.settle(with_reference(self._broadcast, seconds))


class _SoundWorker:
    """A thread that writes sound until it is told to end, or something fails."""

    def __init__(
        self, files: SoundFiles, entry: dict[str, Any], warn: Callable[[str], None]
    ) -> None:
        self.entry = entry
        self._files = files
        self._warn = warn
        self._failed = False
        self._stopping = False
        self._wake = threading.Event()
        self._measured: dict[str, Any] = {}
        self._thread = Worker(self._run, "livefacs-sound", self._fail)

    def _work(self) -> None:
        """Write what is there now."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Write what is left."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            settled_s = time.monotonic()
            while not self._stopping:
                self._wake.wait(_WRITE_PERIOD_S)
                self._wake.clear()
                self._work()
                if time.monotonic() - settled_s >= _SETTLE_PERIOD_S:
                    self._files.settle()
                    settled_s = time.monotonic()
            self._finish()
        finally:
            self._measured = self._files.close()

    def _fail(self, error: BaseException) -> None:
        self._failed = True
        reason = getattr(error, "strerror", None) or str(error)
        self.entry["failure"] = reason
        self._warn(f"the sound of the take ends here: {reason}; the curves go on")

    def _end(self) -> dict[str, Any]:
        self._stopping = True
        self._wake.set()
        self._thread.join(_STALLED_S)
        if self._thread.is_alive():
            self.entry["failure"] = "its disk took nothing; livefacs takes repair"
        return {**self.entry, **self._measured}


class MicrophoneSound(_SoundWorker):
    """The sound of a microphone (``SoundSink``).

    Parameters
    ----------
    source : SoundInput
    files : SoundFiles
    since_ns : int
        Session time from which on it belongs to the take.
    warn : callable(str)
    """

    def __init__(
        self,
        source: SoundInput,
        files: SoundFiles,
        since_ns: int,
        warn: Callable[[str], None],
    ) -> None:
        entry = sound_entry(source.n_channels, source.description, "microphone")
        super().__init__(files, entry, warn)
        self._source = source
        self._timing = SoundTiming()
        self._queue: deque[SoundBlock] = deque()
        self._n_heard = 0  # by the device's thread
        self._n_taken = 0  # by this one's
        self._reached = threading.Condition()
        self._heard_ns = 0
        self._last_heard_s = time.monotonic()
        self._is_silent = False
        source.subscribe(self._hear, since_ns)
        self._thread.start()

    def reach(self, begin_ns: int, end_ns: int) -> None:
        """Nothing: a microphone goes on by itself."""

    def close(self, end_ns: int) -> dict[str, Any]:
        """Wait a moment for what was heard up to ``end_ns``, write it and close."""
        with self._reached:
            self._reached.wait_for(
                lambda: self._heard_ns >= end_ns or self._failed or self._is_silent, _LAST_BLOCK_S
            )
        self._source.unsubscribe(self._hear)
        return self._end()

    def _hear(self, block: SoundBlock) -> None:
        """In the device's thread."""
        if self._failed or self._n_heard - self._n_taken > _MOST_QUEUED:
            return  # the next ones come late, and silence fills the place
        self._n_heard += len(block.samples)
        self._queue.append(block)
        end_ns = block.t_ns + len(block.samples) * NS_PER_S // SAMPLE_RATE_HZ
        with self._reached:
            self._heard_ns = end_ns
            self._reached.notify_all()

    def _work(self) -> None:
        blocks = [self._queue.popleft() for _ in range(len(self._queue))]
        for block in blocks:
            self._n_taken += len(block.samples)
            self._write(self._timing.put(block))
        self._look_for_silence(bool(blocks))

    def _finish(self) -> None:
        self._work()
        self._write(self._timing.flush())

    def _write(self, timed: Iterator[tuple[int, SoundBlock]]) -> None:
        for n_lost, block in timed:
            if n_lost:
                self._files.append_silence(n_lost, block.t_ns)
                ms = 1000.0 * n_lost / SAMPLE_RATE_HZ
                self._warn(f"{self._source.description}: {ms:.0f} ms of sound were lost (silence)")
            flags = BlockFlag.OVERFLOW if block.overflowed else BlockFlag.OK
            self._files.append(block.samples, block.t_ns, flags)

    def _look_for_silence(self, heard: bool) -> None:
        now_s = time.monotonic()
        if heard:
            self._last_heard_s, self._is_silent = now_s, False
        elif not self._is_silent and now_s - self._last_heard_s > _SILENT_S:
            self._is_silent = True
            self._warn(f"{self._source.description} gives nothing any more; the curves go on")


class ClipSoundCopy(_SoundWorker):
    """The sound of a clip, as far as its frames have come (``SoundSink``).

    Parameters
    ----------
    source : ClipSound
    files : SoundFiles
    period_ns : int
        How long the last frame is shown.
    warn : callable(str)
    """

    def __init__(
        self,
        source: ClipSound,
        files: SoundFiles,
        period_ns: int,
        warn: Callable[[str], None],
    ) -> None:
        entry = sound_entry(source.n_channels, source.description, "clip")
        super().__init__(files, entry, warn)
        self._source = source
        self._period_ns = period_ns
        self._coming = source.blocks()
        self._at = 0  # samples of the clip that were written or passed over
        self._rest = np.zeros((0, source.n_channels), np.float32)
        self._first: int | None = None  # sample at which the take begins
        self._until = 0
        self._thread.start()

    def reach(self, begin_ns: int, end_ns: int) -> None:
        """Copy what belongs to the frames so far."""
        if self._first is None:
            self._first = _sample_at(begin_ns)
        self._until = _sample_at(end_ns)

    def close(self, end_ns: int) -> dict[str, Any]:
        """Copy up to the end of the last frame, and close."""
        self._until = _sample_at(end_ns + self._period_ns)
        measured = self._end()
        self._source.close()
        return measured

    def _work(self) -> None:
        if self._first is None:
            return
        until = self._until  # the take may reach further meanwhile
        while self._at < until and (samples := self._next()) is not None:
            n_wanted = until - self._at
            self._rest, samples = samples[n_wanted:], samples[:n_wanted]
            begin, self._at = self._at, self._at + len(samples)
            skipped = max(0, self._first - begin)
            if skipped < len(samples):
                t_ns = (begin + skipped) * NS_PER_S // SAMPLE_RATE_HZ
                self._files.append(samples[skipped:], t_ns)

    def _finish(self) -> None:
        self._work()

    def _next(self) -> F32 | None:
        if len(self._rest):
            return self._rest
        return next(self._coming, None)


def _sample_at(t_ns: int) -> int:
    return round(t_ns * SAMPLE_RATE_HZ / NS_PER_S)

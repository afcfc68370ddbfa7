"""The running session: feed → tracker → outputs, with the commands that control ports give it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Protocol

from livefacs.clock import NS_PER_S, now_ns, ns_from_s
from livefacs.errors import TakeError
from livefacs.protocols import Outputs, Sink, Source
from livefacs.session.feed import Feed, Grabbed
from livefacs.session.meter import Meter, Summary
from livefacs.session.tracker import Tracker
from livefacs.types import Health, TrackedFrame, format_health

_PATIENCE_FRAMES: Final = 3  # frame periods without a frame before held values are sent
_SHORTEST_PATIENCE_S: Final = 0.1
_DEFAULT_RATE_HZ: Final = 30.0
_FILE_WAIT_S: Final = 0.25
_RECENT_FRAMES: Final = 300


class Recording(Protocol):
    """A take that is being written; ``app`` makes it."""

    @property
    def timecode(self) -> str:
        """Timecode at which the take starts."""

    @property
    def late(self) -> bool:
        """True while the writer is behind."""

    @property
    def failure(self) -> str:
        """Why nothing more is recorded; empty while all is well."""

    def send(self, tracked: TrackedFrame) -> None:
        """Queue one frame for the writer."""

    def mark(self, label: str, kind: str = "mark") -> None:
        """Put a marker at the newest frame; ``kind`` ``neutral`` notes a neutral capture."""

    def finish(self) -> tuple[str, str, str]:
        """Close the take: end timecode, path of the curves, path of the video."""


RecordingFactory = Callable[[str | None, int | None], Recording]


class Session:
    """One run from a source to its outputs.

    ``run`` works in the calling thread; every other public method may be called from any thread.

    Parameters
    ----------
    source, tracker
    outputs : Outputs or None
        The destinations, which streaming starts and stops.
    watchers : sinks that always see every frame (meters, mirror)
    recording_factory : callable(slate, take number) that opens a take, or None
    time_limit_s : float or None
        End after this much of the source's time.
    clock : callable that gives the session's nanoseconds
    between_frames : callables run about twice a second by the session's thread
    about : mapping of plain values
        What ``status`` says of the estimator: weights, reliability, what is not measured.
    """

    def __init__(
        self,
        source: Source,
        tracker: Tracker,
        *,
        outputs: Outputs | None = None,
        watchers: Sequence[Sink] = (),
        recording_factory: RecordingFactory | None = None,
        time_limit_s: float | None = None,
        clock: Callable[[], int] = now_ns,
        between_frames: Sequence[Callable[[], None]] = (),
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.tracker = tracker
        self.outputs = outputs
        self.watchers = list(watchers)
        self._recording_factory = recording_factory
        self._recording: Recording | None = None
        self._recording_lock = threading.Lock()
        self._slate: str | None = None
        self._take: int | None = None
        self._time_limit_ns = None if time_limit_s is None else ns_from_s(time_limit_s)
        self._clock = clock
        self._between_frames = tuple(between_frames)
        self._about = dict(about or {})
        self._next_tasks_ns = 0
        self._feed = Feed(source, clock)
        self._meter = Meter()
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._streaming = True
        self._last: TrackedFrame | None = None
        self._first_ns: int | None = None
        self._n_held = 0
        self._i_source: int | None = None
        self._n_missed = 0
        self._period_ns = round(NS_PER_S / (source.rate_hz or _DEFAULT_RATE_HZ))

    def run(self) -> Summary:
        """Track until the source ends, the time limit, ``stop``, or a failure (raised here)."""
        self._feed.start()
        try:
            while not self._stopping.is_set():
                self._run_commands()
                if not self._advance():
                    break
        finally:
            self._shut_down()
        return self._meter.summary()

    def stop(self) -> None:
        """Ask ``run`` to end after the frame at hand. Safe in a signal handler."""
        self._stopping.set()

    def summary(self) -> Summary:
        """Counts and latency so far."""
        return self._meter.summary()

    def _advance(self) -> bool:
        """One frame, or one held moment; False at the end."""
        grabbed = self._feed.get(self._patience_s())
        if grabbed is not None:
            self._take_frame(grabbed)
        elif self._feed.ended:
            return False
        elif self.source.is_live:
            self._hold()
        return not self._time_is_up()

    def _patience_s(self) -> float:
        if not self.source.is_live:
            return _FILE_WAIT_S
        period_s = self._period_ns / NS_PER_S
        lost = self._last is not None and bool(self._last.health & Health.HELD)
        return period_s if lost else max(_PATIENCE_FRAMES * period_s, _SHORTEST_PATIENCE_S)

    def _take_frame(self, grabbed: Grabbed) -> None:
        began_ns = self._clock()
        frame = grabbed.frame
        missed = 0 if self._i_source is None else frame.i_frame - self._i_source - 1
        self._i_source = frame.i_frame
        tracked = self.tracker.step(replace(frame, i_frame=frame.i_frame + self._n_held))
        health = tracked.health
        if missed > 0:
            self._n_missed += missed
            health |= Health.FRAMES_SKIPPED
        if self.source.is_live and self._clock() - grabbed.grabbed_ns > self._period_ns:
            health |= Health.LATE
        self._deliver(replace(tracked, health=health), grabbed.grabbed_ns, began_ns)

    def _hold(self) -> None:
        began_ns = self._clock()
        self._n_held += 1
        size = (0, 0) if self._last is None else self._last.image_size
        newest = -1 if self._i_source is None else self._i_source
        tracked = self.tracker.hold(newest + self._n_held, began_ns, size)
        self._deliver(tracked, began_ns, began_ns)

    def _deliver(self, tracked: TrackedFrame, grabbed_ns: int, began_ns: int) -> None:
        recording = self._recording
        if recording is not None and recording.late:
            tracked = replace(tracked, health=tracked.health | Health.RECORDER_LATE)
        sending_ns = self._clock()
        if self._streaming and self.outputs is not None:
            self.outputs.send(tracked)
        sent_ns = self._clock()
        stage_ns = {
            **tracked.stage_ns,
            "wait": began_ns - grabbed_ns,
            "send": sent_ns - sending_ns,
            "total": sent_ns - grabbed_ns,
        }
        self._meter.note(tracked, stage_ns, self._n_missed)
        tracked = replace(tracked, stage_ns=stage_ns)
        if recording is not None:
            recording.send(tracked)
        for watcher in self.watchers:
            watcher.send(tracked)
        self._last = tracked
        if self._first_ns is None:
            self._first_ns = tracked.t_ns
        self._do_periodic_tasks(sent_ns)

    def _do_periodic_tasks(self, time_ns: int) -> None:
        if time_ns >= self._next_tasks_ns:
            self._next_tasks_ns = time_ns + NS_PER_S // 2
            for chore in self._between_frames:
                chore()

    def _time_is_up(self) -> bool:
        if self._time_limit_ns is None or self._last is None or self._first_ns is None:
            return False
        elapsed_ns = self._last.t_ns - self._first_ns
        return elapsed_ns + self._period_ns // 2 >= self._time_limit_ns - self._period_ns

    def _run_commands(self) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            command()

    def _send_neutral(self) -> None:
        """Leave the rigs at rest; only the outputs see it, a take does not."""
        if self._last is None or self.outputs is None:
            return
        neutral = self.tracker.neutral(self._last.i_frame + 1, self._last.t_ns + self._period_ns)
        self.outputs.send(neutral, force=True)

    def _shut_down(self) -> None:
        self._feed.close()
        self._run_commands()
        if self._streaming:
            self._send_neutral()
        with suppress(TakeError):  # a control port may have stopped it just now
            self.record_stop()
        if self.outputs is not None:
            self.outputs.close()
        for watcher in self.watchers:
            watcher.close()
        self.tracker.landmarker.close()

    # What control ports ask for (protocols.SessionControl).

    def time_s(self) -> float:
        """Seconds on the session clock."""
        return self._clock() / NS_PER_S

    def start_streaming(self) -> None:
        """Let the outputs send again."""
        self._commands.put(lambda: self._set_streaming(True))

    def stop_streaming(self) -> None:
        """Send one neutral frame, then hold the outputs back; tracking goes on."""
        self._commands.put(lambda: self._set_streaming(False))

    def _set_streaming(self, wanted: bool) -> None:
        if self._streaming and not wanted:
            self._send_neutral()
        self._streaming = wanted

    def capture_neutral(self) -> None:
        """Take the next second of frames as the person's neutral."""
        self._commands.put(self._capture_neutral)

    def _capture_neutral(self) -> None:
        self.tracker.estimator.capture_neutral()
        if self._recording is not None:
            self._recording.mark("neutral capture", "neutral")

    def set_slate(self, slate: str) -> None:
        """Name of the next take."""
        self._slate = slate

    def set_take(self, number: int) -> None:
        """Number of the next take."""
        self._take = number

    def record_start(self, slate: str | None = None, take: int | None = None) -> str:
        """Start a take; its start timecode. One that ended early makes way for it."""
        if self._recording_factory is None:
            raise TakeError(
                "cannot record: this session has no take folder; start it with --record DIR"
            )
        with self._recording_lock:
            if self._recording is not None and not self._recording.failure:
                raise TakeError("cannot record: a take is being recorded already; stop it first")
            if self._recording is not None:
                self._recording.finish()
                self._recording = None
            if slate is not None:
                self._slate = slate
            if take is not None:
                self._take = take
            recording = self._recording_factory(self._slate, self._take)
            self._recording = recording
            return recording.timecode

    def record_stop(self) -> tuple[str, str, str]:
        """End the take: timecode, path of its curves, path of its video (empty without one)."""
        with self._recording_lock:
            recording, self._recording = self._recording, None
            if recording is None:
                raise TakeError("no take is being recorded")
            if self._take is not None:
                self._take += 1
        return recording.finish()

    def mark(self, label: str) -> None:
        """Put a marker at the present frame of the take."""
        recording = self._recording
        if recording is None:
            raise TakeError("cannot mark: no take is being recorded")
        if recording.failure:
            raise TakeError(f"cannot mark: {recording.failure}; start another take")
        recording.mark(label)

    def status(self) -> dict[str, Any]:
        """State of the session in plain values, latency over the last seconds."""
        return self._status(self._meter.summary(_RECENT_FRAMES))

    def final_status(self) -> dict[str, Any]:
        """The same with the latency of the whole session."""
        return self._status(self._meter.summary())

    def _status(self, summary: Summary) -> dict[str, Any]:
        last, recording = self._last, self._recording
        failure = "" if recording is None else recording.failure
        return {
            "source": self.source.description,
            "frames": summary.frames,
            "faces": summary.faces,
            "dropped": summary.dropped,
            "rate_hz": summary.rate_hz,
            "streaming": self._streaming,
            "recording": recording is not None and not failure,
            "recording_failure": failure,
            "slate": self._slate,
            "take": self._take,
            "estimator": self._about,
            "health": format_health(last.health) if last else "starting",
            "latency_ms": {
                stage: {"p50": value.p50_ms, "p95": value.p95_ms, "p99": value.p99_ms}
                for stage, value in summary.latency.items()
            },
            "outputs": [
                {
                    "url": url,
                    "packets": counters.packets,
                    "bytes": counters.bytes,
                    "refused": counters.refused,
                    "last_error": counters.last_error,
                }
                for url, counters in (self.outputs.counters if self.outputs else {}).items()
            ],
        }

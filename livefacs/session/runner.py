"""The running session: feed → tracker → outputs, with the commands that control ports give it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from livefacs.clock import NS_PER_S, now_ns, ns_from_s
from livefacs.protocols import Outputs, Sink, Source, TakeRequest
from livefacs.session.feed import Feed, Grabbed
from livefacs.session.meter import Meter, Summary
from livefacs.session.output_watch import OutputWatch, outputs_document
from livefacs.session.performers import health_by_performer
from livefacs.session.takes import RecordingFactory, Takes
from livefacs.session.tracker import Tracker
from livefacs.types import Health, TrackedFrame, format_health
from livefacs.workers import Closing

_PATIENCE_FRAMES: Final = 3  # frame periods without a frame before held values are sent
_SHORTEST_PATIENCE_S: Final = 0.1
_DEFAULT_RATE_HZ: Final = 30.0
_FILE_WAIT_S: Final = 0.25
_RECENT_FRAMES: Final = 300
_LEAST_STEP_NS: Final = 1_000_000  # between the times of two frames: see Session


class Session:
    """One run from a source to its outputs, and the owner of both.

    ``run`` works in the calling thread; every other public method may be called from any thread.
    As a context manager it closes, when it is left, everything that it was given or told of by
    ``on_close``: within five seconds in all, whatever a part does.

    Times rise strictly. A picture that took so long to come that held frames went out before it,
    with later times than its own, gets the time of the last of them and a millisecond.

    Parameters
    ----------
    source, tracker
    outputs : Outputs or None
        The destinations, which streaming starts and stops.
    watchers : sinks that always see every frame (meters, mirror)
    recording_factory : callable(TakeRequest) that opens a take, or None
    time_limit_s : float or None
        End after this much of the source's time.
    clock : callable that gives the session's nanoseconds
    between_frames : callables run about twice a second by the session's thread
    about : mapping of plain values
        What ``status`` says of the estimator: weights, reliability, what is not measured.
    notify : callable(str)
        Takes a sentence for the user. Called from any thread.
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
        notify: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.source = source
        self.tracker = tracker
        self.outputs = outputs
        self.watchers = list(watchers)
        self.takes = Takes(recording_factory)
        self._time_limit_ns = None if time_limit_s is None else ns_from_s(time_limit_s)
        self._clock = clock
        self._between_frames = tuple(between_frames)
        self._about = dict(about or {})
        self._notify = notify
        self._next_tasks_ns = 0
        self._feed = Feed(source, clock)
        self._meter = Meter()
        self._output_watch = OutputWatch()
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._is_closed = False
        self._closing_lock = threading.Lock()
        self._failure: BaseException | None = None
        self._streaming = True
        self._last: TrackedFrame | None = None
        self._first_ns: int | None = None
        self._n_held = 0
        self._i_source: int | None = None
        self._n_missed = 0
        self._period_ns = round(NS_PER_S / (source.rate_hz or _DEFAULT_RATE_HZ))
        self._closing = Closing()
        self.on_close("landmarker", tracker.landmarker.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if kind is None:
            self._raise_failure()

    def run(self, on_frame: Callable[[TrackedFrame], object] = lambda _: None) -> Summary:
        """Track until the source ends, the time limit, ``stop``, or a failure; then close.

        Parameters
        ----------
        on_frame : callable(TrackedFrame)
            Called in this thread with every frame, after it went to the outputs.

        Raises
        ------
        BaseException
            The first failure: of the source, of a worker of an output, of the closing.
        """
        with contextlib.closing(iter(self)) as frames:
            for tracked in frames:
                on_frame(tracked)
        return self._meter.summary()

    def __iter__(self) -> Generator[TrackedFrame]:
        """The same, frame by frame for a loop of one's own; leaving it early is no failure.

        The session waits while the loop works; of a live source the newest frame comes next.
        """
        self._idle.clear()
        try:
            self._feed.start()
            goes_on = True
            while goes_on and not self._stopping.is_set():
                self._run_commands()
                before, goes_on = self._last, self._advance()
                if self._last is not None and self._last is not before:
                    self._idle.set()  # whoever leaves the loop closes the session from here
                    yield self._last
                    self._idle.clear()
            if not self.source.is_live and not self._stopping.is_set() and self.takes.is_open:
                self.takes.stop()  # nobody waits: what a file's take has queued may take its time
        except GeneratorExit:
            return
        except BaseException as failure:  # raised again below, when everything is closed
            self.fail(failure)
        finally:
            self._idle.set()
            self.close()
        self._raise_failure()

    def stop(self) -> None:
        """Ask ``run`` to end after the frame at hand. Safe in a signal handler."""
        self._stopping.set()

    def fail(self, failure: BaseException) -> None:
        """End ``run``, which raises this, unless something else failed before."""
        if self._failure is None:
            self._failure = failure
        self.stop()

    def between_frames(self, call: Callable[[], None]) -> None:
        """Call this in the session's thread, before the next frame."""
        self._commands.put(call)

    def on_close(self, part: str, close: Callable[[], object]) -> None:
        """Own one more part: it is closed before all that the session has until now."""
        self._closing.add(part, close)

    def close(self) -> None:
        """Leave the rigs at rest, end the take and close every part; within five seconds."""
        with self._closing_lock:
            if self._is_closed:
                return
            self._is_closed = True
        self.stop()
        for watcher in self.watchers:
            self.on_close(watcher.url, watcher.close)
        if self.outputs is not None:
            self.on_close("outputs", self.outputs.close)
        self.on_close("source", self._feed.close)
        self.on_close("take", self.takes.close)
        self.on_close("last frame", self._send_last)
        self.on_close("tracking", self._idle.wait)  # of a thread that is in ``run`` just now
        self._closing.close()
        for failure in self._closing.failures:
            self.fail(failure)
        for part in self._closing.hung:
            self._notify(f"{part}: did not end in time and was left behind")

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

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
        t_ns = self._rising(frame.t_ns)
        tracked = self.tracker.step(replace(frame, i_frame=frame.i_frame + self._n_held, t_ns=t_ns))
        health = tracked.health
        if missed > 0:
            self._n_missed += missed
            health |= Health.FRAMES_SKIPPED
        age_ns = self._clock() - grabbed.arrived_ns
        if self.source.is_live and (age_ns > self._period_ns or t_ns != frame.t_ns):
            health |= Health.LATE
        self._deliver(replace(tracked, health=health), grabbed.grabbed_ns, began_ns)

    def _hold(self) -> None:
        began_ns = self._clock()
        self._n_held += 1
        size = (0, 0) if self._last is None else self._last.image_size
        newest = -1 if self._i_source is None else self._i_source
        tracked = self.tracker.hold(newest + self._n_held, self._rising(began_ns), size)
        self._deliver(tracked, began_ns, began_ns)

    def _rising(self, t_ns: int) -> int:
        """The time itself, or the next that is later than the last frame's."""
        return t_ns if self._last is None else max(t_ns, self._last.t_ns + _LEAST_STEP_NS)

    def _deliver(self, tracked: TrackedFrame, grabbed_ns: int, began_ns: int) -> None:
        if self.takes.late:
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
        self.takes.send(tracked)
        for watcher in self.watchers:
            watcher.send(tracked)
        self._last = tracked
        if self._first_ns is None:
            self._first_ns = tracked.t_ns
        self._do_periodic_tasks(sent_ns)

    def _do_periodic_tasks(self, time_ns: int) -> None:
        if time_ns >= self._next_tasks_ns:
            self._next_tasks_ns = time_ns + NS_PER_S // 2
            for task in self._between_frames:
                task()
            self._look_for_failures()

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

    def _look_for_failures(self) -> None:
        """A sink whose own thread has ended ends the session."""
        outputs = self.outputs.counters.items() if self.outputs is not None else ()
        watchers = ((watcher.url, watcher.counters) for watcher in self.watchers)
        if failure := self._output_watch.failure((*outputs, *watchers)):
            self.fail(failure)

    def _send_last(self) -> None:
        self._run_commands()
        if self._streaming:
            self._send_neutral()

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

    def capture_neutral(self, face: int | None = None) -> None:
        """Take the next second of frames as the neutral of one performer, or of all.

        Raises
        ------
        ConfigError
            There is no such performer.
        """
        self.tracker.check_face(face)
        self._commands.put(lambda: self._capture_neutral(face))

    def _capture_neutral(self, face: int | None) -> None:
        self.tracker.capture_neutral(face)
        self.takes.note_neutral(face)

    def set_slate(self, slate: str) -> None:
        """Name of the next take."""
        self.takes.slate = slate

    def set_take(self, number: int) -> None:
        """Number of the next take."""
        self.takes.number = number

    def record_start(
        self, slate: str | None = None, take: int | None = None, notes: str | None = None
    ) -> str:
        """Start a take; its start timecode. One that ended early makes way for it."""
        return self.takes.start(TakeRequest(slate, take, notes))

    def record_stop(self) -> tuple[str, str, str]:
        """End the take: timecode, path of its curves, path of its video (empty without one)."""
        return self.takes.stop()

    def mark(self, label: str) -> None:
        """Put a marker at the present frame of the take."""
        self.takes.mark(label)

    def status(self) -> dict[str, Any]:
        """State of the session in plain values, latency over the last seconds."""
        return self._status(self._meter.summary(_RECENT_FRAMES))

    def final_status(self) -> dict[str, Any]:
        """The same with the latency of the whole session."""
        return self._status(self._meter.summary())

    def _status(self, summary: Summary) -> dict[str, Any]:
        last = self._last
        return {
            "source": self.source.description,
            "frames": summary.frames,
            "faces": summary.faces,
            "dropped": summary.dropped,
            "rate_hz": summary.rate_hz,
            "streaming": self._streaming,
            **self.takes.status(),
            "estimator": self._about,
            "health": format_health(last.health) if last else "starting",
            **health_by_performer(last),
            "latency_ms": summary.latency_document(),
            "outputs": outputs_document(self.outputs.counters if self.outputs else {}),
        }

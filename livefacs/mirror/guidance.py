"""The performer is led through one round at a time: calibration, teaching, or a check.

The round belongs to the mirror, not to a page: a page that is loaded again, or a second one, sees
the same round. While no page looks at it, it waits; then its step begins anew.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from livefacs.au.guided import GuidedState
from livefacs.au.profile import save_aside, save_profile
from livefacs.errors import ConfigError, LivefacsError, ProfileError
from livefacs.mirror.guided_rounds import (
    Outcome,
    PageRound,
    Subject,
    calibration,
    check,
    forget,
    path_of,
    teaching,
)
from livefacs.types import Landmarks, SinkCounters, TrackedFrame
from livefacs.workers import Worker

_log = logging.getLogger(__name__)

_MOST_WAITING: Final = 900
"""Frames that may wait for the round: half a minute of them."""
_TOLD_EVERY_NS: Final = 100_000_000

IDLE: Final = "idle"
RUNNING: Final = "running"
WAITING: Final = "waiting"
"""Nobody looks, or there is no picture."""
LEARNING: Final = "learning"
UNSAVED: Final = "unsaved"
DONE: Final = "done"
ENDED: Final = "ended"
"""Without a result; the text says why."""

_Item = tuple[int, Landmarks | None, int]


class Guidance:
    """One round at a time; a sink of the session, whose faces it takes.

    Any thread may call its methods. What is shown of a face is worked on in a thread of its own.

    Parameters
    ----------
    tell : callable(kind, text)
        Sends a text to every page.
    clock : callable, nanoseconds
    use : callable(spec) or None, set from outside
        Lets the session go on with a profile that was saved.
    """

    def __init__(self, tell: Callable[[str, str], None], clock: Callable[[], int]) -> None:
        self.url = "guidance:"
        self.counters = SinkCounters()
        self.use: Callable[[str], None] | None = None
        self._tell_pages, self._clock = tell, clock
        self._lock = threading.RLock()
        self._subject: Subject | None = None
        self._has_picture = False
        self._is_shut = False
        self._viewers: set[object] = set()
        self._faces: queue.Queue[_Item] = queue.Queue(_MOST_WAITING)
        self._epoch = 0  # frames of an earlier one are not of this step
        self._round: PageRound | None = None
        self._outcome: Outcome | None = None
        self._phase = IDLE
        self._text = ""
        self._moment, self._heard = 0, ""
        self._shown: GuidedState | None = None
        self._told_ns = 0
        self._worker: Worker | None = None

    # The session.

    @property
    def n_waiting(self) -> int:
        """Faces that were not looked at yet."""
        return self._faces.qsize()

    def send(self, tracked: TrackedFrame) -> None:
        """Take a face, where a round runs; never blocks."""
        if self._phase != RUNNING:
            return
        face = tracked.landmarks
        if face is not None:  # a later frame may reuse the landmarker's buffer
            face = replace(face, points_px=face.points_px.copy())
        self.counters.frames += 1
        try:
            self._faces.put_nowait((self._epoch, face, tracked.t_ns))
        except queue.Full:
            self.counters.refused += 1

    def close(self) -> None:
        """A session ended; the round waits for the next one."""
        self.attach(None)

    def attach(self, subject: Subject | None) -> None:
        """A session runs, or has ended."""
        with self._lock:
            self._has_picture = subject is not None
            if subject is None:
                self._wait("There is no picture just now: the round waits.")
                return
            before, self._subject = self._subject, subject
            if self._phase not in (RUNNING, WAITING) or before is None:
                return
            if not subject.continues(before):
                self._end("The camera or the way it is read was changed: begin anew.")
            elif self._viewers:
                self._go_on()

    def shut(self) -> None:
        """The mirror ends; a result that could not be saved is kept in the temporary folder."""
        with self._lock:
            worker, self._worker = self._worker, None
            outcome, round_ = self._outcome, self._round
            is_unsaved = self._phase == UNSAVED
            self._phase, self._is_shut = IDLE, True
        if worker is not None:
            with contextlib.suppress(queue.Full):  # it has enough to wake up for
                self._faces.put_nowait((-1, None, 0))
            worker.join(timeout=2.0)
        if (
            is_unsaved
            and outcome is not None
            and outcome.profile is not None
            and round_ is not None
        ):
            _log.error("an unsaved profile is kept at %s", save_aside(outcome.profile, round_.path))

    # The pages.

    def look(self, viewer: object) -> None:
        """A page shows the round; one that waited for it goes on."""
        with self._lock:
            self._viewers.add(viewer)
            if self._phase == WAITING and self._has_picture:
                self._go_on()

    def look_away(self, viewer: object) -> None:
        """A page shows something else, was closed or lost."""
        with self._lock:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._wait("No page shows the round: it waits.")

    def calibrate(self, spec: str, round_: str, only: Sequence[str], *, add: bool) -> None:
        """Begin a calibration; raises as ``guided_rounds.calibration``."""
        self._begin(lambda subject: calibration(subject, spec, round_, only, add=add))

    def teach(self, spec: str, action: str, code: str, side: str, *, replace: bool) -> None:
        """Begin to teach an action; raises as ``guided_rounds.teaching``."""
        self._begin(lambda subject: teaching(subject, spec, action, code, side, replace=replace))

    def check(self, spec: str) -> None:
        """Begin a check; raises as ``guided_rounds.check``."""
        self._begin(lambda subject: check(subject, spec))

    def _begin(self, make: Callable[[Subject], PageRound]) -> None:
        with self._lock:
            self._check_free()
            if self._subject is None or not self._has_picture:
                raise ConfigError("there is no picture: the camera has to run first")
            self._round = make(self._subject)
            self._outcome = None
            if self._worker is None:
                self._worker = Worker(self._work, "livefacs-mirror-guidance", self.counters.fail)
                self._worker.start()
            self._go_on()

    def _check_free(self) -> None:
        if self._phase in (RUNNING, WAITING, LEARNING):
            raise ConfigError("a round runs already, perhaps in another page: end it first")
        if self._phase == UNSAVED:
            raise ConfigError("the last round is not saved yet: save it, or discard it")

    def skip(self) -> None:
        """Leave the step out."""
        self._act(lambda round_: round_.run.skip())

    def retry(self) -> None:
        """Begin the step anew, or go back to the one before."""
        self._act(lambda round_: round_.run.retry())

    def finish(self) -> None:
        """End early and keep what there is.

        Raises
        ------
        ConfigError
            The resting face was not seen yet.
        """

        def end(round_: PageRound) -> None:
            round_.run.finish()
            if not round_.run.is_done:
                raise ConfigError("the resting face was not seen yet: there is nothing to keep")

        self._act(end)

    def _act(self, act: Callable[[PageRound], None]) -> None:
        with self._lock:
            round_ = self._round
            if self._phase != RUNNING or round_ is None:
                raise ConfigError("no round runs just now")
            self._epoch += 1
            act(round_)
            self._after_step(round_)

    def stop(self) -> None:
        """Leave a round, or its result, without keeping anything; not while it learns."""
        with self._lock:
            if self._phase == LEARNING:
                raise ConfigError("it learns just now: wait a moment")
            self._round = self._outcome = None
            self._set(IDLE)

    def save(self, spec: str = "") -> None:
        """Save a result that could not be saved before, under another name where one is given.

        Raises ``ConfigError`` where there is none, ``ProfileError`` where it still cannot be.
        """
        with self._lock:
            if self._phase != UNSAVED or self._round is None:
                raise ConfigError("there is nothing that waits to be saved")
            if spec and spec != self._round.spec:
                path = path_of(self._subject, spec)
                self._round = replace(self._round, spec=spec, path=path)
            self._save()
            if self._phase == UNSAVED:
                raise ProfileError(self._text)

    def forget(self, spec: str, channel: str) -> None:
        """Take a taught action out of a profile.

        Raises
        ------
        ConfigError, ProfileError
            A round runs, or there is no such action or profile.
        """
        with self._lock:
            self._check_free()
            forget(path_of(self._subject, spec), channel)
            if self._subject is not None and spec == self._subject.spec:
                self._use(spec)

    @property
    def subject(self) -> Subject | None:
        """Who was seen last, and by what."""
        return self._subject

    def document(self) -> dict[str, Any]:
        """Plain values for the pages."""
        with self._lock:
            round_, outcome = self._round, self._outcome
            state = None if round_ is None else round_.run.state()
            return {
                "type": "guidance",
                "phase": self._phase,
                "text": self._text,
                "moment": self._moment,
                "heard": self._heard,
                "kind": "" if round_ is None else round_.kind,
                "profile": "" if round_ is None else round_.spec,
                "said": [] if outcome is None else list(outcome.said),
                "again": [] if outcome is None else list(outcome.again),
                "is_used": self.use is not None,
                "state": None if state is None else asdict(state),
            }

    # Inside.

    def _go_on(self) -> None:
        if self._round is not None:
            self._epoch += 1
            self._round.run.begin_again()
            self._set(RUNNING, heard="step")

    def _wait(self, text: str) -> None:
        if self._phase == RUNNING:
            self._set(WAITING, text)

    def _end(self, text: str) -> None:
        self._set(ENDED, text, heard="end")

    def _set(self, phase: str, text: str = "", heard: str = "") -> None:
        if phase != RUNNING:
            self._epoch += 1
        self._phase, self._text = phase, text
        if heard:
            self._hear(heard)
        self._tell()

    def _hear(self, what: str) -> None:
        self._moment += 1
        self._heard = what

    def _tell(self) -> None:
        self._told_ns = self._clock()
        self._tell_pages("guidance", json.dumps(self.document()))

    def _work(self) -> None:
        while not self._is_shut:
            epoch, face, t_ns = self._faces.get()
            with self._lock:
                round_ = self._round
                if epoch != self._epoch or self._phase != RUNNING or round_ is None:
                    continue
                try:
                    self._feed(round_, face, t_ns)
                except LivefacsError as error:
                    self._end(_in_one_line(error))
                except Exception as error:  # the round ends by it, the session does not
                    _log.exception("a round of the mirror ended")
                    self._end(f"The round ended by an error ({type(error).__name__}: {error}).")

    def _feed(self, round_: PageRound, face: Landmarks | None, t_ns: int) -> None:
        before = round_.run.state()
        round_.run.feed(face, t_ns)
        now = round_.run.state()
        is_news = (now.hint, now.is_away) != (before.hint, before.is_away)
        if now.number != before.number:
            self._after_step(round_)
        elif now.seen != before.seen:
            self._hear("seen")
            self._tell()
        elif is_news or self._clock() - self._told_ns >= _TOLD_EVERY_NS:
            self._tell()

    def _after_step(self, round_: PageRound) -> None:
        if not round_.run.is_done:
            self._hear("step")
            self._tell()
            return
        self._set(LEARNING, heard="step")
        Worker(lambda: self._conclude(round_), "livefacs-mirror-learning").start()

    def _conclude(self, round_: PageRound) -> None:
        """Learn, without the lock: pages may ask meanwhile."""
        try:
            outcome = round_.conclude()
        except LivefacsError as error:
            with self._lock:
                self._end(_in_one_line(error))
            return
        except Exception as error:
            _log.exception("a round could not be learned from")
            with self._lock:
                self._end(f"It could not be learned from ({type(error).__name__}: {error}).")
            return
        with self._lock:
            self._outcome = outcome
            if outcome.profile is None:
                self._set(DONE, heard="end")
            else:
                self._save()

    def _save(self) -> None:
        round_, outcome = self._round, self._outcome
        assert round_ is not None  # asked before
        assert outcome is not None
        assert outcome.profile is not None
        try:
            save_profile(replace(outcome.profile, name=round_.path.stem), round_.path)
        except ProfileError as error:
            self._set(UNSAVED, _in_one_line(error), heard="end")
            return
        self._set(DONE, heard="end")
        self._use(round_.spec)

    def _use(self, spec: str) -> None:
        """Let the session go on with a profile, where it can change its own."""
        if self.use is None:
            return
        try:
            self.use(spec)
        except LivefacsError as error:
            self._set(self._phase, f"Saved, but not in use: {_in_one_line(error)}")


def _in_one_line(error: LivefacsError) -> str:
    return " ".join(str(error).split())

"""One open page: what it may ask for over its WebSocket, and what it is told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from starlette.websockets import WebSocket

from livefacs.errors import ConfigError
from livefacs.mirror.attempt import attempt_from_run
from livefacs.mirror.core import MirrorCore
from livefacs.mirror.drills import Drill, drill_from_table
from livefacs.mirror.lesson import LessonRun
from livefacs.mirror.page_feed import PageOutbox
from livefacs.mirror.page_socket import talk
from livefacs.mirror.plan import Choice, plan_session
from livefacs.mirror.practice import DrillRun
from livefacs.mirror.schema import (
    Ack,
    ClockAsk,
    DrillStart,
    DrillStop,
    GuidanceLook,
    LessonStart,
    LessonStep,
    Message,
    Neutral,
    message_from_text,
)
from livefacs.types import TrackedFrame

_log = logging.getLogger(__name__)
_STATE_PERIOD_NS: Final = 33_000_000


class Page:
    """A WebSocket and the practice that goes on in its page."""

    def __init__(self, mirror: MirrorCore, socket: WebSocket) -> None:
        self._mirror = mirror
        self._socket = socket
        self._outbox = PageOutbox(asyncio.get_running_loop())
        self._run: DrillRun | None = None
        self._lesson: LessonRun | None = None
        self._lesson_told: tuple[object, ...] = ()
        self._told_ns = 0

    async def serve(self) -> None:
        """Talk to the page until it is closed."""
        feed = self._mirror.feed
        await self._socket.accept()
        self._outbox.tell("state", self._mirror.state_message())
        self._outbox.tell("rigs", feed.rigs_message())
        feed.add_outbox(self._outbox)
        feed.add_watcher(self._watch)
        try:
            await talk(self._socket, self._outbox, self._take_text)
        finally:
            self._mirror.guidance.look_away(self)
            feed.remove_watcher(self._watch)
            feed.remove_outbox(self._outbox)

    def _take_text(self, text: object) -> None:
        message = message_from_text(text) if isinstance(text, str) else None
        if message is None:
            self._outbox.refused += 1
            self._mirror.refused_messages += 1
        else:
            self._obey(message)

    def _obey(self, message: Message) -> None:
        if isinstance(message, Ack):
            self._outbox.acknowledge()
        elif isinstance(message, ClockAsk):
            answer = {"page_ms": message.page_ms, "server_ms": self._mirror.clock() / 1e6}
            self._tell("clock", answer)
        elif isinstance(message, DrillStart):
            self._start_drill(message)
        elif isinstance(message, DrillStop):
            self._run = None
        elif isinstance(message, LessonStart):
            self._guarded(lambda: self._start_lesson(message))
        elif isinstance(message, LessonStep):
            self._lesson_step(message)
        elif isinstance(message, GuidanceLook):
            self._look(message)
        elif isinstance(message, Neutral):
            self._mirror.capture_neutral()

    def _tell(self, kind: str, values: dict[str, Any]) -> None:
        self._outbox.tell(kind, json.dumps({"type": kind, **values}))

    def _start_drill(self, message: DrillStart) -> None:
        try:
            self._run = DrillRun(self._drill(message), message.from_rest)
            self._lesson = None
        except ConfigError as error:
            self._tell("trouble", {"text": " ".join(str(error).split())})

    def _drill(self, message: DrillStart) -> Drill:
        if message.drill is not None:
            if message.drill.take is not None:
                raise ConfigError("a take to follow is named in a drill file, not from a page")
            return drill_from_table(message.drill, "")
        drills = self._mirror.drills.drills
        if message.name not in drills:
            raise ConfigError(f"no drill {message.name!r}")
        return drills[message.name]

    def _start_lesson(self, message: LessonStart) -> None:
        drills = self._mirror.drills.drills
        if message.drill is None:
            summary = self._mirror.progress.summary()
            choices = plan_session(drills, summary, message.minutes)
        elif message.drill in drills:
            choices = (Choice(drills[message.drill], "known"),)
        else:
            raise ConfigError(f"no drill {message.drill!r}")
        if not choices:
            raise ConfigError("there are no drills to make a session of")
        self._run = None
        self._lesson = LessonRun(choices, 60.0 * message.minutes)
        self._tell_lesson(self._lesson)

    def _lesson_step(self, message: LessonStep) -> None:
        lesson = self._lesson
        if lesson is None:
            return
        if message.type == "lesson-stop":
            lesson.stop()
            self._lesson = None
        else:
            lesson.go_on()
        self._tell_lesson(lesson)

    def _tell_lesson(self, lesson: LessonRun) -> None:
        """Whenever its phase or a whole second of it has changed."""
        state = lesson.state()
        told = (id(lesson), state["phase"], state["n"], int(state["left_s"]))
        if told != self._lesson_told:
            self._lesson_told = told
            self._tell("lesson", state)

    def _look(self, message: GuidanceLook) -> None:
        guidance = self._mirror.guidance
        if message.type == "guidance-away":
            guidance.look_away(self)
            return
        guidance.look(self)
        self._outbox.tell("guidance", json.dumps(guidance.document()))

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except ConfigError as error:
            self._tell("trouble", {"text": " ".join(str(error).split())})

    def _watch(self, tracked: TrackedFrame) -> None:
        """Every frame, in the feed's thread: whatever is practised sees all of them."""
        lesson, run = self._lesson, self._run
        moment = (tracked.t_ns / 1e9, tracked.units.intensity, tracked.n_faces > 0)
        if lesson is not None:
            has_ended = lesson.step(*moment)
            run = lesson.run if lesson.phase == "drill" or has_ended else None
        elif run is None or run.phase == "done":
            return
        else:
            run.step(*moment)
        if run is not None and run.phase == "done":
            self._finish(run)
        elif run is not None and self._is_time():
            self._tell("drill", run.state())
        if lesson is not None:
            self._tell_lesson(lesson)
            if lesson.phase == "done" and lesson is self._lesson:
                self._lesson = None

    def _finish(self, run: DrillRun) -> None:
        self._tell("drill", run.state())
        attempt = attempt_from_run(run)
        if attempt is not None:
            self._tell("attempt", attempt)
        if run.result is not None:
            result = run.result.document()
            self._guarded(lambda: self._mirror.progress.note_attempt(result))

    def _is_time(self) -> bool:
        now = self._mirror.clock()
        if now - self._told_ns < _STATE_PERIOD_NS:
            return False
        self._told_ns = now
        return True

"""A performer before the mirror who does what it asks for, as fast as it looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.prompts import load_prompts
from livefacs.mirror.core import MirrorHooks, MirrorOptions
from livefacs.mirror.guidance import Guidance
from livefacs.mirror.server import Mirror
from livefacs.protocols import Landmarker
from livefacs.session.mirror_beside import attach_mirror
from livefacs.session.runner import Session
from livefacs.session.tracker import Tracker
from livefacs.sources.video import VideoSource
from livefacs.types import Frame, Landmarks
from tests.au.scripted import Script, at_rest, turning, twice
from tests.support.performer import performer_frames
from tests.support.waiting import PATIENCE_S, wait_until

MODEL = load_model()


class Following:
    """Source and landmarker at once: a scripted face that follows the guidance.

    Attributes
    ----------
    unable : set of str
        Actions that are not shown when they are asked for.
    is_there : bool
        False: nobody is in the picture.
    absent_at : str
        The same at this step, which then waits: time without a face does not count.
    fed : list of (face, nanoseconds)
        What the round was given.
    """

    name = "facemesh"
    description = "a performer by script"
    is_live = False
    rate_hz = 30.0
    notices: tuple[str, ...] = ()
    start_ns = 0
    timecode: str | None = None
    n_frames: int | None = None

    rest: Sequence[Any] = at_rest(5)
    turns: Sequence[Any] = turning()

    def __init__(self) -> None:
        self.guidance: Guidance | None = None
        self.unable: set[str] = set()
        self.is_there = True
        self.absent_at = ""
        self.person: np.ndarray | None = None
        self.fed: list[tuple[Landmarks | None, int]] = []
        self._script = Script([])
        self._image = performer_frames(1)[0].image
        self._step: tuple[Any, ...] = ()
        self._pace = threading.Event()
        self._closed = False
        self._left: list[Any] = []

    def closing_notices(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self._closed = True
        self._pace.set()

    def read(self) -> Frame | None:
        """What is asked for now, once the frames before were looked at."""
        guidance = self.guidance
        while guidance is not None and guidance.n_waiting and not self._closed:
            self._pace.wait(0.0005)
        if self._closed:
            return None
        return self._frame(self._next())

    def _frame(self, shown: Any) -> Frame:
        shape, *rest = shown
        self._script.show((shape if self.person is None else self.person, *rest))
        made = self._script.read()
        assert made is not None
        return Frame(self._image, made.t_ns, made.i_frame)

    def detect(self, frame: Frame) -> Landmarks | None:
        is_away = not self.is_there or (self._step and self.absent_at == self._step[1])
        return None if is_away else self._script.detect(frame)

    def _next(self) -> Any:
        asked = {} if self.guidance is None else self.guidance.document()
        state = asked.get("state")
        if asked.get("phase") != "running":
            self._pace.wait(0.01)  # at the pace of a camera, so that pages can look on
            self._step = ()
            state = None
        step = () if state is None else (state["number"], state["step"], *state["actions"])
        if step != self._step or not self._left:
            self._step = step
            self._left = self._shown(state)
        return self._left.pop(0)

    def _shown(self, state: dict[str, Any] | None) -> list[Any]:
        if state is None or state["step"] in ("neutral", "check", "other"):
            return list(self.rest)
        if state["step"] == "head":
            return list(self.turns)
        name = "+".join(state["actions"])
        if name in self.unable:
            return list(self.rest)
        return self._movement(name)

    def _movement(self, name: str) -> list[Any]:
        return [*at_rest(10), *twice(name), *at_rest(10)]


class Filmed(Following):
    """The same with the pictures of a recorded range of motion, before a real landmarker.

    Parameters
    ----------
    clip : Path
        Beside its prompts, ``.json``.
    finder : Landmarker
    names : actions of the prompts that are shown
    """

    def __init__(self, clip: Path, finder: Landmarker, *names: str) -> None:
        super().__init__()
        self.name, self._finder = finder.name, finder
        prompts = load_prompts(clip.with_suffix(".json"))
        spans = {each.name: (each.start_s, each.end_s) for each in prompts.prompts}
        assert prompts.head is not None
        wanted = {"rest": prompts.neutral, "turns": prompts.head, **{n: spans[n] for n in names}}
        self._pictures: dict[str, list[bytes]] = {name: [] for name in wanted}
        with closing(VideoSource(clip)) as source:
            while (frame := source.read()) is not None:
                for name, (start, end) in wanted.items():
                    if start <= frame.t_ns / 1e9 < end:
                        packed = cv2.imencode(".jpg", frame.image, (cv2.IMWRITE_JPEG_QUALITY, 97))
                        self._pictures[name].append(packed[1].tobytes())
        self.rest = [*self._pictures["rest"], *reversed(self._pictures["rest"])]
        self.turns = self._pictures["turns"]
        self._i_frame = 0

    def _movement(self, name: str) -> list[Any]:
        return [*self._pictures[name], *self._pictures["rest"][10:25]]

    def _frame(self, shown: bytes) -> Frame:
        image = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR)
        self._i_frame += 1
        return Frame(np.asarray(image, np.uint8), round(self._i_frame * 1e9 / 30), self._i_frame)

    def detect(self, frame: Frame) -> Landmarks | None:
        return self._finder.detect(frame)


@contextmanager
def performing(
    performer: Following | None = None, **options: Any
) -> Iterator[tuple[Mirror, Following]]:
    """A mirror with a session of its own; ``choose`` stands for what changes its profile."""
    choose: Callable[[str, str], None] | None = options.pop("choose", None)
    reads = options.pop("profile", "")
    mirror = Mirror(MirrorOptions(port=0, **options), MirrorHooks(choose=choose))
    performer = performer or Following()
    session = Session(performer, Tracker(performer, Estimator(MODEL), keep_image=True))
    attach_mirror(mirror, session, profile=reads)
    note_what_is_fed(mirror.guidance, performer.fed)
    performer.guidance = mirror.guidance
    mirror.start()
    thread = threading.Thread(target=session.run, name="performing")
    thread.start()
    try:
        wait_until(lambda: mirror.feed.newest is not None, "the first frame")
        yield mirror, performer
    finally:
        session.close()
        thread.join(timeout=PATIENCE_S)
        mirror.stop()


def note_what_is_fed(guidance: Guidance, fed: list[tuple[Landmarks | None, int]]) -> None:
    """Keep what reaches the round, in its order."""
    feed = guidance._feed

    def noted(round_: Any, face: Landmarks | None, t_ns: int) -> None:
        fed.append((face, t_ns))
        feed(round_, face, t_ns)

    guidance._feed = noted  # type: ignore[method-assign]  # a tap in the line


def client(mirror: Mirror) -> httpx.Client:
    base = f"http://127.0.0.1:{mirror.port}"
    return httpx.Client(base_url=base, headers={"Origin": base}, timeout=PATIENCE_S)

"""The mirror's live feed: a sink whose frames go to every open page, the newest one only."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2

from livefacs.clock import now_ns
from livefacs.mirror.packets import Timing, packet_from_tracked
from livefacs.protocols import RigRetargeter
from livefacs.slot import Slot
from livefacs.types import RigFrame, SinkCounters, TrackedFrame
from livefacs.workers import Worker

_log = logging.getLogger(__name__)

_PERIOD_SHARE: Final = 0.05
_IN_FLIGHT: Final = 2  # frames a page may hold undrawn before newer ones wait
_STALE_NS: Final = 2_000_000_000

Watcher = Callable[[TrackedFrame], None]


@dataclass(frozen=True, slots=True)
class _Arrival:
    tracked: TrackedFrame
    arrived_ns: int


class PageOutbox:
    """What waits for one page: the newest frame and the newest text of each kind.

    Only touched in the event loop; ``offer`` and ``tell`` may be called from any thread.

    Attributes
    ----------
    overwritten : int
        Frames a newer one replaced before the page could take them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._frame: bytes | None = None
        self._texts: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._in_flight = 0
        self.overwritten = 0
        self.refused = 0

    def offer(self, packet: bytes) -> None:
        """Leave a frame; the one before it is dropped if the page has not taken it."""
        self._later(self._put_frame, packet)

    def tell(self, kind: str, text: str) -> None:
        """Leave a text; the newest of its kind wins."""
        self._later(self._put_text, kind, text)

    def _later(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop has just been closed: nobody is there to read it
            self.overwritten += 1

    def _put_frame(self, packet: bytes) -> None:
        if self._frame is not None:
            self.overwritten += 1
        self._frame = packet
        self._wake.set()

    def _put_text(self, kind: str, text: str) -> None:
        self._texts[kind] = text
        self._wake.set()

    def acknowledge(self) -> None:
        """The page has drawn one frame: the next may go."""
        self._in_flight = max(0, self._in_flight - 1)
        self._wake.set()

    async def take(self) -> list[str | bytes]:
        """Wait for something that may be sent now, and take it."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._in_flight >= _IN_FLIGHT:
                continue  # a stalled page: nothing may pile up on its way there
            ready: list[str | bytes] = list(self._texts.values())
            self._texts.clear()
            if self._frame is not None:
                ready.append(self._frame)
                self._frame = None
                self._in_flight += 1
            if ready:
                return ready


class LiveFeed:
    """Sink of a session; encodes in its own thread so that ``send`` costs a microsecond.

    Parameters
    ----------
    clock : callable
        The session's clock, nanoseconds.
    puppets : retargeters whose controls the pages' puppets are moved with
        They run in the feed's thread, so that a session need not carry their rigs.

    Attributes
    ----------
    face : int
        Number of the performer that the pages show, where there are several.
    """

    def __init__(
        self, clock: Callable[[], int] = now_ns, puppets: Sequence[RigRetargeter] = ()
    ) -> None:
        self.url = "mirror:"
        self.counters = SinkCounters()
        self.rigs: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self.newest: TrackedFrame | None = None
        self.face = 1
        self._clock = clock
        self._puppets = tuple(puppets)
        self._slot: Slot[_Arrival] = Slot()
        self._outboxes: tuple[PageOutbox, ...] = ()
        self._watchers: tuple[Watcher, ...] = ()
        self._lock = threading.Lock()
        self._last_ns: int | None = None
        self._period_ns = 0.0
        # OpenCV's pool spins on every core after a conversion that one thread does in 20 µs:
        # without it a frame costs half the processor time.
        cv2.setNumThreads(1)
        name = "livefacs-mirror-feed"
        self._thread = Worker(self._work, name, self.counters.fail, gives_way=True)
        self._thread.start()

    def send(self, tracked: TrackedFrame) -> None:
        """Leave a frame for the pages; never blocks."""
        self.counters.frames += 1
        if tracked.others:
            tracked = tracked.of_face(self.face)
        self._slot.put(_Arrival(tracked, self._clock()))

    def close(self) -> None:
        """A session ended; the feed stays open for the next one (see ``shut``)."""

    def shut(self) -> None:
        """End the encoding thread."""
        self._slot.close()
        self._thread.join(timeout=2.0)

    def add_outbox(self, outbox: PageOutbox) -> None:
        """A page was opened."""
        with self._lock:
            self._outboxes = (*self._outboxes, outbox)

    def remove_outbox(self, outbox: PageOutbox) -> None:
        """A page was closed."""
        with self._lock:
            self._outboxes = tuple(one for one in self._outboxes if one is not outbox)

    def add_watcher(self, watcher: Watcher) -> None:
        """Call ``watcher`` with every frame the feed takes, in the feed's thread."""
        with self._lock:
            self._watchers = (*self._watchers, watcher)

    def remove_watcher(self, watcher: Watcher) -> None:
        """Stop calling ``watcher``."""
        with self._lock:
            # By equality: a method is a new object each time it is named.
            self._watchers = tuple(one for one in self._watchers if one != watcher)

    @property
    def n_pages(self) -> int:
        """Open pages."""
        return len(self._outboxes)

    @property
    def overwritten(self) -> int:
        """Frames that a newer one replaced before the encoder took them."""
        return self._slot.overwritten

    def tell_all(self, kind: str, text: str) -> None:
        """Send a text to every page."""
        for outbox in self._outboxes:
            outbox.tell(kind, text)

    def rigs_message(self) -> str:
        """The order of the controls in a packet, as the page is told it."""
        rigs = [{"name": name, "controls": controls} for name, controls in self.rigs]
        return json.dumps({"type": "rigs", "rigs": rigs})

    def _work(self) -> None:
        while True:
            arrival = self._slot.get(timeout_s=1.0)
            if arrival is not None:
                self._hand_out(arrival)
            elif self._slot.closed:
                return

    def _hand_out(self, arrival: _Arrival) -> None:
        tracked = arrival.tracked
        self._note_rate(arrival.arrived_ns)
        self.newest = tracked
        for watcher in self._watchers:
            self._show(watcher, tracked)
        outboxes = self._outboxes
        if not outboxes:
            return
        rigs = [puppet.retarget(tracked) for puppet in self._puppets]
        self._note_rigs(rigs)
        timing = Timing(arrival.arrived_ns, self._age_ms(arrival), self.rate_hz)
        packet = packet_from_tracked(tracked, timing, rigs)
        self.counters.packets += len(outboxes)
        self.counters.bytes += len(packet) * len(outboxes)
        for outbox in outboxes:
            outbox.offer(packet)

    def _show(self, watcher: Watcher, tracked: TrackedFrame) -> None:
        """One page's practice; what fails in it ends the practice, not the feed."""
        try:
            watcher(tracked)
        except Exception as error:
            _log.exception("practice in a page ended")
            self.remove_watcher(watcher)
            self.counters.last_error = f"{type(error).__name__}: {error}"
            text = f"the practice ended by an error ({self.counters.last_error}): reload the page"
            self.tell_all("trouble", json.dumps({"type": "trouble", "text": text}))

    def _note_rate(self, arrived_ns: int) -> None:
        """Mean of the periods, not of the rates: late frames would make it too high."""
        if self._last_ns is not None:
            period_ns = arrived_ns - self._last_ns
            known_ns = self._period_ns or period_ns
            self._period_ns = known_ns + _PERIOD_SHARE * (period_ns - known_ns)
        self._last_ns = arrived_ns

    @property
    def rate_hz(self) -> float:
        """Frames a second, of late; 0 before there were two."""
        return 1e9 / self._period_ns if self._period_ns > 0 else 0.0

    def _note_rigs(self, frames: Sequence[RigFrame]) -> None:
        rigs = tuple((frame.rig, frame.controls) for frame in frames)
        if rigs != self.rigs:
            self.rigs = rigs
            self.tell_all("rigs", self.rigs_message())

    def _age_ms(self, arrival: _Arrival) -> float:
        """Image to mirror: by the clock for frames with session time, else by their stages."""
        age_ns = arrival.arrived_ns - arrival.tracked.t_ns
        if 0 <= age_ns < _STALE_NS:
            return age_ns / 1e6
        stages = arrival.tracked.stage_ns
        if "total" in stages:
            return stages["total"] / 1e6
        return sum(stages.values()) / 1e6 if stages else float("nan")

"""Live cameras, attached or on the network: the newest picture wins, a lost camera comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import SourceError
from livefacs.printable import without_secrets
from livefacs.slot import Slot
from livefacs.sources.capture import (
    Capture,
    CaptureLost,
    CaptureWishes,
    ask_permission,
    open_capture,
)
from livefacs.types import Frame

_log = logging.getLogger(__name__)

_FIRST_FRAME_TIMEOUT_S: Final = 15.0  # some drivers take 10 s to start
_FIRST_RETRY_S: Final = 0.25
_LONGEST_RETRY_S: Final = 1.0
_MOST_DAMAGED_AT_START: Final = 100  # a stream joined in its middle begins with a few
_PATIENCE_AT_CLOSE_S: Final = 0.5


class CameraSource:
    """A camera read by its own thread, so that no stalled driver or network holds anybody up.

    A failing read, an unplugged cable or a dead connection is retried with growing pauses (0.25 s
    to 1 s) until the camera is back; ``read`` blocks meanwhile.

    Parameters
    ----------
    address : int or str
        Device index, device path, or ``rtsp://…``, ``http://…``.
    wishes : CaptureWishes
    name : str or None
        What to call it; None: its address.

    Attributes
    ----------
    n_dropped, n_damaged, n_losses : int
        Pictures overtaken by newer ones before they were read; damaged ones; times it was lost.
        The first two leave gaps in ``i_frame``.
    lost_ns : int
        Nanoseconds without the camera in all, up to its last return.

    Raises
    ------
    SourceError
        At the start: absent, busy, forbidden, or no picture within 15 s.
    """

    is_live = True
    n_frames: int | None = None
    timecode: str | None = None
    notices: tuple[str, ...] = ()
    start_ns = 0

    def __init__(
        self,
        address: int | str,
        wishes: CaptureWishes | None = None,
        *,
        name: str | None = None,
        opener: Callable[[int | str, CaptureWishes], Capture] = open_capture,
    ) -> None:
        self._address = address
        self._wishes = wishes or CaptureWishes()
        self._opener = opener
        self._name = name or _name_from_address(address)
        self.description = self._name
        self.rate_hz = self._wishes.rate_hz
        self.n_damaged = self.n_losses = self.lost_ns = 0
        self._lost_since_ns: int | None = None
        self._i_frame = 0
        self._slot: Slot[Frame] = Slot()
        self._closing = threading.Event()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        ask_permission(address)
        self._thread = threading.Thread(target=self._run, name="livefacs-camera", daemon=True)
        self._thread.start()
        self._await_first_frame()

    @property
    def n_dropped(self) -> int:
        """Pictures that a newer one overtook before they were read."""
        return self._slot.overwritten

    @property
    def is_lost(self) -> bool:
        """True while the camera is away."""
        return self._lost_since_ns is not None

    @property
    def ended(self) -> bool:
        """True once closed, and when the camera is gone for good."""
        return self._slot.closed

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest picture that was not read yet; None when none came in time, or once closed."""
        frame = self._slot.get(timeout_s)
        if self._failure is not None:
            raise self._failure
        return None if self._closing.is_set() else frame

    def read(self) -> Frame | None:
        """The newest picture that was not read yet, however long it takes; None once closed."""
        return self.newest()

    def close(self) -> None:
        """Let the camera go; its thread ends by itself where the driver still holds it."""
        self._closing.set()
        self._slot.close()
        self._thread.join(_PATIENCE_AT_CLOSE_S)

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""
        notices = []
        if self.n_losses:
            state = " and was away at the end" if self.is_lost else ""
            notices.append(
                f"{self._name} was lost {self.n_losses} time(s), "
                f"{self.lost_ns / NS_PER_S:.1f} s in all{state}"
            )
        if self.n_damaged:
            notices.append(f"{self._name}: {self.n_damaged} damaged picture(s) were skipped")
        return tuple(notices)

    def _await_first_frame(self) -> None:
        in_time = self._started.wait(_FIRST_FRAME_TIMEOUT_S)
        if in_time and self._failure is None:
            return
        self.close()
        if self._failure is not None:
            raise self._failure
        raise SourceError(
            f"{self._name} gave no picture within {_FIRST_FRAME_TIMEOUT_S:.0f} s; "
            "is it in use by another program, or covered by a switch?"
        )

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._run_once()
        except BaseException as failure:  # raised again by the reader
            self._failure = failure
        finally:
            self._started.set()
            self._slot.close()

    def _run_once(self) -> None:
        """Open the camera and read it until it is lost."""
        capture = self._open_patiently()
        if capture is None:
            return
        try:
            while not self._closing.is_set():
                self._take(capture)
        except CaptureLost:
            self._note_loss()
        finally:
            capture.close()

    def _open_patiently(self) -> Capture | None:
        """An open camera; the first time a failure is final, later it is tried again."""
        pause_s = _FIRST_RETRY_S
        while not self._closing.is_set():
            if self.is_lost and self._closing.wait(pause_s):
                break
            try:
                return self._opener(self._address, self._wishes)
            except SourceError:
                if not self._started.is_set():
                    raise
            pause_s = min(2 * pause_s, _LONGEST_RETRY_S)
        return None

    def _take(self, capture: Capture) -> None:
        grabbed = capture.grab()
        i_frame = self._i_frame
        self._i_frame += 1
        if grabbed is None:
            self.n_damaged += 1
            if self.n_damaged >= _MOST_DAMAGED_AT_START and not self._started.is_set():
                raise SourceError(f"{self._name} sends nothing that can be decoded as a picture")
            return
        image, t_ns = grabbed
        self._note_return(t_ns)
        if not self._started.is_set():
            self.rate_hz = capture.rate_hz
            height, width = image.shape[:2]
            self.description = f"{self._name}, {width}×{height}, {capture.format_in_words}"
        self._slot.put(Frame(image, t_ns, i_frame))
        self._started.set()

    def _note_loss(self) -> None:
        if not self._started.is_set():
            raise SourceError(f"{self._name} opened, but gives no picture; is it in use elsewhere?")
        if self._lost_since_ns is None:
            self._lost_since_ns = now_ns()
            _log.warning("%s is lost", self._name)
            self.n_losses += 1

    def _note_return(self, t_ns: int) -> None:
        if self._lost_since_ns is not None:
            self.lost_ns += max(0, t_ns - self._lost_since_ns)
            self._lost_since_ns = None
            _log.info("%s is back", self._name)


def _name_from_address(address: int | str) -> str:
    if isinstance(address, int):
        return f"camera {address}"
    return without_secrets(address)

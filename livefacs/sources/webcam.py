"""Live cameras, attached or on the network: the newest picture wins, a lost camera comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from livefacs.clock import now_ns
from livefacs.errors import SourceError
from livefacs.printable import without_secrets
from livefacs.sources.capture import (
    Capture,
    CaptureLost,
    CaptureWishes,
    ask_permission,
    open_capture,
)
from livefacs.sources.live_camera import LiveCamera
from livefacs.types import Frame

_log = logging.getLogger(__name__)

_FIRST_FRAME_TIMEOUT_S: Final = 15.0  # some drivers take 10 s to start
_FIRST_RETRY_S: Final = 0.25
_LONGEST_RETRY_S: Final = 1.0
_MOST_DAMAGED_AT_START: Final = 100  # a stream joined in its middle begins with a few
_PATIENCE_AT_CLOSE_S: Final = 0.5


class CameraSource(LiveCamera):
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

    notices: tuple[str, ...] = ()

    def __init__(
        self,
        address: int | str,
        wishes: CaptureWishes | None = None,
        *,
        name: str | None = None,
        opener: Callable[[int | str, CaptureWishes], Capture] = open_capture,
    ) -> None:
        super().__init__()
        self._address = address
        self._wishes = wishes or CaptureWishes()
        self._opener = opener
        self._name = name or _name_from_address(address)
        self.description = self._name
        self.rate_hz = self._wishes.rate_hz
        self._closing = threading.Event()
        self._started = threading.Event()
        ask_permission(address)
        self._thread = threading.Thread(target=self._run, name="livefacs-camera", daemon=True)
        self._thread.start()
        self._await_first_frame()

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest picture that was not read yet; None when none came in time, or once closed."""
        frame = self._slot.get(timeout_s)
        if self._failure is not None:
            raise self._failure
        return None if self._closing.is_set() else frame

    def close(self) -> None:
        """Let the camera go; its thread ends by itself where the driver still holds it."""
        self._closing.set()
        self._slot.close()
        self._thread.join(_PATIENCE_AT_CLOSE_S)

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""
        return tuple(self._loss_notices(self._name))

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
        if self._end_loss(t_ns) is not None:
            _log.info("%s is back", self._name)
        if not self._started.is_set():
            self.rate_hz = capture.rate_hz
            height, width = image.shape[:2]
            self.description = f"{self._name}, {width}×{height}, {capture.format_in_words}"
        self._slot.put(Frame(image, t_ns, i_frame))
        self._started.set()

    def _note_loss(self) -> None:
        if not self._started.is_set():
            raise SourceError(f"{self._name} opened, but gives no picture; is it in use elsewhere?")
        if self._begin_loss(now_ns()):
            _log.warning("%s is lost", self._name)


def _name_from_address(address: int | str) -> str:
    if isinstance(address, int):
        return f"camera {address}"
    return without_secrets(address)

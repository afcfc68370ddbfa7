"""What the camera page and its source say to each other over their WebSocket.

The source sends JSON: ``time`` (answer with your clock), ``go`` and ``next`` (the ticket of the
next picture), ``busy``. The page sends JSON ``{"type": "time", "id": …, "t": …}`` and pictures: 16
bytes, then a JPEG. The bytes are little-endian: ``LFC1``, the ticket (uint32), the moment of
capture on the page's clock (float64, milliseconds). A ticket is good for one picture and is given
when the one before has been taken, so nothing queues on the way.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_HEAD: Final = struct.Struct("<4sId")
_MAGIC: Final = b"LFC1"
_ROUND_TRIPS: Final = 5  # before the page's clock counts as known
_KEPT_ROUND_TRIPS: Final = 32
_MOST_TEXT: Final = 256  # characters of an answer
_OLDEST_NS: Final = 2_000_000_000
_NS_PER_MS: Final = 1e6
_FARTHEST_MS: Final = 1e15  # no clock of a page comes near

MOST_JPEG_BYTES: Final = (2 << 20) - _HEAD.size


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One picture as it came.

    Attributes
    ----------
    ticket : int
    page_ms : float
        Moment of capture on the page's clock.
    jpeg : bytes
        Not looked at yet.
    """

    ticket: int
    page_ms: float
    jpeg: bytes


def picture_from_message(message: bytes) -> PagePicture | None:
    """The picture of a message; None where it is none."""
    if len(message) <= _HEAD.size or len(message) - _HEAD.size > MOST_JPEG_BYTES:
        return None
    magic, ticket, page_ms = _HEAD.unpack_from(message)
    if magic != _MAGIC or not abs(page_ms) < _FARTHEST_MS:  # NaN, too
        return None
    return PagePicture(ticket, page_ms, message[_HEAD.size :])


def message_from_picture(picture: PagePicture) -> bytes:
    """The message of a picture, as the page makes it."""
    return _HEAD.pack(_MAGIC, picture.ticket, picture.page_ms) + picture.jpeg


class PageClock:
    """The page's clock on the session's, from round trips of questions and answers.

    Half a round trip is the error at most; the shortest of the last 32 counts (the clock filter of
    NTP, RFC 5905 section 10).

    Parameters
    ----------
    clock : callable
        Nanoseconds of the session.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._asked_ns: int | None = None
        self._id = 0
        self._trips: deque[tuple[int, int]] = deque(maxlen=_KEPT_ROUND_TRIPS)

    @property
    def is_known(self) -> bool:
        """True after enough round trips."""
        return len(self._trips) >= _ROUND_TRIPS

    @property
    def is_asked(self) -> bool:
        """True while an answer is awaited."""
        return self._asked_ns is not None

    @property
    def waiting_ns(self) -> int:
        """How long an answer has been awaited; 0 where none is."""
        return 0 if self._asked_ns is None else self._clock() - self._asked_ns

    @property
    def error_ns(self) -> int:
        """By so much a mapped time may be wrong at most."""
        return min(self._trips)[0] // 2

    def question(self) -> str:
        """The next question; the one before counts no more."""
        self._id += 1
        self._asked_ns = self._clock()
        return json.dumps({"type": "time", "id": self._id})

    def take_answer(self, text: str) -> bool:
        """Learn from an answer; False where it is none to the last question."""
        now_ns = self._clock()
        page_ms = _page_ms_from_text(text, self._id)
        if page_ms is None or self._asked_ns is None:
            return False
        trip_ns = now_ns - self._asked_ns
        offset_ns = self._asked_ns + trip_ns // 2 - round(page_ms * _NS_PER_MS)
        self._asked_ns = None
        self._trips.append((trip_ns, offset_ns))
        return True

    def session_ns(self, page_ms: float, arrived_ns: int) -> int:
        """A moment of the page on the session's clock: never after its picture had arrived, and
        never more than two seconds before.
        """
        offset_ns = min(self._trips)[1]
        t_ns = round(page_ms * _NS_PER_MS) + offset_ns
        return min(max(t_ns, arrived_ns - _OLDEST_NS), arrived_ns)


def _page_ms_from_text(text: str, asked_id: int) -> float | None:
    if len(text) > _MOST_TEXT:
        return None
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or answer.get("type") != "time":
        return None
    page_ms, number = answer.get("t"), answer.get("id")
    if isinstance(page_ms, bool) or not isinstance(page_ms, int | float) or number != asked_id:
        return None
    return float(page_ms) if abs(page_ms) < _FARTHEST_MS else None  # false for NaN, too

"""OSC as it comes in: any datagram becomes a list of messages, or one plain error.

python-osc trusts the sizes that a packet states: a bundle element of size -4 makes it read the same
place for ever. The whole structure is therefore walked here before it sees a byte.
"""

from __future__ import annotations

import struct
from typing import Final

from pythonosc.osc_packet import OscPacket, ParseError

MAX_MESSAGES: Final = 2000
MAX_DEPTH: Final = 8
MAX_ARGUMENTS: Final = 16_384
"""In a packet, all messages together: what fits into a datagram at four bytes each."""
_BUNDLE: Final = b"#bundle\0"
_BUNDLE_HEAD: Final = 16  # with its time tag
_LEAST_ELEMENT: Final = 8
_FIXED: Final = dict.fromkeys(b"ifrm", 4) | dict.fromkeys(b"hdt", 8) | dict.fromkeys(b"TFN", 0)
_INT: Final = struct.Struct(">i")


class OscError(ValueError):
    """The bytes are not OSC."""


def messages_from_osc(datagram: bytes) -> list[tuple[str, list[object]]]:
    """Address and arguments of every message, bundles unfolded in order, time tags ignored.

    Raises
    ------
    OscError
        The datagram is malformed, nested too deeply, or holds too many messages.
    """
    check_osc(datagram)
    try:
        messages = OscPacket(datagram).messages
    except (ParseError, ValueError, IndexError, TypeError, struct.error) as error:
        raise OscError(f"not an OSC packet: {error}") from None
    except (RecursionError, OverflowError):
        raise OscError("not an OSC packet: nested too deeply, or a number out of range") from None
    return [(timed.message.address, list(timed.message.params)) for timed in messages]


def check_osc(datagram: bytes) -> None:
    """Walk a packet's structure: every size within what holds it, depth and counts bounded.

    Raises
    ------
    OscError
        It says what is wrong and at which byte.
    """
    if len(datagram) % 4 or not datagram:
        raise _error(f"{len(datagram)} bytes, expected a multiple of 4", 0)
    waiting = [(0, len(datagram), 0)]
    n_seen = n_arguments = 0
    while waiting:
        begin, end, depth = waiting.pop()
        n_seen += 1
        if datagram.startswith(_BUNDLE, begin, end):
            if depth >= MAX_DEPTH:
                raise _error(f"bundles nested more than {MAX_DEPTH} deep", begin)
            waiting += [(*place, depth + 1) for place in _elements(datagram, begin, end)]
        else:
            n_arguments += _check_message(datagram, begin, end)
        if n_seen + len(waiting) > MAX_MESSAGES or n_arguments > MAX_ARGUMENTS:
            raise _error(f"more than {MAX_MESSAGES} messages or {MAX_ARGUMENTS} arguments", begin)


def _elements(datagram: bytes, begin: int, end: int) -> list[tuple[int, int]]:
    """Begin and end of each element of a bundle."""
    if end - begin < _BUNDLE_HEAD:
        raise _error("a bundle without its time tag", begin)
    places = []
    at = begin + _BUNDLE_HEAD
    while at < end:
        (size,) = _INT.unpack_from(datagram, at)  # at and end are multiples of 4
        at += 4
        if size < _LEAST_ELEMENT or size % 4 or size > end - at:
            raise _error(f"an element of {size} bytes, {end - at} are left", at)
        places.append((at, at + size))
        at += size
    return places


def _check_message(datagram: bytes, begin: int, end: int) -> int:
    """Number of arguments of a message whose parts all lie within it."""
    if datagram[begin] != ord("/"):
        raise _error("neither a message nor a bundle", begin)
    at = _after_string(datagram, begin, end)
    if at == end:
        return 0
    if datagram[at] != ord(","):
        raise _error("no type tags", at)
    tags_at, at = at, _after_string(datagram, at, end)
    tags = datagram[tags_at + 1 : at].rstrip(b"\0")
    depth = 0
    for tag in tags:
        size = _FIXED.get(tag)
        if size is not None:
            at += size
        elif tag == ord("s"):
            at = _after_string(datagram, at, end)
        elif tag == ord("b"):
            at = _after_blob(datagram, at, end)
        elif tag in b"[]":
            depth += 1 if tag == ord("[") else -1
            if not 0 <= depth <= MAX_DEPTH:
                raise _error("brackets of an array", tags_at)
        else:
            raise _error(f"an argument of unknown type {chr(tag)!r}", tags_at)
        if at > end:
            raise _error("an argument beyond the end", end)
    return len(tags)


def _after_string(datagram: bytes, begin: int, end: int) -> int:
    length = datagram.find(b"\0", begin, end) - begin
    after = begin + length + 4 - length % 4
    if length < 0 or after > end:
        raise _error("a text without its end", begin)
    return after


def _after_blob(datagram: bytes, at: int, end: int) -> int:
    size = _INT.unpack_from(datagram, at)[0] if at + 4 <= end else -1
    if not 0 <= size <= end - at - 4:
        raise _error(f"a blob of {size} bytes", at)
    return int(at + 4 + size + -size % 4)


def _error(what: str, at: int) -> OscError:
    return OscError(f"not an OSC packet: {what}, at byte {at}")

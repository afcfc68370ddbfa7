"""OSC datagrams that are built once and patched in place.

python-osc builds every message of a frame once; per frame only the four-byte words of the
arguments change. OSC aligns everything to four bytes, so the arguments of all datagrams can be
seen as big-endian words of one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pythonosc.osc_message
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

Argument = float | int | str | bool
MAX_DATAGRAM_BYTES: Final = 1400
"""Fits an Ethernet frame with room for headers and tunnels, so that no network splits it."""

_BUNDLE_HEAD_BYTES: Final = 16
_SIZE_BYTES: Final = 4
_ARGUMENT_BYTES: Final = {"f": 4, "i": 4, "T": 0, "F": 0}
_FORBIDDEN: Final = str.maketrans(dict.fromkeys(" #*,?[]{}", "_"))


def address_part(name: str) -> str:
    """A control name as part of an OSC address: characters that OSC reserves become ``_``."""
    return name.translate(_FORBIDDEN)


@dataclass(frozen=True, slots=True)
class OscMessage:
    """One message: address, type tags without the comma, and first values of its arguments.

    Tags are ``f i s T F``. A string keeps its length: an empty one is four NUL bytes, so that a
    text of up to three characters can be patched into its word.
    """

    address: str
    tags: str = ""
    arguments: tuple[Argument, ...] = ()

    def built(self) -> pythonosc.osc_message.OscMessage:
        """The message as python-osc builds it."""
        builder = OscMessageBuilder(address=self.address)
        for tag, value in zip(self.tags, self.arguments, strict=True):
            builder.add_arg(value, tag)
        return builder.build()

    def encoded(self) -> bytes:
        """Bytes of the message alone."""
        return self.built().dgram

    def argument_offsets(self) -> tuple[int, ...]:
        """Byte offset of each argument inside the encoded message."""
        offset = _padded(len(self.address.encode()) + 1) + _padded(len(self.tags) + 2)
        offsets = []
        for tag, value in zip(self.tags, self.arguments, strict=True):
            offsets.append(offset)
            offset += _padded(len(str(value).encode()) + 1) if tag == "s" else _ARGUMENT_BYTES[tag]
        return tuple(offsets)


def _padded(n_bytes: int) -> int:
    return (n_bytes + 3) // 4 * 4


class OscTemplate:
    """The datagrams of one frame, in one buffer.

    Parameters
    ----------
    messages : sequence of OscMessage
        Split over as many datagrams as needed, in order.
    header : sequence of OscMessage
        Stands first in every datagram of a bundled template (first of all in an unbundled one).
    bundle : bool
        One bundle a datagram; otherwise one message a datagram.

    Attributes
    ----------
    datagrams : tuple of memoryview
        Views of the buffer, in sending order; patching the buffer changes them.
    floats, words : (N_BYTES / 4,) big-endian float32, raw uint32
        The buffer as words. ``words`` takes bytes that already stand in network order.
    buffer : bytearray
        For ``struct.Struct.pack_into`` at the byte offsets of ``offsets``.
    """

    def __init__(
        self,
        messages: Sequence[OscMessage],
        *,
        header: Sequence[OscMessage] = (),
        bundle: bool = True,
    ) -> None:
        groups = (
            _split(messages, header) if bundle else [[m] for m in header] + [[m] for m in messages]
        )
        self.buffer = bytearray()
        self._offsets: dict[tuple[str, int], list[int]] = {}
        spans = []
        for group in groups:
            start = len(self.buffer)
            self._append(group, bundle)
            spans.append((start, len(self.buffer)))
        whole = memoryview(self.buffer)
        self.datagrams = tuple(whole[start:end] for start, end in spans)
        self.floats: npt.NDArray[np.float32] = np.frombuffer(self.buffer, ">f4")
        self.words: npt.NDArray[np.uint32] = np.frombuffer(self.buffer, "=u4")

    def offsets(self, address: str, i_argument: int = 0) -> tuple[int, ...]:
        """Byte offsets of an argument, one for every time its message stands in the frame."""
        return tuple(self._offsets.get((address, i_argument), ()))

    def word_indexes(self, addresses: Sequence[str]) -> npt.NDArray[np.intp]:
        """Word index of the first argument of each message, in the order of ``addresses``."""
        return np.array([self._offsets[a, 0][0] // 4 for a in addresses], np.intp)

    def _append(self, group: Sequence[OscMessage], bundle: bool) -> None:
        start = len(self.buffer)
        if bundle:
            builder = OscBundleBuilder(IMMEDIATELY)
            for message in group:
                builder.add_content(message.built())
            self.buffer += builder.build().dgram
            position = start + _BUNDLE_HEAD_BYTES
        else:
            self.buffer += group[0].encoded()
            position = start - _SIZE_BYTES
        for message in group:
            position += _SIZE_BYTES
            for i_argument, offset in enumerate(message.argument_offsets()):
                key = (message.address, i_argument)
                self._offsets.setdefault(key, []).append(position + offset)
            position += len(message.encoded())


def _split(messages: Sequence[OscMessage], header: Sequence[OscMessage]) -> list[list[OscMessage]]:
    """The messages of each datagram; a single one that is longer than it may be goes out alone."""
    head_bytes = _BUNDLE_HEAD_BYTES + sum(_SIZE_BYTES + len(m.encoded()) for m in header)
    groups: list[list[OscMessage]] = []
    n_bytes = MAX_DATAGRAM_BYTES + 1
    for message in messages:
        size = _SIZE_BYTES + len(message.encoded())
        if n_bytes + size > MAX_DATAGRAM_BYTES:
            groups.append(list(header))
            n_bytes = head_bytes
        groups[-1].append(message)
        n_bytes += size
    return groups or [list(header)]

"""Every parser of bytes from outside: refused or read, each packet in a moment, in bounded memory.

``LIVEFACS_FUZZ_PACKETS`` sets how many packets each parser gets: ``.ci/run`` gives OSC a million.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import struct
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sinks.listening import Tally
from livefacs.sources.browser import MOST_SIDE
from livefacs.sources.jpeg import JpegReader
from livefacs.sources.livelink_csv import LiveLinkCsvSource
from livefacs.types import Shapes
from livefacs.wire import vts
from livefacs.wire.avatar import avatar_from_parameters
from livefacs.wire.camera_page import PageClock, picture_from_message
from livefacs.wire.ifacialmocap import version_from_handshake
from livefacs.wire.ltc import LtcReader
from livefacs.wire.oscquery import parameters_from_tree
from livefacs.wire.oscreading import (
    MAX_ARGUMENTS,
    MAX_DEPTH,
    MAX_MESSAGES,
    OscError,
    messages_from_osc,
)
from livefacs.wire.packet_reading import MAX_NAMES, READERS, Reading, reading_from_injection
from livefacs.wire.shapes import SHAPE_READERS
from livefacs.wire.vtsphone import LONGEST_S, PhoneRequest, request_from_datagram
from tests.sources.camera_page import grey
from tests.wire import fuzzing
from tests.wire.test_packet_reading import encoders_once

N_PACKETS = int(os.environ.get("LIVEFACS_FUZZ_PACKETS", "8000"))
PACKET_S = 2.0  # of processor time: a busy machine is no error; a parser that loops is
PEAK_BYTES = 64 << 20

Parse = Callable[[bytes], object]


class TooSlow(BaseException):
    """Passes every ``except Exception``."""


@contextlib.contextmanager
def alarmed() -> Iterator[Callable[[], None]]:
    """A clock that ends whatever takes longer than it may; call it before each packet."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no timer that ends a loop")

    def ring(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, ring)
    try:
        yield lambda: signal.setitimer(signal.ITIMER_PROF, PACKET_S)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def injected(data: bytes) -> Reading:
    return reading_from_injection(vts.reply_from_text(data).data)


def timecode_heard(data: bytes) -> object:
    frames = LtcReader(8000).read(np.frombuffer(data, np.float32).copy())
    return [(frame.label, frame.start) for frame in frames]


def asked_of_a_phone(data: bytes) -> PhoneRequest:
    request = request_from_datagram(data)
    if request is None:
        raise ValueError("no request")
    assert 0.0 < request.seconds <= LONGEST_S
    assert all(0 < port < 65536 for port in request.ports)
    return request


def table_of_a_phone(data: bytes) -> object:
    """By way of a file, as users have it."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        try:
            source = LiveLinkCsvSource(Path(file.name))
        except SourceError as error:
            raise ValueError(str(error)) from None
        while (frame := source.read()) is not None:
            assert frame.shapes is not None
            check_shapes(frame.shapes)
    return source


def check_shapes(shapes: Shapes) -> None:
    """What another tracker says is a number or unknown, never beyond all bounds."""
    assert not np.isinf(shapes.weights).any()
    assert np.isfinite((shapes.head.yaw_rad, shapes.head.x_cm, shapes.gaze.left_yaw_rad)).all()


def worn_avatar(data: bytes) -> object:
    types, _ = parameters_from_tree(data)
    avatar = avatar_from_parameters(types)
    if avatar is not None:
        assert all(0 <= shape.n_bits <= 8 for shape in avatar.shapes)
    return avatar


def camera_picture(data: bytes) -> object:
    """The way of a picture from the wire to the landmarker."""
    picture = picture_from_message(data)
    image = None if picture is None else _JPEGS.read(picture.jpeg)
    if image is None:
        raise ValueError("no picture")
    assert image.dtype == np.uint8
    assert max(image.shape) <= MOST_SIDE
    return image


_JPEGS = JpegReader(MOST_SIDE)


def camera_clock(data: bytes) -> object:
    clock = PageClock(lambda: 10**12)
    clock.question()
    if not clock.take_answer(data.decode()):
        raise ValueError("no answer")
    return clock.session_ns(0.0, 10**12)


PARSERS: dict[str, tuple[Parse, Callable[[random.Random], bytes]]] = {
    "osc": (messages_from_osc, fuzzing.osc_packet),
    "osc as heard": (READERS["osc"], fuzzing.osc_packet),
    "msgpack": (READERS["zmq"], fuzzing.msgpack_packet),
    "json": (READERS["ws"], fuzzing.json_packet),
    "vts replies": (vts.reply_from_text, fuzzing.json_packet),
    "vts injections": (injected, fuzzing.injection),
    "ifacialmocap": (READERS["ifacialmocap"], fuzzing.text_frame),
    "handshake": (version_from_handshake, fuzzing.text_frame),
    "phone requests": (asked_of_a_phone, fuzzing.phone_request),
    "camera pictures": (camera_picture, fuzzing.camera_picture(grey())),
    "avatars": (worn_avatar, fuzzing.oscquery_tree),
    "camera clocks": (camera_clock, fuzzing.camera_answer),
    "linear timecode": (timecode_heard, fuzzing.timecode_sound),
    "Live Link CSV": (table_of_a_phone, fuzzing.livelink_table),
    **{
        f"tracker {scheme}": (SHAPE_READERS[scheme]().read, fuzzing.honest(encoders_once(scheme)))
        for scheme in SHAPE_READERS
        if scheme in READERS
    },
    **{
        f"edited {scheme}": (READERS[scheme], fuzzing.honest(encoders_once(scheme)))
        for scheme in READERS
    },
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PARSERS)
def test_structured_rubbish_is_refused_in_a_moment(name: str) -> None:
    parse, make = PARSERS[name]
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    tally = Tally()
    packet, n_read = b"", 0
    with contextlib.suppress(ValueError):
        parse(make(rng))  # compiles what is compiled, which is no parser's time
    try:
        with alarmed() as wind:
            for _ in range(N_PACKETS):
                packet = make(rng)
                wind()
                try:
                    parsed = parse(packet)
                except ValueError:
                    continue
                n_read += 1
                if isinstance(parsed, Shapes):
                    check_shapes(parsed)
                if isinstance(parsed, Reading):
                    assert len(parsed.values) + len(parsed.texts) <= MAX_NAMES
                    tally.note(parsed)
                    tally.headline()
    except BaseException:
        print(f"seed {seed}, packet {packet!r}")
        raise
    assert n_read, "nothing that can be read was made: the corpus has no honest packet"


def bundle(*elements: bytes, sizes: tuple[int, ...] = ()) -> bytes:
    out = b"#bundle\0" + bytes(7) + b"\1"
    for index, element in enumerate(elements):
        size = sizes[index] if index < len(sizes) else len(element)
        out += struct.pack(">i", size) + element
    return out


MESSAGE = b"/a\0\0,i\0\0\0\0\0\1"
NESTED = MESSAGE
for _ in range(MAX_DEPTH + 1):
    NESTED = bundle(NESTED)


@pytest.mark.parametrize(
    "packet",
    [
        *(bundle(MESSAGE, sizes=(size,)) for size in fuzzing.ODD_SIZES if size not in (4, 12)),
        *(bundle(b"", sizes=(size,)) for size in fuzzing.ODD_SIZES),
        bundle(MESSAGE, sizes=(4,)),
        bundle(bundle(MESSAGE, sizes=(-4,))),
        bundle(MESSAGE, MESSAGE, sizes=(12, -16)),
        NESTED,
        bundle(*[MESSAGE] * (MAX_MESSAGES + 1)),
        b"/a\0\0" + fuzzing.padded(b"," + b"T" * (MAX_ARGUMENTS + 1)),
        b"/a\0\0" + fuzzing.padded(b"," + b"[" * 100 + b"]" * 100),
        b"/a\0\0,b\0\0" + struct.pack(">i", -4),
        b"/a\0\0,b\0\0" + struct.pack(">i", 2**31 - 1),
        b"/a\0\0,s\0\0abcd",
        b"/aaa",
        b"/a\0\0,f\0\0",
        b"/a\0",
        b"",
        bundle()[:12],
    ],
)
def test_sizes_and_counts_are_checked_before_anything_is_parsed(packet: bytes) -> None:
    with alarmed() as wind:
        wind()
        with pytest.raises(OscError, match="not an OSC packet"):
            messages_from_osc(packet)


def test_a_packet_costs_no_more_memory_than_a_few_megabytes() -> None:
    rng = random.Random(1)
    tracemalloc.start()
    try:
        for parse, make in PARSERS.values():
            for _ in range(200):
                with contextlib.suppress(ValueError):
                    parse(make(rng))
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()

"""Other trackers as sources: over real sockets, from the packet to the rig."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.sources.source_from_words import open_source
from livefacs.sources.trackers import TrackerSource, is_tracker
from tests.support.waiting import wait_until
from tests.wire.making import CLOCK
from tests.wire.test_shapes import FRAME


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.parametrize("scheme", ["livelink", "osf", "facecap", "vmc"])
def test_what_another_program_sends_arrives(scheme: str) -> None:
    source = open_source(f"{scheme}://127.0.0.1:0")
    assert isinstance(source, TrackerSource)
    sink = open_sink(parse_destination(f"{scheme}://127.0.0.1:{source.port}"), CLOCK, None)
    try:
        sink.send(FRAME)
        frame = source.newest(5.0)
        assert frame is not None
        assert frame.shapes is not None
        assert frame.shapes.head.yaw_rad == pytest.approx(0.3, abs=1e-3)
        assert (frame.i_frame, frame.image.shape) == (0, (1, 1, 3))
        sink.send(FRAME)
        following = source.newest(5.0)
        assert following is not None
        assert following.t_ns > frame.t_ns
    finally:
        sink.close()
        source.close()
    assert source.ended
    assert source.newest(0.1) is None


def test_a_phone_is_asked_until_it_answers() -> None:
    phone_port = free_port()
    source = TrackerSource(f"vtsphone://127.0.0.1:{phone_port}")
    phone = open_sink(parse_destination(f"vtsphone://127.0.0.1:{phone_port}"), CLOCK, None)
    try:

        def has_come() -> bool:
            phone.send(FRAME)
            return source.newest(0.05) is not None

        wait_until(has_come, "a face from the phone that was started later")
    finally:
        phone.close()
        source.close()


def test_foreign_packets_ask_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up each would let a stranger silence the phone."""
    asked = []

    def look_up(host: str, port: int, family: int, kind: int) -> list[object]:
        asked.append(host)
        return [(family, kind, 0, "", ("127.0.0.9", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    source = TrackerSource("vtsphone://phone.test")
    try:
        wait_until(lambda: asked, "the phone is asked")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

            def has_come() -> bool:
                stranger.sendto(b"{}", ("127.0.0.1", source.port))
                return source.n_foreign > 200

            wait_until(has_come, "two hundred foreign packets")
        assert len(asked) < 100
    finally:
        source.close()


def test_rubbish_is_counted_and_told_at_the_end() -> None:
    source = TrackerSource("livelink://127.0.0.1:0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for datagram in (b"", b"\x06", np.random.default_rng(1).bytes(300)):
            sending.sendto(datagram, ("127.0.0.1", source.port))
    wait_until(lambda: source.n_bad == 3, "three bad packets")
    source.close()
    said = " ".join(source.closing_notices())
    assert "3 packet(s) were not its own" in said
    assert "no face came" in said


def test_it_listens_on_this_machine_alone_unless_asked() -> None:
    source = TrackerSource("osf://:0")
    assert source.description.startswith("OpenSeeFace on 127.0.0.1:")
    source.close()
    source = TrackerSource("osf://*:0")
    assert source.description.startswith("OpenSeeFace on 0.0.0.0:")
    source.close()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("livelink://127.0.0.1:99999", "expected livelink://HOST:PORT"),
        ("livelink://127.0.0.1/path", "expected nothing but livelink://HOST:PORT"),
        ("vtsphone://*", "expected the address of the phone"),
        (f"livelink://{'ü' * 70}", "cannot listen on"),
    ],
)
def test_wrong_addresses_say_what_is_expected(spec: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_source(spec)


def test_a_port_in_use_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(SourceError, match="another program may be receiving there"):
            open_source(f"vmc://127.0.0.1:{port}")


def test_other_addresses_are_no_trackers() -> None:
    assert not is_tracker("rtsp://camera")
    assert not is_tracker("livelink")
    assert not is_tracker("shot.mp4")

"""Encoding and sending: protocols against python-osc's builder, ten destinations at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import zmq
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from websockets.sync.server import ServerConnection, serve

from bench.timing import Table, medians_us
from livefacs.clock import ClockMap, now_ns
from livefacs.protocols import Encoder, Sink
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.hub import Hub
from livefacs.sinks.sink_from_destination import open_hub
from livefacs.sinks.websocket import WebSocketSink
from livefacs.sinks.zeromq import open_zmq
from livefacs.types import ActionUnits, Gaze, HeadPose, Health, Landmarks, TrackedFrame
from livefacs.vocab.facs import N_AU
from livefacs.wire.facecap import FaceCapEncoder
from livefacs.wire.faceosc import FaceOscEncoder
from livefacs.wire.ifacialmocap import IFacialMocapEncoder
from livefacs.wire.livelink import LiveLinkEncoder
from livefacs.wire.openseeface import OpenSeeFaceEncoder
from livefacs.wire.osc import OscEncoder
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.packed import PackedEncoder
from livefacs.wire.vmc import VmcEncoder
from livefacs.wire.vrcft import VrcftEncoder
from livefacs.wire.vts import VtsEncoder
from livefacs.wire.vtsphone import VtsPhoneEncoder

CLOCK = ClockMap.read()
RIGS = ("arkit52", "livelink61", "vrcft2", "vtubestudio")
ENCODERS: dict[str, tuple[Encoder, float]] = {
    "osc": (OscEncoder(CLOCK), 0.06),
    "osc, letters and arkit52": (OscEncoder(CLOCK, letters=True, rig="arkit52"), 0.06),
    "vmc": (VmcEncoder(CLOCK, "arkit52"), 0.06),
    "livelink": (LiveLinkEncoder(CLOCK, "livelink61", device="D" * 36), 0.06),
    "vrcft": (VrcftEncoder("vrcft2"), 0.06),
    "vrcft, 4 bits": (VrcftEncoder("vrcft2", n_bits=4), 0.10),
    "faceosc": (FaceOscEncoder(), 0.10),
    "facecap": (FaceCapEncoder("arkit52"), 0.06),
    "osf": (OpenSeeFaceEncoder(CLOCK), 0.16),
    "vtsphone": (VtsPhoneEncoder(CLOCK, "arkit52"), 0.10),
    "ifacialmocap": (IFacialMocapEncoder("arkit52"), 0.10),
    "vts": (VtsEncoder("vtubestudio"), 0.10),
    "zmq": (PackedEncoder(CLOCK), 0.10),
    "zmq, arkit52": (PackedEncoder(CLOCK, rig="arkit52"), 0.10),
    "ws json": (PackedEncoder(CLOCK, form="json"), 0.10),
}
"""Each with the share it may take of the time that python-osc needs for the frame's OSC, with room
for a processor on which plain Python is the faster part."""
OSC_FAMILIES = {"osc": 20.0, "vmc": 20.0, "vrcft": 20.0, "faceosc": 3.0}
"""How many times faster than python-osc's builder; FaceOSC measures its gestures besides."""


@pytest.fixture(scope="module")
def frame() -> TrackedFrame:
    """A frame with every rig and a mesh."""
    rng = np.random.default_rng(1)
    intensity = rng.random(N_AU).astype(np.float32)
    points = (rng.random((478, 3)) * 300).astype(np.float32)
    plain = TrackedFrame(
        i_frame=1,
        t_ns=now_ns(),
        health=Health.OK,
        image_size=(640, 480),
        landmarks=Landmarks(points, 0, 0, (640, 480)),
        head=HeadPose(0.1, 0.2, 0.3, 1.0, 2.0, 60.0),
        gaze=Gaze(0.1, 0.1, 0.1, 0.1),
        units=ActionUnits(intensity, intensity, intensity),
    )
    rigs = {name: Retargeter(load_rig(name)).retarget(plain) for name in RIGS}
    return replace(plain, rigs=rigs, rigs_mirrored=rigs)


def built_by_python_osc(messages: Sequence[tuple[str, Sequence[object]]]) -> bytes:
    """The same messages, built anew into one bundle."""
    bundle = OscBundleBuilder(IMMEDIATELY)
    for address, arguments in messages:
        builder = OscMessageBuilder(address=address)
        for argument in arguments:
            builder.add_arg(argument)  # type: ignore[arg-type]
        bundle.add_content(builder.build())
    return bundle.build().dgram


def osc_messages(encoder: Encoder, frame: TrackedFrame) -> list[tuple[str, Sequence[object]]]:
    """The messages of a frame, read back from its datagrams."""
    return [message for part in encoder.encode(frame) for message in messages_from_osc(bytes(part))]


@pytest.mark.parametrize("name", list(ENCODERS))
def test_encoding(name: str, frame: TrackedFrame, table: Table) -> None:
    encoder, at_most = ENCODERS[name]
    messages = osc_messages(ENCODERS["osc"][0], frame)
    peer_us, encode_us = medians_us(
        lambda: built_by_python_osc(messages), lambda: encoder.encode(frame), rounds=60, inner=5
    )
    share = encode_us / peer_us
    table.note(f"encoding a frame: {name}", encode_us, "µs")
    table.note("  that / python-osc's building of its OSC", share, "", f"at most {at_most:g}")
    assert share <= at_most


@pytest.mark.parametrize("name", list(OSC_FAMILIES))
def test_against_python_oscs_builder(name: str, frame: TrackedFrame, table: Table) -> None:
    encoder = ENCODERS[name][0]
    messages = osc_messages(encoder, frame)
    peer_us, ours_us = medians_us(
        lambda: built_by_python_osc(messages), lambda: encoder.encode(frame), rounds=60, inner=5
    )
    times = peer_us / ours_us
    what = f"{name}: times faster than python-osc builds its {len(messages)} messages"
    table.note(what, times, "×", f"at least {OSC_FAMILIES[name]:g}")
    assert times >= OSC_FAMILIES[name]


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """Eight UDP receivers that take datagrams in and read none."""
    with ExitStack() as stack:
        found = []
        for _ in range(8):
            taker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            taker.bind(("127.0.0.1", 0))
            found.append(taker.getsockname()[1])
        yield found


@pytest.fixture
def mute_studio() -> Iterator[int]:
    """A VTube Studio that accepts the connection and never answers."""

    def wait(connection: ServerConnection) -> None:
        connection.recv()

    with serve(wait, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


def ten_destinations(ports: list[int], studio: int) -> Hub:
    """One of each kind, one of them mirrored, on top of two for a second tool."""
    urls = [
        f"osc://127.0.0.1:{ports[0]}",
        f"osc://127.0.0.1:{ports[1]}?array=on&rig=arkit52&mirror=on",
        f"vmc://127.0.0.1:{ports[2]}",
        f"livelink://127.0.0.1:{ports[3]}",
        f"ifacialmocap://127.0.0.1:{ports[4]}",
        f"vrcft://127.0.0.1:{ports[5]}?combined=off",
        f"faceosc://127.0.0.1:{ports[6]}",
        f"vts://127.0.0.1:{studio}",
        "zmq://127.0.0.1:0?control=off",
        "ws://127.0.0.1:0",
    ]
    return open_hub([parse_destination(url) for url in urls], CLOCK)


def test_ten_destinations_at_once(
    frame: TrackedFrame, ports: list[int], mute_studio: int, table: Table
) -> None:
    """Among them a VTube Studio that never answers and a WebSocket client that never reads."""
    hub = ten_destinations(ports, mute_studio)
    client = handshaken(hub.outlets[-1].sink)
    choke(hub, frame)
    (send_us,) = medians_us(lambda: hub.send(frame), rounds=300, inner=1)
    alone_us = 0.0
    for outlet in hub.outlets:
        sink = outlet.sink
        (one_us,) = medians_us(lambda sink=sink: sink.send(frame), rounds=100, inner=1)
        table.note(f"  {sink.url.partition('?')[0].rsplit(':', 1)[0]}", one_us, "µs")
        alone_us += one_us
    client.close()
    hub.close()
    table.note("ten destinations at once, a frame", send_us, "µs")
    table.note("  that / the ten one by one", send_us / alone_us, "", "at most 4")
    assert send_us <= 4 * alone_us


def test_ten_destinations_at_the_pace_of_a_camera(
    frame: TrackedFrame, ports: list[int], mute_studio: int, table: Table
) -> None:
    """Between frames the processor sleeps and its caches cool: no limit, but worth knowing."""
    one = open_hub([parse_destination(f"osc://127.0.0.1:{ports[7]}")], CLOCK)
    ten = ten_destinations(ports, mute_studio)
    took: list[list[float]] = [[], []]
    for _ in range(90):
        for which, hub in enumerate((one, ten)):
            time.sleep(1 / 60)
            began = time.perf_counter_ns()
            hub.send(frame)
            took[which].append((time.perf_counter_ns() - began) / 1000)
    one.close()
    ten.close()
    one_us, ten_us = (float(np.median(each)) for each in took)
    table.note("at a camera's pace, one OSC destination", one_us, "µs")
    table.note("at a camera's pace, ten destinations", ten_us, "µs")


def test_a_stalled_websocket_client_adds_nothing(frame: TrackedFrame, table: Table) -> None:
    stalled, reading = (open_hub([parse_destination("ws://127.0.0.1:0")], CLOCK) for _ in range(2))
    with ExitStack() as stack:
        hubs = (stalled, reading)
        sockets = [stack.enter_context(handshaken(hub.outlets[0].sink)) for hub in hubs]
        choke(stalled, frame)
        reader = sockets[1]
        reader.setblocking(False)
        took: list[list[float]] = [[], []]
        for _ in range(250):
            for which, hub in enumerate(hubs):
                began = time.perf_counter_ns()
                hub.send(frame)
                took[which].append((time.perf_counter_ns() - began) / 1000)
                drain(reader)
                time.sleep(0.005)  # both servers come to rest, so that each send wakes one
        stalled_us, reading_us = (float(np.median(each)) for each in took)
    stalled.close()
    reading.close()
    table.note("send to a WebSocket client that reads", reading_us, "µs")
    table.note("send to one that stalls / that", stalled_us / reading_us, "", "at most 1.3")
    assert stalled_us <= 1.3 * reading_us


def subscriber_of(port: int, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """A subscriber to everything that a port publishes."""
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.RCVHWM, 100_000)
    subscriber.subscribe(b"")
    subscriber.connect(f"tcp://127.0.0.1:{port}")
    return subscriber


@pytest.mark.parametrize("n_more", [0, 31])
def test_publishing_through_the_gate(frame: TrackedFrame, table: Table, n_more: int) -> None:
    """Against subscribers at the port of libzmq's own behind the gate, in turns.

    What a frame costs its session, how old it is when it is there, and how many arrive at five
    times the pace of a fast camera.
    """
    took: list[list[float]] = [[], []]
    ages: list[list[float]] = [[], []]
    with zmq.Context(2) as context, ExitStack() as stack:
        publishers, subscribers = [], []
        for is_gated in (False, True):
            publisher = open_zmq(parse_destination("zmq://127.0.0.1:0"), CLOCK, None)
            stack.callback(publisher.close)
            publishers.append(publisher)
            port = publisher.port if is_gated else publisher.gate.inner[1]
            several = [subscriber_of(port, context) for _ in range(1 + n_more)]
            subscribers.append(several)
            stack.callback(lambda several=several: [each.close() for each in several])
            while not all(each.poll(20) for each in several):
                publisher.send(frame)
        time.sleep(0.3)
        for each in (*subscribers[0], *subscribers[1]):
            empty(each)
        for _ in range(250):
            for which, (publisher, (first, *_)) in enumerate(
                zip(publishers, subscribers, strict=True)
            ):
                time.sleep(1 / 240)
                began = time.perf_counter_ns()
                publisher.send(frame)
                sent = time.perf_counter_ns()
                assert first.poll(1000)
                ages[which].append((time.perf_counter_ns() - began) / 1000)
                took[which].append((sent - began) / 1000)
                empty(first)
        n_came = []
        for publisher, (first, *_) in zip(publishers, subscribers, strict=True):
            for _ in range(600):
                publisher.send(frame)
                time.sleep(1 / 600)
            time.sleep(0.2)
            n_came.append(empty(first))
    name = f"publishing to {1 + n_more} subscribers"
    direct_us, gated_us = (float(np.median(each)) for each in took)
    direct_age_us, gated_age_us = (float(np.median(each)) for each in ages)
    table.note(f"{name}, without the gate", direct_us, "µs")
    table.note(f"{name}, through it", gated_us, "µs", "at most 1.5 times")
    table.note("  age on arrival, without", direct_age_us, "µs")
    table.note("  age on arrival, through it", gated_age_us, "µs", "at most twice that and 1 ms")
    table.note("  of 600 frames at 1/600 s, without", n_came[0])
    table.note("  of 600 frames at 1/600 s, through it", n_came[1], "", "at least .95 of it")
    assert gated_us <= 1.5 * direct_us + 5
    assert gated_age_us <= 2 * direct_age_us + 1000
    assert n_came[1] >= 0.95 * n_came[0]


def empty(subscriber: zmq.Socket[bytes]) -> int:
    """Read what is there; how many frames."""
    n_frames = 0
    while subscriber.poll(0):
        subscriber.recv_multipart()
        n_frames += 1
    return n_frames


def handshaken(sink: Sink) -> socket.socket:
    """A raw client after its handshake."""
    assert isinstance(sink, WebSocketSink)
    client = socket.create_connection(("127.0.0.1", sink.port))
    client.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    while not sink.n_accepted:
        time.sleep(0.001)
    return client


def choke(hub: Hub, frame: TrackedFrame) -> None:
    """Send until every buffer of a client that does not read is full."""
    while not hub.outlets[-1].sink.counters.refused:
        hub.send(frame)
        time.sleep(0)


def drain(client: socket.socket) -> None:
    """Read what is there."""
    try:
        while client.recv(65536):
            pass
    except BlockingIOError:
        pass

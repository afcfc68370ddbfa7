"""The frame path: what a frame costs beside FaceMesh itself, and beside MediaPipe's own way."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bench.timing import Table, medians_us
from livefacs.au.estimator import Estimator
from livefacs.clock import ClockMap
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.blendshapes import BlendshapeNetwork
from livefacs.protocols import Landmarker
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.tracker import Tracker
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.opening import open_hub
from livefacs.sources import open_source
from livefacs.types import Frame, Landmarks
from livefacs.wire.osc import OscEncoder
from tests.landmarkers.mediapipe_mesh import MediaPipeMesh, has_mediapipe_facemesh

N_FRAMES = 120
DEMO = (sys.executable, "-m", "livefacs.cli.main", "demo", "--no-meters")


class Known:
    """Hands out a mesh that is known already, so that the rest can be timed alone."""

    name = "known"

    def __init__(self, landmarks: Landmarks) -> None:
        self.landmarks = landmarks

    def detect(self, frame: Frame) -> Landmarks:
        """The known mesh at the frame's time."""
        return replace(self.landmarks, t_ns=frame.t_ns, i_frame=frame.i_frame)

    def close(self) -> None:
        """Nothing to free."""


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Decoded frames of the performer, so that decoding is in no measurement."""
    source = open_source("demo", realtime=False)
    decoded = [source.read() for _ in range(N_FRAMES)]
    source.close()
    return [frame for frame in decoded if frame is not None]


@pytest.fixture
def receiver() -> Iterator[str]:
    """URL of a socket that takes datagrams in, as a rig would."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        taker.bind(("127.0.0.1", 0))
        yield f"osc://127.0.0.1:{taker.getsockname()[1]}?rig=arkit52"


@pytest.fixture(scope="module")
def facemesh() -> Iterator[Landmarker]:
    """The default backend."""
    landmarker = open_landmarker("facemesh")
    yield landmarker
    landmarker.close()


def warm_tracker(landmarker: Landmarker) -> Tracker:
    """A tracker as ``livefacs live --rig arkit52`` has it, compiled."""
    estimator = Estimator()
    estimator.warm_up()
    tracker = Tracker(landmarker, estimator, retargeters=[Retargeter(load_rig("arkit52"))])
    tracker.neutral(0, 0)
    return tracker


def endless(frames: list[Frame]) -> Iterator[Frame]:
    """The frames again and again, with rising times and numbers."""
    for i_frame, frame in enumerate(itertools.cycle(frames)):
        yield replace(frame, i_frame=i_frame, t_ns=i_frame * 33_333_333)


def test_everything_after_the_mesh_is_a_small_part_of_the_mesh(
    frames: list[Frame], facemesh: Landmarker, receiver: str, table: Table
) -> None:
    landmarks = facemesh.detect(frames[60])
    assert landmarks is not None
    tracker = warm_tracker(Known(landmarks))
    hub = open_hub([parse_destination(receiver)], ClockMap.read())
    feed, rest = endless(frames), endless(frames)
    mesh_us, rest_us = medians_us(
        lambda: facemesh.detect(next(feed)),
        lambda: hub.send(tracker.step(next(rest))),
        rounds=20,
        inner=20,
    )
    hub.close()
    table.note("FaceMesh, one frame", mesh_us, "µs")
    table.note("landmarks to packet, OSC with 55 channels and arkit52", rest_us, "µs")
    table.note("landmarks to packet / FaceMesh", rest_us / mesh_us, "", "at most 0.08")
    assert rest_us <= 0.08 * mesh_us


def test_features_to_retargeted_values(
    frames: list[Frame], facemesh: Landmarker, table: Table
) -> None:
    landmarks = facemesh.detect(frames[60])
    assert landmarks is not None
    tracker = warm_tracker(Known(landmarks))
    source = endless(frames)
    (chain_us,) = medians_us(lambda: tracker.step(next(source)), rounds=100, inner=20)
    table.note("mesh to Action Units to arkit52, in Python objects", chain_us, "µs", "at most 60")
    assert chain_us <= 60


def test_osc_encoding(frames: list[Frame], facemesh: Landmarker, table: Table) -> None:
    landmarks = facemesh.detect(frames[60])
    assert landmarks is not None
    tracked = warm_tracker(Known(landmarks)).step(frames[60])
    encoder = OscEncoder(ClockMap.read())
    (encode_us,) = medians_us(lambda: encoder.encode(tracked), rounds=200, inner=100)
    table.note("OSC encoding of a frame", encode_us, "µs", "at most 5")
    assert encode_us <= 5


def test_the_mesh_beats_mediapipes_own_way(
    frames: list[Frame], facemesh: Landmarker, table: Table
) -> None:
    if not has_mediapipe_facemesh():
        pytest.skip("mediapipe 0.10.21 is not installed, which the mesh is timed against")
    with closing(MediaPipeMesh()) as theirs:
        mine, yours = endless(frames), endless(frames)
        ours_us, theirs_us = medians_us(
            lambda: facemesh.detect(next(mine)),
            lambda: theirs.process(next(yours).image),
            rounds=20,
            inner=20,
        )
    times = theirs_us / ours_us
    table.note("FaceMesh as MediaPipe runs it, image to message", theirs_us, "µs")
    table.note("FaceMesh on LiteRT, image to points", ours_us, "µs")
    table.note("times faster than MediaPipe's FaceMesh", times, "×", "at least 1.6")
    assert times >= 1.6


def test_blendshape_network(frames: list[Frame], facemesh: Landmarker, table: Table) -> None:
    landmarks = facemesh.detect(frames[60])
    assert landmarks is not None
    network = BlendshapeNetwork()
    (network_us,) = medians_us(lambda: network.scores(landmarks.points_px), rounds=200)
    table.note("blendshape network, points to 52 scores", network_us, "µs")


def test_a_whole_frame_beats_blendshapes_alone(
    frames: list[Frame], facemesh: Landmarker, tasks_model: Path, receiver: str, table: Table
) -> None:
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(tasks_model)),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
    )
    tracker = warm_tracker(facemesh)
    hub = open_hub([parse_destination(receiver)], ClockMap.read())
    ours, theirs = endless(frames), endless(frames)
    with vision.FaceLandmarker.create_from_options(options) as peer:

        def by_tasks() -> object:
            frame = next(theirs)
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=frame.image)
            return peer.detect_for_video(image, frame.t_ns // 1_000_000)

        peer_us, ours_us = medians_us(
            by_tasks, lambda: hub.send(tracker.step(next(ours))), rounds=10, inner=30
        )
    hub.close()
    table.note("Tasks FaceLandmarker with blendshapes, one frame", peer_us, "µs")
    table.note("image to datagram, one frame", ours_us, "µs")
    table.note("times faster than Tasks with blendshapes", peer_us / ours_us, "×", "at least 2.3")
    assert peer_us >= 2.3 * ours_us


def test_live_at_30_fps_leaves_the_core_alone(table: Table) -> None:
    code = (
        "import psutil, time\n"
        "from livefacs.session.opening import open_session\n"
        "from livefacs.config import load_options\n"
        "options = load_options(None, {'source': {'spec': 'demo'}, 'seconds': 8.0,\n"
        "    'stream': {'to': ('osc://127.0.0.1:9?rig=arkit52',)}})\n"
        "with open_session(options) as session:\n"
        "    began, busy = time.perf_counter(), time.process_time()\n"
        "    session.run()\n"
        "    busy = time.process_time() - busy\n"
        "    took = time.perf_counter() - began\n"
        "print(busy / took, psutil.Process().memory_info().rss / 1e6)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    share, resident_mb = map(float, done.stdout.split()[-2:])
    table.note("share of one core, live at 30 fps", share, "", "below 0.25")
    table.note("resident memory after that run", resident_mb, "MB", "below 400")
    assert share < 0.25
    assert resident_mb < 400


def test_help_is_there_at_once(table: Table) -> None:
    (help_us,) = medians_us(
        lambda: subprocess.run([*DEMO[:3], "--help"], capture_output=True, check=True), rounds=7
    )
    table.note("livefacs --help", help_us / 1e6, "s", "below 0.4")
    assert help_us < 400_000


def test_a_warm_demo_sends_its_first_packet_soon(table: Table) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        url = f"osc://127.0.0.1:{receiver.getsockname()[1]}"
        began = time.perf_counter()
        demo = subprocess.Popen(
            [*DEMO, "--seconds", "2", "--to", url],
            stdout=subprocess.DEVNULL,
            env=os.environ,
        )
        try:
            receiver.recv(2048)
            first_s = time.perf_counter() - began
        finally:
            demo.wait(30)
    table.note("start of demo to first packet, warm", first_s, "s", "below 3")
    assert first_s < 3

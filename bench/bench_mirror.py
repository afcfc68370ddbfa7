"""What the mirror costs a session, how soon its page is there, and how late its bars are."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.timing import Table
from livefacs.au.estimator import Estimator
from livefacs.config import load_options
from livefacs.landmarkers import open_landmarker
from livefacs.mirror.core import MirrorOptions
from livefacs.mirror.server import Mirror
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import puppets
from livefacs.session.tracker import Tracker
from livefacs.sources import open_source
from livefacs.types import TrackedFrame

pytestmark = [
    pytest.mark.timeout(120),
    # Selenium leaves a pipe of its driver to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

N_FRAMES = 90
ROUNDS = 6
CLIENT = """
import json, struct, sys
from websockets.sync.client import connect
address = sys.argv[1]
with connect(f"ws://{address}/live", origin=f"http://{address}", max_size=None) as socket:
    print("open", flush=True)
    for received in socket:
        if isinstance(received, bytes):
            i_frame = struct.unpack_from("<I", received, 4)[0]
            socket.send(json.dumps({"type": "ack", "i_frame": i_frame}))
"""
"""A page in a process of its own: it takes every frame and acknowledges it, as the browser does."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    running = Mirror(MirrorOptions(port=0, progress_path=tmp_path / "p.sqlite"), puppets=puppets())
    running.start()
    yield running
    running.stop()


def test_cost_for_the_session(mirror: Mirror, table: Table) -> None:
    """Frames of 640 x 480 with and without the mirror, in turns; one page is open."""
    source = open_source("demo", realtime=False)
    frames = [frame for _ in range(N_FRAMES) if (frame := source.read()) is not None]
    source.close()
    landmarker = open_landmarker("auto")
    tracker = Tracker(landmarker, Estimator(), keep_image=True)
    address = f"127.0.0.1:{mirror.port}"
    page = subprocess.Popen([sys.executable, "-c", CLIENT, address], stdout=subprocess.PIPE)
    assert page.stdout is not None
    page.stdout.readline()
    plain, mirrored, cpu = [], [], []
    for _ in range(ROUNDS):
        plain.append(_round(tracker, frames, None)[0])
        took_ms, cpu_ms = _round(tracker, frames, mirror)
        mirrored.append(took_ms)
        cpu.append(cpu_ms - _round(tracker, frames, None)[1])
    page.terminate()
    page.wait()
    landmarker.close()
    added_ms = float(np.median(mirrored) - np.median(plain))
    table.note("mirror: added to a 640x480 frame, one page", added_ms, "ms", "< 1.5 ms")
    table.note("mirror: processor time of its threads a frame", float(np.median(cpu)), "ms", "")
    assert added_ms < 1.5


def _round(tracker: Tracker, frames: list, mirror: Mirror | None) -> tuple[float, float]:  # type: ignore[type-arg]  # frames of the source
    """Median milliseconds of a frame, and process milliseconds a frame, at 100 frames a second."""
    took = []
    cpu = time.process_time()
    pause = threading.Event()
    for frame in frames:
        began = time.perf_counter()
        tracked: TrackedFrame = tracker.step(frame)
        if mirror is not None:
            mirror.feed.send(tracked)
        took.append(time.perf_counter() - began)
        pause.wait(max(0.0, 0.01 - took[-1]))
    return 1e3 * float(np.median(took)), 1e3 * (time.process_time() - cpu) / len(frames)


def test_page_and_latency(mirror: Mirror, table: Table, tmp_path: Path) -> None:
    """In a headless Chromium, with the performer in real time."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or shutil.which("chromedriver") is None:
        pytest.skip("no chromium and chromedriver on the PATH")
    from tests.mirror.test_browser import go, start_chromium, wait

    options = load_options(None, {"source": {"spec": "demo", "loop": True}})
    driver = start_chromium(tmp_path / "chromium")
    with open_session(options, keep_image=True) as session:
        session.watchers.append(mirror.feed)
        running = threading.Thread(target=session.run)
        running.start()
        try:
            go(driver, mirror)
            go(driver, mirror)  # the second time: the browser itself is warm
            ready = "return performance.getEntriesByName('livefacs-ready')[0].startTime"
            ready_ms = float(driver.execute_script(ready))
            wait(driver, "return window.livefacs.live.drawn > 150", 30)
            latency_ms = float(driver.execute_script("return window.livefacs.live.latencyMs"))
            rate = driver.execute_script("return window.livefacs.live.frame.rateHz")
        finally:
            session.stop()
            running.join()
            driver.quit()
    table.note("mirror: page ready", ready_ms, "ms", "< 1000 ms")
    table.note("mirror: image to bars, in the page", latency_ms, "ms", "< 80 ms")
    table.note("mirror: frames a second meanwhile", float(rate), "Hz", "")
    assert ready_ms < 1000
    assert latency_ms < 80

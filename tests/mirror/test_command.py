"""``livefacs mirror`` as its user starts it: in a process of its own."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from livefacs.au.profile import profile_path, save_profile
from livefacs.offline import SolveOptions, solve_clip
from livefacs.resources import data_path
from tests.au.test_profile import made
from tests.support.waiting import PATIENCE_S

COMMAND = (sys.executable, "-m", "livefacs.cli.main", "mirror", "--no-browser", "--port", "0")
pytestmark = [pytest.mark.slow]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it has to end politely."""
    process = subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    while line and not line.startswith("mirror: "):
        line = process.stdout.readline()
    assert line.startswith("mirror: http://127.0.0.1:"), process.stderr.read()
    try:
        yield process, line.removeprefix("mirror: ").strip().rstrip("/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def wait_for_text(address: str, kind: str, predicate: str) -> dict[str, object]:
    """The first text of a kind in which ``predicate`` says something."""
    socket_address = address.replace("http", "ws") + "/live"
    with connect(socket_address, origin=Origin(address), max_size=None) as socket:
        while True:
            received = socket.recv(timeout=PATIENCE_S)
            if isinstance(received, bytes):
                socket.send('{"type": "ack", "i_frame": 0}')
                continue
            found = dict(json.loads(received))
            if found["type"] == kind and found[predicate]:
                return found


def test_demo_takes_a_profile_into_use_and_gives_a_second_opinion(tmp_path: Path) -> None:
    save_profile(made("anna", AU2_L=0.8, AU2_R=0.7), profile_path("anna"))
    with running("--source", "demo") as (_, address):
        assert httpx.get(f"{address}/api/hello").json()["name"] == "livefacs mirror"
        asked = httpx.post(
            f"{address}/api/profiles/use", json={"profile": "anna"}, headers={"Origin": address}
        )
        assert asked.status_code == 200
        state = wait_for_text(address, "state", predicate="maxima")  # it began anew with it
        assert state["maxima"] == {"AU2_L": 1.0, "AU2_R": 1.0}
        known = httpx.get(f"{address}/api/profiles").json()
        assert (known["in_use"], known["can_use"]) == ("anna", True)
        measured = httpx.get(
            f"{address}/api/packs/performer/brows/measured", timeout=PATIENCE_S
        ).json()
        column = measured["channels"].index("AU2_L")
        curve = [row[column] for row in measured["values"]]
        assert len(curve) == 37
        assert curve[0] < 0.15 < 0.5 < max(curve)
        assert np.clip(curve, 0, 1).tolist() == solved_curve(tmp_path, "AU2_L")[46:83]


def solved_curve(folder: Path, column: str) -> list[float]:
    """What ``livefacs solve`` makes of the performer."""
    solve_clip(str(data_path("performer.mp4")), folder / "solved.csv", SolveOptions())
    with (folder / "solved.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def test_absent_camera_leaves_the_page_up_and_can_be_retried(tmp_path: Path) -> None:
    with running("--source", str(tmp_path / "nothing.mp4")) as (process, address):
        state = wait_for_text(address, "state", predicate="trouble")
        assert "nothing.mp4" in str(state["trouble"])
        told = threading.Event()
        lines: list[str] = []

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if sum("no picture" in each for each in lines) >= 2:
                    told.set()

        threading.Thread(target=listen, daemon=True).start()
        own = {"Origin": address}
        assert httpx.post(f"{address}/api/retry", json={}, headers=own).status_code == 200
        assert told.wait(PATIENCE_S)


def test_second_instance_is_refused_with_the_output_exit_code() -> None:
    with running("--source", "demo") as (_, address):
        port = address.rpartition(":")[2]
        second = subprocess.run(
            [*COMMAND[:-1], port], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert second.returncode == 5
    assert "a livefacs mirror runs already" in second.stderr
    assert "Traceback" not in second.stderr


def test_broken_files_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("schema = 1\n")
    with running("--source", "demo", "--drills", str(tmp_path)) as (process, address):
        drills = httpx.get(f"{address}/api/drills").json()
        assert len(drills["drills"]) > 40
        assert "bad.toml" in drills["errors"][0]
        assert process.stderr is not None
        assert "left out" in process.stderr.readline()

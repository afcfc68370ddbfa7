"""However a batch ends, its workers end with it, and nothing unfinished is taken for a result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.processes import AS_FROM_A_TERMINAL
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from contextlib import closing
from pathlib import Path
from livefacs.batch import Job, Manifest, run_batch
from tests.batch.work import copy_clip

root = Path(sys.argv[1])
if __name__ == "__main__":
    jobs = [Job(str(p), str(root / "results" / p.name)) for p in (root / "clips").iterdir()]
    options = {"suffix": "!", "marks": str(root / "marks"), "gate": str(root / "gate")}
    outcomes = run_batch(jobs, copy_clip, options, Manifest(root / "results"), n_processes=2)
    try:
        with closing(outcomes):
            print(sorted(outcome.state for outcome in outcomes))
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """Three clips whose work waits for a gate."""
    for name in ("clips", "results", "marks"):
        (tmp_path / name).mkdir()
    for name in "abc":
        (tmp_path / "clips" / name).write_text("wait")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


_begun: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    """Whatever a test comes to, its processes end with it."""
    yield
    while _begun:
        batch = _begun.pop()
        with suppress(ProcessLookupError):
            os.killpg(batch.pid, signal.SIGKILL)
        batch.communicate()


def begin(studio: Path) -> subprocess.Popen[str]:
    """A batch in a session of its own, as a terminal gives it."""
    batch = subprocess.Popen(
        [sys.executable, str(studio / "script.py"), str(studio)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=AS_FROM_A_TERMINAL,
    )
    _begun.append(batch)
    return batch


def worker_pids(studio: Path, n_workers: int) -> set[int]:
    """Processes of the workers, once so many have begun a clip."""
    deadline = time.monotonic() + PATIENCE_S
    pace = threading.Event()
    while time.monotonic() < deadline:
        pids = {int(mark.name.rsplit(".", 1)[1]) for mark in (studio / "marks").iterdir()}
        if len(pids) >= n_workers:
            return pids
        pace.wait(0.02)
    raise AssertionError("the workers did not begin")


def assert_ended(pids: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    pace = threading.Event()
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlived its batch"
        pace.wait(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def finish(studio: Path) -> str:
    """A second run, with the gate open; what it says."""
    (studio / "gate").write_text("")
    said, errors = begin(studio).communicate(timeout=PATIENCE_S)
    assert errors == ""
    assert {path.name for path in (studio / "results").iterdir()} == {
        *"abc",
        "livefacs-batch.json",
        ".livefacs-batch.lock",
    }
    return said.strip()


def test_workers_end_with_a_batch_that_is_killed(studio: Path) -> None:
    batch = begin(studio)
    pids = worker_pids(studio, 2)
    batch.kill()
    batch.communicate(timeout=PATIENCE_S)
    assert_ended(pids)
    assert not (studio / "results" / "a").exists()
    assert finish(studio) == "['done', 'done', 'done']"


@pytest.mark.parametrize("everybody", [True, False])
def test_ctrl_c_ends_all_without_a_word_of_theirs(studio: Path, everybody: bool) -> None:
    batch = begin(studio)
    pids = worker_pids(studio, 2)
    os.killpg(batch.pid, signal.SIGINT) if everybody else batch.send_signal(signal.SIGINT)
    said, errors = batch.communicate(timeout=PATIENCE_S)
    assert (said, errors, batch.returncode) == ("stopped\n", "", 0)
    assert_ended(pids)
    assert finish(studio) == "['done', 'done', 'done']"

"""A real scheduler and two worker processes on loopback; one is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from livefacs.batch import Job, Manifest, run_batch
from livefacs.errors import SinkError
from tests.support.waiting import PATIENCE_S

from .work import copy_clip

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]
QUIET = {**os.environ, "DASK_DISTRIBUTED__DASHBOARD__ENABLED": "false", "PYTHONPATH": str(ROOT)}


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words], env=QUIET, stderr=subprocess.PIPE, text=True
    )


def line_with(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"{process.args} ended")


def drain(process: subprocess.Popen[str]) -> threading.Thread:
    """Read on, so that the process never waits for us."""
    assert process.stderr is not None
    thread = threading.Thread(target=process.stderr.read, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Address of a scheduler, and its two workers' processes."""
    processes, threads = [], []
    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
                      "--no-dashboard")  # fmt: skip
    processes.append(scheduler)
    try:
        address = line_with(scheduler, "Scheduler at:").split()[-1]
        threads.append(drain(scheduler))
        for index in range(2):
            worker = start(
                "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1",
                "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / f"w{index}"),
            )  # fmt: skip
            processes.append(worker)
        for worker in processes[1:]:
            line_with(worker, "Registered to:")
            threads.append(drain(worker))
        yield address, processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        for thread in threads:
            thread.join()
        for process in processes:
            if process.stderr is not None:
                process.stderr.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_worker_killed_in_the_middle(
    tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    address, workers = cluster
    clips, results, marks = (tmp_path / name for name in ("clips", "results", "marks"))
    for folder in (clips, results, marks):
        folder.mkdir()
    names = [f"clip{index:02}" for index in range(10)]
    for name in names:
        (clips / name).write_text("wait" if name in ("clip03", "clip04") else name)
    (clips / "broken").write_text("no face")
    jobs = [Job(str(clips / name), str(results / name)) for name in (*names, "broken")]
    gate = tmp_path / "gate"
    options = {"suffix": "!", "marks": str(marks), "gate": str(gate)}
    killed = threading.Thread(target=kill_a_busy_worker, args=(workers, marks, gate))
    killed.start()
    outcomes = list(run_batch(jobs, copy_clip, options, Manifest(results), scheduler=address))
    killed.join()
    states = sorted((Path(outcome.job.clip).name, outcome.state) for outcome in outcomes)
    assert states == [("broken", "failed"), *((name, "done") for name in names)]
    assert sorted(path.name for path in results.glob("clip*")) == names
    for name in names:
        text = "wait" if name in ("clip03", "clip04") else name
        assert (results / name).read_text() == text.upper() + "!"
    worked = {name: len(list(marks.glob(f"{name}.*"))) for name in names}
    n_again = worked.pop("clip03") + worked.pop("clip04")
    assert n_again == 3  # the one whose worker was killed
    assert set(worked.values()) == {1}
    assert [path.name for path in results.glob(".*")] == [".livefacs-batch.lock"]
    assert sum(worker.poll() is None for worker in workers) == 1

    again = list(run_batch(jobs, copy_clip, options, Manifest(results), scheduler=address))
    assert sorted(outcome.state for outcome in again) == ["failed", *["skipped"] * 10]


def kill_a_busy_worker(workers: list[subprocess.Popen[str]], marks: Path, gate: Path) -> None:
    """Kill the worker that holds a waiting clip, then let the other one go on."""
    pids = {worker.pid: worker for worker in workers}
    pace = threading.Event()
    with contextlib.suppress(StopIteration):
        for _ in range(1500):
            for mark in marks.glob("clip0[34].*"):
                pids[int(mark.name.rsplit(".", 1)[1])].kill()
                raise StopIteration
            pace.wait(0.01)
    gate.write_text("")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_scheduler_that_goes_in_the_middle(
    tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    address, workers = cluster
    clips, results, marks = (tmp_path / name for name in ("clips", "results", "marks"))
    for folder in (clips, results, marks):
        folder.mkdir()
    for name in ("a", "b", "c"):
        (clips / name).write_text("wait")
    jobs = [Job(str(clips / name), str(results / name)) for name in ("a", "b", "c")]
    gate = tmp_path / "gate"
    options = {"suffix": "!", "marks": str(marks), "gate": str(gate)}

    def end_the_scheduler() -> None:
        pace = threading.Event()
        while not list(marks.iterdir()):
            pace.wait(0.01)
        distributed.Client(address, set_as_default=False).shutdown()

    ending = threading.Thread(target=end_the_scheduler)
    ending.start()
    manifest = Manifest(results)
    with pytest.raises(SinkError, match=r"is gone, with 3 clip\(s\) to do"):
        list(run_batch(jobs, copy_clip, options, manifest, scheduler=address))
    ending.join()
    gate.write_text("")
    for worker in workers:
        worker.wait(PATIENCE_S)
    outcomes = list(run_batch(jobs, copy_clip, options, manifest, n_processes=2))
    assert [outcome.state for outcome in outcomes] == ["done"] * 3
    assert all((results / name).read_text() == "WAIT!" for name in ("a", "b", "c"))
    assert not list(results.glob(".livefacs-*-done-*"))

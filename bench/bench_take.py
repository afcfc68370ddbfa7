"""Takes: what recording costs, how fast clips are solved and takes delivered.

Whole runs of seconds are compared by the best of several turns: another program on the machine can
only make one slower.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.bench_frame import warm_tracker
from bench.timing import Table, quick_us
from livefacs.au.estimator_model import load_model
from livefacs.batch import Job, Manifest, run_batch
from livefacs.formats.export import FORMATS
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.face_readers import with_readers
from livefacs.offline import SolveOptions, solve_clip, work_on_clip
from livefacs.resources import data_path
from livefacs.sinks.recorder import RecorderSink
from livefacs.sources import open_source
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.types import Frame, TrackedFrame
from tests.take.synthetic import CLOCK, clip_info, tracked_frame

PERFORMER = data_path("performer.mp4")
N_LONG = 10 * 60 * 60
MOST_TIMES_TEXT = 9.0
EXPORT_LIMIT_MB = 600.0

EXPORT = """
import os, sys, time
from pathlib import Path
import numpy as np
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.take.reader import Take
take, name, path = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
intensity = Take(take).intensity
began = time.process_time()
np.savetxt(os.devnull, intensity)
text = time.process_time() - began
began = time.process_time()
export_take(Take(take), find_format(name), path, ExportOptions())
took = time.process_time() - began
status = Path("/proc/self/status").read_text()  # getrusage would count the parent's peak, too
peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
print(took, text, int(peak_kb) / 1024)
"""


def every_frame() -> list[Frame]:
    """The performer clip, decoded."""
    with closing(open_source(str(PERFORMER), realtime=False)) as source:
        return list(iter(source.read, None))


def test_recording_is_a_small_part_of_a_frame(tmp_path: Path, table: Table) -> None:
    frames = every_frame()[:240]
    landmarker = open_landmarker("facemesh")
    tracker = warm_tracker(landmarker)
    tracked: list[TrackedFrame] = []
    took = []
    for frame in frames:
        began = time.perf_counter()
        tracked.append(tracker.step(frame))
        took.append(time.perf_counter() - began)
    landmarker.close()
    frame_us = float(np.median(took)) * 1e6
    sink = RecorderSink(tmp_path / "sent", clip_info())
    began = time.perf_counter()
    for each in tracked:
        sink.send(each)
    send_us = (time.perf_counter() - began) / len(tracked) * 1e6
    sink.close()
    folder = tmp_path / "written"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info(), CLOCK)
    # Three frames a turn, as the writer thread finds them at 30 frames a second.
    n_rounds = 4  # half a minute: a take is begun once
    turns = [tracked[i : i + 3] for i in range(0, len(tracked), 3)] * n_rounds
    began = time.thread_time()
    for turn in turns:
        writer.append(turn)
    write_us = (time.thread_time() - began) / (n_rounds * len(tracked)) * 1e6
    writer.close()
    share = (send_us + write_us) / frame_us
    table.note("frame, image to arkit52", frame_us, "µs")
    table.note("recording: the session's thread", send_us, "µs")
    table.note("recording: the writer's thread", write_us, "µs")
    table.note("recording / frame", share, "", "under 0.02")
    assert share < 0.02


@pytest.mark.timeout(200)
def test_solving_runs_at_the_pace_of_its_parts(tmp_path: Path, table: Table) -> None:
    def decode_and_find() -> float:
        began = time.perf_counter()
        with closing(with_readers(open_landmarker("facemesh"), "all", load_model())) as finder:
            source = open_source(str(PERFORMER), realtime=False)
            for frame in iter(source.read, None):
                finder.detect(frame)
            source.close()
        return time.perf_counter() - began

    def solve() -> float:
        began = time.perf_counter()
        solve_clip(str(PERFORMER), tmp_path / "out.csv", SolveOptions())
        return time.perf_counter() - began

    solve()
    turns = [(decode_and_find(), solve()) for _ in range(11)]
    parts_s, solve_s = (min(column) for column in zip(*turns, strict=True))
    table.note("decode + FaceMesh of the performer clip, best of 11 turns", parts_s, "s")
    table.note("livefacs solve of it", solve_s, "s")
    table.note("(decode + FaceMesh) / solve", parts_s / solve_s, "", "at least 0.9")
    assert parts_s / solve_s >= 0.9


def children_cpu_s() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.timeout(600)
def test_two_processes_against_one(tmp_path: Path, table: Table) -> None:
    """Each process compiles and loads first, so there must be clips enough to tell."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only")
    clips = [tmp_path / f"clip{i}.mp4" for i in range(12)]
    for clip in clips:
        shutil.copyfile(PERFORMER, clip)
    options = SolveOptions(read_ahead=False)  # as livefacs batch has it

    def run(turn: int, n_processes: int) -> tuple[float, float]:
        out = tmp_path / f"turn{turn}-{n_processes}"
        jobs = [Job(str(clip), str(out / f"{clip.stem}.csv")) for clip in clips]
        began, cpu_s = time.perf_counter(), children_cpu_s()
        outcomes = list(
            run_batch(jobs, work_on_clip, options, Manifest(out), n_processes=n_processes)
        )
        assert {outcome.state for outcome in outcomes} == {"done"}
        return time.perf_counter() - began, children_cpu_s() - cpu_s

    turns = [(run(i, 1), run(i, 2)) for i in range(3)]
    (one_s, one_cpu_s), (two_s, two_cpu_s) = (min(column) for column in zip(*turns, strict=True))
    table.note("batch of 12 performer clips, one process, best of 3 turns", one_s, "s")
    table.note("two processes", two_s, "s")
    table.note("  work of one / of both: below 1 the cores slow each other",
               one_cpu_s / two_cpu_s, "x")  # fmt: skip
    table.note("one process / two", one_s / two_s, "x", "at least 1.8 x")
    assert one_s / two_s >= 1.8


@pytest.fixture(scope="module")
def long_take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes at 60 frames a second, every second with an event."""
    folder = tmp_path_factory.mktemp("bench") / "long"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info(), CLOCK)
    some = [tracked_frame(i) for i in range(60)]
    for begin in range(0, N_LONG, 60):
        writer.append(
            [
                replace(each, i_frame=begin + i, t_ns=each.t_ns + begin * 50_000_000 // 3)
                for i, each in enumerate(some)
            ]
        )
    writer.close()
    return folder


@pytest.mark.timeout(330)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.of_sound])
def test_export_of_ten_minutes(name: str, long_take: Path, tmp_path: Path, table: Table) -> None:
    if name == "parquet":  # needs NumPy 2; mediapipe, which other benches compare with, NumPy 1
        pytest.importorskip("pyarrow.parquet", exc_type=ImportError)
    path = tmp_path / f"out{FORMATS[name].suffixes[-1 if name == 'usd' else 0]}"
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, str(long_take), name, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    seconds, text_s, megabytes = map(float, done.stdout.split())
    times = seconds / text_s
    table.note(f"export of 36,000 frames as {name}, processor time", seconds, "s")
    limit = f"under {MOST_TIMES_TEXT:g}"
    table.note("  that / their intensities as text by NumPy", times, "x", limit)
    table.note(f"  its peak memory ({path.stat().st_size / 1e6:.0f} MB file)", megabytes, "MB")
    assert times < MOST_TIMES_TEXT
    assert megabytes < EXPORT_LIMIT_MB


def test_opening_a_take_reads_nothing(long_take: Path, table: Table) -> None:
    def read_all() -> int:
        return sum(len(path.read_bytes()) for path in long_take.iterdir())

    open_us, whole_us = quick_us(lambda: Take(long_take), read_all, rounds=20, inner=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    take = Take(long_take)
    size_mb = sum(path.stat().st_size for path in long_take.iterdir()) / 1e6
    assert take.n_rows == N_LONG
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    table.note(f"opening a take of {size_mb:.0f} MB", open_us / 1000, "ms")
    table.note("  that / reading its bytes", open_us / whole_us, "x", "under 0.2")
    table.note("  memory it takes", grown_mb, "MB")
    assert open_us < 0.2 * whole_us
    assert grown_mb < 50

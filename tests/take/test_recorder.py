"""The recorder loses nothing: killed, out of space, or behind; and it never stops the session."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.errors import TakeError
from livefacs.protocols import TakeRequest
from livefacs.sinks import recorder as recorder_module
from livefacs.sinks.recorder import RecorderSink
from livefacs.sinks.take_factory import TakeFactory
from livefacs.sinks.take_video import TakeVideo
from livefacs.take import writer as writer_module
from livefacs.take.catalog import repair
from livefacs.take.reader import Take
from livefacs.types import Health
from tests.support.waiting import PATIENCE_S, wait_until

from . import recording_child
from .synthetic import clip_info, tracked_frame
from .test_take import assert_same

N_KILLS = 50
N_AT_ONCE = 5
FLUSHED_S = 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="needs a fork server to kill 50 processes fast")
def test_killed_at_fifty_random_moments(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([recording_child.__name__])
    rng = random.Random(4)
    demanded = []
    for first in range(0, N_KILLS, N_AT_ONCE):
        with contextlib.ExitStack() as stack:
            lives = [
                (tmp_path / str(i), *_start(context, tmp_path / str(i), stack))
                for i in range(first, first + N_AT_ONCE)
            ]
            for folder, process, reports in lives:
                reports.poll(PATIENCE_S)  # its first frame is queued
                time.sleep(rng.uniform(0, 0.4))
                killed_s = time.monotonic()
                process.kill()
                process.join()
                demanded.append(_check_killed(folder, reports, killed_s))
    assert sum(rows > 0 for rows in demanded) > N_KILLS // 4  # else nothing was asked of it


def _start(context: multiprocessing.context.ForkServerContext, folder: Path, stack):  # type: ignore[no-untyped-def]
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=recording_child.record_until_killed, args=(str(folder), theirs), daemon=True
    )
    process.start()
    theirs.close()
    stack.callback(ours.close)
    stack.callback(process.kill)
    return process, ours


def _check_killed(folder: Path, reports, killed_s: float) -> int:  # type: ignore[no-untyped-def]
    must_be_there = 0
    with contextlib.suppress(EOFError):
        while True:
            i_frame, sent_s = recording_child.SENT.unpack(reports.recv_bytes())
            if sent_s < killed_s - FLUSHED_S:
                must_be_there = i_frame + 1
    take = Take(folder)
    assert take.n_rows >= must_be_there
    assert take.state == "recording"
    for row in range(take.n_rows):
        assert_same(take.tracked(row), tracked_frame(row))
    assert repair(folder).n_rows == take.n_rows
    return must_be_there


def test_frames_and_markers_in_order(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info())
    for i in range(30):
        sink.send(tracked_frame(i))
        if i == 12:
            sink.mark("action")
            sink.mark("", kind="neutral")
    timecode, folder, video = sink.finish()
    summary = sink.close()
    assert (summary.rows, summary.dropped, summary.late, summary.failure) == (30, 0, 0, "")
    assert (timecode, folder, video) == ("01:00:00:29", str(tmp_path / "t"), "")
    take = Take(tmp_path / "t")
    assert [(mark.row, mark.kind, mark.label) for mark in take.markers] == [
        (12, "mark", "action"),
        (12, "neutral", ""),
    ]
    assert take.rate.label_from_frame(take.markers[0].timecode) == "01:00:00:12"
    assert take.document["summary"]["rows"] == 30
    assert sink.counters.packets == 30
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == [
        "checksums.rec",
        "frames.rec",
        "landmarks.rec",
        "markers.jsonl",
        "rig_arkit52.rec",
        "take.json",
    ]


def test_a_slow_disk_is_flagged_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    append = writer_module.TakeWriter.append

    def wait_then_append(self: writer_module.TakeWriter, frames: list) -> None:
        gate.wait(PATIENCE_S)
        append(self, frames)

    monkeypatch.setattr(writer_module.TakeWriter, "append", wait_then_append)
    sink = RecorderSink(tmp_path / "t", clip_info())
    sink.send(tracked_frame(0))
    wait_until(lambda: not sink._queue)  # the writer took it and stands at the gate
    n_sent = 1
    while not sink.late:
        sink.send(tracked_frame(n_sent))
        n_sent += 1
    sink.send(tracked_frame(n_sent))
    assert n_sent == 302  # half of ten seconds at 60
    for i in range(n_sent + 1, 700):
        sink.send(tracked_frame(i))
    gate.set()
    summary = sink.close()
    assert summary.rows == 601  # ten seconds and the one that was being written
    assert summary.dropped == 99
    assert summary.late > 0
    take = Take(tmp_path / "t")
    health = take.frames["health"]
    assert not health[:302].any()
    assert (health[302:] == Health.RECORDER_LATE).all()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
def test_a_real_full_disk_closes_the_take(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        said: list[str] = []
        sink = RecorderSink(disk / "t", clip_info(), on_warning=said.append, free=lambda _: 10**12)
        _send_until_failed(sink)
        sink.send(tracked_frame(10**6))
        summary = sink.close()
        assert "No space left on device" in summary.failure
        assert summary.rows > 100
        assert summary.dropped > 0
        assert len(said) == 1
        take = Take(disk / "t")
        assert (take.state, take.n_rows, take.n_torn_bytes) == ("failed", summary.rows, 0)
        assert_same(take.tracked(take.n_rows - 1), tracked_frame(take.n_rows - 1))


def test_a_failing_write_closes_the_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = writer_module._Stream.append

    def fail_late(self: writer_module._Stream, records: np.ndarray) -> int:
        if self.dtype.itemsize < 3000 and self.n_rows >= 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return append(self, records)

    monkeypatch.setattr(writer_module._Stream, "append", fail_late)
    sink = RecorderSink(tmp_path / "t", clip_info())
    _send_until_failed(sink)
    summary = sink.close()
    take = Take(tmp_path / "t")
    assert (take.state, take.n_rows, take.n_torn_bytes) == ("failed", summary.rows, 0)
    assert "ended early" in sink.counters.last_error


def test_low_space_is_said_once_before_it_ends(tmp_path: Path) -> None:
    said: list[str] = []
    sink = RecorderSink(
        tmp_path / "t", clip_info(), on_warning=said.append, free=lambda _: 100 * 10**6
    )
    sink.send(tracked_frame(0))
    wait_until(lambda: bool(said))
    assert sink.close().warnings[0].startswith("low disk space: 100 MB left")
    assert len(said) == 1


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="5 MB left on its disk, at least 67 MB are needed"):
        RecorderSink(tmp_path / "full", clip_info(), free=lambda _: 5 * 10**6)
    (tmp_path / "file").write_text("")
    with pytest.raises(TakeError, match="cannot write a take"):
        RecorderSink(tmp_path / "file", clip_info())
    (tmp_path / "used").mkdir()
    (tmp_path / "used/take.json").write_text("{}")
    with pytest.raises(TakeError, match="is not empty"):
        RecorderSink(tmp_path / "used", clip_info())


@pytest.mark.skipif(sys.platform == "win32", reason="a lock there would keep readers out")
def test_a_take_that_is_being_recorded_is_not_repaired(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info())
    sink.send(tracked_frame(0))
    wait_until(lambda: sink.n_rows == 1)
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    with pytest.raises(TakeError, match="is being recorded: end the take first"):
        repair(tmp_path / "t")
    assert {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()} == before
    sink.send(tracked_frame(1))
    assert sink.close().rows == 2
    assert repair(tmp_path / "t").n_rows == 2


def test_a_take_factory_numbers_its_takes(tmp_path: Path) -> None:
    factory = TakeFactory(tmp_path, [clip_info()])
    names = []
    for slate, number in ((None, None), ("12a", 5), ("12a", 5), (None, None)):
        recording = factory(TakeRequest(slate, number))
        recording.send(tracked_frame(0))
        recording.finish()
        names.append((recording.folder.name, Take(recording.folder).number))
    assert names == [("smile_001", 1), ("12a_005", 5), ("12a_006", 6), ("smile_002", 2)]


def test_notes_of_a_stage_are_those_of_the_take(tmp_path: Path) -> None:
    factory = TakeFactory(tmp_path, [clip_info(notes="the day's")])
    notes = []
    for request in (TakeRequest("a", 1, "as Anna enters"), TakeRequest("a", 2)):
        recording = factory(request)
        recording.finish()
        notes.append(Take(recording.folder).document["notes"])
    assert notes == ["as Anna enters", "the day's"]


def test_a_take_factory_tells_how_each_take_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    factory = TakeFactory(tmp_path, [clip_info()], on_warning=said.append)
    first = factory(TakeRequest("whole"))
    first.send(tracked_frame(0))
    first.finish()
    assert (said.pop(), factory.failure) == (f"{tmp_path / 'whole_001'}: 1 frames", "")

    def fail(self: writer_module._Stream, records: np.ndarray) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer_module._Stream, "append", fail)
    second = factory(TakeRequest("cut"))
    _send_until_failed(second)
    second.finish()
    assert "the take ended early: No space left on device" in factory.failure
    assert said[-1].startswith(f"{tmp_path / 'cut_001'}: 0 frames")
    assert said[-1].endswith(factory.failure)


def test_a_take_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: writer_module.TakeWriter) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(writer_module.TakeWriter, "_begin", refuse)
    with pytest.raises(TakeError, match="cannot write a take"):
        TakeFactory(tmp_path, [clip_info()])(TakeRequest())
    assert list(tmp_path.iterdir()) == []


def test_the_video_matches_its_records(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info(), video=True)
    levels = [40, 120, 200]
    for i in range(45):
        image = np.full((122, 161, 3), levels[i % 3], np.uint8) if i % 5 else None
        sink.send(tracked_frame(i, image=image))
    _, _, path = sink.finish()
    take = Take(tmp_path / "t")
    stamps = take.video_stamps()
    assert stamps["row"].tolist() == [i for i in range(45) if i % 5]
    with av.open(path) as container:
        stream = container.streams.video[0]
        found = [
            (round(float(frame.pts * stream.time_base) * 1e6), int(frame.to_ndarray().mean()))
            for frame in container.decode(stream)
        ]
        assert (stream.width, stream.height) == (160, 122)
    first_ns = take.t_ns[1]
    for (pts, _), (row, stamp) in zip(found, stamps.tolist(), strict=True):
        assert pts == pytest.approx(stamp, abs=20)
        assert stamp == (take.t_ns[row] - first_ns) // 1000
    grey = [level for _, level in found]
    rows = stamps["row"].tolist()
    assert all(
        (grey[a] < grey[b]) == (levels[rows[a] % 3] < levels[rows[b] % 3])
        for a in range(6)
        for b in range(6)
        if rows[a] % 3 != rows[b] % 3
    )


def test_an_encoder_that_fails_leaves_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: TakeVideo, images: object) -> None:
        raise OSError(errno.EIO, "encoder gone")

    monkeypatch.setattr(TakeVideo, "append", fail)
    sink = RecorderSink(tmp_path / "t", clip_info(), video=True)
    for i in range(10):
        sink.send(tracked_frame(i, image=np.zeros((64, 64, 3), np.uint8)))
    summary = sink.close()
    assert (summary.rows, summary.failure) == (10, "")
    assert "the records go on" in summary.warnings[0]


def test_images_that_come_too_fast_are_counted_and_no_record_is_lost(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info(), video=True)
    image = np.zeros((64, 64, 3), np.uint8)
    for i in range(200):
        sink.send(tracked_frame(i, image=image))
    summary = sink.close()
    assert summary.rows == 200
    assert summary.images + summary.images_dropped == 200
    assert len(Take(tmp_path / "t").video_stamps()) == summary.images


def test_frames_of_a_file_wait_for_the_writer(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info(is_live=False), video=True)
    image = np.zeros((64, 64, 3), np.uint8)
    for i in range(400):
        sink.send(tracked_frame(i, image=image))
    summary = sink.close()
    assert (summary.rows, summary.images, summary.images_dropped) == (400, 400, 0)
    assert (summary.dropped, summary.late) == (0, 0)


def test_a_take_is_brought_to_the_disk_while_it_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    sink = RecorderSink(tmp_path / "t", clip_info())
    sink.send(tracked_frame(0))
    wait_until(lambda: sink.n_rows == 1)
    files = {path.stat().st_ino for path in (tmp_path / "t").glob("*.rec")}
    wait_until(lambda: len(files) == 4 and files <= synced)  # long before it is closed
    assert sink.close().failure == ""


def test_a_disk_that_does_not_confirm_ends_the_take_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: writer_module.TakeWriter) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(writer_module.TakeWriter, "sync", fail)
    said: list[str] = []
    sink = RecorderSink(tmp_path / "t", clip_info(), on_warning=said.append)
    sink.send(tracked_frame(0))
    wait_until(lambda: bool(sink.failure))
    assert "Input/output error" in said[0]
    assert isinstance(sink.error, OSError)
    assert sink.error.__traceback__ is not None
    assert "in fail" in caplog.text  # where it was raised
    sink.close()
    assert Take(tmp_path / "t").state == "failed"


def test_a_disk_that_hangs_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(writer_module.TakeWriter, "append", lambda *_: gate.wait())
    monkeypatch.setattr(recorder_module, "_STALLED_S", 0.5)
    sink = RecorderSink(tmp_path / "t", clip_info())
    sink.send(tracked_frame(0))
    try:
        with pytest.raises(TakeError, match=r"took nothing for .* livefacs takes repair"):
            sink.finish()
    finally:
        gate.set()


def _send_until_failed(sink: RecorderSink) -> None:
    pace = threading.Event()
    for i in range(20_000):
        sink.send(tracked_frame(i))
        if i % 10 == 0:
            pace.wait(0.01)
        if sink.failure:
            return
    raise AssertionError("the disk took it all")


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)

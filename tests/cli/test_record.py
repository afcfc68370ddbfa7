"""``livefacs record``, as a user types it: what it says, and when it fails."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import livefacs.take.writer as writer_module
from livefacs.resources import data_path
from livefacs.take.reader import Take
from tests.support.commands import run


def test_a_recording_that_ends_early_stops_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    append = writer_module._Stream.append

    def fail_late(self: writer_module._Stream, records: np.ndarray) -> int:
        if self.n_rows >= 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return append(self, records)

    monkeypatch.setattr(writer_module._Stream, "append", fail_late)
    assert run("record", "demo", "--realtime", "--take", tmp_path / "take", "--no-meters") == 5
    said = capsys.readouterr()
    take = Take(tmp_path / "take")
    assert take.state == "failed"
    assert take.n_rows >= 20
    assert "No space left on device" in said.err
    assert said.err.count("\n") == 1
    tracked = re.search(r"^frames (\d+), with a face", said.out, re.MULTILINE)
    assert tracked is not None
    assert int(tracked[1]) < 200  # of 420: it did not go on to the end


def test_a_clip_without_a_face_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grey").mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (90, 90, 90)).save(tmp_path / "grey" / f"{number}.png")
    assert run("record", tmp_path / "grey", "--take", tmp_path / "take", "--no-meters") == 0
    assert "3 frames" in (said := capsys.readouterr().out.splitlines()[-1])
    assert said.endswith("no face in 3 of them")
    assert Take(tmp_path / "take").n_rows == 3


@pytest.mark.parametrize("command", ["record", "live"])
def test_a_file_in_the_way_of_the_folder_is_named(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    words = {
        "record": ("record", "demo", "--take", tmp_path / "file"),
        "live": ("live", "--source", "demo", "--record", tmp_path / "file"),
    }
    assert run(*words[command], "--no-meters") == 5
    assert "a file is in the way; name a new folder" in capsys.readouterr().err


def test_of_two_faces_the_larger_is_recorded_and_both_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pair").mkdir()
    with av.open(str(data_path("performer.mp4"))) as clip:
        for number, picture in zip(range(6), clip.decode(video=0), strict=False):
            face = picture.to_ndarray(format="rgb24")
            canvas = np.zeros((480, 960, 3), np.uint8)
            canvas[120:360, :320] = face[::2, ::2]
            canvas[:, 320:] = face
            Image.fromarray(canvas).save(tmp_path / "pair" / f"{number}.png")
    assert run("record", tmp_path / "pair", "--take", tmp_path / "take", "--no-meters") == 0
    assert "2 faces at once: the largest was followed" in capsys.readouterr().out
    take = Take(tmp_path / "take")
    assert (take.frames["n_faces"] == 2).all()
    assert (take.points_px[:, :, 0].mean(axis=1) > 400).all()


def test_live_records_with_slate_number_notes_and_timecode(tmp_path: Path) -> None:
    words = ("--slate", "Sc4", "--number", "7", "--notes", "second unit")
    timecode = ("--timecode-rate", "24", "--timecode-source", "free run")
    start = ("--timecode-start", "23:59:59:00")
    record = ("--record", tmp_path / "takes", "--seconds", "1.5", "--no-meters")
    assert run("live", "--source", "demo", *record, *words, *timecode, *start) == 0
    take = Take(tmp_path / "takes/Sc4_007")
    assert (take.slate, take.number, take.document["notes"]) == ("Sc4", 7, "second unit")
    assert (take.rate.name, take.timecode(0)) == ("24", "23:59:59:00")
    assert take.timecode(take.n_rows - 1).startswith("00:00:00:")

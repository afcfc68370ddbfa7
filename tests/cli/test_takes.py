"""The commands around takes, as a user types them."""

from __future__ import annotations

import csv
import os
import threading
from dataclasses import fields
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from livefacs.cli.batch import batch
from livefacs.cli.export import export
from livefacs.cli.solve import solve
from livefacs.formats.curves import ExportOptions
from livefacs.resources import data_path
from livefacs.take.reader import Take
from tests.support.commands import run
from tests.take.synthetic import clip_info, make_take, tracked_frame


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return make_take(tmp_path / "smile_003", [tracked_frame(i) for i in range(30)]).folder


def test_list_and_show(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("takes", "list", take.parent) == 0
    assert "smile_003" in capsys.readouterr().out
    assert run("takes", "show", take) == 0
    shown = capsys.readouterr().out
    assert "30, 0.483 s, 60.000 Hz, 0 dropped before the recorder" in shown
    assert "01:00:00:00 at 60, free run" in shown
    assert "30 frames with a face, at most 2 at once" in shown


def test_repair_says_what_was_there(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (take / "frames.rec").open("ab") as file:
        file.write(b"torn")
    assert run("takes", "repair", take) == 0
    said = capsys.readouterr().out
    assert "30 whole frames, 0.48 s, 0 markers" in said
    assert "frames.rec: 4 bytes after the last whole frame cut off" in said
    assert Take(take).n_torn_bytes == 0


def test_export_by_name_and_by_ending(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", take, "--to", "openface", "-o", tmp_path / "of.csv") == 0
    assert run("export", take, "-o", tmp_path / "a.glb", "--fps", "24", "--smooth", "5") == 0
    assert (tmp_path / "a.glb").read_bytes()[:4] == b"glTF"
    capsys.readouterr()
    assert run("export", "--formats", take) == 0
    assert "livelinkface" in capsys.readouterr().out


def test_export_to_standard_output_is_the_file_and_nothing_else(
    take: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert run("export", take, "--to", "csv", "-o", "named.csv") == 0
    capfd.readouterr()
    assert run("export", take, "--to", "csv", "-o", "-") == 0
    printed = capfd.readouterr()
    assert printed.out == (tmp_path / "named.csv").read_text()
    assert "-: smile_003 as csv, from 30 recorded frames" in printed.err
    assert run("solve", take, "-o", "-", "--to", "jsonl") == 0
    assert capfd.readouterr().out.startswith('{"format": "livefacs-jsonl"')
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "named.csv"])


@pytest.mark.parametrize("words", [("export",), ("solve",), ("export", "--to", "parquet")])
def test_a_file_may_be_called_as_standard_output_is(
    take: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = words[1:] or ("--to", "csv")
    for output in ("./-", "named.csv"):
        assert run(words[0], take, *given, "-o", output) == 0
        assert "AU" not in capfd.readouterr().out
    assert (tmp_path / "-").read_bytes() == (tmp_path / "named.csv").read_bytes()


def test_what_a_format_cannot_say_of_a_take_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [tracked_frame(i, face=not 10 <= i < 40) for i in range(60)]
    folder = make_take(tmp_path / "gone", frames).folder
    said = "no face from 0.15 to 0.67 s: values are held there"
    for command in ("export", "solve"):
        assert run(command, folder, "--to", "nuke", "-o", tmp_path / "a.chan") == 0
        printed = capsys.readouterr()
        assert said in printed.err
        assert "cells are empty" not in printed.err
        assert run(command, folder, "--to", "csv", "-o", tmp_path / "a.csv") == 0
        assert "no face from" not in capsys.readouterr().err


def test_a_batch_exports_with_every_option_that_an_export_has(take: Path, tmp_path: Path) -> None:
    words = ("--to", "openface", "--header-blanks")
    assert run("export", take, *words, "-o", tmp_path / "here.csv") == 0
    assert run("batch", take.parent, *words, "-o", tmp_path / "out", "--processes", 1) == 0
    headers = [
        (tmp_path / name).read_text().partition("\n")[0]
        for name in ("here.csv", f"out/{take.name}.csv")
    ]
    assert headers[0] == headers[1]
    assert ", AU12_r" in headers[1]
    # The options of an export that a command has, by what the command's function takes.
    options = {field.name.removesuffix("_hz") for field in fields(ExportOptions)}
    for command in (export, solve, batch):
        assert options <= set(signature(command).parameters)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("export", "TAKE", "--to", "parquet", "-o", "-"), "parquet is no text"),
        (("export", "TAKE", "--to", "gltf", "-o", "-"), "gltf is no text"),
        (("export", "TAKE", "-o", "-"), "name it with --to"),
        (("solve", "TAKE", "--to", "vrma", "-o", "-"), "vrma is no text"),
        (("solve", "TAKE", "--to", "take", "-o", "-"), "a take is a folder"),
        (("solve", "TAKE", "TAKE", "-o", "-"), "2 clips cannot go into one file"),
        (("batch", "TAKE", "-o", "-"), "go into a folder"),
    ],
)
def test_what_standard_output_cannot_take_is_told(
    take: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    error: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*(take if word == "TAKE" else word for word in words)) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert error in printed.err
    assert not (tmp_path / "-").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize("command", ["export", "solve"])
def test_a_pipe_without_an_ending_is_no_folder(take: Path, tmp_path: Path, command: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    came: list[str] = []
    reader = threading.Thread(target=lambda: came.append(pipe.read_text()))
    reader.start()
    assert run(command, take, "--to", "csv", "-o", pipe) == 0
    reader.join()
    assert pipe.is_fifo()
    assert len(came[0].splitlines()) == 31


def test_export_errors_are_one_line(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", tmp_path / "nowhere", "--to", "csv") == 5
    assert run("export", take) == 2
    assert run("export", take, "--to", "fbx") == 2
    assert run("export", take, "--to", "usd", "--fps", "31") == 2
    assert run("export", take, "--to", "gltf", "--rig", "nobody") == 2
    assert run("export", take, "--to", "csv", "--smooth", "99") == 2
    errors = capsys.readouterr().err.splitlines()
    assert all(line.startswith(("livefacs: ", "  ")) for line in errors)
    assert "less than half the frame rate" in errors[-1]


def test_plot(take: Path, tmp_path: Path) -> None:
    assert run("plot", take, "-o", tmp_path / "p.html", "--actions", "12,26") == 0
    assert "<svg" in (tmp_path / "p.html").read_text()
    assert run("plot", take, "-o", tmp_path / "p.bmp") == 2


def test_solve_several_takes_and_again(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_take(tmp_path / "other", [tracked_frame(i) for i in range(10)]).folder
    words = ("solve", take, other, "-o", tmp_path / "out", "--as-live", "--timecode")
    assert run(*words) == 0
    assert "smile_003.csv: 30 frames, a face in 30" in capsys.readouterr().err
    assert run(*words) == 0
    assert capsys.readouterr().err.count("finished before") == 2
    assert run(*words, "--again") == 0
    assert "finished before" not in capsys.readouterr().err
    with (tmp_path / "out/other.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["timecode"] == "01:00:00:00"
    assert run("solve", take, other, "-o", tmp_path / "one.csv") == 2


def test_batch_delivers_the_rest_and_fails_at_the_end(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    make_take(clips / "deep/a", [tracked_frame(i) for i in range(20)], clip_info())
    (clips / "broken.mp4").write_bytes(b"nothing")
    out = tmp_path / "out"
    words = ("batch", clips, "-o", out, "--processes", "1", "--as-live")
    assert run(*words) == 1
    said = capsys.readouterr()
    assert "1 solved, 0 finished before, 1 failed" in said.out
    assert said.err.startswith("failed: ")
    assert "broken.mp4" in said.err
    assert (out / "deep/a.csv").is_file()
    with (out / "livefacs-batch.csv").open(newline="") as file:
        rows = {Path(row["clip"]).name: row for row in csv.DictReader(file)}
    assert (rows["a"]["state"], rows["a"]["n_frames"]) == ("done", "20")
    assert rows["broken.mp4"]["state"] == "failed"
    (clips / "broken.mp4").unlink()
    assert run(*words) == 0
    assert "0 solved, 1 finished before, 0 failed" in capsys.readouterr().out
    assert run("batch", tmp_path / "nowhere", "-o", out) == 3


def test_batch_refuses_broken_options_before_any_work(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("batch", take.parent, "-o", tmp_path / "out")
    assert run(*words, "--fps", "31") == 2
    assert run(*words, "--rig", "nobody") == 2
    assert run(*words, "--profile", "nobody") == 2
    assert run(*words, "--weights", tmp_path / "none.npz") == 4
    assert run(*words, "--processes", "-1") == 2
    assert run("batch", take.parent, "-o", take.parent, "--to", "take") == 2
    assert "cannot go into" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_solved_takes_give_way_to_later_ones_of_the_same_batch(tmp_path: Path) -> None:
    clips, out = tmp_path / "clips", tmp_path / "out"
    make_take(clips / "a.v2", [tracked_frame(i) for i in range(20)], clip_info())
    words = ("batch", clips, "-o", out, "--processes", "1", "--to", "take")
    assert run(*words) == 0
    assert Take(out / "a.v2").n_rows == 20
    first = (out / "a.v2/frames.rec").read_bytes()
    assert run(*words, "--whole-clip") == 0
    assert (out / "a.v2/frames.rec").read_bytes() != first
    assert [path.name for path in out.glob(".*")] == [".livefacs-batch.lock"]


def test_weights_that_changed_make_a_result_anew(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "own.npz"
    weights.write_bytes(data_path("estimator.npz").read_bytes())
    words = ("solve", take, "-o", tmp_path / "out", "--weights", weights)
    assert run(*words) == 0
    assert run(*words) == 0
    assert capsys.readouterr().err.count("finished before") == 1
    arrays = dict(np.load(weights))
    name = next(name for name, array in arrays.items() if array.dtype.kind == "f" and array.ndim)
    arrays[name] = arrays[name] * 0.999
    np.savez(weights, **arrays)
    assert run(*words) == 0
    assert "finished before" not in capsys.readouterr().err


def test_solve_goes_on_after_a_failure(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    assert run("solve", tmp_path / "broken.mp4", take, "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "failed: " in said
    assert "1 of 2 clips failed" in said
    assert (tmp_path / "out/smile_003.csv").is_file()
    assert run("solve", tmp_path / "broken.mp4", "-o", tmp_path / "out") == 3


def test_record_the_performer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        *("record", "demo", "--take", tmp_path / "rec", "--seconds", "1", "--no-meters"),
        *("--timecode-rate", "29.97df", "--timecode-source", "free run"),
        *("--timecode-start", "10:00:00;00", "--notes", "hat on", "--video"),
    )
    assert run(*words) == 0
    take = Take(tmp_path / "rec")
    assert take.n_rows == pytest.approx(30, abs=2)
    assert (take.timecode(0), take.document["notes"]) == ("10:00:00;00", "hat on")
    assert len(take.video_stamps()) == take.n_rows
    assert run(*words) == 5
    assert "is not empty" in capsys.readouterr().err

"""Batches: resumable by content, failures apart, a dying process blamed on its own clip."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from livefacs.batch import (
    MANIFEST_NAME,
    Job,
    Manifest,
    Outcome,
    content_of,
    run_batch,
    work_once,
)
from livefacs.errors import ConfigError, SinkError, SourceError, TakeError

from .work import copy_clip


class Studio:
    """A folder of clips and one of results."""

    def __init__(self, root: Path, **clips: str) -> None:
        self.clips, self.results, self.marks = root / "clips", root / "results", root / "marks"
        for folder in (self.clips, self.results, self.marks):
            folder.mkdir()
        for name, text in clips.items():
            (self.clips / name).write_text(text)

    def run(self, suffix: str = "!", **options: Any) -> dict[str, Outcome]:
        jobs = [Job(str(p), str(self.results / p.name)) for p in sorted(self.clips.iterdir())]
        given = {"suffix": suffix, "marks": str(self.marks)}
        outcomes = run_batch(
            jobs, copy_clip, given, Manifest(self.results), **{"n_processes": 2, **options}
        )
        return {Path(outcome.job.clip).name: outcome for outcome in outcomes}

    def n_worked(self, name: str) -> int:
        return len(list(self.marks.glob(f"{name}.*")))


def states(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.state for name, outcome in outcomes.items()}


def test_failures_are_apart_and_the_rest_is_delivered(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one", b="no face", c="three", d="error")
    outcomes = studio.run()
    assert states(outcomes) == {"a": "done", "b": "failed", "c": "done", "d": "failed"}
    assert outcomes["b"].error == f"{studio.clips / 'b'}: no face in it"
    assert outcomes["d"].error.endswith("d: ZeroDivisionError: an error of ours")
    assert outcomes["a"].report == {"n_frames": 3}
    assert (studio.results / "a").read_text() == "ONE!"
    assert (studio.results / "c").read_text() == "THREE!"


def test_a_second_run_does_what_is_new_changed_or_failed(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one", b="no face", c="three")
    studio.run()
    (studio.clips / "b").write_text("two")
    (studio.clips / "d").write_text("four")
    assert states(studio.run()) == {"a": "skipped", "c": "skipped", "b": "done", "d": "done"}
    (studio.clips / "a").write_text("uno")
    (studio.results / "c").unlink()
    again = studio.run()
    assert states(again) == {"a": "done", "b": "skipped", "c": "done", "d": "skipped"}
    assert again["b"].report == {"n_frames": 3}
    assert set(states(studio.run(suffix="?")).values()) == {"done"}
    assert (studio.results / "a").read_text() == "UNO?"


@pytest.mark.skipif(sys.platform == "win32", reason="kills itself by a POSIX signal")
def test_a_clip_that_kills_its_process_takes_no_other_with_it(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one", b="kill", c="three", d="four")
    outcomes = studio.run()
    assert states(outcomes) == {"a": "done", "b": "failed", "c": "done", "d": "done"}
    assert "its process died" in outcomes["b"].error
    assert all(studio.n_worked(name) == 1 for name in "acd")


def test_a_clip_that_is_gone(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    job = Job(str(tmp_path / "gone.mp4"), str(tmp_path / "x"))
    (outcome,) = run_batch([job], copy_clip, {}, manifest)
    assert outcome.state == "failed"
    assert "cannot be read" in outcome.error


def test_a_foreign_manifest_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_text('{"mine": 1}')
    with pytest.raises(ConfigError, match="move it away"):
        Manifest(tmp_path)
    assert json.loads((tmp_path / MANIFEST_NAME).read_text()) == {"mine": 1}
    (tmp_path / "file").write_text("")
    with pytest.raises(TakeError, match="cannot use"):
        Manifest(tmp_path / "file")


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    first = Manifest(tmp_path)
    with pytest.raises(TakeError, match="another run is writing into"):
        Manifest(tmp_path)
    first.close()
    Manifest(tmp_path)


def test_a_manifest_of_nonsense_bytes(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="move it away"):
        Manifest(tmp_path)


def test_results_that_were_moved_are_still_finished(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one", b="two")
    studio.run()
    studio.results = studio.results.rename(tmp_path / "elsewhere")
    again = studio.run()
    assert states(again) == {"a": "skipped", "b": "skipped"}
    assert again["a"].job.target == str(tmp_path / "elsewhere/a")


def test_a_note_of_other_options_is_not_believed(tmp_path: Path) -> None:
    """Killed between result and manifest, run with other options, run as at first."""
    target, marks = tmp_path / "out", tmp_path / "marks"
    marks.mkdir()
    (tmp_path / "clip").write_text("one")
    for key, suffix in (("k1", "!"), ("k2", "?"), ("k1", "!")):
        job = Job(str(tmp_path / "clip"), str(target), key * 16)
        work_once(copy_clip, job, {"suffix": suffix, "marks": str(marks)})
        assert target.read_text() == f"ONE{suffix}"
    assert len(list(marks.iterdir())) == 3


def test_an_earlier_folder_comes_back_where_the_work_fails(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "earlier").write_text("x")
    (tmp_path / "clip").write_text("no face")
    job = Job(str(tmp_path / "clip"), str(target), "k" * 64, replaces=True)
    with pytest.raises(SourceError):
        work_once(copy_clip, job, {})
    assert (target / "earlier").read_text() == "x"
    (tmp_path / "clip").write_text("one")
    work_once(copy_clip, job, {"suffix": "!", "marks": str(tmp_path)})
    assert target.read_text() == "ONE!"
    assert not list(tmp_path.glob(".*before*"))


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are no text: Linux")
def test_names_that_are_no_text_and_very_long(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one")
    names = [b"\xff\xfe", b"n" * 255, "😀 [b] *".encode()]
    for name in names:
        (studio.clips / os.fsdecode(name)).write_text("two")
    assert set(states(studio.run()).values()) == {"done"}
    assert set(states(studio.run()).values()) == {"skipped"}
    for name in names:
        assert (studio.results / os.fsdecode(name)).read_text() == "TWO!"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names on this system")
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(TakeError, match="neither a file nor a folder"):
        content_of(tmp_path / "pipe.mp4")


def test_folders_hash_by_their_contents(tmp_path: Path) -> None:
    folders = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "frame").write_text("x" if name != "c" else "y")
        folders.append(content_of(tmp_path / name))
    assert folders[0] == folders[1] != folders[2]


def test_a_scheduler_that_does_not_answer(tmp_path: Path, unused_port: int) -> None:
    pytest.importorskip("distributed")
    studio = Studio(tmp_path, a="one")
    with pytest.raises(SinkError, match=r"expected tcp://HOST:PORT"):
        studio.run(scheduler=f"nonsense://127.0.0.1:{unused_port}")


def test_a_scheduler_that_says_nothing(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    studio = Studio(tmp_path, a="one")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SinkError, match="no answer in"):
            studio.run(scheduler=f"tcp://127.0.0.1:{port}")

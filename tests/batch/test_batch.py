"""Batches: resumable by content, failures apart, a dying process blamed on its own clip."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from livefacs.batch import MANIFEST_NAME, Job, Manifest, Outcome, content_hash, run_batch
from livefacs.errors import ConfigError, SinkError, TakeError

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


@pytest.mark.timeout(60)
def test_failures_are_apart_and_the_rest_is_delivered(tmp_path: Path) -> None:
    studio = Studio(tmp_path, a="one", b="no face", c="three", d="fault")
    outcomes = studio.run()
    assert states(outcomes) == {"a": "done", "b": "failed", "c": "done", "d": "failed"}
    assert outcomes["b"].error == f"{studio.clips / 'b'}: no face in it"
    assert outcomes["d"].error.endswith("d: ZeroDivisionError: a fault of ours")
    assert outcomes["a"].report == {"n_frames": 3}
    assert (studio.results / "a").read_text() == "ONE!"
    assert (studio.results / "c").read_text() == "THREE!"


@pytest.mark.timeout(60)
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


@pytest.mark.timeout(60)
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


def test_folders_hash_by_their_contents(tmp_path: Path) -> None:
    folders = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "frame").write_text("x" if name != "c" else "y")
        folders.append(content_hash(tmp_path / name))
    assert folders[0] == folders[1] != folders[2]


def test_a_scheduler_that_does_not_answer(tmp_path: Path, unused_port: int) -> None:
    pytest.importorskip("distributed")
    studio = Studio(tmp_path, a="one")
    with pytest.raises(SinkError, match=r"expected tcp://HOST:PORT"):
        studio.run(scheduler=f"nonsense://127.0.0.1:{unused_port}")

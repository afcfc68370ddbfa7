"""Which clips a folder holds, and where each result goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.errors import ConfigError, SourceError
from livefacs.offline import TAKE_FORMAT, SolveOptions, find_jobs

CSV, TAKES = SolveOptions(), SolveOptions(format=TAKE_FORMAT)


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def places(clips: Path, out: Path, options: SolveOptions = CSV) -> dict[str, str]:
    """Clip to target, both relative."""
    return {
        Path(job.clip).relative_to(clips).as_posix(): Path(job.target).relative_to(out).as_posix()
        for job in find_jobs(clips, out, options)
    }


def test_the_tree_is_kept_and_dots_in_names_too(tmp_path: Path) -> None:
    put(tmp_path / "a.mp4", tmp_path / "b/c.001.MOV", tmp_path / ".hidden.mp4",
        tmp_path / "b/notes.txt", tmp_path / "b/monday.v2/take.json",
        tmp_path / "b/monday.v2/video.mp4")  # fmt: skip
    assert places(tmp_path, tmp_path / "out") == {
        "a.mp4": "a.csv",
        "b/c.001.MOV": "b/c.001.csv",
        "b/monday.v2": "b/monday.v2.csv",
    }
    assert places(tmp_path, tmp_path / "out", TAKES)["b/monday.v2"] == "b/monday.v2"


def test_clips_that_differ_in_their_ending_keep_it(tmp_path: Path) -> None:
    put(tmp_path / "a.mp4", tmp_path / "a.mov", tmp_path / "b.mp4", tmp_path / "a/take.json")
    assert places(tmp_path, tmp_path / "out") == {
        "a": "a.csv",
        "a.mov": "a.mov.csv",
        "a.mp4": "a.mp4.csv",
        "b.mp4": "b.csv",
    }
    put(tmp_path / "a.mov.mkv")
    with pytest.raises(ConfigError, match=r"several clips would be written to .*a\.mov\.csv"):
        find_jobs(tmp_path, tmp_path / "out", CSV)


def test_results_in_above_and_beside_the_clips(tmp_path: Path) -> None:
    put(tmp_path / "day/a.mp4", tmp_path / "day/out/b.mp4", tmp_path / "day/sub/c.mp4")
    day = tmp_path / "day"
    assert set(places(day, day / "out")) == {"a.mp4", "sub/c.mp4"}
    assert places(day, tmp_path)["sub/c.mp4"] == "sub/c.csv"
    assert places(day, day)["out/b.mp4"] == "out/b.csv"
    with pytest.raises(ConfigError, match="holds the clips themselves"):
        find_jobs(day, day, TAKES)


def test_links_are_followed_and_keep_their_names(tmp_path: Path) -> None:
    clips, store = tmp_path / "clips", tmp_path / "store"
    put(clips / "a.mp4", store / "0815", store / "deep/b.mp4")
    try:
        (clips / "linked.mov").symlink_to(store / "0815")
        (clips / "more").symlink_to(store / "deep")
        (clips / "round").symlink_to(clips)
        (clips / "gone.mp4").symlink_to(store / "nothing")
    except OSError:
        pytest.skip("this system does not let us make links")
    assert places(clips, tmp_path / "out") == {
        "a.mp4": "a.csv",
        "gone.mp4": "gone.csv",
        "linked.mov": "linked.csv",
        "more/b.mp4": "more/b.csv",
    }


def test_a_folder_called_like_a_clip_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path / "day.mp4/a.mp4")
    assert places(tmp_path, tmp_path / "out") == {"day.mp4/a.mp4": "day.mp4/a.csv"}
    put(tmp_path / "empty.mov/notes.txt")
    with pytest.raises(SourceError, match="no clip and no take"):
        find_jobs(tmp_path / "empty.mov", tmp_path / "out", CSV)

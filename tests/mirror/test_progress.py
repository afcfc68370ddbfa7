"""The progress file: what it keeps, forgets, exports, and survives."""

from __future__ import annotations

import csv
import io
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from livefacs.errors import ConfigError
from livefacs.mirror import progress as module
from livefacs.mirror.progress import Progress


def attempt(
    total: float = 80.0, passed: bool = True, actions: tuple[str, ...] = ("12",)
) -> dict[str, Any]:
    return {
        "drill": "smile-c", "kind": "hold", "actions": list(actions), "side": "both",
        "total": total, "passed": passed, "peak": 0.4, "parts": {},
    }  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite"


def test_best_and_median_per_action(path: Path) -> None:
    progress = Progress(path)
    for total in (50.0, 90.0, 70.0):
        progress.note_attempt(attempt(total))
    progress.note_attempt(attempt(40.0, False, ("1", "2")))
    rows = {row["action"]: row for row in progress.summary()["actions"]}
    assert (rows["12"]["best"], rows["12"]["median"], rows["12"]["attempts"]) == (90.0, 70.0, 3)
    assert rows["12"]["recent"] == [50.0, 90.0, 70.0]
    assert not rows["1+2"]["passes"]
    progress.close()


def test_spaced_repetition(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime(2026, 1, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(module, "_utc_now", lambda: today)
    progress = Progress(path)

    def box_and_days() -> tuple[int, int]:
        row = progress.summary()["actions"][0]
        return row["box"], (datetime.fromisoformat(row["due"]) - today).days

    progress.note_attempt(attempt())
    assert box_and_days() == (1, 1)
    progress.note_attempt(attempt())  # a second pass on one day proves no memory
    assert box_and_days() == (1, 1)
    today += timedelta(days=1)
    progress.note_attempt(attempt())
    assert box_and_days() == (2, 2)
    progress.note_attempt(attempt(passed=False))
    assert box_and_days() == (0, 0)
    assert progress.summary()["actions"][0]["is_due"]
    progress.close()


def test_what_is_due_and_weak_comes_first(path: Path) -> None:
    progress = Progress(path)
    progress.note_attempt(attempt(95.0))
    progress.note_attempt(attempt(30.0, False, ("4",)))
    progress.note_attempt(attempt(20.0, False, ("15",)))
    assert [row["action"] for row in progress.summary()["actions"]] == ["15", "4", "12"]
    progress.close()


def test_survives_a_restart_and_exports_all(path: Path) -> None:
    first = Progress(path, "demo")
    first.note_attempt(attempt())
    first.note_coding("performer", "brows", "1+2", {"index": 0.8})
    with first._db:  # as earlier versions kept what a round of maxima reached
        first._db.execute("INSERT INTO maximum VALUES ('AU12_L', 0.9, '2026-01-01')")
    first.close()
    second = Progress(path)
    exported = second.export()
    assert len(exported["attempt"]) == len(exported["coding"]) == 1
    assert len(exported["visit"]) == 2
    assert [row["channel"] for row in exported["maximum"]] == ["AU12_L"]
    rows = list(csv.DictReader(io.StringIO(second.export_csv())))
    assert rows[0]["drill"] == "smile-c"
    second.close()


def test_deleting_leaves_nothing_on_disk(path: Path) -> None:
    progress = Progress(path)
    progress.note_coding("performer", "brows", "FINDME1234", {"index": 0.8})
    assert b"FINDME1234" in path.read_bytes()
    progress.delete_all()
    assert b"FINDME1234" not in path.read_bytes()
    assert progress.export()["coding"] == []
    progress.close()


def test_damaged_file_is_kept_aside(path: Path) -> None:
    path.write_bytes(b"this is no database, it is a diary " * 100)
    progress = Progress(path)
    assert progress.set_aside is not None
    assert progress.set_aside.read_bytes().startswith(b"this is no database")
    progress.note_attempt(attempt())
    assert progress.summary()["set_aside"] == progress.set_aside.name
    progress.close()


def test_torn_file_is_kept_aside(path: Path) -> None:
    progress = Progress(path)
    for _ in range(300):
        progress.note_attempt(attempt())
    progress.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    progress = Progress(path)
    assert progress.set_aside is not None
    progress.close()


def test_file_of_another_version_is_refused_untouched(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="version 99"):
        Progress(path)
    assert path.read_bytes() == before


def test_unwritable_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot open the progress file"):
        Progress(tmp_path / "file" / "progress.sqlite")

"""What the user has practised, in one SQLite file of their own: best, median, what is due.

Nothing leaves the machine. A damaged file is set aside under another name and a new one begun.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.files.atomic import create, make_folder
from livefacs.files.private import close_to_others
from livefacs.resources import user_data_folder

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY, began TEXT NOT NULL,
  source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempt (id INTEGER PRIMARY KEY, visit INTEGER, at TEXT NOT NULL,
  drill TEXT NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL, side TEXT NOT NULL,
  total REAL NOT NULL, passed INTEGER NOT NULL, peak REAL NOT NULL, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS coding (id INTEGER PRIMARY KEY, visit INTEGER, at TEXT NOT NULL,
  pack TEXT NOT NULL, item TEXT NOT NULL, test TEXT, answer TEXT NOT NULL,
  agreement REAL NOT NULL, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS review (action TEXT PRIMARY KEY, box INTEGER NOT NULL,
  due TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS maximum (channel TEXT PRIMARY KEY, value REAL NOT NULL,
  at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_action ON attempt (action, at);
"""
_VERSION: Final = 1
_TABLES: Final = ("visit", "attempt", "coding", "review", "maximum")
BOX_DAYS: Final = (0, 1, 2, 4, 8, 16, 32)
"""Days until an action comes up again, by its box (Leitner): passed moves up, failed to box 0."""


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Progress:
    """The progress file. Thread-safe; every call is short.

    Attributes
    ----------
    set_aside : Path or None
        Where a damaged file was put when this one was begun.
    """

    def __init__(self, path: Path | None = None, source: str = "") -> None:
        self.path = path or user_data_folder() / "progress.sqlite"
        self.set_aside: Path | None = None
        self._source = source
        self._lock = threading.Lock()
        self._db = self._open()
        self._visit = self._begin_visit()

    def _open(self) -> sqlite3.Connection:
        try:
            self._make_private()
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise ConfigError(f"cannot open the progress file {self.path}: {error}") from None
            self.set_aside = self._put_aside()
            self._make_private()
            return self._connect()
        except OSError as error:
            raise ConfigError(f"cannot open the progress file {self.path}: {error}") from None

    def _make_private(self) -> None:
        """The file is the user's alone; what SQLite puts beside it has the same mode."""
        make_folder(self.path.parent)
        if self.path.exists():
            close_to_others(self.path)
        else:
            os.close(create(self.path, private=True))

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, check_same_thread=False, timeout=2.0)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise ConfigError(
                    f"the progress file {self.path} is of version {version}, this livefacs reads "
                    f"{_VERSION}: move it away, or use the livefacs that wrote it"
                )
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version = {_VERSION}")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA synchronous = EXTRA")  # with its folder, when an entry is told kept
            db.commit()
        except BaseException:
            db.close()
            raise
        return db

    def _put_aside(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}")
        n = 1
        while aside.exists():
            n += 1
            aside = aside.with_name(f"{self.path.stem}.damaged-{stamp}-{n}{self.path.suffix}")
        self.path.replace(aside)
        return aside

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._db.close()

    def _begin_visit(self) -> int:
        return self._write(
            "INSERT INTO visit (began, source) VALUES (?, ?)",
            (_utc_now().isoformat(), self._source),
        )

    def _write(self, statement: str, values: Iterable[Any]) -> int:
        with self._told(), self._lock, self._db:
            return self._db.execute(statement, tuple(values)).lastrowid or 0

    def _read(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._told(), self._lock:
            return self._db.execute(statement, tuple(values)).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A full disk or a locked file is told in one sentence; practice goes on without it."""
        try:
            yield
        except sqlite3.Error as error:
            raise ConfigError(f"the progress file {self.path} cannot be used: {error}") from None

    def note_attempt(self, result: dict[str, Any]) -> None:
        """Keep one attempt (``Result.document()``) and plan when its actions come up again."""
        action = "+".join(result["actions"])
        self._write(
            "INSERT INTO attempt"
            " (visit, at, drill, kind, action, side, total, passed, peak, result)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._visit, _utc_now().isoformat(), result["drill"], result["kind"], action,
                result["side"], result["total"], int(result["passed"]), result["peak"],
                json.dumps(result, sort_keys=True),
            ),
        )  # fmt: skip
        self._plan_review(action, bool(result["passed"]))

    def _plan_review(self, action: str, passed: bool) -> None:
        """Up a box only when it was due (a second pass on one day proves no memory)."""
        now = _utc_now()
        rows = self._read("SELECT box, due FROM review WHERE action = ?", (action,))
        box, due = rows[0] if rows else (0, now.isoformat())
        if not passed:
            box = 0
        elif datetime.fromisoformat(due) <= now:
            box = min(box + 1, len(BOX_DAYS) - 1)
        else:
            return
        due = (now + timedelta(days=BOX_DAYS[box])).isoformat()
        self._write("INSERT OR REPLACE INTO review VALUES (?, ?, ?)", (action, box, due))

    def note_coding(
        self, pack: str, item: str, answer: str, result: dict[str, Any], test: str | None = None
    ) -> None:
        """Keep one coded item; ``test`` names the self-test it was part of."""
        self._write(
            "INSERT INTO coding (visit, at, pack, item, test, answer, agreement, result)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._visit, _utc_now().isoformat(), pack, item, test, answer, result["index"],
                json.dumps(result, sort_keys=True),
            ),
        )  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Per action: tries, best, median, passes, last, when due; per drill: its best; codings."""
        now = _utc_now()
        due = {a: (b, d) for a, b, d in self._read("SELECT action, box, due FROM review")}
        grouped: dict[str, list[tuple[float, int, str, float]]] = {}
        for action, total, passed, at, peak in self._read(
            "SELECT action, total, passed, at, peak FROM attempt ORDER BY at, id"
        ):
            grouped.setdefault(action, []).append((total, passed, at, peak))
        actions = [_row(action, rows, due.get(action), now) for action, rows in grouped.items()]
        actions.sort(key=lambda row: (not row["is_due"], row["median"]))
        drills = {
            drill: {"attempts": n, "best": best, "passed": bool(passed)}
            for drill, n, best, passed in self._read(
                "SELECT drill, count(*), max(total), max(passed) FROM attempt GROUP BY drill"
            )
        }
        return {
            "drills": drills,
            "visits": self._read("SELECT count(*) FROM visit")[0][0],
            "actions": actions,
            "codings": [
                {"at": at, "pack": pack, "item": item, "agreement": agreement, "test": test}
                for at, pack, item, agreement, test in self._read(
                    "SELECT at, pack, item, agreement, test FROM coding ORDER BY id DESC LIMIT 60"
                )
            ],
            "set_aside": None if self.set_aside is None else self.set_aside.name,
            "path": str(self.path),
        }

    def export(self) -> dict[str, Any]:
        """Everything that is kept, as plain values."""
        tables: dict[str, Any] = {"version": _VERSION}
        for table in _TABLES:
            with self._told(), self._lock:
                cursor = self._db.execute(f"SELECT * FROM {table}")  # a name of ours
                columns = [column[0] for column in cursor.description]
                tables[table] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return tables

    def export_csv(self) -> str:
        """The attempts as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("at", "drill", "kind", "action", "side", "total", "passed", "peak"))
        writer.writerows(
            self._read(
                "SELECT at, drill, kind, action, side, total, passed, peak FROM attempt ORDER BY id"
            )
        )
        return text.getvalue()

    def delete_all(self) -> None:
        """Forget everything; the freed pages are overwritten."""
        with self._told(), self._lock:
            with self._db:
                for table in _TABLES:
                    self._db.execute(f"DELETE FROM {table}")  # a name of ours
            self._db.execute("VACUUM")
        self._visit = self._begin_visit()


def _row(
    action: str,
    rows: list[tuple[float, int, str, float]],
    review: tuple[int, str] | None,
    now: datetime,
) -> dict[str, Any]:
    totals = [row[0] for row in rows]
    box, due = review or (0, now.isoformat())
    return {
        "action": action,
        "attempts": len(rows),
        "best": max(totals),
        "median": round(median(totals), 1),
        "passes": sum(row[1] for row in rows),
        "last": rows[-1][2],
        "peak": round(max(row[3] for row in rows), 3),
        "recent": totals[-12:],
        "box": box,
        "due": due,
        "is_due": datetime.fromisoformat(due) <= now,
    }

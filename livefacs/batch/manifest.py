"""What is finished in an output folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from livefacs.batch.jobs import Job, Outcome
from livefacs.errors import ConfigError, TakeError
from livefacs.files.atomic import make_folder, write_text
from livefacs.files.locks import Lock

MANIFEST_NAME: Final = "livefacs-batch.json"
LOCK_NAME: Final = ".livefacs-batch.lock"
_VERSION: Final = 1


class Manifest:
    """What is finished in an output folder. Written after every clip, in one step.

    The folder is its own until it is closed or the process ends, however it ends. Targets are
    kept relative to the folder, which may be moved.

    Raises
    ------
    TakeError
        The folder cannot be written, or another run is writing into it.
    ConfigError
        The file there is not a manifest of this version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.path = self.folder / MANIFEST_NAME
        self._entries: dict[str, dict[str, Any]] = {}
        try:
            make_folder(folder)
            self._lock = Lock(self.folder / LOCK_NAME)
            text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        except BlockingIOError:
            raise TakeError(
                f"another run is writing into {self.folder}: wait for it, or take another folder"
            ) from None
        except OSError as error:
            raise TakeError(
                f"cannot use {folder}: {error.strerror or error}; name another folder"
            ) from error
        except UnicodeDecodeError as error:
            raise self._unreadable(error) from None
        if text:
            self._entries = self._read(text)

    def close(self) -> None:
        """Let others write into the folder."""
        self._lock.close()

    def finished(self, job: Job) -> dict[str, Any] | None:
        """Report of a clip that is finished with the same content and options, target in place."""
        entry = self._entries.get(self._place(job))
        if entry is None or entry["key"] != job.key or not Path(job.target).exists():
            return None
        report: dict[str, Any] = entry["report"]
        return {**report, "target": job.target} if "target" in report else report

    def has_made(self, job: Job) -> bool:
        """True where what stands at the target is a result of this batch, of whatever options."""
        return self._place(job) in self._entries

    def note(self, outcome: Outcome) -> None:
        """Remember a finished clip; of one that failed, that its target is an older result."""
        place = self._place(outcome.job)
        if outcome.state == "failed":
            if place not in self._entries:
                return
            self._entries[place] = {**self._entries[place], "key": ""}
        elif outcome.state == "done":
            self._entries[place] = {
                "clip": outcome.job.clip,
                "key": outcome.job.key,
                "report": outcome.report,
            }
        document = {"format": "livefacs-batch", "version": _VERSION, "finished": self._entries}
        try:
            write_text(self.path, json.dumps(document, indent=1))
        except OSError as error:
            raise TakeError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _place(self, job: Job) -> str:
        return Path(os.path.relpath(job.target, self.folder)).as_posix()

    def _read(self, text: str) -> dict[str, dict[str, Any]]:
        try:
            document = json.loads(text)
            if document["format"] != "livefacs-batch" or document["version"] != _VERSION:
                raise ValueError("other format or version")
            entries: dict[str, dict[str, Any]] = document["finished"]
            for entry in entries.values():
                _ = entry["key"], entry["report"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unreadable(error) from None
        return entries

    def _unreadable(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"{self.path} is no manifest of this version ({error}): move it away to start anew"
        )

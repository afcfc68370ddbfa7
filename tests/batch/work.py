"""Work functions that other processes import by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from livefacs.errors import SourceError
from tests.support.waiting import PATIENCE_S


def copy_clip(clip: str, target: str, options: dict[str, Any]) -> dict[str, Any]:
    """Writes the clip's text, upper case; what the text says may also go wrong."""
    text = Path(clip).read_text()
    if text == "no face":
        raise SourceError(f"{clip}: no face in it")
    if text == "error":
        raise ZeroDivisionError("an error of ours")
    if text == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    marks = Path(options["marks"])
    (marks / f"{Path(clip).stem[:60]}.{time.monotonic_ns()}.{os.getpid()}").write_text("")
    if options.get("gate") and text == "wait":
        _wait_for(Path(options["gate"]))
    Path(target).write_text(text.upper() + options["suffix"])
    return {"n_frames": len(text)}


def _wait_for(gate: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not gate.exists() and time.monotonic() < deadline:
        time.sleep(0.01)

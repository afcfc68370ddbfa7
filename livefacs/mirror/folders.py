"""Shows a folder in the system's file manager."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

from livefacs.errors import ConfigError
from livefacs.workers import Worker

_log = logging.getLogger(__name__)


def show_folder(path: Path) -> None:
    """Open a folder where the person at this machine sees it.

    Raises
    ------
    ConfigError
        It is not there, or this system has nothing that opens folders; the message says the path.
    """
    if not path.is_dir():
        raise ConfigError(f"there is no folder yet at {path}")
    if sys.platform == "win32":
        os.startfile(path)
        return
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    has_screen = sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if opener is None or not has_screen:
        raise ConfigError(f"nothing on this machine opens folders; it is {path}")
    Worker(lambda: _open(opener, path), "livefacs-folder").start()


def _open(opener: str, path: Path) -> None:
    """Some openers end at once, others with the window."""
    ended = subprocess.run(
        [opener, str(path)], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if ended.returncode:
        _log.warning("%s could not open %s", opener, path)

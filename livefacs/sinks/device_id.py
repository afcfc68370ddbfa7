"""This machine's Live Link device id: a UUID that stays the same, in the user's folder."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

from livefacs.files.atomic import make_folder, write_text
from livefacs.resources import user_data_folder


def device_id(path: Path | None = None) -> str:
    """The id that Live Link packets carry where the user names none: 36 characters, upper case.

    The phone sends a UUID, and receivers read it at fixed offsets. The first call on a machine
    makes one and keeps it. Where it cannot be kept, the machine's name gives one, so that it is
    stable all the same.

    Parameters
    ----------
    path : Path or None
        Default: ``device_id.txt`` in the user's folder.
    """
    path = path or user_data_folder() / "device_id.txt"
    known = _read(path)
    if known is not None:
        return known
    fresh = str(uuid.uuid4()).upper()
    try:
        make_folder(path.parent)
        write_text(path, fresh + "\n", private=True)
    except OSError:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, socket.gethostname())).upper()
    return _read(path) or fresh  # of two first runs at once, the later one's is kept


def _read(path: Path) -> str | None:
    """The id that is kept; None where there is none, or it is damaged."""
    try:
        return str(uuid.UUID(path.read_text(encoding="ascii").strip())).upper()
    except (OSError, ValueError):
        return None

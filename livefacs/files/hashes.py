"""SHA-256 of contents, by which clips, weights and profiles are known again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def hash_bytes(*parts: bytes) -> str:
    """SHA-256 of bytes one after the other, in hex."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hex; memory does not grow with it.

    Raises
    ------
    OSError
        It cannot be read, or is no regular file (a pipe would never end).
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, or of a folder's file names and contents, in hex.

    Raises
    ------
    OSError
        It cannot be read, or is neither a file nor a folder.
    """
    if not path.is_dir():
        if path.exists() and not path.is_file():
            raise OSError("it is neither a file nor a folder")
        return hash_file(path)
    digest = hashlib.sha256()
    for file in sorted(found for found in path.rglob("*") if found.is_file()):
        digest.update(os.fsencode(file.relative_to(path)) + b"\0")
        digest.update(bytes.fromhex(hash_file(file)))
    return digest.hexdigest()

"""Reads and checks ``take.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livefacs.errors import TakeError
from livefacs.take.model import DOCUMENT_NAME, FORMAT, VERSION, dtype_from_entry
from livefacs.timecode import RATES


def read_document(folder: Path) -> dict[str, Any]:
    """``take.json`` of a folder, with everything in it that reading needs.

    Raises
    ------
    TakeError
        No take, another format or version, or damaged.
    """
    path = folder / DOCUMENT_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise TakeError(
            f"{folder} is no take: expected a folder with {DOCUMENT_NAME} in it"
        ) from None
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise TakeError(f"{path} is damaged: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TakeError(f"{path} is not of a livefacs take: its format is not {FORMAT!r}")
    if document.get("version") != VERSION:
        raise TakeError(
            f"{path}: version {document.get('version')!r} of the take format is unknown;"
            f" this livefacs reads version {VERSION}"
        )
    try:
        _check_document(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TakeError(f"{path} is damaged: missing or wrong {error}") from error
    return document


def _check_document(document: Mapping[str, Any]) -> None:
    """Raises whatever Python does where something that is needed is not there or of no use."""
    for key in ("state", "slate", "notes", "created_utc", "landmarker", "weights"):
        document[key]
    int(document["take"])
    float(document["source"]["rate_hz"])
    _ = document["source"]["is_live"], document["source"]["description"]
    if document["timecode"]["rate"] not in RATES:
        raise KeyError(f"timecode rate {document['timecode']['rate']!r}")
    names = document["channels"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("channels")
    for entry in document["streams"]:
        if not entry["file"] or Path(entry["file"]).name != entry["file"]:
            raise KeyError(f"stream file {entry['file']!r}")
        if dtype_from_entry(entry).itemsize != int(entry["record_bytes"]):
            raise ValueError(f"size of the records of {entry['name']!r}")
        if int(entry["first_row"]) < 0 or ("rig" in entry and not len(entry["controls"])):
            raise ValueError(f"rows or controls of {entry['name']!r}")
        if not isinstance(entry["name"], str) or not isinstance(entry.get("rig", ""), str):
            raise TypeError("name of a stream")
    if not isinstance(document["video"], (dict, type(None))):
        raise TypeError("video")

"""Reads, checks and writes ``take.json`` and the markers."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, Final, get_args

from livefacs.errors import ConfigError, TakeError
from livefacs.files.atomic import write_bytes
from livefacs.files.bounded_reading import read_bytes
from livefacs.printable import plain_without_secrets, printable
from livefacs.take.layout import (
    DOCUMENT_NAME,
    FORMAT,
    MARKERS_FILE,
    VERSION,
    Marker,
    TimecodeSource,
    dtype_from_entry,
)
from livefacs.take.performers import MOST_PERFORMERS
from livefacs.take.sound import check_sound
from livefacs.timecode import RATES, rate_of_take

_MOST_NS: Final = 2**63 - 1
_MOST_DOCUMENT_BYTES: Final = 16 << 20  # a take of many maps that changed comes to some 100 kB
_MOST_MARKER_BYTES: Final = 64 << 20
_CHECKSUM: Final = "crc32"
_SEAL: Final = re.compile(rb',\n "crc32": (\d{1,10})(\n\}\n?)\Z')
_CHANGED: Final = "changed"


def read_document(folder: Path) -> dict[str, Any]:
    """``take.json`` of a folder, with everything in it that reading needs.

    Raises
    ------
    TakeError
        No take, another format or version, or damaged.
    """
    path = folder / DOCUMENT_NAME
    try:
        text = read_bytes(path, _MOST_DOCUMENT_BYTES)
        document = json.loads(text.decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise TakeError(
            f"{folder} is no take: expected a folder with {DOCUMENT_NAME} in it"
        ) from None
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
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
        _make_printable(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ConfigError) as error:
        raise TakeError(f"{path} is damaged: missing or wrong {error}") from error
    document.pop(_CHECKSUM, None)
    if _is_changed(text):
        document[_CHANGED] = True
    return document


def _is_changed(text: bytes) -> bool:
    """Whether a document is not what its checksum was made of; those of before have none.

    What another program has written anew, in a layout of its own, is that program's.
    """
    seal = _SEAL.search(text)
    if seal is None:
        return False
    return zlib.crc32(seal[2], zlib.crc32(text[: seal.start()])) != int(seal[1])


def document_errors(document: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence where ``take.json`` is not, or was not when it was repaired, what was written."""
    if not document.get(_CHANGED):
        return ()
    return (
        f"{DOCUMENT_NAME} is not what was written (checksum): damaged, or changed by hand; names,"
        " times and settings in it may be wrong",
    )


def write_document(folder: Path, document: Mapping[str, Any]) -> None:
    """Replace ``take.json`` in one step: a reader sees the old or the new one, never a half.

    Its last line is the CRC-32 of what it is without that line.
    """
    document = plain_without_secrets(document)  # takes are handed on
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=str)
    # A file name that is no text (bytes of another encoding) stands there as JSON escapes.
    body, end = text.removesuffix("\n}").encode(errors="backslashreplace"), b"\n}"
    checksum = zlib.crc32(end, zlib.crc32(body))
    seal = f',\n "{_CHECKSUM}": {checksum}'.encode()
    write_bytes(folder / DOCUMENT_NAME, body + seal + end)


def _make_printable(document: dict[str, Any]) -> None:
    """Names that others write into files of theirs: no control characters, no half characters."""
    for key in ("slate", "notes", "landmarker"):
        document[key] = printable(document[key])
    if document.get("sound") is not None:
        document["sound"]["device"] = printable(str(document["sound"].get("device", "")))
    for entry in document["streams"]:
        if "rig" in entry:
            entry["controls"] = [printable(name) for name in entry["controls"]]


def _check_document(document: Mapping[str, Any]) -> None:
    """Raises whatever Python does where something that is needed is not there or of no use."""
    for key in ("state", "slate", "notes", "created_utc", "landmarker"):
        if not isinstance(document[key], str):
            raise TypeError(key)
    if not isinstance(document["software"], dict):
        raise TypeError("software")
    _ = document["weights"], document["profile"], int(document["take"])
    rate_hz = float(document["source"]["rate_hz"])
    if not 0 <= rate_hz < inf:
        raise ValueError(f"rate of the source {rate_hz}")
    _ = document["source"]["is_live"], document["source"]["description"]
    start_ns = document["source"].get("start_ns", 0)  # older takes do not have it
    if not isinstance(start_ns, int) or not 0 <= start_ns <= _MOST_NS:
        raise ValueError(f"start of the source {str(start_ns)[:40]}")
    _check_times(document["clock"], document["timecode"])
    names = document["channels"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("channels")
    if len(set(names)) < len(names):
        raise ValueError("channels: two have the same name")
    for entry in document["streams"]:
        _check_stream(entry)
    for key in ("name", "file"):
        found = [entry[key] for entry in document["streams"]]
        if len(set(found)) < len(found):
            raise ValueError(f"streams: two have the same {key}")
    if not isinstance(document["video"], (dict, type(None))):
        raise TypeError("video")
    if document["video"] is not None:
        _ = [document["video"][key] for key in ("file", "width", "height")]
    check_sound(document.get("sound"))
    for key in ("performer", "performers"):  # in takes of several alone
        number = document.get(key, 1)
        if type(number) is not int or not 1 <= number <= MOST_PERFORMERS:
            raise ValueError(f"{key} {str(number)[:40]}")
    if not isinstance(document["summary"], (dict, type(None))):
        raise TypeError("summary")


def _check_times(clock: Mapping[str, Any], timecode: Mapping[str, Any]) -> None:
    if timecode["rate"] not in RATES:
        raise KeyError(f"timecode rate {timecode['rate']!r}")
    rate_of_take(timecode["rate"], timecode["numerator"], timecode["denominator"])
    for value in (clock["session_ns"], clock["unix_ns"], timecode["start_ns"] or 0):
        if not isinstance(value, int) or not -_MOST_NS <= value <= _MOST_NS:
            raise ValueError(f"time {str(value)[:40]}")
    if timecode["source"] not in get_args(TimecodeSource):
        raise KeyError(f"timecode source {timecode['source']!r}")
    RATES[timecode["rate"]].frame_from_label(timecode["start"])


def _check_stream(entry: Mapping[str, Any]) -> None:
    name, file = entry["name"], entry["file"]
    if not isinstance(name, str) or not isinstance(entry.get("rig", ""), str):
        raise TypeError("name of a stream")
    if Path(file).name != file or not file.endswith(".rec") or not file.isprintable():
        raise KeyError(f"stream file {file!r}")
    if dtype_from_entry(entry).itemsize != int(entry["record_bytes"]):
        raise ValueError(f"size of the records of {name!r}")
    first_row = int(entry["first_row"])
    begins_late = "rig" in entry or name == "readings"
    if not 0 <= first_row <= (_MOST_NS if begins_late else 0):
        raise ValueError(f"first row of {name!r}")
    if "rig" in entry and not len(entry["controls"]):
        raise ValueError(f"controls of {name!r}")
    if not all(isinstance(control, str) for control in entry.get("controls", ())):
        raise TypeError(f"controls of {name!r}")


def line_from_marker(marker: Marker) -> bytes:
    """A line of ``markers.jsonl``: the marker, and the CRC-32 of its text before that."""
    text = _text_of({name: getattr(marker, name) for name in Marker.__slots__})
    return text[:-1] + f', "{_CHECKSUM}": {zlib.crc32(text)}}}\n'.encode()


def _text_of(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode(errors="backslashreplace")


def read_markers(folder: Path) -> tuple[tuple[Marker, ...], tuple[str, ...]]:
    """Markers of a take in their order, and a sentence for each line that is none.

    A torn last line is ignored, and no file is no error. Lines of before have no checksum.

    Raises
    ------
    TakeError
        The file cannot be read.
    """
    path = folder / MARKERS_FILE
    try:
        lines = read_bytes(path, _MOST_MARKER_BYTES).splitlines(keepends=True)
    except FileNotFoundError:
        return (), ()
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    markers, errors = [], []
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            continue
        try:
            markers.append(_marker(line))
        except (ValueError, TypeError, AttributeError, RecursionError):
            errors.append(
                f"{path.name}: line {number} is damaged, not a marker: {line[:80]!r}; it is passed"
                " over: mend or remove it"
            )
    return tuple(markers), tuple(errors)


def _marker(line: bytes) -> Marker:
    entry = json.loads(line)
    checksum = entry.pop(_CHECKSUM, None)
    if checksum is not None and checksum != zlib.crc32(_text_of(entry)):
        raise ValueError("checksum")
    marker = Marker(**entry)
    numbers = (marker.row, marker.i_frame, marker.t_ns, marker.timecode)
    if not all(type(number) is int and abs(number) <= _MOST_NS for number in numbers):
        raise TypeError("numbers")
    if not isinstance(marker.kind, str) or not isinstance(marker.label, str):
        raise TypeError("texts")
    return replace(marker, kind=printable(marker.kind), label=printable(marker.label))

"""Takes of the Live Link Face app as a clip: its CSV of 61 values a row.

A row's time is its timecode with the fraction of a frame. The file does not hold its rate: the
app counts 60 frames a second, and one that counts through at least a second at another rate shows
it by the last number before each new second.
Columns go by the header's names, whatever their order; those of other names are left alone.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.files.bounded_reading import MOST_TABLE_BYTES, read_text
from livefacs.timecode import RATES
from livefacs.types import Frame
from livefacs.vocab.arkit import LIVELINK_61
from livefacs.wire.shapes import shapes_from_livelink

_USUAL_HZ: Final = 60
_COUNTS: Final = sorted({rate.nominal for rate in RATES.values()})
_TIMECODE: Final = re.compile(
    r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})[:;]([0-9]{1,3}(?:\.[0-9]{1,9})?)"
)
_ENDS: Final = 2  # seconds that may be there in part: the first and the last
_MOST: Final = 1e6  # no shape and no angle; NaN is none either
_S_PER_DAY: Final = 24 * 3600


def is_livelink_csv(spec: str) -> bool:
    """True for the name of a CSV file."""
    return spec.lower().endswith(".csv")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row: the whole seconds and the frames of its timecode, and its 61 values."""

    second: int
    frames: float
    values: dict[str, float]


class LiveLinkCsvSource:
    """Every row of a take as a frame with shapes; times begin at 0.

    Raises
    ------
    SourceError
        Not there, not such a file, or one without rows.
    """

    is_live = False
    start_ns = 0
    notices: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self.n_bad = 0
        read = self._read_rows()
        self.rate_hz = float(_count_of(read))
        rows = self._frames(read)
        minutes, second = divmod(read[0].second, 60)
        hours, minute = divmod(minutes, 60)
        self.timecode: str | None = f"{hours:02}:{minute:02}:{second:02}:{int(read[0].frames):02}"
        self._rows_left = iter(rows)
        self._all = rows
        self.n_frames: int | None = len(rows)
        self.description = f"{path.name}, {len(rows)} rows of Live Link Face"
        self._image = np.zeros((1, 1, 3), np.uint8)
        self._closed = False

    def read(self) -> Frame | None:
        """The next row, or None at the end or once closed."""
        if self._closed:
            return None
        row = next(self._rows_left, None)
        if row is None:
            return None
        i_frame, t_ns, values = row
        return Frame(self._image, t_ns, i_frame, shapes=shapes_from_livelink(values))

    def rewind(self) -> None:
        """Begin again at the first row."""
        self._rows_left = iter(self._all)

    def close(self) -> None:
        """Give no more rows."""
        self._closed = True

    def closing_notices(self) -> tuple[str, ...]:
        """How many rows could not be read."""
        if not self.n_bad:
            return ()
        return (f"{self._path.name}: {self.n_bad} row(s) were damaged and left out",)

    def _read_rows(self) -> list[_Row]:
        try:
            text = read_text(self._path, MOST_TABLE_BYTES, follow=True, encoding="utf-8-sig")
            table = csv.DictReader(io.StringIO(text, ""))
            if not {"Timecode", "JawOpen"} <= set(table.fieldnames or ()):
                raise SourceError(
                    f"{self._path} is no take of Live Link Face: expected the columns Timecode,"
                    " BlendShapeCount, EyeBlinkLeft …"
                )
            rows = [self._row(row) for row in table]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{self._path} cannot be read as CSV ({error})") from None
        whole = [row for row in rows if row is not None]
        self.n_bad = len(rows) - len(whole)
        if not whole:
            raise SourceError(f"{self._path}: no row could be read; expected 61 values a row")
        return whole

    def _frames(self, rows: list[_Row]) -> list[tuple[int, int, dict[str, float]]]:
        frames: list[tuple[int, int, dict[str, float]]] = []
        start_s = rows[0].second + rows[0].frames / self.rate_hz
        for row in rows:
            time_s = row.second + row.frames / self.rate_hz
            t_ns = round((time_s - start_s) % _S_PER_DAY * NS_PER_S)
            if not frames or t_ns > frames[-1][1]:
                i_frame = round(t_ns * self.rate_hz / NS_PER_S)
                frames.append((i_frame, t_ns, row.values))
        return frames

    def _row(self, row: dict[str, str]) -> _Row | None:
        found = _TIMECODE.fullmatch((row.get("Timecode") or "").strip())
        try:
            values = {name: float(row[name]) for name in LIVELINK_61 if row.get(name)}
        except ValueError:
            return None
        if found is None or not values or not all(abs(value) < _MOST for value in values.values()):
            return None
        hours, minutes, seconds = (int(found[k]) for k in (1, 2, 3))
        return _Row(3600 * hours + 60 * minutes + seconds, float(found[4]), values)


def _count_of(rows: list[_Row]) -> int:
    """Frames that a labelled second has: the first usual count above every number there is."""
    last = max(int(row.frames) for row in rows)
    has_whole_second = len({row.second for row in rows}) > _ENDS and len(rows) > last
    if last < _USUAL_HZ and not has_whole_second:
        return _USUAL_HZ
    return next((count for count in _COUNTS if count > last), _COUNTS[-1])

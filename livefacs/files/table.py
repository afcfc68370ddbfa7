"""Tables: CSV files as people and spreadsheets write them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from livefacs.errors import ConfigError
from livefacs.files.bounded_reading import MOST_TABLE_BYTES, read_text


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV file, spaces around names and values taken off.

    Raises
    ------
    ConfigError
        The file cannot be read or has no header.
    """
    try:
        text = read_text(path, MOST_TABLE_BYTES, follow=True, encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, ""), skipinitialspace=True, restval="")
        header = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = header
        rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV: {error}") from None
    if not any(header):
        raise ConfigError(f"{path}: empty; expected a header line with column names")
    return header, rows

"""Frames into a take, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from livefacs.take.writer import TakeWriter
from livefacs.types import TrackedFrame

_ROWS_A_WRITE: Final = 128


def append_all(writer: TakeWriter, frames: Iterator[TrackedFrame]) -> None:
    """Write all frames as they come."""
    batch: list[TrackedFrame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == _ROWS_A_WRITE:
            writer.append(batch)
            batch = []
    writer.append(batch)

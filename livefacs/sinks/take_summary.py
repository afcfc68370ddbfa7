"""What a recording came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TakeSummary:
    """What a recording came to.

    Attributes
    ----------
    rows : int
        Frames in the take.
    dropped : int
        Frames that did not fit into the queue, or came after the disk failed.
    late : int
        Frames that came while the writer was behind.
    images, images_dropped : int
        Of the video, where there is one.
    failure : str
        Why the take ended early; empty where it did not.
    """

    folder: Path
    rows: int
    dropped: int
    late: int
    images: int
    images_dropped: int
    n_bytes: int
    failure: str
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Counts:
    """What a recorder counts while it runs."""

    late: int = 0
    images: int = 0
    images_dropped: int = 0
    failure: str = ""
    warnings: list[str] = field(default_factory=list)

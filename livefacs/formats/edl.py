"""CMX 3600 edit decision list: the take as one event, its markers as locators (``* LOC``)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions
from livefacs.take.reader import Take
from livefacs.timecode import edit_list_rate

_COLOR: Final = "GREEN"
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]")


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file, at the take's own timecode rate; above 60, by pairs of frames or fours."""
    if not take.n_rows:
        raise TakeError(f"{take.folder}: the take has no frames, nothing can be exported")
    rate, n_each = edit_list_rate(take.rate)
    first = int(take.frames["timecode"][0]) // n_each
    begin = rate.label_from_frame(first)
    # Out points are exclusive; the record side repeats the source side.
    end = rate.label_from_frame(int(take.frames["timecode"][-1]) // n_each + 1)
    lines = [
        f"TITLE: {_plain(take.name)}",
        "FCM: DROP FRAME" if rate.drop else "FCM: NON-DROP FRAME",
        "",
        f"001  AX       V     C        {begin} {end} {begin} {end}",
        f"* FROM CLIP NAME: {_plain(take.name)}",
    ]
    for marker in take.markers:
        label = _plain(marker.label or marker.kind)
        lines.append(
            f"* LOC: {rate.label_from_frame(marker.timecode // n_each)} {_COLOR:<8}{label}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _plain(text: str) -> str:
    return _UNSAFE.sub("?", text)

"""The picture that belongs to a take: its own video, or the clip that it was tracked from."""

from __future__ import annotations

from pathlib import Path

from livefacs.take.model import VIDEO_FILE
from livefacs.take.reader import Take


def media_of(take: Take) -> tuple[Path, int] | None:
    """The file, and the session time in nanoseconds at its beginning; None where there is none.

    Players count from the beginning of the file, where a clip's sound may start before its
    picture: formats that link it count from there. A clip counts where it still is at the place,
    and has the name, that the take remembers.
    """
    if take.document["video"]:
        return (take.folder / VIDEO_FILE).resolve(), int(take.t_ns[0]) if take.n_rows else 0
    source = (take.document.get("config") or {}).get("source") or {}
    if take.document["source"]["is_live"] or source.get("realtime") or source.get("loop"):
        return None  # the take's times are not the clip's
    clip = Path(str(source.get("spec", "")))
    named = str(take.document["source"]["description"]).startswith(f"{clip.name},")
    begin_ns = -int(take.document["source"].get("start_ns", 0))
    return (clip.resolve(), begin_ns) if named and clip.is_file() else None

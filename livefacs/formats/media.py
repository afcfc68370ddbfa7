"""The picture that belongs to a take: its own video, or the clip that it was tracked from."""

from __future__ import annotations

import os
from pathlib import Path

from livefacs.take.layout import VIDEO_FILE
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of


def sound_media_of(take: Take) -> tuple[Path, int] | None:
    """The take's own sound, and the session time in nanoseconds at its first sample; else None.

    A player runs it at its nominal rate: what the microphone's clock drifts is in ``take.json``.

    Raises
    ------
    TakeError
        It is there and cannot be read.
    """
    sound = sound_of(take)
    return None if sound is None else (sound.path.resolve(), sound.clock.start_ns)


def relative_name(media: Path, path: Path) -> str:
    """A file as named from the folder of another, so that both may move together.

    Begins with ``./`` or ``../``; absolute where they have no folder in common.
    """
    try:
        relative = Path(os.path.relpath(media, path.resolve().parent)).as_posix()
    except ValueError:  # another drive on Windows
        return media.as_posix()
    return relative if relative.startswith(".") else f"./{relative}"


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

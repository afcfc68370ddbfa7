"""Packs from one's own clips: a clip is taken in, stretches are named and keyed, all is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import tomlkit

from livefacs.errors import ConfigError, SourceError
from livefacs.files.atomic import make_folder, replaced, write_text
from livefacs.mirror.clips import DEFAULT_RATE_HZ
from livefacs.mirror.packs import Pack, load_pack
from livefacs.resources import scratch_beside
from livefacs.sources import open_source

MOST_CLIP_BYTES: Final = 1_000_000_000
MOST_FRAMES: Final = 30_000
WINDOW_FRAMES: Final = 300
"""Frames that the page holds at once while a clip is trimmed."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ENDINGS: Final = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")
_PACK: Final = "pack.toml"


class PackMaker:
    """Makes packs in one folder; never changes one that is there.

    Parameters
    ----------
    folder : Path
        Where packs are looked for; made when the first clip comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lengths: dict[Path, tuple[int, float]] = {}

    def place(self, pack: str, clip: str) -> Path:
        """Where a clip of a new pack goes; its folder is made.

        Raises
        ------
        ConfigError
            A name that may not be, or a pack of that name is there.
        """
        path = self._path(pack, clip)
        if (path.parent / _PACK).exists():
            raise ConfigError(f"there is a pack {pack!r} in {self.folder}: choose another name")
        try:
            make_folder(path.parent)
        except OSError as error:
            raise ConfigError(f"cannot make {path.parent}: {error.strerror}") from None
        return path

    def _path(self, pack: str, clip: str) -> Path:
        if _NAME.fullmatch(pack) is None:
            raise ConfigError(f"{pack[:70]!r}: a pack's name is lower case, digits and hyphens")
        base, dot, ending = clip.rpartition(".")
        if _NAME.fullmatch(base) is None or f"{dot}{ending}" not in _ENDINGS:
            raise ConfigError(
                f"{clip[:70]!r}: expected a clip such as interview-2.mp4; lower case, digits and "
                f"hyphens, then {', '.join(_ENDINGS)}"
            )
        return self.folder / pack / clip

    def take_piece(self, target: Path, at: int, total: int, piece: bytes) -> int:
        """Put a piece of a clip behind those before it; with the last one the clip is there.

        Parameters
        ----------
        target : Path
            As ``place`` gave it.
        at, total : int
            Where the piece begins, and how long the clip is, bytes.

        Returns
        -------
        int
            Bytes that are there now.

        Raises
        ------
        ConfigError
            The piece does not follow what is there, the clip is too long, or cannot be written.
        """
        if not 0 < total <= MOST_CLIP_BYTES or at + len(piece) > total:
            raise ConfigError(f"a clip has at most {MOST_CLIP_BYTES // 10**6} MB")
        part = scratch_beside(target, "part")
        try:
            with part.open("wb" if at == 0 else "r+b") as file:
                there = file.seek(0, 2)
                if there != at:
                    raise ConfigError(f"expected the piece at {there}, got {at}: add the clip anew")
                file.write(piece)
            if at + len(piece) == total:
                with replaced(target) as unfinished:
                    part.replace(unfinished)
                self._lengths.pop(target, None)
        except OSError as error:
            raise ConfigError(f"{target.name} cannot be written: {error.strerror}") from None
        return at + len(piece)

    def clip(self, pack: str, clip: str) -> Path:
        """A clip that was taken in.

        Raises
        ------
        ConfigError
            It is not there.
        """
        path = self._path(pack, clip)
        if not path.is_file():
            raise ConfigError(f"there is no clip {clip!r} of {pack!r}: add it first")
        return path

    def length(self, path: Path) -> tuple[int, float]:
        """Frames and rate of a clip, counted by decoding it.

        Raises
        ------
        ConfigError
            It cannot be read as a clip; it is taken away then.
        """
        if path not in self._lengths:
            try:
                self._lengths[path] = _counted(path)
            except SourceError as error:
                path.unlink(missing_ok=True)
                raise ConfigError(f"{path.name} cannot be read: {error}") from None
        return self._lengths[path]

    def save(self, pack: str, about: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> Pack:
        """Write ``pack.toml`` where it reads back without an error.

        Raises
        ------
        ConfigError
            Holds every fault; nothing is written then.
        """
        if not items:
            raise ConfigError("a pack needs at least one item")
        path = self.place(pack, str(items[0].get("clip", ""))).parent / _PACK
        errors = [
            f"item {item.get('name')!r}: it ends at frame {item.get('end')}, the clip has {n}"
            for item in items
            if int(item.get("end", 0)) > (n := self.length(self.clip(pack, str(item["clip"])))[0])
        ]
        if errors:
            raise ConfigError("the pack was not kept:", errors)
        text = _toml(pack, about, items)
        with replaced(path) as unfinished:
            write_text(unfinished, text)
            return load_pack(unfinished)


def _counted(path: Path) -> tuple[int, float]:
    with closing(open_source(str(path), realtime=False)) as source:
        n_frames = 0
        while (frame := source.read()) is not None:
            n_frames = max(n_frames + 1, frame.i_frame + 1)
            if n_frames > MOST_FRAMES:
                raise SourceError(f"it has more than {MOST_FRAMES} frames: cut it first")
        if n_frames < 2:
            raise SourceError("it has no two pictures")
        return n_frames, source.rate_hz or DEFAULT_RATE_HZ


def _toml(pack: str, about: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> str:
    document = tomlkit.document()
    document.add("schema", tomlkit.item(1))
    document.add("name", tomlkit.item(pack))
    for key, value in about.items():
        document.add(key, tomlkit.item(value))
    tables = tomlkit.aot()
    for item in items:
        table = tomlkit.table()
        for key, value in item.items():
            if value != "":
                table.add(key, tomlkit.item(value))
        tables.append(table)
    document.add("item", tables)
    return tomlkit.dumps(document)

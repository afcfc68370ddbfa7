"""HTTP calls of a teacher: packs from own clips, and several coders side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livefacs.errors import ConfigError
from livefacs.mirror.coders import (
    Coder,
    coder_from_csv,
    compare_coders,
    csv_from_comparison,
    write_elan,
)
from livefacs.mirror.core import MirrorCore
from livefacs.mirror.http_calls import NotFound, body_bytes, download, json_body, routes_of
from livefacs.mirror.pack_making import WINDOW_FRAMES, PackMaker
from livefacs.mirror.packs import Item, Pack, load_packs
from livefacs.mirror.schema import ItemTable
from livefacs.resources import user_data_folder

_MOST_REPORTS: Final = 4_000_000  # bytes of all coders' reports
_MOST_PIECE: Final = 8_000_000
_ABOUT: Final = ("title", "rights", "source")
T = TypeVar("T")


class _Compared(NamedTuple):
    """Coders of the same items, the pack where it is known, and their agreement."""

    coders: list[Coder]
    pack: Pack | None
    found: dict[str, Any]


def routes(mirror: MirrorCore) -> list[Route]:
    """Every path."""
    calls = _Calls(mirror)
    return routes_of(
        ("/api/compare", calls.compare, "POST"),
        ("/api/compare/csv", calls.compare_csv, "POST"),
        ("/api/compare/elan", calls.compare_elan, "POST"),
        ("/api/making/{pack}", calls.save, "POST"),
        ("/api/making/{pack}/{clip}", calls.take_in, "POST"),
        ("/api/making/{pack}/{clip}/{start:int}", calls.window, "GET"),
        ("/api/making/{pack}/{clip}/{start:int}/frames/{i:int}", calls.frame, "GET"),
    )


class _Calls:
    """One method a path."""

    def __init__(self, mirror: MirrorCore) -> None:
        self._mirror = mirror
        folders = mirror.options.pack_folders
        self._maker = PackMaker(folders[-1] if folders else user_data_folder() / "packs")

    # Several coders.

    async def _compared(self, request: Request, then: Callable[[_Compared], T]) -> T:
        """What becomes of a comparison; forty coders take longer than other pages should wait."""
        body = await json_body(request, _MOST_REPORTS, coders=list, pack=str)
        pack = self._mirror.packs.packs.get(body["pack"])
        return await run_in_threadpool(lambda: then(_compared(body["coders"], pack)))

    async def compare(self, request: Request) -> Response:
        return JSONResponse(await self._compared(request, lambda known: known.found))

    async def compare_csv(self, request: Request) -> Response:
        text = await self._compared(request, lambda known: csv_from_comparison(known.found))
        return download(text, "text/csv", "coders.csv")

    async def compare_elan(self, request: Request) -> Response:
        eaf = await self._compared(request, lambda known: self._elan(known.coders, known.pack))
        return download(eaf, "application/xml", "coders.eaf")

    def _elan(self, coders: list[Coder], pack: Pack | None) -> bytes:
        def item_of(name: str) -> tuple[Item, float] | None:
            item = None if pack is None else pack.items.get(name)
            return None if item is None else (item, self._maker.length(item.clip)[1])

        with tempfile.TemporaryDirectory(prefix="livefacs-") as folder:
            path = Path(folder) / "coders.eaf"
            write_elan(path, coders, item_of)
            return path.read_bytes()

    # Packs from own clips.

    async def take_in(self, request: Request) -> Response:
        """A piece of a clip; when the last one was answered it is on the disk and can be read."""
        target = self._maker.place(request.path_params["pack"], request.path_params["clip"])
        at, total = (_number(request, key) for key in ("at", "of"))
        piece = await body_bytes(request, _MOST_PIECE)
        there = await run_in_threadpool(self._maker.take_piece, target, at, total, piece)
        if there < total:
            return JSONResponse({"there": there})
        n_frames, rate_hz = await run_in_threadpool(self._maker.length, target)
        about = {"clip": target.name, "frames": n_frames, "rate_hz": rate_hz}
        return JSONResponse({"there": there, **about})

    async def window(self, request: Request) -> Response:
        """Some frames of a clip, to step through."""
        path, start, end, rate_hz = await self._window(request)
        jpegs, _ = await run_in_threadpool(self._mirror.clips.stretch, path, start, end)
        return JSONResponse({"frames": len(jpegs), "rate_hz": rate_hz, "apex": 0, "note": ""})

    async def frame(self, request: Request) -> Response:
        path, start, end, _ = await self._window(request)
        jpegs, _ = await run_in_threadpool(self._mirror.clips.stretch, path, start, end)
        i_frame = request.path_params["i"]
        if not 0 <= i_frame < len(jpegs):
            raise NotFound(f"there are {len(jpegs)} frames, asked for {i_frame}")
        return Response(jpegs[i_frame], media_type="image/jpeg")

    async def _window(self, request: Request) -> tuple[Path, int, int, float]:
        path = self._maker.clip(request.path_params["pack"], request.path_params["clip"])
        n_frames, rate_hz = await run_in_threadpool(self._maker.length, path)
        start = request.path_params["start"]
        if start >= n_frames:
            raise NotFound(f"the clip has {n_frames} frames, asked for {start}")
        return path, start, min(start + WINDOW_FRAMES, n_frames), rate_hz

    async def save(self, request: Request) -> Response:
        """The finished pack; from now on it is among the others."""
        body = await json_body(request, title=str, rights=str, source=str, items=list)
        items = body["items"]
        if not all(isinstance(item, dict) and _is_item(item) for item in items):
            raise ConfigError(f"expected items with {', '.join(ItemTable.model_fields)}")
        about = {key: body[key] for key in _ABOUT}
        save = self._maker.save
        pack = await run_in_threadpool(save, request.path_params["pack"], about, items)
        self._mirror.packs = await run_in_threadpool(load_packs, self._mirror.options.pack_folders)
        return JSONResponse({"pack": pack.name, "items": len(pack.items)})


def _compared(sent: list[Any], pack: Pack | None) -> _Compared:
    coders = []
    for one in sent:
        known = isinstance(one, dict) and set(one) == {"name", "csv"}
        if not known or not all(isinstance(value, str) for value in one.values()):
            raise ConfigError("expected coders with a name and the text of a report")
        coders.append(coder_from_csv(one["name"].strip()[:60] or "?", one["csv"]))
    found = compare_coders(coders) if pack is None else compare_coders(coders, pack.parse)
    return _Compared(coders, pack, found)


def _number(request: Request, key: str) -> int:
    text = request.query_params.get(key, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ConfigError(f"{key}: expected a number of bytes, got {text[:20]!r}")
    return int(text)


def _is_item(item: dict[str, Any]) -> bool:
    kinds = {"start": int, "end": int, "apex": int}
    required = {"name", "clip", "start", "end", "apex", "key"}
    return required <= set(item) <= set(ItemTable.model_fields) and all(
        isinstance(value, kinds.get(key, str)) for key, value in item.items()
    )

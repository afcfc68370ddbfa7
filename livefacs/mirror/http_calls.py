"""The mirror's HTTP calls: cards, drills, packs, coding, self-test, progress."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from livefacs import __version__
from livefacs.errors import ConfigError, LivefacsError
from livefacs.mirror.cards import cards_document
from livefacs.mirror.coding import compare, sort_key
from livefacs.mirror.core import MirrorCore
from livefacs.mirror.packs import Item, Pack
from livefacs.mirror.puppet_pose import PUPPET_RIGS, levels_from_text, pose_from_levels
from livefacs.mirror.school import (
    CLASSES,
    MOST_ITEMS,
    poses_document,
    school_documents,
    school_pack,
)
from livefacs.mirror.self_test_report import csv_from_report, html_from_report
from livefacs.mirror.selftest import SelfTest
from livefacs.mirror.texts import STATIC
from livefacs.sinks.commands import CommandError, run_command
from livefacs.vocab.facs import AU_CHANNELS, LETTER_FLOORS
from livefacs.vocab.notation import exclusion_errors

Handler = Callable[[Request], Awaitable[Response]]
_MOST_BODY: Final = 64 * 1024
_MOST_TESTS: Final = 50  # kept for their reports; the oldest goes first


class NotFound(ConfigError):
    """Nothing of that name."""


def routes(mirror: MirrorCore) -> list[Route]:
    """Every path but the WebSocket and the static files."""
    calls = _Calls(mirror)
    return routes_of(
        ("/", calls.page, "GET"),
        ("/api/hello", calls.hello, "GET"),
        ("/api/basics", calls.basics, "GET"),
        ("/api/drills", calls.drills, "GET"),
        ("/api/puppet/{rig}", calls.puppet, "GET"),
        ("/api/packs", calls.packs, "GET"),
        ("/api/packs/{pack}/check", calls.check, "POST"),
        ("/api/packs/{pack}/{item}", calls.item, "GET"),
        ("/api/packs/{pack}/{item}/frames/{i:int}", calls.frame, "GET"),
        ("/api/packs/{pack}/{item}/score", calls.score, "POST"),
        ("/api/packs/{pack}/{item}/measured", calls.measured, "GET"),
        ("/api/tests", calls.begin_test, "POST"),
        ("/api/tests/{test}", calls.test, "GET"),
        ("/api/tests/{test}/items/{n:int}", calls.test_item, "GET"),
        ("/api/tests/{test}/items/{n:int}/frames/{i:int}", calls.test_frame, "GET"),
        ("/api/tests/{test}/answer", calls.answer_test, "POST"),
        ("/api/tests/{test}/end", calls.end_test, "POST"),
        ("/api/tests/{test}/report.html", calls.report_html, "GET"),
        ("/api/tests/{test}/report.csv", calls.report_csv, "GET"),
        ("/api/progress", calls.progress, "GET"),
        ("/api/progress/export.json", calls.export_json, "GET"),
        ("/api/progress/export.csv", calls.export_csv, "GET"),
        ("/api/progress/delete", calls.delete_progress, "POST"),
        ("/api/retry", calls.retry, "POST"),
        ("/api/command/{word}", calls.command, "POST"),
    )


def routes_of(*calls: tuple[str, Handler, str]) -> list[Route]:
    """A route for each (path, handler, method)."""
    return [Route(path, plain_errors(handler), methods=[method]) for path, handler, method in calls]


def plain_errors(handler: Handler) -> Handler:
    """The handler with every refusal as ``{"error": …}`` and its status."""

    async def call(request: Request) -> Response:
        try:
            return await handler(request)
        except NotFound as error:
            return JSONResponse({"error": str(error)}, 404)
        except ConfigError as error:
            return JSONResponse({"error": str(error)}, 400)
        except LivefacsError as error:
            return JSONResponse({"error": str(error)}, 503)

    return call


async def body_bytes(request: Request, most_bytes: int) -> bytes:
    """The body of a request, read no further than its bound.

    Raises
    ------
    ConfigError
        There is more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise ConfigError(f"the request is larger than {most_bytes} bytes")
    return bytes(body)


async def json_body(
    request: Request, most_bytes: int = _MOST_BODY, **kinds: type | tuple[type, ...]
) -> dict[str, Any]:
    """The JSON object of a request, with exactly the keys and kinds that are expected."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ConfigError("expected application/json")
    try:
        body = json.loads(await body_bytes(request, most_bytes))
    except (ValueError, RecursionError):
        raise ConfigError("the request is no JSON") from None
    if not isinstance(body, dict) or set(body) - set(kinds):
        raise ConfigError(f"expected an object with {', '.join(kinds) or 'nothing in it'}")
    for key, kind in kinds.items():
        value = body.get(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ConfigError(f"{key}: missing or of the wrong kind")
    return body


class _Calls:
    """One method a path."""

    def __init__(self, mirror: MirrorCore) -> None:
        self._mirror = mirror

    async def page(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-store"})

    async def hello(self, request: Request) -> Response:
        return JSONResponse({"name": "livefacs mirror", "version": __version__})

    async def basics(self, request: Request) -> Response:
        basics = {
            "channels": AU_CHANNELS,
            "letters": [list(pair) for pair in LETTER_FLOORS],
            "can_measure": self._mirror.hooks.measure is not None,
            "can_retry": self._mirror.hooks.retry is not None,
            **cards_document(),
        }
        return JSONResponse(basics)

    async def drills(self, request: Request) -> Response:
        library = self._mirror.drills
        drills = [drill.document() for drill in library.drills.values()]
        return JSONResponse({"drills": drills, "errors": library.errors})

    async def puppet(self, request: Request) -> Response:
        """Controls of a rig for the levels that a page shows."""
        levels = levels_from_text(request.query_params.get("levels", ""))
        rig = request.path_params["rig"]
        if rig not in PUPPET_RIGS:
            raise NotFound(f"no puppet {rig!r}: expected {' or '.join(PUPPET_RIGS)}")
        return JSONResponse({"rig": rig, "values": pose_from_levels(rig, levels)})

    async def packs(self, request: Request) -> Response:
        library = self._mirror.packs
        packs = [pack.document() for pack in library.packs.values()]
        school = school_documents()
        return JSONResponse({"packs": packs, "school": school, "errors": library.errors})

    def _pack(self, request: Request) -> Pack:
        name = request.path_params["pack"]
        if name in CLASSES:
            return school_pack(name, 0)
        if name not in self._mirror.packs.packs:
            raise NotFound(f"no clip pack {name!r}")
        return self._mirror.packs.packs[name]

    def _item(self, request: Request) -> tuple[Pack, Item]:
        pack, name = self._pack(request), request.path_params["item"]
        if name not in pack.items:
            raise NotFound(f"no item {name!r} in pack {pack.name!r}")
        return pack, pack.items[name]

    async def check(self, request: Request) -> Response:
        """Notation while it is typed."""
        pack = self._pack(request)
        line = (await json_body(request, line=str))["line"]
        if not line.strip():
            return JSONResponse({"ok": True, "codes": [], "doubts": []})
        try:
            scores = pack.parse(line)
        except ConfigError as error:
            return JSONResponse({"ok": False, "error": "; ".join(error.errors) or str(error)})
        ordered = sorted(scores, key=lambda score: sort_key(score.code))
        doubts = [] if pack.codes else exclusion_errors(scores)
        codes = [str(score) for score in ordered]
        return JSONResponse({"ok": True, "codes": codes, "doubts": doubts})

    async def item(self, request: Request) -> Response:
        _, item = self._item(request)
        return await self._stretch(item, item.note)

    async def frame(self, request: Request) -> Response:
        _, item = self._item(request)
        return await self._picture(item, request.path_params["i"])

    async def _stretch(self, item: Item, note: str) -> Response:
        jpegs, rate_hz = await self._jpegs(item)
        apex = item.apex - item.start
        return JSONResponse({"frames": len(jpegs), "rate_hz": rate_hz, "apex": apex, "note": note})

    async def _picture(self, item: Item, i_frame: int) -> Response:
        jpegs, _ = await self._jpegs(item)
        if not 0 <= i_frame < len(jpegs):
            raise NotFound(f"the item has {len(jpegs)} frames, asked for {i_frame}")
        return Response(jpegs[i_frame], media_type="image/jpeg")

    async def _jpegs(self, item: Item) -> tuple[Sequence[bytes], float]:
        if item.levels is not None:
            raise NotFound("this item has no clip: a face shows it")
        return await run_in_threadpool(self._mirror.clips.stretch, item.clip, item.start, item.end)

    async def score(self, request: Request) -> Response:
        pack, item = self._item(request)
        line = (await json_body(request, answer=str))["answer"]
        answer = pack.parse(line) if line.strip() else ()
        comparison = compare(item.key, answer, item.optional).document()
        self._mirror.progress.note_coding(pack.name, item.name, line, comparison)
        passed = comparison["index"] >= pack.pass_line
        key = {"key": item.key_text, "pass_line": pack.pass_line, "passed": passed}
        return JSONResponse({**comparison, **key})

    async def measured(self, request: Request) -> Response:
        """Machine curves, as a second opinion."""
        _, item = self._item(request)
        measure = self._mirror.hooks.measure
        if measure is None:
            raise NotFound("this mirror was started without the estimator")
        return JSONResponse(await run_in_threadpool(measure, item))

    def _test(self, request: Request) -> SelfTest:
        name = request.path_params["test"]
        if name not in self._mirror.tests:
            raise NotFound("no such self-test; it may have ended with the program")
        return self._mirror.tests[name]

    async def begin_test(self, request: Request) -> Response:
        number = (int, float, type(None))
        body = await json_body(request, pack=str, items=(int, type(None)), minutes=number)
        packs = self._mirror.packs.packs
        if body["pack"] not in packs and body["pack"] not in CLASSES:
            raise NotFound(f"no clip pack {body['pack']!r}")
        items, minutes = body["items"], body["minutes"]
        if (items is not None and items < 1) or (minutes is not None and not 0 < minutes <= 240):
            raise ConfigError("items must be at least 1, minutes more than 0 and at most 240")
        if body["pack"] in CLASSES:
            pack = school_pack(body["pack"], min(items or 10, MOST_ITEMS))
        else:
            pack = packs[body["pack"]]
        test = SelfTest.begin(pack, items, minutes, self._mirror.clock())
        self._mirror.tests[test.name] = test
        while len(self._mirror.tests) > _MOST_TESTS:
            self._mirror.tests.pop(next(iter(self._mirror.tests)))
        return JSONResponse(test.document(self._mirror.clock()))

    async def test(self, request: Request) -> Response:
        """Where a test stands: a page that was loaded again goes on with it."""
        return JSONResponse(self._test(request).document(self._mirror.clock()))

    def _test_item(self, request: Request) -> Item:
        test, n = self._test(request), request.path_params["n"]
        if not 1 <= n <= len(test.order):
            raise NotFound(f"the self-test has {len(test.order)} items, asked for {n}")
        return test.pack.items[test.order[n - 1]]

    async def test_item(self, request: Request) -> Response:
        """An item by its number: its name or note would give the key away."""
        item = self._test_item(request)
        if item.levels is not None:
            return JSONResponse(poses_document(item, rig_of(request)))
        return await self._stretch(item, "")

    async def test_frame(self, request: Request) -> Response:
        return await self._picture(self._test_item(request), request.path_params["i"])

    async def answer_test(self, request: Request) -> Response:
        test = self._test(request)
        body = await json_body(request, item=int, answer=str)
        test.answer(body["item"], body["answer"], self._mirror.clock())
        return JSONResponse({"answered": len(test.answers)})

    async def end_test(self, request: Request) -> Response:
        test = self._test(request)
        await json_body(request)
        if not test.finished:
            test.finished = True
            for name, line, comparison in test.comparisons():
                self._mirror.progress.note_coding(
                    test.pack.name, name, line, comparison.document(), test.name
                )
        return JSONResponse(test.report())

    def _finished(self, request: Request) -> dict[str, Any]:
        test = self._test(request)
        if not test.finished:
            raise ConfigError("the self-test is still running: end it first")
        return test.report()

    async def report_html(self, request: Request) -> Response:
        return HTMLResponse(html_from_report(self._finished(request)))

    async def report_csv(self, request: Request) -> Response:
        return download(csv_from_report(self._finished(request)), "text/csv", "self-test.csv")

    async def progress(self, request: Request) -> Response:
        return JSONResponse(self._mirror.progress.summary())

    async def export_json(self, request: Request) -> Response:
        document = json.dumps(self._mirror.progress.export(), indent=1)
        return download(document, "application/json", "livefacs-progress.json")

    async def export_csv(self, request: Request) -> Response:
        return download(self._mirror.progress.export_csv(), "text/csv", "livefacs-progress.csv")

    async def delete_progress(self, request: Request) -> Response:
        if (await json_body(request, confirm=str))["confirm"] != "delete":
            raise ConfigError('expected confirm = "delete"')
        self._mirror.progress.delete_all()
        return JSONResponse({"deleted": True})

    async def retry(self, request: Request) -> Response:
        await json_body(request)
        if self._mirror.hooks.retry is None:
            raise NotFound("this mirror cannot open a camera by itself")
        self._mirror.hooks.retry()
        return JSONResponse({"asked": True})

    async def command(self, request: Request) -> Response:
        arguments = (await json_body(request, arguments=list))["arguments"]
        control = self._mirror.hooks.control
        if control is None:
            raise NotFound("this mirror takes no commands: `livefacs live --mirror` does")
        word = request.path_params["word"]
        try:
            reply = await run_in_threadpool(run_command, control, word, arguments)
        except CommandError as error:
            raise ConfigError(str(error)) from None
        return JSONResponse({"reply": reply})


def rig_of(request: Request) -> str:
    """What the page's face is moved by."""
    rig = request.query_params.get("rig", "head")
    if rig not in ("head", *PUPPET_RIGS):
        raise NotFound(f"no face {rig!r}")
    return rig


def download(text: str | bytes, media_type: str, name: str) -> Response:
    """A file for the user to keep."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=disposition)

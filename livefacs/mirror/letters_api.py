"""HTTP calls of the letters that are said of a head."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livefacs.mirror.core import MirrorCore
from livefacs.mirror.http_calls import NotFound, json_body, rig_of, routes_of
from livefacs.mirror.letters import LetterTest
from livefacs.mirror.school import HUMAN_ACTIONS, poses_document

_MOST_TESTS: Final = 50


def routes(mirror: MirrorCore) -> list[Route]:
    """Every path."""
    calls = _Calls(mirror)
    return routes_of(
        ("/api/letters", calls.actions, "GET"),
        ("/api/letters", calls.begin, "POST"),
        ("/api/letters/{test}/items/{n:int}", calls.item, "GET"),
        ("/api/letters/{test}/answer", calls.answer, "POST"),
        ("/api/letters/{test}/end", calls.end, "POST"),
    )


class _Calls:
    """One method a path."""

    def __init__(self, mirror: MirrorCore) -> None:
        self._tests = mirror.letter_tests

    async def actions(self, request: Request) -> Response:
        return JSONResponse({"actions": HUMAN_ACTIONS})

    async def begin(self, request: Request) -> Response:
        body = await json_body(request, action=str, items=int)
        test = LetterTest.begin(body["action"], body["items"])
        self._tests[test.name] = test
        while len(self._tests) > _MOST_TESTS:
            self._tests.pop(next(iter(self._tests)))
        return JSONResponse(test.document())

    def _test(self, request: Request) -> LetterTest:
        name = request.path_params["test"]
        if name not in self._tests:
            raise NotFound("no such series of faces; it may have ended with the program")
        return self._tests[name]

    async def item(self, request: Request) -> Response:
        test, n = self._test(request), request.path_params["n"]
        if not 1 <= n <= len(test.items):
            raise NotFound(f"there are {len(test.items)} faces, asked for {n}")
        return JSONResponse(poses_document(test.items[n - 1], rig_of(request)))

    async def answer(self, request: Request) -> Response:
        test = self._test(request)
        body = await json_body(request, item=int, letter=str)
        test.answer(body["item"], body["letter"])
        return JSONResponse({"answered": len(test.answers)})

    async def end(self, request: Request) -> Response:
        test = self._test(request)
        await json_body(request)
        return JSONResponse(test.report())

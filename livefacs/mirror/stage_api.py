"""The stage's HTTP calls: the map, its changes, what is wrong, poses, destinations, takes."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from livefacs.errors import ConfigError
from livefacs.mirror.core import MirrorCore
from livefacs.mirror.http_calls import json_body, routes_of
from livefacs.mirror.stage import StageHost
from livefacs.mirror.stage_fit import changes_from_fits, fit_poses
from livefacs.mirror.stage_takes import StageTakes
from livefacs.mirror.stage_view import schemes_document, session_document, stage_document
from livefacs.mirror.texts import STATIC
from livefacs.resources import data_path
from livefacs.retarget.diagnosis import diagnose

_A_DAY_S: Final = 86_400
_NUMBER: Final = (int, float)


def routes(mirror: MirrorCore) -> list[Route]:
    """Every path of the stage but its WebSocket."""
    calls = _Calls(mirror)
    takes = StageTakes(mirror.stage)
    return routes_of(
        ("/stage", calls.page, "GET"),
        ("/stage/head.glb", calls.head, "GET"),
        ("/stage/character", calls.character, "GET"),
        ("/api/stage", calls.document, "GET"),
        ("/api/stage/session", calls.session, "GET"),
        ("/api/stage/schemes", calls.schemes, "GET"),
        ("/api/stage/choices", calls.choices, "GET"),
        ("/api/stage/still", calls.still, "GET"),
        ("/api/stage/choose", calls.choose, "POST"),
        ("/api/stage/open", calls.open, "POST"),
        ("/api/stage/change", calls.change, "POST"),
        ("/api/stage/reset", calls.reset, "POST"),
        ("/api/stage/undo", calls.undo, "POST"),
        ("/api/stage/redo", calls.redo, "POST"),
        ("/api/stage/compare", calls.compare, "POST"),
        ("/api/stage/wrong", calls.wrong, "POST"),
        ("/api/stage/poses/add", calls.add_pose, "POST"),
        ("/api/stage/poses/clear", calls.clear_poses, "POST"),
        ("/api/stage/poses/fit", calls.fit, "POST"),
        ("/api/stage/destinations/{act}", calls.destination, "POST"),
        ("/api/stage/filter", calls.filter, "POST"),
        ("/api/stage/takes", takes.list, "GET"),
        ("/api/stage/takes/{name}", takes.curves, "GET"),
        ("/api/stage/takes/{name}/pictures/{row:int}", takes.picture, "GET"),
        ("/api/stage/takes/{name}/trim", takes.trim, "POST"),
        ("/api/stage/takes/{name}/export", takes.begin_export, "POST"),
        ("/api/stage/exports/{export}", takes.export, "GET"),
        ("/api/stage/exports/{export}/file", takes.export_file, "GET"),
        ("/api/stage/folder", takes.show_folder, "POST"),
    )


class _Calls:
    """One method a path."""

    def __init__(self, mirror: MirrorCore) -> None:
        self._stage = mirror.stage
        self._hooks = mirror.hooks
        self._character = mirror.options.character

    async def page(self, request: Request) -> Response:
        return FileResponse(STATIC / "stage.html", headers={"Cache-Control": "no-store"})

    async def head(self, request: Request) -> Response:
        """The head that ships; its entity tag tells a page whether it has this one."""
        return FileResponse(
            data_path("head.glb"),
            media_type="model/gltf-binary",
            headers={"Cache-Control": f"private, max-age={_A_DAY_S}"},
        )

    async def character(self, request: Request) -> Response:
        """The user's own, where one was named."""
        if self._character is None:
            raise ConfigError("no character was named: livefacs stage --character FILE")
        return FileResponse(self._character, media_type="model/gltf-binary")

    async def choices(self, request: Request) -> Response:
        """Cameras and profiles to choose from; none where the session cannot change."""
        choices = self._hooks.choices
        found = {} if choices is None else await run_in_threadpool(choices)
        name = None if self._character is None else self._character.name
        return JSONResponse({"character": name, **found})

    async def still(self, request: Request) -> Response:
        """What a source sees."""
        still = self._hooks.still
        if still is None:
            raise ConfigError("this session keeps its source")
        spec = request.query_params.get("source", "")
        return Response(await run_in_threadpool(still, spec), media_type="image/jpeg")

    async def choose(self, request: Request) -> Response:
        """Go on with another camera or person."""
        body = await json_body(request, kind=str, name=str)
        choose = self._hooks.choose
        if choose is None:
            raise ConfigError("this session keeps its source: livefacs stage can change it")
        await run_in_threadpool(choose, body["kind"], body["name"])
        return JSONResponse({"chosen": body["name"]})

    async def document(self, request: Request) -> Response:
        return await self._answer()

    async def _answer(self, act: Callable[[], object] = lambda: None) -> Response:
        """Do something that writes files, then give the map as it is."""
        await run_in_threadpool(act)
        return JSONResponse(await run_in_threadpool(stage_document, self._stage))

    async def session(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session_document, self._stage))

    async def schemes(self, request: Request) -> Response:
        return JSONResponse({"schemes": schemes_document()})

    async def open(self, request: Request) -> Response:
        name = (await json_body(request, rig=str))["rig"]
        return await self._answer(lambda: self._stage.open(name))

    async def change(self, request: Request) -> Response:
        body = await json_body(request, changes=dict, gesture=(str, NoneType))
        changes, gesture = body["changes"], body.get("gesture") or ""
        if not all(isinstance(keys, dict) for keys in changes.values()):
            raise ConfigError("changes: expected a table of keys for each control")
        return await self._answer(lambda: self._stage.change(changes, gesture))

    async def reset(self, request: Request) -> Response:
        control = (await json_body(request, control=str))["control"]
        return await self._answer(lambda: self._stage.reset(control))

    async def undo(self, request: Request) -> Response:
        await json_body(request)
        return await self._answer(self._stage.undo)

    async def redo(self, request: Request) -> Response:
        await json_body(request)
        return await self._answer(self._stage.redo)

    async def compare(self, request: Request) -> Response:
        saved = (await json_body(request, saved=bool))["saved"]
        return await self._answer(lambda: self._stage.compare(saved))

    async def wrong(self, request: Request) -> Response:
        body = await json_body(request, control=str, complaint=str)
        rules = {rule.name: rule for rule in self._stage.map.rules}
        record = self._stage.record()
        found = await run_in_threadpool(diagnose, body["complaint"], body["control"], rules, record)
        return JSONResponse(
            {
                "says": found.says,
                "parts": [list(part) for part in found.parts],
                "proposals": [
                    {"changes": each.changes, "says": each.says} for each in found.proposals
                ],
            }
        )

    async def add_pose(self, request: Request) -> Response:
        values = (await json_body(request, values=dict))["values"]
        known = set(self._stage.map.controls)
        for name, value in values.items():
            if name not in known or not isinstance(value, _NUMBER) or isinstance(value, bool):
                raise ConfigError(f"values: expected numbers by control, got {name[:60]!r}")
        numbers = {name: float(value) for name, value in values.items()}
        return await self._answer(lambda: self._stage.capture_pose(numbers))

    async def clear_poses(self, request: Request) -> Response:
        await json_body(request)
        return await self._answer(self._stage.poses.clear)

    async def fit(self, request: Request) -> Response:
        """Solve the map from the poses; write it where that is asked for."""
        take = (await json_body(request, take=bool))["take"]
        fits = await run_in_threadpool(fit_poses, self._stage)
        if take:
            changes = changes_from_fits(fits)
            await run_in_threadpool(self._stage.change, changes)
        rows: list[dict[str, Any]] = [
            {
                "control": fit.control,
                "weights": dict(fit.weights),
                "rms": fit.residual_rms,
                "left_out_rms": fit.left_out_rms,
                "worst": fit.worst,
                "worst_residual": fit.worst_residual,
            }
            for fit in fits
        ]
        return JSONResponse({"fits": rows, "taken": take})

    def _host(self) -> StageHost:
        host = self._stage.host
        if host is None:
            raise ConfigError("no session runs just now")
        return host

    async def destination(self, request: Request) -> Response:
        url = (await json_body(request, url=str))["url"]
        host = self._host()
        acts = {
            "add": host.add_destination,
            "remove": host.remove_destination,
            "sweep": host.sweep,
        }
        act = acts.get(request.path_params["act"])
        if act is None:
            raise ConfigError(f"expected one of {', '.join(acts)}")
        await run_in_threadpool(act, url)
        return JSONResponse(await run_in_threadpool(session_document, self._stage))

    async def filter(self, request: Request) -> Response:
        body = await json_body(request, cutoff_hz=_NUMBER, beta=_NUMBER)
        cutoff_hz, beta = float(body["cutoff_hz"]), float(body["beta"])
        if not (0.0 <= cutoff_hz <= 60.0 and 0.0 <= beta <= 100.0):
            raise ConfigError("expected cutoff_hz from 0 to 60 and beta from 0 to 100")
        self._host().set_filter(cutoff_hz, beta)
        return JSONResponse({"cutoff_hz": cutoff_hz, "beta": beta})

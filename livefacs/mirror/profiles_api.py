"""The mirror's HTTP calls about people: their profiles, and the round that one is led through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livefacs.au.estimator_model import EstimatorModel, load_model
from livefacs.au.profile import Profile, load_profile, profile_names
from livefacs.au.profile_words import details, summary
from livefacs.au.rounds import EXERCISES, SHORT
from livefacs.errors import ConfigError, ProfileError
from livefacs.mirror.core import MirrorCore
from livefacs.mirror.guided_rounds import path_of
from livefacs.mirror.http_calls import json_body, routes_of

_MOST_ACTIONS: Final = 60


def routes(mirror: MirrorCore) -> list[Route]:
    """Every path about people."""
    calls = _Calls(mirror)
    return routes_of(
        ("/api/profiles", calls.profiles, "GET"),
        ("/api/profiles/use", calls.use, "POST"),
        ("/api/profiles/forget", calls.forget, "POST"),
        ("/api/guidance", calls.document, "GET"),
        ("/api/guidance/calibrate", calls.calibrate, "POST"),
        ("/api/guidance/teach", calls.teach, "POST"),
        ("/api/guidance/check", calls.check, "POST"),
        ("/api/guidance/save", calls.save, "POST"),
        ("/api/guidance/{act}", calls.act, "POST"),
    )


class _Calls:
    """One method a path."""

    def __init__(self, mirror: MirrorCore) -> None:
        self._guidance = mirror.guidance

    async def profiles(self, request: Request) -> Response:
        """Who is known, what of each, and what may be asked for."""
        return JSONResponse(await run_in_threadpool(self._profiles))

    def _profiles(self) -> dict[str, Any]:
        subject = self._guidance.subject
        spec = subject.spec if subject is not None else ""
        model = subject.model if subject is not None else load_model()
        specs = dict.fromkeys([*profile_names(), *filter(None, [spec])])
        return {
            "profiles": [_row(each, model) for each in specs],
            "in_use": spec,
            "can_use": self._guidance.use is not None,
            "short": SHORT,
            "exercises": [
                {"actions": list(each.actions), "instruction": each.instruction}
                for each in EXERCISES
            ],
        }

    async def use(self, request: Request) -> Response:
        """Go on with another profile, or with ``none``."""
        spec = (await json_body(request, profile=str))["profile"]
        if self._guidance.use is None:
            raise ConfigError(
                "this session keeps its profile: end it and start it with --profile NAME"
            )
        if spec != "none":
            path_of(self._guidance.subject, spec)
        await run_in_threadpool(self._guidance.use, spec)
        return JSONResponse({"in_use": spec})

    async def forget(self, request: Request) -> Response:
        body = await json_body(request, profile=str, channel=str)
        await run_in_threadpool(self._guidance.forget, body["profile"], body["channel"])
        return JSONResponse(await run_in_threadpool(self._profiles))

    async def document(self, request: Request) -> Response:
        return JSONResponse(self._guidance.document())

    async def _done(self, act: Callable[[], object]) -> Response:
        await run_in_threadpool(act)
        return JSONResponse(self._guidance.document())

    async def calibrate(self, request: Request) -> Response:
        body = await json_body(request, profile=str, round=str, only=list, add=bool)
        only = body["only"]
        if len(only) > _MOST_ACTIONS or not all(isinstance(name, str) for name in only):
            raise ConfigError(f"only: expected at most {_MOST_ACTIONS} names of actions")
        return await self._done(
            lambda: self._guidance.calibrate(body["profile"], body["round"], only, add=body["add"])
        )

    async def teach(self, request: Request) -> Response:
        body = await json_body(request, profile=str, action=str, code=str, side=str, replace=bool)
        names = (body["profile"], body["action"], body["code"], body["side"])
        return await self._done(lambda: self._guidance.teach(*names, replace=body["replace"]))

    async def check(self, request: Request) -> Response:
        spec = (await json_body(request, profile=str))["profile"]
        return await self._done(lambda: self._guidance.check(spec))

    async def save(self, request: Request) -> Response:
        """Try again; under another name where one is given."""
        spec = (await json_body(request, profile=str))["profile"]
        return await self._done(lambda: self._guidance.save(spec))

    async def act(self, request: Request) -> Response:
        """Skip, retry, finish or stop."""
        await json_body(request)
        guidance = self._guidance
        acts = {
            "skip": guidance.skip,
            "retry": guidance.retry,
            "finish": guidance.finish,
            "stop": guidance.stop,
        }
        act = acts.get(request.path_params["act"])
        if act is None:
            raise ConfigError(f"expected one of {', '.join(acts)}")
        return await self._done(act)


def _row(spec: str, model: EstimatorModel) -> dict[str, Any]:
    """One profile; a damaged one with its fault."""
    try:
        profile = load_profile(spec)
    except ProfileError as error:
        return {"name": spec, "summary": "", "details": [], "taught": [], "fault": str(error)}
    return {
        "name": spec,
        "summary": summary(profile),
        "details": list(details(profile, model)),
        "taught": _taught(profile),
        "fault": "",
    }


def _taught(profile: Profile) -> list[dict[str, str]]:
    return [{"name": each.name, "channel": each.channel} for each in profile.taught]

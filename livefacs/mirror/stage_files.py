"""Files of the 3D face that the pages fetch."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from livefacs.resources import data_path

_A_DAY_S: Final = 86_400


async def _head(request: Request) -> Response:
    """The head that ships; its entity tag tells a page whether it has this one."""
    return FileResponse(
        data_path("head.glb"),
        media_type="model/gltf-binary",
        headers={"Cache-Control": f"private, max-age={_A_DAY_S}"},
    )


def routes() -> list[Route]:
    """The paths."""
    return [Route("/stage/head.glb", _head, methods=["GET"])]

"""Takes on the stage: listed, played on the face with their pictures, trimmed, exported."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from livefacs.errors import ConfigError, TakeError
from livefacs.formats.curves import ExportOptions, performance_from_take
from livefacs.formats.export import FORMATS, check_export, find_format
from livefacs.mirror.folders import show_folder
from livefacs.mirror.guard import is_of_this_machine
from livefacs.mirror.http_calls import json_body
from livefacs.mirror.packets import jpeg_from_image
from livefacs.mirror.stage import Stage
from livefacs.mirror.take_jobs import Exports, trim_with_pictures
from livefacs.retarget.compiler import RigProgram, program_from_map
from livefacs.retarget.retargeter import Retargeter
from livefacs.sources.take_pictures import TakePictures
from livefacs.take.catalog import find_takes
from livefacs.take.reader import Take
from livefacs.take.sound import has_sound

_MOST_ROWS: Final = 36_000  # ten minutes at 60 frames a second


class StageTakes:
    """One method a path."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._exports = Exports()
        self._lock = threading.Lock()  # one picture at a time
        self._shown: tuple[Path, TakePictures] | None = None
        stage.on_shut.append(self.close)

    def close(self) -> None:
        """Let the video go, and the files of exports."""
        with self._lock:
            self._leave_video()
        self._exports.close()

    def _folder(self) -> Path:
        host = self._stage.host
        folder = None if host is None else host.take_folder()
        if folder is None:
            raise ConfigError("this session records no takes: start it with --record FOLDER")
        return folder

    async def list(self, request: Request) -> Response:
        """Every take of the folder, the newest last, and what cannot be read."""
        found = await run_in_threadpool(self._list)
        return JSONResponse({**found, "can_show_folder": is_of_this_machine(request)})

    def _list(self) -> dict[str, Any]:
        folder = self._folder()
        takes, broken = find_takes(folder) if folder.is_dir() else ([], [])
        formats = [
            {
                "name": each.name,
                "summary": each.summary,
                "is_list": each.is_list,
                "needs": [
                    part
                    for part, is_needed in (("sound", each.of_sound), ("video", each.of_video))
                    if is_needed
                ],
            }
            for each in FORMATS.values()
        ]
        return {
            "folder": str(folder),
            "takes": [_row(take) for take in takes],
            "broken": [str(error) for error in broken],
            "formats": formats,
        }

    async def show_folder(self, request: Request) -> Response:
        """Open the takes' folder, for whoever sits at this machine."""
        await json_body(request)
        folder = self._folder()
        if not is_of_this_machine(request):
            raise ConfigError(f"only a page on that machine opens its folder; it is {folder}")
        await run_in_threadpool(show_folder, folder)
        return JSONResponse({"folder": str(folder)})

    def _take(self, request: Request) -> Take:
        name = request.path_params["name"]
        if name != Path(name).name or name in {"", ".", ".."}:
            raise ConfigError(f"{name[:80]!r} is no take")
        return Take(self._folder() / name)

    async def curves(self, request: Request) -> Response:
        """Action Units, the tuned map's controls, head (yaw, pitch, roll) and gaze by frame."""
        take = await run_in_threadpool(self._take, request)
        program = program_from_map(self._stage.map)
        return JSONResponse(await run_in_threadpool(_curves, take, program))

    async def picture(self, request: Request) -> Response:
        """What the camera saw at a row."""
        jpeg = await run_in_threadpool(self._picture, request)
        return Response(jpeg, media_type="image/jpeg")

    def _picture(self, request: Request) -> bytes:
        with self._lock:
            folder = self._folder() / request.path_params["name"]
            if self._shown is None or self._shown[0] != folder:
                self._leave_video()
                self._shown = (folder, TakePictures(self._take(request)))
            return jpeg_from_image(self._shown[1].image(request.path_params["row"]))

    def _leave_video(self) -> None:
        if self._shown is not None:
            self._shown[1].close()
        self._shown = None

    async def trim(self, request: Request) -> Response:
        """Rows ``first`` to ``last`` as a new take; this one stays as it is."""
        body = await json_body(request, first=int, last=int)
        take = await run_in_threadpool(self._take, request)
        rows = range(body["first"], body["last"] + 1)
        folder = await run_in_threadpool(trim_with_pictures, take, rows, self._folder())
        return JSONResponse({"name": folder.name})

    async def begin_export(self, request: Request) -> Response:
        """Start an export of a take, or of a part of it."""
        body = await json_body(request, format=str, rig=str, first=int, last=int)
        take = await run_in_threadpool(self._take, request)
        file_format = find_format(body["format"])
        rig = "" if file_format.is_list else body["rig"]
        options = ExportOptions(rig=rig)
        await run_in_threadpool(check_export, file_format, options)
        last = take.n_rows - 1 if body["last"] < 0 else body["last"]
        rows = range(body["first"], last + 1)
        if not rows or rows.start < 0 or last >= take.n_rows:
            raise ConfigError(f"expected rows from 0 to {take.n_rows - 1}")
        return JSONResponse({"export": self._exports.begin(take, file_format, options, rows)})

    async def export(self, request: Request) -> Response:
        """How far an export is."""
        job = self._exports.find(request.path_params["export"])
        return JSONResponse(await run_in_threadpool(job.document))

    async def export_file(self, request: Request) -> Response:
        """Its file, once it is ready."""
        job = self._exports.find(request.path_params["export"])
        if job.state != "ready":
            raise TakeError(job.error or "the export is not ready")
        return FileResponse(job.path, filename=job.path.name)


def _row(take: Take) -> dict[str, Any]:
    return {
        "name": take.folder.name,
        "frames": take.n_rows,
        "seconds": round(take.duration_s, 2),
        "notes": take.document["notes"],
        "has_video": take.document["video"] is not None and len(take.video_stamps()) > 0,
        "has_sound": has_sound(take),
        "is_open": take.state == "recording",
    }


def _curves(take: Take, program: RigProgram) -> dict[str, Any]:
    frames = take.frames[:_MOST_ROWS]
    values = Retargeter(program).run(performance_from_take(take))
    times = np.asarray(take.time_s[:_MOST_ROWS], np.float64)
    return {
        "channels": list(take.channels),
        "t_s": np.round(times, 4).tolist(),
        "intensity": _rounded(take.intensity[:_MOST_ROWS]),
        "controls": list(program.controls),
        "values": _rounded(values[:_MOST_ROWS]),
        "head_rad": _rounded(frames["head"][:, :3]),
        "gaze_rad": _rounded(frames["gaze"]),
        "has_video": _row(take)["has_video"],
        "markers": [
            {"row": marker.row, "label": marker.label}
            for marker in take.markers
            if 0 <= marker.row < len(times)
        ],
    }


def _rounded(values: Any) -> list[list[float]]:
    rows: list[list[float]] = np.round(np.nan_to_num(np.asarray(values, np.float64)), 4).tolist()
    return rows

"""Takes on the stage: listed, played on the face, exported."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from livefacs.errors import ConfigError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import FORMATS, check_export, export_take, find_format
from livefacs.mirror.stage import Stage
from livefacs.take.catalog import find_takes
from livefacs.take.reader import Take

_MOST_ROWS: Final = 36_000  # ten minutes at 60 frames a second


class StageTakes:
    """One method a path."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _folder(self) -> Path:
        host = self._stage.host
        folder = None if host is None else host.take_folder()
        if folder is None:
            raise ConfigError("this session records no takes: start it with --record FOLDER")
        return folder

    async def list(self, request: Request) -> Response:
        """Every take of the folder, the newest last, and what cannot be read."""
        return JSONResponse(await run_in_threadpool(self._list))

    def _list(self) -> dict[str, Any]:
        folder = self._folder()
        takes, broken = find_takes(folder) if folder.is_dir() else ([], [])
        rows = [
            {"name": take.folder.name, "frames": take.n_rows, "seconds": round(_length_s(take), 2)}
            for take in takes
        ]
        formats = [
            {"name": each.name, "summary": each.summary, "suffix": each.suffixes[0]}
            for each in FORMATS.values()
        ]
        return {
            "folder": str(folder),
            "takes": rows,
            "broken": [str(error) for error in broken],
            "formats": formats,
        }

    def _take(self, request: Request) -> Take:
        name = request.path_params["name"]
        if name != Path(name).name or name in {"", ".", ".."}:
            raise ConfigError(f"{name[:80]!r} is no take")
        return Take(self._folder() / name)

    async def curves(self, request: Request) -> Response:
        """Action Units, head (yaw, pitch, roll) and gaze (left, right: yaw, pitch) by frame."""
        take = await run_in_threadpool(self._take, request)
        return JSONResponse(await run_in_threadpool(_curves, take))

    async def export(self, request: Request) -> Response:
        """The take in a format, to download."""
        take = await run_in_threadpool(self._take, request)
        file_format = find_format(request.query_params.get("format", ""))
        options = ExportOptions(rig=request.query_params.get("rig", ""))
        folder = Path(tempfile.mkdtemp(prefix="livefacs-export-"))
        path = folder / f"{take.folder.name}{file_format.suffixes[0]}"
        try:
            check_export(file_format, options)
            await run_in_threadpool(export_take, take, file_format, path, options)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        swept = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        return FileResponse(path, filename=path.name, background=swept)


def _length_s(take: Take) -> float:
    times = np.asarray(take.time_s, np.float64)
    return float(times[-1] - times[0]) if len(times) else 0.0


def _curves(take: Take) -> dict[str, Any]:
    frames = take.frames[:_MOST_ROWS]
    intensity = np.nan_to_num(np.asarray(take.intensity[:_MOST_ROWS], np.float64))
    times = np.asarray(take.time_s[:_MOST_ROWS], np.float64)
    return {
        "channels": list(take.channels),
        "t_s": np.round(times - (times[0] if len(times) else 0.0), 4).tolist(),
        "intensity": np.round(intensity, 4).tolist(),
        "head_rad": np.round(np.nan_to_num(frames["head"][:, :3]), 5).tolist(),
        "gaze_rad": np.round(np.nan_to_num(frames["gaze"]), 5).tolist(),
    }

"""Every export format by its name, and the one way to write them."""

from __future__ import annotations

import importlib
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from livefacs.errors import ConfigError, TakeError
from livefacs.files.output import STANDARD_OUTPUT, output
from livefacs.formats.curves import Exporter, ExportOptions, need
from livefacs.formats.holes import unseen_notice
from livefacs.retarget.library import load_rig
from livefacs.take.reader import Take
from livefacs.timecode import find_rate


@dataclass(frozen=True, slots=True)
class Format:
    """One export format.

    Attributes
    ----------
    name : str
        As users write it.
    suffixes : tuple of str
        File name endings; the first is the default.
    module, function : where its exporter is
    summary : str
        One line for people.
    extra, library : str
        The extra that brings its library, and the library's module; empty where none is needed.
    is_list : bool
        A list of events or markers at the take's own times, which has no curves to choose.
    is_text : bool
        It is text (the default ending is), which standard output can take.
    counts : bool
        It has a frame count of its own, which may begin anywhere.
    of_sound, of_video : bool
        It is made of the take's sound or video, which the take must have.
    unseen : str
        What becomes of times without a face, in words; empty where each row says it by itself.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    summary: str
    extra: str = ""
    library: str = ""
    function: str = "export"
    is_list: bool = False
    is_text: bool = True
    counts: bool = False
    of_sound: bool = False
    of_video: bool = False
    unseen: str = "values are held there, or 0 before the first"


_NOT_LISTED: Final = "nothing is listed there"

FORMATS: Final[dict[str, Format]] = {
    item.name: item
    for item in (
        Format(
            "csv", (".csv",), "au_table", "a row a frame, as livefacs solve writes it", unseen=""
        ),
        Format("jsonl", (".jsonl",), "jsonl", "a JSON object a line", unseen=""),
        Format(
            "parquet",
            (".parquet",),
            "parquet",
            "columns for pandas, Polars, DuckDB",
            *("parquet", "pyarrow"),
            is_text=False,
            unseen="",
        ),
        Format("openface", (".csv",), "openface_csv", "OpenFace 2 CSV, AU*_r on 0 to 5", unseen=""),
        Format("livelinkface", (".csv",), "livelink_csv", "Live Link Face take, as the phone's"),
        Format(
            "usd",
            (".usda", ".usdc", ".usd"),
            "usd",
            "UsdSkelAnimation blend shapes",
            *("usd", "pxr"),
            counts=True,
        ),
        Format("gltf", (".glb", ".gltf"), "gltf", "glTF 2.0 morph weights and head", is_text=False),
        Format("vrma", (".vrma",), "vrma", "VRM animation: expressions, gaze, head", is_text=False),
        Format(
            "maya",
            (".anim",),
            "maya_anim",
            "Maya .anim curves of a blend shape node",
            counts=True,
        ),
        Format("motion3", (".motion3.json",), "motion3", "Live2D Cubism motion of parameters"),
        Format(
            "vmd",
            (".vmd",),
            "vmd",
            "MikuMikuDance motion: morphs, head, eyes",
            is_text=False,
            counts=True,
        ),
        Format("unity", (".anim",), "unity_anim", "Unity animation clip of blend shapes"),
        Format("unreal", (".csv",), "unreal_curves", "Unreal curve table, a row a curve"),
        Format(
            "clip",
            (".clip",),
            "houdini",
            "Houdini or TouchDesigner clip",
            function="clip",
            counts=True,
        ),
        Format("chan", (".chan",), "houdini", "Houdini channels, no names", function="chan"),
        Format("nuke", (".chan",), "nuke_chan", "Nuke .chan of the head", counts=True),
        Format(
            "wav",
            (".wav",),
            "wave",
            "sound on the frames' clock",
            is_list=True,
            is_text=False,
            of_sound=True,
            unseen="",
        ),
        Format(
            "mp4",
            (".mp4",),
            "movie",
            "video with that sound",
            is_list=True,
            is_text=False,
            of_sound=True,
            of_video=True,
            unseen="",
        ),
        Format(
            "events",
            (".csv",),
            "events_csv",
            "list of FACS events",
            is_list=True,
            unseen=_NOT_LISTED,
        ),
        Format(
            "eaf",
            (".eaf",),
            "eaf",
            "ELAN annotations of the events",
            is_list=True,
            unseen=_NOT_LISTED,
        ),
        Format("edl", (".edl",), "edl", "CMX 3600 list with the markers", is_list=True, unseen=""),
        Format(
            "otio",
            (".otio",),
            "otio",
            "OpenTimelineIO timeline with the markers",
            *("otio", "opentimelineio"),
            is_list=True,
            unseen="",
        ),
    )
}


def find_format(name: str, path: Path | None = None) -> Format:
    """A format by name or by an ending that it alone has (glb); by the file's if neither is given.

    Raises
    ------
    ConfigError
        No such format, or the ending does not tell.
    """
    if name:
        found = FORMATS.get(name.lower()) or _format_by_ending(f".{name.lower()}")
        if found is None:
            raise ConfigError(f"no format {name!r}: expected one of {', '.join(FORMATS)}")
        return found
    ending = path.name.lower() if path is not None else ""
    for candidate in FORMATS.values():
        if ending.endswith(candidate.suffixes):
            return candidate
    raise ConfigError(
        f"{path}: the ending does not tell the format; name it with --to, one of"
        f" {', '.join(FORMATS)}"
    )


def _format_by_ending(ending: str) -> Format | None:
    found = [each for each in FORMATS.values() if ending in each.suffixes]
    return found[0] if len(found) == 1 else None


def check_place(file_format: Format, path: Path) -> None:
    """Refuse to write bytes where text is read.

    Raises
    ------
    ConfigError
        The format is not text, and standard output is asked for.
    """
    if path == STANDARD_OUTPUT and not file_format.is_text:
        raise ConfigError(
            f"{file_format.name} is no text, which alone goes to standard output: name a file"
        )


def check_export(file_format: Format, options: ExportOptions) -> None:
    """Find what is wrong with the options before any work is done for them.

    Raises
    ------
    ConfigError
        No such rate or rig, smoothing that is none, an option that changes curves where the format
        has none, or the format's library is not installed.
    """
    _refuse_what_is_not_heeded(file_format, options)
    if file_format.library and importlib.util.find_spec(file_format.library) is None:
        raise need(file_format.library, file_format.extra)
    if options.fps:
        find_rate(options.fps)
    if options.rig:
        load_rig(options.rig)
    if not 0.0 <= options.smooth_hz < math.inf:
        raise ConfigError(f"smoothing at {options.smooth_hz:g} Hz: expected 0 (none) or more")
    check = getattr(_module(file_format), "check", None)
    if check is not None:
        check(options)


def _refuse_what_is_not_heeded(file_format: Format, options: ExportOptions) -> None:
    """A list of events at 30 frames is none at 24 because that was asked for."""
    given = {
        "--rig": options.rig,
        "--fps": options.fps,
        "--smooth": options.smooth_hz,
        "--raw": options.raw,
    }
    wrong = [flag for flag, value in given.items() if value]
    if file_format.is_list and wrong:
        raise ConfigError(
            f"{file_format.name} is made of the take as it was recorded:"
            f" leave out {' and '.join(wrong)}"
        )
    if options.first_frame is not None and not file_format.counts:
        raise ConfigError(
            f"{file_format.name} has no frame count of its own: leave out --first-frame, which is"
            f" for {', '.join(each.name for each in FORMATS.values() if each.counts)}"
        )
    if options.header_blanks and file_format.name != "openface":
        raise ConfigError(
            f"{file_format.name} has no blanks in its header: leave out --header-blanks, which is"
            " for --to openface"
        )


def export_take(
    take: Take, file_format: Format, path: Path, options: ExportOptions
) -> tuple[str, ...]:
    """Write a take in a format. The file appears whole or not at all; see ``files.output``.

    Returns
    -------
    tuple of str
        What the file cannot say: times without a face.

    Raises
    ------
    TakeError
        The destination cannot be written or the take cannot give what the format needs.
    ConfigError
        An option is wrong, or the format's library is not installed.
    """
    _refuse_what_is_not_heeded(file_format, options)
    check_place(file_format, path)
    exporter: Exporter = getattr(_module(file_format), file_format.function)
    suffix = path.suffix if path.suffix.lower() in file_format.suffixes else file_format.suffixes[0]
    try:
        with output(path, suffix=suffix) as unfinished:
            exporter(take, unfinished, options)
    except OSError as error:
        raise TakeError(
            f"cannot write {path}: {error.strerror or error}; name another place"
        ) from error
    notice = unseen_notice(take, file_format.unseen) if file_format.unseen else ""
    return (notice,) if notice else ()


def _module(file_format: Format) -> ModuleType:
    return importlib.import_module(f"livefacs.formats.{file_format.module}")

"""``livefacs export``: a take in another package's format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say

if TYPE_CHECKING:
    from livefacs.take.reader import Take

app = typer.Typer()


def _list_formats(wanted: bool) -> None:
    if not wanted:
        return
    from livefacs.formats.export import FORMATS

    for item in FORMATS.values():
        extra = f"  (needs the extra {item.extra})" if item.extra else ""
        say(f"{item.name:<14}{'/'.join(item.suffixes):<18}{item.summary}{extra}")
    raise typer.Exit


@app.command()
def export(
    take: Annotated[Path, typer.Argument(help="The take's folder.", show_default=False)],
    to: Annotated[str, typer.Option("--to", "-t", help="Format; else the file's ending.")] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            *("--output", "-o"),
            parser=shared.output_path,
            metavar="PATH",
            help="File, or - for text; default: the take's name, here.",
        ),
    ] = None,
    face: shared.Face = 1,
    rig: shared.Rig = "",
    fps: shared.Fps = "",
    smooth: Annotated[float, typer.Option(help="Zero-phase low-pass, Hz; 0: none.")] = 0.0,
    raw: shared.Raw = False,
    confidence: shared.Confidence = False,
    timecode: shared.Timecode = False,
    node: shared.Node = "face",
    first_frame: shared.FirstFrame = None,
    header_blanks: shared.HeaderBlanks = False,
    formats: Annotated[
        bool,
        typer.Option(
            "--formats", callback=_list_formats, is_eager=True, help="List the formats and exit."
        ),
    ] = False,
) -> None:
    """Export a take to another package's format."""
    from livefacs.errors import ConfigError
    from livefacs.files.output import STANDARD_OUTPUT
    from livefacs.formats.curves import ExportOptions
    from livefacs.formats.export import export_take, find_format
    from livefacs.take.integrity import errors_of
    from livefacs.take.performers import folder_of_face
    from livefacs.take.reader import Take

    if not to and output is None:
        raise ConfigError("export to what? Name a format (--to csv) or a file (-o FILE.csv)")
    file_format = find_format(to, output)
    opened = Take(folder_of_face(take, face))
    name = opened.name if face == 1 else f"{take.resolve().name}.{opened.name}"
    path = output or Path(f"{name}.{file_format.name}{file_format.suffixes[0]}")
    options = ExportOptions(
        rig, fps, smooth, raw, confidence, timecode, node, first_frame, header_blanks
    )
    notices = export_take(opened, file_format, path, options)
    say(
        f"{path}: {name} as {file_format.name}, from {opened.n_rows} recorded frames",
        err=path == STANDARD_OUTPUT,
    )
    for error in (*notices, *errors_of(opened, _streams(opened, rig, file_format.of_sound))):
        say(f"  {error}", err=True)


def _streams(take: Take, rig: str, of_sound: bool) -> tuple[str, ...]:
    """What an export reads: its checksums are looked at, not those of every landmark."""
    sounds = ("sound", "video") if of_sound else ()
    return "frames", *sounds, *(n for n in take.stream_files if rig and n.startswith("rig "))

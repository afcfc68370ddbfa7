"""Options that several commands have, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from livefacs.config import TrackingOptions

PAGE_PORT: Final = 8770

Config: TypeAlias = Annotated[
    str | None, typer.Option("--config", "-c", help="Configuration: a name or a TOML file.")
]
Landmarker: TypeAlias = Annotated[str | None, typer.Option(help="auto, facemesh or tasks.")]
Model: TypeAlias = Annotated[Path | None, typer.Option(help="Landmark model of the Tasks backend.")]
Reader: TypeAlias = Annotated[
    str | None, typer.Option(help="all: mesh, image and blendshape net; geometry: the mesh.")
]
FilterCutoff: TypeAlias = Annotated[
    float | None, typer.Option(help="One Euro filter: cutoff at rest, Hz.")
]
FilterBeta: TypeAlias = Annotated[
    float | None, typer.Option(help="One Euro filter: rise of the cutoff with speed.")
]
Smooth: TypeAlias = Annotated[
    float, typer.Option(help="Zero-phase low-pass in place of the live filter, Hz; 0: none.")
]
AsLive: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--as-live/--whole-clip",
        help="Neutral as the live run finds it (repeats a take exactly), or from the whole clip; "
        "default: the former for takes, the latter for clips.",
    ),
]
Weights: TypeAlias = Annotated[Path | None, typer.Option(help="Estimator weights.")]
Profile: TypeAlias = Annotated[str | None, typer.Option(help="Calibrated profile, by name.")]
Profiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        help="Calibrated profile, by name; with --faces one each: left=anna, right=ben.",
    ),
]
Faces: TypeAlias = Annotated[
    int | None, typer.Option(min=1, max=8, help="Performers tracked at once, numbered from left.")
]
Face: TypeAlias = Annotated[
    int, typer.Option(min=1, max=8, help="Performer, in a take of several.")
]

Rotate: TypeAlias = Annotated[
    int | None, typer.Option(help="Turn the pictures clockwise: 90, 180 or 270 degrees.")
]

Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
Listen: TypeAlias = Annotated[
    str,
    typer.Option(help="127.0.0.1: this machine only. 0.0.0.0: phones and others, with a token."),
]
Browser: TypeAlias = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page by itself.")
]

Seconds: TypeAlias = Annotated[float | None, typer.Option(help="End after this long.")]
Meters: TypeAlias = Annotated[bool, typer.Option("--meters/--no-meters", help="Live meters.")]

StartWith: TypeAlias = Annotated[
    str | None,
    typer.Option(help="What starts takes: session, timecode (while it runs), command (keys, OSC)."),
]
Slate: TypeAlias = Annotated[str | None, typer.Option(help="Slate of the take.")]
Number: TypeAlias = Annotated[int | None, typer.Option(help="Take number.")]
Notes: TypeAlias = Annotated[str | None, typer.Option(help="Notes for the take.")]
Audio: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Record a microphone, too: auto, its number or name; none: no clip's sound."),
]
AudioChannels: TypeAlias = Annotated[
    int | None, typer.Option(min=1, max=64, help="Channels of the microphone; else two or one.")
]
MarkClaps: TypeAlias = Annotated[
    bool | None, typer.Option("--mark-claps", help="A marker at each clap that it hears.")
]
TimecodeRate: TypeAlias = Annotated[str | None, typer.Option(help="24, 25, 29.97DF, 60 …")]
TimecodeSource: TypeAlias = Annotated[
    str | None,
    typer.Option(help="auto, time of day, clip, free run, ltc:CHANNEL of the sound, mtc:PORT."),
]
TimecodeStart: TypeAlias = Annotated[
    str | None, typer.Option(help="First label of a clip or free run, 01:00:00:00.")
]

Rig: TypeAlias = Annotated[str, typer.Option(help="A rig's controls in place of Action Units.")]
Timecode: TypeAlias = Annotated[bool, typer.Option("--timecode", help="A timecode column.")]
Fps: TypeAlias = Annotated[str, typer.Option(help="Resample: 24, 25, 29.97DF, 60 …")]
Raw: TypeAlias = Annotated[bool, typer.Option("--raw", help="Units before the live filter.")]
Confidence: TypeAlias = Annotated[bool, typer.Option("--confidence", help="Confidences, too.")]
Node: TypeAlias = Annotated[str, typer.Option(help="Name of the mesh or blend shape node.")]
FirstFrame: TypeAlias = Annotated[int | None, typer.Option(help="Number of the first frame.")]
HeaderBlanks: TypeAlias = Annotated[
    bool, typer.Option("--header-blanks", help="OpenFace: a blank after each comma.")
]


def output_path(text: str) -> Path:
    """Where a result goes: ``-`` is standard output, ``./-`` a file of that name."""
    path = Path(text)
    return path.absolute() if path == Path("-") and text != "-" else path


def tracking_options(**given: Any) -> TrackingOptions:
    """The checked options of how a face is tracked; what is None is left as it is."""
    from livefacs.config import load_options

    return load_options(None, {"tracking": given}).tracking


def profile_value(words: list[str] | None) -> str | tuple[str, ...] | None:
    """What configurations call ``profile``: one name, or one for each performer."""
    if not words:
        return None
    return words[0] if len(words) == 1 and "=" not in words[0] else tuple(words)

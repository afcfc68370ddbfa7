"""Live Link Face CSV, as the phone writes it: column order, decimals, timecode with a fraction.

The phone's order differs from its network packets in two places (``JawRight`` before ``JawLeft``,
``MouthRight`` before ``MouthLeft``); readers go by the header's names. The file does not hold its
frame rate; the phone's ran at 60 frames a second.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.formats.text import number_lines
from livefacs.take.reader import Take

RIG: Final = "livelink61"
_FACE: Final = (
    *(
        f"Eye{part}{side}"
        for side in ("Left", "Right")
        for part in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
    ),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *(
        f"Mouth{part}{side}"
        for part in ("Smile", "Frown", "Dimple", "Stretch")
        for side in ("Left", "Right")
    ),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *(
        f"Mouth{part}{side}"
        for part in ("Press", "LowerDown", "UpperUp")
        for side in ("Left", "Right")
    ),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight"),
    "TongueOut",
)
COLUMNS: Final = (
    *_FACE,
    *("HeadYaw", "HeadPitch", "HeadRoll"),
    *(f"{side}Eye{axis}" for side in ("Left", "Right") for axis in ("Yaw", "Pitch", "Roll")),
)
"""The 61 value columns in the phone's order."""


def check(options: ExportOptions) -> None:
    """Refuse what the format has no place for."""
    if options.rig not in ("", RIG):
        raise ConfigError(f"a Live Link Face file holds the rig {RIG}, not {options.rig!r}")


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; the controls of ``livelink61``."""
    check(options)
    curves = curves_from_take(take, replace(options, rig=RIG))
    order = [curves.names.index(name) for name in COLUMNS]
    template = "," + ",".join(["%.10f"] * len(COLUMNS)) + "\n"
    lines = number_lines(curves.filled()[:, order], template)
    with path.open("w", encoding="ascii", newline="") as file:
        file.write("Timecode,BlendShapeCount," + ",".join(COLUMNS) + "\n")
        for label, line in zip(fractional_labels(curves), lines, strict=True):
            file.write(f"{label},{len(COLUMNS)}{line}")


def fractional_labels(curves: Curves) -> list[str]:
    """``HH:MM:SS:FF.sss`` of every sample; sss is thousandths of a frame.

    The count runs from the first frame's timecode by the samples' own times.
    """
    rate = curves.rate
    first = int(curves.timecode_frames[0])
    labels = []
    for offset_ns in (curves.times_ns - curves.times_ns[0]).tolist():
        thousandths = round(Fraction(offset_ns * 1000, NS_PER_S) * rate.fraction)
        frames, part = divmod(int(thousandths), 1000)
        label = rate.label_from_frame(first + frames).replace(";", ":")
        labels.append(f"{label}.{part:03}")
    return labels

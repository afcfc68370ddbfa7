"""Maya .anim (animImportExport): one linear curve for each weight of a blend shape node.

The file addresses attributes by name, so the node must exist in the scene under the name that
``node`` gives. A curve's own line holds the attribute's path within the node, as in ``anim
visibility visibility pCube1``; what an attribute's name may not hold becomes ``_``. Rates are
written as Maya's unit names; those of the 1001-rates are newer ones (``23.976fps``), which older
Maya releases do not know.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.take.reader import Take
from livefacs.timecode import TimecodeRate

_TIME_UNITS: Final = {
    "23.976": "23.976fps",
    "24": "film",
    "25": "pal",
    "29.97df": "29.97df",
    "29.97ndf": "29.97fps",
    "30": "ntsc",
    "47.952": "47.952fps",
    "48": "show",
    "50": "palf",
    "59.94df": "59.94fps",
    "59.94ndf": "59.94fps",
    "60": "ntscf",
    "100": "100fps",
    "119.88df": "120fps",
    "119.88ndf": "120fps",
    "120": "120fps",
    "239.76df": "240fps",
    "239.76ndf": "240fps",
    "240": "240fps",
}
_WITHOUT_UNIT: Final = 100
"""From this rate on Maya has units of whole rates alone: there a second has 120 and not 119.88."""
_UNSAFE: Final = re.compile(r"\W", re.ASCII)
_CURVE_HEAD: Final = """anim {name} {name} {node} 0 0 {index};
animData {{
  input time;
  output unitless;
  weighted 0;
  preInfinity constant;
  postInfinity constant;
  keys {{
"""
_KEY: Final = "    {position:.9g} %.6g linear linear 1 1 0;\n"
_CURVE_END: Final = "  }\n}\n"


def time_unit(rate: TimecodeRate) -> str:
    """Maya's name of a rate."""
    is_whole = rate.fraction == rate.nominal  # 30 drop-frame, too
    return _TIME_UNITS[str(rate.nominal) if is_whole else rate.name]


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; ``options.node`` is the blend shape node."""
    curves = curves_from_take(take, options)
    positions = curves.frame_positions(options.first())
    if curves.rate.nominal >= _WITHOUT_UNIT:
        stretch = float(curves.rate.nominal / curves.rate.fraction)
        positions = (positions - options.first()) * stretch + options.first()
    values = curves.filled()
    keys = "".join(_KEY.format(position=position) for position in positions.tolist())
    with path.open("w", encoding="ascii", errors="replace", newline="\n") as file:
        file.write(
            "animVersion 1.1;\nmayaVersion 2024;\n"
            f"timeUnit {time_unit(curves.rate)};\nlinearUnit cm;\nangularUnit deg;\n"
            f"startTime {positions[0]:.9g};\nendTime {positions[-1]:.9g};\n"
        )
        for index, name in enumerate(curves.names):
            attribute = _UNSAFE.sub("_", name)
            file.write(_CURVE_HEAD.format(node=options.node, name=attribute, index=index))
            file.write(keys % tuple(values[:, index].tolist()))
            file.write(_CURVE_END)

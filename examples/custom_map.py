"""A map of one's own: three controls of a puppet, driven by Action Units.

python custom_map.py puppet.toml shot.mp4
"""

import sys
from pathlib import Path

import livefacs
from livefacs.errors import RigMapError

MAP = """
[rig]
title = "Sock puppet"
audience = "one hand"
names_from = "the puppet's maker"

[controls.jaw]              # opens with the jaw, and a little with parted lips
terms = { AU26 = 0.9, AU25 = 0.2 }
smoothing = { time_constant_ms = 40 }

[controls."brow{side}"]     # both sides in one rule; the names become browLeft and browRight
terms = { "AU1_{side}" = 0.5, "AU2_{side}" = 0.6, "AU4_{side}" = -0.8 }
limits = [-1, 1]
"""


def main(path: Path, clip: Path) -> None:
    path.write_text(MAP, encoding="utf-8")
    try:
        curves = livefacs.solve(clip).retarget(path)
    except RigMapError as error:  # every error of the map, each with its line
        sys.exit(str(error))
    for name, values in zip(curves.controls, curves.values.T, strict=True):
        print(f"{name}: from {values.min():.2f} to {values.max():.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

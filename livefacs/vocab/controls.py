"""Known control sets: what rigs and animation programs call their controls, with ranges.

Data in ``livefacs/data/controls.json``; every set names its source and how far it is confirmed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from livefacs.errors import ConfigError
from livefacs.resources import data_path

CONTROL_SETS: Final[tuple[str, ...]] = (
    "arkit52",
    "livelink61",
    "metahuman",
    "vrm0",
    "vrm1",
    "vrcft2",
    "live2d",
    "vtubestudio",
    "ict_facekit",
    "openface",
    "mmd",
)


@dataclass(frozen=True, slots=True)
class ControlSet:
    """The controls of one kind of rig.

    Attributes
    ----------
    title, source, status : str
        What it is, where the names come from, how far they are confirmed.
    names : tuple of str
        In the order of the rig's own format.
    ranges : dict of name to (lowest, highest)
        Only those that are not 0..1.
    """

    title: str
    source: str
    status: str
    names: tuple[str, ...]
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    def range_of(self, name: str) -> tuple[float, float]:
        """Lowest and highest value of a control."""
        return self.ranges.get(name, (0.0, 1.0))


@cache
def _all_sets() -> dict[str, ControlSet]:
    document = json.loads(data_path("controls.json").read_text(encoding="utf-8"))
    return {
        key: ControlSet(
            title=entry["title"],
            source=entry["source"],
            status=entry["status"],
            names=tuple(entry["names"]),
            ranges={name: (low, high) for name, (low, high) in entry.get("ranges", {}).items()},
        )
        for key, entry in document.items()
    }


def control_set(name: str) -> ControlSet:
    """A known set by name.

    Raises
    ------
    ConfigError
        There is no such set.
    """
    if name not in CONTROL_SETS:
        known = ", ".join(CONTROL_SETS)
        raise ConfigError(f"no control set {name!r}: expected one of {known}")
    return _all_sets()[name]


def control_names(name: str) -> tuple[str, ...]:
    """Control names of a known set, in its own order."""
    return control_set(name).names

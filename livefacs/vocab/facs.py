"""FACS names: the channels that are estimated and their order, the code table, A–E letters.

Left and right are always the performer's own. A channel is one number a frame: an action with
sides has two channels (``AU12_L``, ``AU12_R``), a midline action one (``AU17``). ``AD30_L`` and
``AD30_R`` are directions of one jaw, not sides. Source of the table: ``livefacs/data/facs.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.resources import data_path

_SIDED: Final = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 20, 24, 43, 45)
_MIDLINE: Final = (17, 18, 22, 25, 26, 27, 28)

AU_CHANNELS: Final[tuple[str, ...]] = (
    *(f"AU{number}_{side}" for number in _SIDED for side in "LR"),
    *(f"AU{number}" for number in _MIDLINE),
    "AD29",
    "AD30_L",
    "AD30_R",
    "AD34_L",
    "AD34_R",
    *(f"AU{number}" for number in range(51, 57)),  # head positions
    *(f"AU{number}" for number in range(61, 65)),  # eye positions
)
"""Order of every intensity and confidence array: ``(N_AU,)``."""

N_AU: Final = len(AU_CHANNELS)
CHANNEL_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(AU_CHANNELS)}

HEAD_CHANNELS: Final = tuple(f"AU{number}" for number in range(51, 57))
EYE_CHANNELS: Final = tuple(f"AU{number}" for number in range(61, 65))
DIRECTIONAL: Final = frozenset({"AD30_L", "AD30_R"})

MIRROR_PARTNERS: Final[dict[str, str]] = {
    **{name: name[:-1] + ("R" if name[-1] == "L" else "L") for name in AU_CHANNELS if "_" in name},
    "AU51": "AU52",
    "AU52": "AU51",
    "AU55": "AU56",
    "AU56": "AU55",
    "AU61": "AU62",
    "AU62": "AU61",
}
"""What each channel becomes in a mirrored performance; a name that is absent stays itself."""

MIRROR_ORDER: Final[tuple[int, ...]] = tuple(
    CHANNEL_INDEX[MIRROR_PARTNERS.get(name, name)] for name in AU_CHANNELS
)
"""``mirrored = intensity[list(MIRROR_ORDER)]``."""


def action_of(channel: str) -> str:
    """The action that a channel belongs to: ``AU12_L`` → ``AU12``; directions stay themselves."""
    return channel if channel in DIRECTIONAL else channel.removesuffix("_L").removesuffix("_R")


ACTIONS: Final[tuple[str, ...]] = tuple(dict.fromkeys(map(action_of, AU_CHANNELS)))
"""Every measured action once, in channel order."""


def channels_of(action: str) -> tuple[str, ...]:
    """The channels of an action, left before right; the action itself where it has no sides."""
    return tuple(channel for channel in AU_CHANNELS if action_of(channel) == action)


@dataclass(frozen=True, slots=True)
class FacsCode:
    """One row of the code table.

    Attributes
    ----------
    code : str
        As coders write it: ``"12"``, ``"M59"``.
    kind : str
        ``AU``, ``AD``, ``head position``, ``eye position``, ``movement code`` …
    observability : str
        ``good``, ``partial``, ``poor`` or ``not observable``, from 478 face landmarks.
    confidence : str
        How well code, name and muscle are confirmed by the table's sources.
    details : dict
        The whole record, as in ``facs.json``.
    """

    code: str
    name: str
    kind: str
    region: str
    muscles: str
    appearance: str
    how_to_perform: str
    observability: str
    observability_reason: str
    confused_with: tuple[str, ...]
    notes: str
    confidence: str
    details: dict[str, Any]

    @property
    def channel_stem(self) -> str:
        """The stem that channels use: ``AU12``, ``AD29``."""
        return ("AD" if self.kind == "AD" else "AU") + self.code

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that measure this code; empty where it is not measured."""
        stem = self.channel_stem
        return tuple(name for name in AU_CHANNELS if name == stem or name[:-2] == stem)


@cache
def code_table() -> dict[str, FacsCode]:
    """The FACS code table by code (``"12"``), read once from the package data."""
    document = json.loads(data_path("facs.json").read_text(encoding="utf-8"))
    return {record["code"]: _code_from_record(record) for record in document["codes"]}


@cache
def unmeasured_actions() -> tuple[str, ...]:
    """Actions of the code table that landmarks do not give (``AU11``, ``AD19`` …)."""
    return tuple(
        code.channel_stem
        for code in code_table().values()
        if code.kind in ("AU", "AD") and not code.channels and code.code != "0"
    )


def find_code(text: str) -> FacsCode:
    """Look a code up as people write it: ``12``, ``AU12``, ``au12_l``, ``AD29``, ``M59``.

    Raises
    ------
    ConfigError
        The code is not in the table; the message names close ones.
    """
    wanted = text.strip().upper().removesuffix("_L").removesuffix("_R")
    wanted = wanted.removeprefix("AU").removeprefix("AD").lstrip("0") or "0"
    table = code_table()
    if wanted in table:
        return table[wanted]
    near = [code for code in table if code.startswith(wanted[:1])][:12]
    raise ConfigError(
        f"no FACS code {text!r}: expected a number such as 12, AU12 or M59"
        + (f"; near it: {', '.join(near)}" if near else "")
    )


def _code_from_record(record: dict[str, Any]) -> FacsCode:
    seen = record["landmark_observability"]
    return FacsCode(
        code=record["code"],
        name=record["name"],
        kind=record["kind"],
        region=record["region"],
        muscles=record["muscular_basis"],
        appearance=record["appearance"],
        how_to_perform=record["how_to_perform"],
        observability=seen["level"],
        observability_reason=seen["why"],
        confused_with=tuple(record["mutually_exclusive_or_hard_to_combine"]),
        notes=record["notes"],
        confidence=record["confidence_code_name_muscle"],
        details=record,
    )


LETTER_FLOORS: Final[tuple[tuple[str, float], ...]] = (
    ("E", 0.90),
    ("D", 0.60),
    ("C", 0.30),
    ("B", 0.15),
    ("A", 0.05),
)
"""Lowest intensity of each letter on the 0..1 scale (this tool's mapping, not the manual's)."""


def letter_from_intensity(intensity: float) -> str:
    """The A–E letter of an intensity, empty below the trace threshold or where it is unknown."""
    for letter, floor in LETTER_FLOORS:
        if intensity >= floor:
            return letter
    return ""

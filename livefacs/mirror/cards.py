"""The card of an action for the page, with how sure each part is."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

from livefacs.mirror.drills import COMPANIONS
from livefacs.resources import data_path
from livefacs.vocab.facs import FacsCode, code_table

_SOURCE_IDS: Final = re.compile(r"\s*\((?:S\d+[,; ]*)+\)")
"""References into the table's list of sources; a card is read without that list."""


def card_from_code(code: FacsCode) -> dict[str, Any]:
    """Plain values of one card."""
    seen = code.details["landmark_observability"]
    return {
        "code": code.code,
        "stem": code.channel_stem,
        "name": code.name,
        "kind": code.kind,
        "region": code.region,
        "muscles": code.muscles,
        "appearance": _SOURCE_IDS.sub("", code.appearance),
        "how_to_perform": _SOURCE_IDS.sub("", code.how_to_perform),
        "confused_with": [_SOURCE_IDS.sub("", text) for text in code.confused_with],
        "look_at": code.details.get("look_at"),
        "look_alikes": list(code.details.get("look_alikes", ())),
        "companions": list(COMPANIONS.get(code.code, ())),
        "notes": _SOURCE_IDS.sub("", code.notes),
        "observability": code.observability,
        "observability_reason": _SOURCE_IDS.sub("", code.observability_reason),
        "motion": seen.get("motion", ""),
        "groups": list(seen.get("landmark_groups", ())),
        "difficulty": code.details.get("voluntary_difficulty", ""),
        "takes_letter": bool(code.details.get("takes_A_E_intensity")),
        "confidence": code.confidence,
        "channels": list(code.channels),
    }


@cache
def cards_document() -> dict[str, Any]:
    """Every card, and the landmark groups their regions are drawn from."""
    facs = json.loads(data_path("facs.json").read_text(encoding="utf-8"))
    groups = {
        name: group
        for name, group in facs["landmark_groups"].items()
        if isinstance(group, (dict, list)) and name != "pose_stable_set"
    }
    return {
        "cards": [card_from_code(code) for code in code_table().values()],
        "groups": groups,
        "how_to_read": facs["how_to_read"],
    }

"""VRM expression presets: names of VRM 0.x (as Unity shows them) and VRM 1.0."""

from __future__ import annotations

from typing import Final

from livefacs.vocab.controls import control_names

VRM1_PRESETS: Final[tuple[str, ...]] = control_names("vrm1")

VRM1_FROM_VRM0: Final[dict[str, str]] = {
    "Joy": "happy",
    "Angry": "angry",
    "Sorrow": "sad",
    "Fun": "relaxed",
    "A": "aa",
    "I": "ih",
    "U": "ou",
    "E": "ee",
    "O": "oh",
    "Blink": "blink",
    "Blink_L": "blinkLeft",
    "Blink_R": "blinkRight",
    "LookUp": "lookUp",
    "LookDown": "lookDown",
    "LookLeft": "lookLeft",
    "LookRight": "lookRight",
    "Neutral": "neutral",
}
"""VRM 0.x has no ``surprised``."""

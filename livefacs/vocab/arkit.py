"""ARKit names: the 52 face blend shapes and the 61 curves of Live Link Face, in packet order."""

from __future__ import annotations

from typing import Final

from livefacs.vocab.controls import control_names

ARKIT_52: Final[tuple[str, ...]] = control_names("arkit52")
"""Apple's spelling (``eyeBlinkLeft``), in the order of the Live Link Face packet."""

LIVELINK_61: Final[tuple[str, ...]] = control_names("livelink61")
"""Unreal's spelling (``EyeBlinkLeft``): the same 52, then head and eye angles in radians."""

MIRROR_NEGATED: Final[frozenset[str]] = frozenset(
    name for name in LIVELINK_61 if name.endswith(("Yaw", "Roll"))
)
"""Curves that change sign in a mirrored performance."""


def mirror_partner(name: str) -> str:
    """The control that a control becomes in a mirrored performance: ``jawLeft`` → ``jawRight``."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
        if name.startswith(side + "Eye"):
            return other + name.removeprefix(side)
    return name

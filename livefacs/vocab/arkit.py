"""ARKit names: the 52 face blend shapes and the 61 curves of Live Link Face, in packet order."""

from __future__ import annotations

from typing import Final

from livefacs.vocab.controls import control_names

ARKIT_52: Final[tuple[str, ...]] = control_names("arkit52")
"""Apple's spelling (``eyeBlinkLeft``), in the order of the Live Link Face packet."""

LIVELINK_61: Final[tuple[str, ...]] = control_names("livelink61")
"""Unreal's spelling (``EyeBlinkLeft``): the same 52, then head and eye angles in radians."""

"""Light and framing of a resting face, and what has changed since a profile was made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from livefacs.mesh import OUTER_CORNERS
from livefacs.types import Landmarks
from livefacs.vocab.readings import N_PATCHES, PATCHES

if TYPE_CHECKING:
    from livefacs.arrays import F64
    from livefacs.au.neutral import Neutral

BRIGHTER: Final = 1.6
"""Change of the skin's brightness from which light has changed."""
SIDE_SHIFT: Final = 0.35
"""Change of the logarithm of left over right."""
TURNED_RAD: Final = math.radians(10.0)
LARGER: Final = 1.6
_BRIGHTNESS: Final = 2  # column of the patches


@dataclass(frozen=True, slots=True)
class Setting:
    """How a resting face stood in the picture.

    Attributes
    ----------
    brightness : tuple of float
        Log brightness of each patch of ``vocab.readings.PATCHES``; empty: the image was not read.
    width_share : float
        Outer-eye distance over the image's width; 0 where unknown.
    """

    brightness: tuple[float, ...] = ()
    width_share: float = 0.0

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        brightness = [round(value, 4) for value in self.brightness]
        return {"brightness": brightness, "width_share": round(self.width_share, 5)}


def setting_from_plain(value: Mapping[str, Any]) -> Setting:
    """The setting that ``Setting.plain`` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        It is not of the shape that is expected.
    """
    brightness = tuple(float(each) for each in value["brightness"])
    if len(brightness) not in (0, N_PATCHES) or not all(map(math.isfinite, brightness)):
        raise ValueError(f"expected {N_PATCHES} finite brightnesses, got {len(brightness)}")
    return Setting(brightness, float(value["width_share"]))


def setting_of(faces: Sequence[Landmarks]) -> Setting:
    """The setting of a resting face, median of some frames."""
    if not faces:
        return Setting()
    right, left = OUTER_CORNERS
    shares = [
        float(np.hypot(*(face.points_px[left, :2] - face.points_px[right, :2])))
        / face.image_size[0]
        for face in faces
    ]
    rows = [face.readings.patches[:, _BRIGHTNESS] for face in faces if face.readings is not None]
    whole = [row for row in rows if np.isfinite(row).all()]
    brightness = np.median(np.array(whole), axis=0) if whole else np.zeros(0)
    return Setting(tuple(float(value) for value in brightness), float(np.median(shares)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared.

    Attributes
    ----------
    about : str
        ``light``, ``camera`` or ``face``.
    text : str
    is_changed : bool
        So far that calibration should be renewed.
    """

    about: str
    text: str
    is_changed: bool


def light_finding(then: Setting, now: Setting) -> Finding:
    """Brightness of the skin, as a whole and from side to side."""
    if not then.brightness or not now.brightness:
        return Finding("light", "not known: the image was not read", False)
    change = np.array(now.brightness) - np.array(then.brightness)
    factor = math.exp(float(np.mean(change)))
    shift = _side_shift(change)
    ratio = f"{factor:.1f} × brighter" if factor >= 1.0 else f"{1.0 / factor:.1f} × darker"
    if abs(shift) > SIDE_SHIFT:
        side = "left" if shift > 0 else "right"
        return Finding("light", f"{ratio}, and more from the performer's {side}", True)
    is_changed = max(factor, 1.0 / factor) > BRIGHTER
    return Finding("light", ratio if is_changed else f"as then ({ratio})", is_changed)


def _side_shift(change: F64) -> float:
    sides = {
        side: [value for name, value in zip(PATCHES, change, strict=True) if name.endswith(side)]
        for side in ("_L", "_R")
    }
    return float(np.mean(sides["_L"]) - np.mean(sides["_R"]))


def camera_finding(then: Setting, now: Setting, before: Neutral, after: Neutral) -> Finding:
    """From where the camera sees the resting face, and how large."""
    turned = np.asarray(after.angles_rad) - np.asarray(before.angles_rad)
    words = []
    for value, more, less in zip(
        turned,
        ("turned to the performer's left", "nose lower", "tipped to the performer's right"),
        ("turned to the performer's right", "nose higher", "tipped to the performer's left"),
        strict=True,
    ):
        if abs(value) > TURNED_RAD:
            words.append(f"{math.degrees(abs(value)):.0f}° {more if value > 0 else less}")
    if then.width_share and now.width_share:
        factor = now.width_share / then.width_share
        if max(factor, 1.0 / factor) > LARGER:
            words.append(f"{factor:.1f} × larger" if factor > 1 else f"{1 / factor:.1f} × smaller")
    text = ", ".join(words) or "as then"
    return Finding("camera", text, bool(words))

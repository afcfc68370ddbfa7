"""Unified Expressions v2: shapes that VRChat avatars use and that follow from the base shapes.

Source: VRCFaceTracking's parameter definitions. Avatars pick combined shapes to save synced
parameters; here they are computed from the base shapes that the rig map drives. Shape names are
VRCFaceTracking's own and name positions of the mouth or brows, not emotions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.arrays import F32

_RULES: Final = """
EyeX = 0.5 EyeLeftX + 0.5 EyeRightX
EyeY = 0.5 EyeLeftY + 0.5 EyeRightY
EyeClosed{side} = 1 - EyeOpen{side}
EyeLid{side} = 0.75 EyeOpen{side} + 0.25 EyeWide{side}
EyeOpen = 0.5 EyeOpenLeft + 0.5 EyeOpenRight
EyeClosed = 1 - EyeOpen
EyeLid = 0.5 EyeLidLeft + 0.5 EyeLidRight
EyeWide = max EyeWideLeft EyeWideRight
EyeSquint = max EyeSquintLeft EyeSquintRight
EyesSquint = EyeSquint
BrowUp{side} = 0.6 BrowOuterUp{side} + 0.4 BrowInnerUp{side}
BrowDown{side} = 0.75 BrowLowerer{side} + 0.25 BrowPinch{side}
BrowUp = 0.5 BrowUpLeft + 0.5 BrowUpRight
BrowDown = 0.5 BrowDownLeft + 0.5 BrowDownRight
BrowInnerUp = 0.5 BrowInnerUpLeft + 0.5 BrowInnerUpRight
BrowOuterUp = 0.5 BrowOuterUpLeft + 0.5 BrowOuterUpRight
BrowExpression{side} = 0.5 BrowInnerUp{side} + 0.5 BrowOuterUp{side} - BrowDown{side}
BrowExpression = 0.5 BrowExpressionLeft + 0.5 BrowExpressionRight
JawX = JawRight - JawLeft
JawZ = JawForward - JawBackward
CheekSquint = 0.5 CheekSquintLeft + 0.5 CheekSquintRight
CheekSuck = 0.5 CheekSuckLeft + 0.5 CheekSuckRight
CheekPuffSuck{side} = CheekPuff{side} - CheekSuck{side}
CheekPuffSuck = 0.5 CheekPuffSuckLeft + 0.5 CheekPuffSuckRight
MouthUpperX = MouthUpperRight - MouthUpperLeft
MouthLowerX = MouthLowerRight - MouthLowerLeft
MouthX = 0.5 MouthUpperX + 0.5 MouthLowerX
LipSuckUpper = 0.5 LipSuckUpperLeft + 0.5 LipSuckUpperRight
LipSuckLower = 0.5 LipSuckLowerLeft + 0.5 LipSuckLowerRight
LipSuck = 0.5 LipSuckUpper + 0.5 LipSuckLower
LipFunnelUpper = 0.5 LipFunnelUpperLeft + 0.5 LipFunnelUpperRight
LipFunnelLower = 0.5 LipFunnelLowerLeft + 0.5 LipFunnelLowerRight
LipFunnel = 0.5 LipFunnelUpper + 0.5 LipFunnelLower
LipPuckerUpper = 0.5 LipPuckerUpperLeft + 0.5 LipPuckerUpperRight
LipPuckerLower = 0.5 LipPuckerLowerLeft + 0.5 LipPuckerLowerRight
LipPucker = 0.5 LipPuckerUpper + 0.5 LipPuckerLower
LipPucker{side} = 0.5 LipPuckerUpper{side} + 0.5 LipPuckerLower{side}
LipSuckFunnelUpper = LipSuckUpper - LipFunnelUpper
LipSuckFunnelUpper{side} = LipSuckUpper{side} - LipFunnelUpper{side}
LipSuckFunnelLower = LipSuckLower - LipFunnelLower
LipSuckFunnelLower{side} = LipSuckLower{side} - LipFunnelLower{side}
MouthUpperUp = 0.5 MouthUpperUpLeft + 0.5 MouthUpperUpRight
MouthLowerDown = 0.5 MouthLowerDownLeft + 0.5 MouthLowerDownRight
MouthStretch = 0.5 MouthStretchLeft + 0.5 MouthStretchRight
MouthTightener = 0.5 MouthTightenerLeft + 0.5 MouthTightenerRight
MouthPress = 0.5 MouthPressLeft + 0.5 MouthPressRight
MouthDimple = 0.5 MouthDimpleLeft + 0.5 MouthDimpleRight
NoseSneer = 0.5 NoseSneerLeft + 0.5 NoseSneerRight
MouthOpen = 0.5 MouthUpperUp + 0.5 MouthLowerDown
MouthSmile{side} = 0.8 MouthCornerPull{side} + 0.2 MouthCornerSlant{side}
MouthSad{side} = max MouthFrown{side} MouthStretch{side}
MouthTightenerStretch{side} = MouthTightener{side} - MouthStretch{side}
MouthTightenerStretch = MouthTightener - MouthStretch
MouthCornerY{side} = MouthCornerSlant{side} - MouthFrown{side}
MouthCornerY = 0.5 MouthCornerYLeft + 0.5 MouthCornerYRight
SmileFrown{side} = MouthSmile{side} - MouthFrown{side}
SmileFrown = 0.5 SmileFrownLeft + 0.5 SmileFrownRight
SmileSad{side} = MouthSmile{side} - MouthSad{side}
SmileSad = 0.5 SmileSadLeft + 0.5 SmileSadRight
TongueX = TongueRight - TongueLeft
TongueY = TongueUp - TongueDown
TongueArchY = TongueCurlUp - TongueBendDown
TongueShape = TongueFlat - TongueSquish
"""
_SIGNED_BASE: Final = ("EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY")
_SIGNED_BASE_START: Final = "Head/"
_TERM: Final = re.compile(r"(?P<sign>[+-]?)\s*(?:(?P<weight>[\d.]+)(?:\s+|$))?(?P<name>[A-Z]\w*)?")

_Linear = dict[str, float]
_ONE: Final = ""


class UnifiedShapes:
    """Base shapes of a rig, followed by every combined shape whose sources the rig has.

    Parameters
    ----------
    controls : sequence of str
        Names of the rig's controls: base shapes, openness, gaze, head.

    Attributes
    ----------
    names : tuple of str
        The controls, then the combined shapes.
    signed : tuple of bool
        True where a shape runs from -1 to 1.
    """

    def __init__(self, controls: Sequence[str]) -> None:
        known: dict[str, _Linear] = {name: {name: 1.0} for name in controls}
        signed = {name: _is_signed_base(name) for name in controls}
        maxima: list[tuple[str, str, str]] = []
        for name, rule in _expanded_rules():
            if name not in known and (sources := _sources(rule)) and sources <= known.keys():
                known[name] = _linear(name, rule, known, maxima)
                signed[name] = min(known[name].values()) < 0.0 and _ONE not in known[name]
                signed[name] = signed[name] or any(signed[source] for source in sources)
        self.names = tuple(known)
        self.signed = tuple(signed[name] for name in self.names)
        at = {name: index for index, name in enumerate(controls)}
        self._left = np.array([at[left] for _, left, _ in maxima], np.intp)
        self._right = np.array([at[right] for _, _, right in maxima], np.intp)
        columns = {**at, **{f"max:{name}": len(at) + i for i, (name, _, _) in enumerate(maxima)}}
        derived = self.names[len(controls) :]
        self._weights = np.zeros((len(derived), len(columns)), np.float32)
        self._constants = np.zeros(len(derived), np.float32)
        for row, name in enumerate(derived):
            for source, weight in known[name].items():
                if source == _ONE:
                    self._constants[row] += weight
                else:
                    self._weights[row, columns[source]] += weight
        self._columns = np.zeros(len(columns), np.float32)
        self._n_base = len(controls)
        self.values: F32 = np.zeros(len(self.names), np.float32)

    def fill(self, base: F32) -> F32:
        """Values of all ``names`` from the rig's values (same order as ``controls``)."""
        n_base = self._n_base
        self.values[:n_base] = base
        self._columns[:n_base] = base
        self._columns[n_base:] = np.maximum(base[self._left], base[self._right])
        np.dot(self._weights, self._columns, out=self.values[n_base:])
        self.values[n_base:] += self._constants
        return self.values


def _is_signed_base(name: str) -> bool:
    return name in _SIGNED_BASE or name.startswith(_SIGNED_BASE_START)


def _expanded_rules() -> list[tuple[str, str]]:
    rules = []
    for line in _RULES.strip().splitlines():
        sides = ("Left", "Right") if "{side}" in line else ("",)
        for side in sides:
            name, rule = line.replace("{side}", side).split(" = ")
            rules.append((name, rule))
    return rules


def _sources(rule: str) -> set[str]:
    return set(re.findall(r"[A-Z]\w*", rule))


def _linear(
    name: str, rule: str, known: dict[str, _Linear], maxima: list[tuple[str, str, str]]
) -> _Linear:
    if rule.startswith("max "):
        left, right = rule.split()[1:]
        maxima.append((name, left, right))
        return {f"max:{name}": 1.0}
    combined: _Linear = {}
    for term in _TERM.finditer(rule):
        if not term["weight"] and not term["name"]:
            continue
        weight = float(term["weight"] or 1.0) * (-1.0 if term["sign"] == "-" else 1.0)
        for source, factor in (known[term["name"]] if term["name"] else {_ONE: 1.0}).items():
            combined[source] = combined.get(source, 0.0) + weight * factor
    return combined

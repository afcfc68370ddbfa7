"""Control values of a rig, put into the order that a protocol wants."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from livefacs.arrays import F32, Bool
from livefacs.types import RigFrame
from livefacs.vocab.arkit import ARKIT_52


def finite_mask(values: F32) -> Bool | None:
    """Which values are known; None where all are (the usual case, in a fraction of the time)."""
    if math.isfinite(values.dot(values)):
        return None
    return np.isfinite(values)


def zeros_for_unknown(values: F32) -> F32:
    """The values with 0 where they are not finite; the same array where all are."""
    known = finite_mask(values)
    return values if known is None else np.where(known, values, np.float32(0.0))


def pascal_if_arkit(name: str) -> str:
    """``jawOpen`` → ``JawOpen``, as avatars spell ARKit's shapes; other names stay."""
    return name[0].upper() + name[1:] if name in ARKIT_52 else name


class NamedOrder:
    """Picks controls by name, whatever order the rig map has; case is ignored.

    Parameters
    ----------
    names : sequence of str
        The protocol's order.

    Attributes
    ----------
    values : (N,) float32
        The last picked values; 0 where the rig has no such control or its value is unknown.
    missing : tuple of str
        Names that the rig of the last frame does not have.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._controls: tuple[str, ...] | None = None
        self._sources = self._targets = np.zeros(0, np.intp)
        self.values: F32 = np.zeros(len(self._names), np.float32)
        self.missing: tuple[str, ...] = self._names

    def pick(self, rig: RigFrame | None) -> F32:
        """The values of one frame; all 0 where there is no rig."""
        if rig is None:
            self.values[:] = 0.0
            return self.values
        if rig.controls is not self._controls:
            self._learn(rig.controls)
        self.values[self._targets] = zeros_for_unknown(rig.values)[self._sources]
        return self.values

    def _learn(self, controls: tuple[str, ...]) -> None:
        at = {name.casefold(): index for index, name in enumerate(controls)}
        pairs = [
            (i_name, at[name.casefold()])
            for i_name, name in enumerate(self._names)
            if name.casefold() in at
        ]
        self._targets = np.array([target for target, _ in pairs], np.intp)
        self._sources = np.array([source for _, source in pairs], np.intp)
        self.missing = tuple(name for name in self._names if name.casefold() not in at)
        self.values = np.zeros(len(self._names), np.float32)
        self._controls = controls

"""What a rig's controls do for given levels of Action Units, without a performer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.retarget.inputs import N_SIGNALS, SIGNAL_INDEX, Performance
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU

PUPPET_RIGS: Final = ("arkit52", "marmoset")
"""Maps of the page's two characters."""

_COLUMNS: Final = [SIGNAL_INDEX[channel] for channel in AU_CHANNELS]


def controls_from_levels(rig: str, levels: F32, rate_hz: float) -> tuple[tuple[str, ...], F32]:
    """Names of a rig's controls and their values while Action Units run through ``levels``.

    Parameters
    ----------
    rig : str
        A map by name.
    levels : (T, N_AU) float32
        Intensities, 0..1; head and gaze rest.
    rate_hz : float
        Frames a second; the map's smoothing goes by it.

    Returns
    -------
    controls : (n,) names
    values : (T, n) float32

    Raises
    ------
    ConfigError
        There is no such map.
    """
    program = load_rig(rig)
    n = len(levels)
    signals = np.zeros((n, N_SIGNALS))
    signals[:, _COLUMNS] = levels
    frames = np.arange(n, dtype=np.int64)
    times_ns = np.round(frames * (NS_PER_S / rate_hz)).astype(np.int64)
    return program.controls, Retargeter(program).run(Performance(frames, times_ns, signals))


def levels_from_text(text: str) -> Mapping[str, float]:
    """Levels of channels as a page writes them: ``AU12_L:0.45,AU6_L:0.2``.

    Raises
    ------
    ConfigError
        A channel is unknown, or its level no number from 0 to 1.
    """
    levels: dict[str, float] = {}
    for part in filter(None, text[:2000].split(",")):
        channel, _, value = part.partition(":")
        try:
            level = float(value)
        except ValueError:
            level = -1.0
        if channel not in CHANNEL_INDEX or not 0 <= level <= 1:
            raise ConfigError(f"{part[:40]!r}: expected a channel and its level, as in AU12_L:0.45")
        levels[channel] = level
    return levels


def pose_from_levels(rig: str, levels: Mapping[str, float]) -> dict[str, float]:
    """A rig's controls, by name, for levels that are held; those that rest are left out."""
    row = np.zeros((1, N_AU), np.float32)
    for channel, level in levels.items():
        row[0, CHANNEL_INDEX[channel]] = level
    controls, values = controls_from_levels(rig, row, 30.0)
    pairs = zip(controls, values[0].tolist(), strict=True)
    return {name: round(value, 4) for name, value in pairs if value}

"""Personal maps: what a performer's own movements add to the shipped intensities."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from livefacs.arrays import F32, F64, I64, U8
from livefacs.kernels._jit import kernel


class Personal(NamedTuple):
    """Affine maps of some channels; a row a feature, so that channels lie side by side."""

    channels: I64  # (m,) rows of the result that are added to
    geometry: F32  # (n_features, m)
    texture: F32  # (n_texture, m), for bytes; (0, m): the image is not looked at
    bias: F32  # (m,)
    rest: F32  # (n_texture,) bytes of the resting face; (0,) likewise
    reach: float  # distance from it, in bytes, up to which the maps are trusted


@kernel
def add_personal(
    features: F64, texture: U8, personal: Personal, ceiling: float, values: F64
) -> None:
    """Add personal maps to intensities, then nothing below zero nor above the ceiling.

    A texture far from everything that was learned from (a hand, another light, another person)
    fades the maps out: from ``reach`` on, to nothing at twice that.

    Parameters
    ----------
    features : (n_features,) float64
    texture : (n_texture,) uint8
    personal : Personal
    ceiling : float
    values : (>= m,) float64, changed in place
    """
    m = personal.channels.shape[0]
    if m == 0:
        return
    trust = 1.0
    n_texture = personal.texture.shape[0]
    if n_texture > 0:
        square = np.float32(0.0)
        for j in range(n_texture):
            away = np.float32(texture[j]) - personal.rest[j]
            square += away * away
        trust = min(1.0, max(0.0, 2.0 - math.sqrt(square) / personal.reach))
    total = personal.bias.copy()
    for j in range(features.shape[0]):
        x = np.float32(features[j])
        row = personal.geometry[j]
        for c in range(m):
            total[c] += x * row[c]
    for j in range(n_texture):
        x = np.float32(texture[j])
        row = personal.texture[j]
        for c in range(m):
            total[c] += x * row[c]
    for k in range(m):
        c = personal.channels[k]
        values[c] = min(ceiling, max(0.0, values[c] + trust * total[k]))

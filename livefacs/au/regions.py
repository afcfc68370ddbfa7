"""Parts of the face that rest, or act, by themselves: brows, lids and nose, mouth."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F64, I64
from livefacs.vocab.facs import AU_CHANNELS, action_of
from livefacs.vocab.readings import BLENDSHAPES, PATCHES

BROWS, LIDS, MOUTH = 0, 1, 2
N_REGIONS: Final = 3
REGION_NAMES: Final = ("brows", "eyes", "mouth")
NONE: Final = 3
"""Head channels belong to no part."""

_OF_ACTION: Final[dict[str, int]] = {
    **dict.fromkeys(("AU1", "AU2", "AU4"), BROWS),
    **dict.fromkeys(("AU5", "AU6", "AU7", "AU9", "AU43", "AU45"), LIDS),
    **dict.fromkeys(("AU61", "AU62", "AU63", "AU64"), LIDS),
    **dict.fromkeys(("AU51", "AU52", "AU53", "AU54", "AU55", "AU56"), NONE),
}

CHANNEL_REGION: Final[I64] = np.array(
    [_OF_ACTION.get(action_of(channel), MOUTH) for channel in AU_CHANNELS], np.int64
)


def _of_name(name: str) -> int:
    if name.startswith(("brow", "glabella", "forehead")):
        return BROWS
    is_lid = name.startswith(("eye", "cheekSquint", "nose", "under_eye"))
    return LIDS if is_lid else MOUTH


BLENDSHAPE_REGION: Final[I64] = np.array([_of_name(name) for name in BLENDSHAPES], np.int64)
PATCH_REGION: Final[I64] = np.array([_of_name(name) for name in PATCHES], np.int64)

_BROWS_END, _MOUTH_BEGINS, _RAMP = -0.1, 0.3, 0.1
"""Borders in the mean face, eye distances below the eye line, and how softly they pass over."""


def shares_of_points(shape: F64) -> F64:
    """(N_REGIONS, n) share of each part in each point; they add up to one.

    Parameters
    ----------
    shape : (n, 3) float64
        The mean face.
    """
    y = shape[:, 1]
    below_brows = np.clip((y - _BROWS_END) / _RAMP + 0.5, 0.0, 1.0)
    below_lids = np.clip((y - _MOUTH_BEGINS) / _RAMP + 0.5, 0.0, 1.0)
    return np.stack((1.0 - below_brows, below_brows - below_lids, below_lids))

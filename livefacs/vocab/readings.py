"""Names and sizes of what is read of a face besides its mesh; see ``au/image_reader.py``."""

from __future__ import annotations

from typing import Final

from livefacs.vocab.arkit import ARKIT_52

PATCHES: Final[tuple[str, ...]] = (
    "glabella",
    "forehead_L",
    "forehead_R",
    "nose_root",
    "nose_side_L",
    "nose_side_R",
    "under_eye_L",
    "under_eye_R",
    "cheek_L",
    "cheek_R",
    "fold_L",
    "fold_R",
    "lip_corner_L",
    "lip_corner_R",
    "mouth",
    "chin",
    "eye_L",
    "eye_R",
)
"""Pieces of skin whose wrinkles and brightness are measured; left is the performer's own."""

PATCH_INDEX: Final = {name: i for i, name in enumerate(PATCHES)}
PATCH_READINGS: Final[tuple[str, ...]] = ("upright_lines", "level_lines", "brightness")
"""Log energy of dark upright and of dark level lines, both over brightness; log brightness."""

N_PATCHES: Final = len(PATCHES)
N_PATCH_READINGS: Final = len(PATCH_READINGS)

TEXTURE_ROWS: Final = 16
TEXTURE_COLUMNS: Final = 14
N_ORIENTATIONS: Final = 8
N_TEXTURE: Final = TEXTURE_ROWS * TEXTURE_COLUMNS * N_ORIENTATIONS
"""Numbers of the upright face's oriented gradients: rows, columns, orientations."""

BLENDSHAPES: Final[tuple[str, ...]] = ("_neutral", *sorted(set(ARKIT_52) - {"tongueOut"}))
"""Outputs of MediaPipe's blendshape net: Apple's names without the tongue, before them
``_neutral``, which is no score of anything."""

BLENDSHAPE_INDEX: Final = {name: i for i, name in enumerate(BLENDSHAPES)}
N_BLENDSHAPES: Final = len(BLENDSHAPES)

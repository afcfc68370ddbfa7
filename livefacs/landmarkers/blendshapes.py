"""MediaPipe's blendshape network: 52 ARKit-like scores from a mesh."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.kernels.facemesh import gather_xy
from livefacs.landmarkers.graph_cutting import change_graph, cut_graph
from livefacs.landmarkers.mesh_networks import facemesh_points
from livefacs.landmarkers.network import Network
from livefacs.landmarkers.weights import read_weights
from livefacs.vocab.readings import BLENDSHAPES

_N_TOKENS: Final = 97
_FIRST_ROW: Final = (21, 43, 23)
"""Tensors: start, end and steps of the slice that takes one row."""


def last_block_of_one_token(model: bytes) -> bytes:
    """The network with a last block that computes the first token alone: a sixth less to do.

    Until then each of the 97 tokens needs the others. After the last mixing none does, the scores
    are read off the first, and the rest would be thrown away. What is left is computed as before.

    Parameters
    ----------
    model : bytes
        ``face_blendshapes.tflite``; operators and tensors are numbered as in that file.
    """
    slicing, adding, scoring = 175, 155, 178  # operators: of the output, of the last mixing
    of_block, mixed, row, out_of_block = 161, 175, 191, 189
    mixing = 39, 17, 231, 243  # weights and bias, as stored and as numbers of 32 bits
    narrowed = change_graph(
        model,
        inputs={
            slicing: (of_block, *_FIRST_ROW),
            adding: (mixed, row),
            scoring: (out_of_block, 200, 229),
        },
        narrowed=(*mixing, *range(174, out_of_block + 1)),
        width=_N_TOKENS,
        moved=slicing,
        before=adding,
    )
    return cut_graph(narrowed, (0,), (195,))


class BlendshapeNetwork:
    """Blendshape scores of one mesh; nothing is kept from frame to frame.

    The network sees x and y of 146 points, no image: ``facemesh_points("blendshape_points")``. It
    was trained on the meshes of MediaPipe's Tasks FaceLandmarker.

    Raises
    ------
    LandmarkerError
        LiteRT is not installed, or the network is missing or damaged.
    """

    names = BLENDSHAPES

    def __init__(self) -> None:
        self._points = facemesh_points("blendshape_points")
        self._network = Network(
            "blendshapes",
            last_block_of_one_token(read_weights("face_blendshapes")),
            [2 * len(self._points)],
            [len(BLENDSHAPES)],
            n_threads=1,
        )
        self._scores = np.empty(len(BLENDSHAPES), np.float32)

    def scores(self, points_px: F32) -> F32:
        """The scores of a mesh.

        Parameters
        ----------
        points_px : (478, 3) float32
            Pixels of the image; where and how large the face is does not matter. No NaN.

        Returns
        -------
        (52,) float32
            0..1 in the order of ``names``; written over by the next call.
        """
        gather_xy(points_px, self._points, self._network.inputs[0]().reshape(-1))
        self._network.run()
        self._scores[:] = self._network.outputs[0]().reshape(-1)
        return self._scores

"""MediaPipe's blendshape network: 52 ARKit-like scores from a mesh."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32
from livefacs.kernels.facemesh import gather_xy
from livefacs.landmarkers.mesh_networks import facemesh_points
from livefacs.landmarkers.network import Network
from livefacs.landmarkers.weights import read_weights
from livefacs.vocab.readings import BLENDSHAPES


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
            read_weights("face_blendshapes"),
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

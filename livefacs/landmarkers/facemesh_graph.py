"""MediaPipe's FaceMesh graph, run in the calling thread, its results left serialised.

``FaceMesh.process`` makes a new named-tuple class for every image, copies the image, and hands each
step of the graph to a pool of threads although one step waits for the other. None of that changes
a number, and it takes a tenth of the time. Imports MediaPipe: to be imported on use.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
from mediapipe.python._framework_bindings import _packet_getter
from mediapipe.python._framework_bindings.image_frame import ImageFormat
from mediapipe.python.packet_creator import create_image_frame
from mediapipe.python.solutions.face_mesh import FaceMesh

from livefacs.arrays import U8
from livefacs.landmarkers.holding import DeferSignals

_INPUT: Final = "image"
_OUTPUT: Final = "multi_face_landmarks"


class FaceMeshGraph(FaceMesh):  # type: ignore[misc]  # mediapipe has no types
    """A running graph.

    Parameters
    ----------
    max_faces : int
    min_confidence : float
        0..1, for detection and for keeping a track.
    """

    def __init__(self, max_faces: int, min_confidence: float) -> None:
        super().__init__(
            max_num_faces=max_faces,
            refine_landmarks=True,
            min_detection_confidence=min_confidence,
            min_tracking_confidence=min_confidence,
        )

    def faces(self, image: U8) -> list[bytes]:
        """Every face of the next image as a serialised ``NormalizedLandmarkList``.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
            Shared with the graph, not copied: nobody may write to it before this returns.
        """
        self._graph_outputs.clear()
        self._simulated_timestamp += 33_333  # microseconds; only their order counts
        shared = np.ascontiguousarray(image)[:]
        shared.flags.writeable = False  # what cannot be written is shared
        packet = create_image_frame(shared, image_format=ImageFormat.SRGB)
        with DeferSignals():
            self._graph.add_packet_to_input_stream(
                stream=_INPUT, packet=packet.at(self._simulated_timestamp)
            )
            self._graph.wait_until_idle()
        found = self._graph_outputs.get(_OUTPUT)
        if found is None or found.is_empty():
            return []
        faces: list[bytes] = _packet_getter._get_serialized_proto_list(found)
        return faces

    def close(self) -> None:
        """Free the graph."""
        with DeferSignals():
            super().close()

    def _initialize_graph_interface(self, *args: Any, **kwargs: Any) -> CalculatorGraphConfig:
        """The graph's own description, with the calling thread in place of a pool."""
        config = super()._initialize_graph_interface(*args, **kwargs)
        del config.executor[:]
        config.executor.add(type="ApplicationThreadExecutor")
        return config

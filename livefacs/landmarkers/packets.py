"""MediaPipe's landmark messages to arrays, without going through Python objects point by point."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.types import N_LANDMARKS

_POINT_BYTES: Final = 17
_POINT: Final = np.dtype(
    {
        "names": ["head", "x", "y_tag", "y", "z_tag", "z"],
        "formats": ["<V3", "<f4", "u1", "<f4", "u1", "<f4"],
        "offsets": [0, 3, 7, 8, 12, 13],
        "itemsize": _POINT_BYTES,
    }
)
"""One NormalizedLandmark inside a serialised list: field 1, length 15, then x, y, z as fixed32."""

_HEAD: Final = np.void(b"\x0a\x0f\x0d")
_Y_TAG: Final = 0x15
_Z_TAG: Final = 0x1D


def points_from_serialised(serialised: bytes, width: int, height: int) -> F32:
    """Mesh in pixels from a serialised ``NormalizedLandmarkList``.

    Reads the bytes in place where every point has the fixed layout (the source of which is the
    protobuf encoding: tags 0x0d, 0x15 and 0x1d before three little-endian floats), and parses the
    message where one has not.

    Parameters
    ----------
    serialised : bytes
        x and y in fractions of the image's width and height, z in fractions of the width.
    width, height : int
        Image size in pixels.

    Returns
    -------
    (N, 3) float32
        Pixels, x right, y down, z in x's scale.
    """
    if len(serialised) == N_LANDMARKS * _POINT_BYTES:
        records = np.frombuffer(serialised, _POINT)
        if (
            (records["head"] == _HEAD).all()
            and (records["y_tag"] == _Y_TAG).all()
            and (records["z_tag"] == _Z_TAG).all()
        ):
            points = np.empty((N_LANDMARKS, 3), np.float32)
            np.multiply(records["x"], np.float32(width), out=points[:, 0])
            np.multiply(records["y"], np.float32(height), out=points[:, 1])
            np.multiply(records["z"], np.float32(width), out=points[:, 2])
            return points
    return _points_by_parsing(serialised, width, height)


def _points_by_parsing(serialised: bytes, width: int, height: int) -> F32:
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    message = NormalizedLandmarkList.FromString(serialised)
    return np.array(
        [(point.x * width, point.y * height, point.z * width) for point in message.landmark],
        np.float32,
    ).reshape(-1, 3)

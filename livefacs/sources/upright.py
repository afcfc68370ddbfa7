"""Decoded pictures as they are shown: RGB, square pixels, turned as the file says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from livefacs.arrays import U8


class UprightPictures:
    """Makes decoded pictures of one clip (H, W, 3) uint8 RGB with square pixels, as they are shown.

    One converter serves the whole clip, and the first picture says how all are turned: a
    converter a picture starts threads for each, and a picture that is asked for its side data is
    never freed (PyAV 18).
    """

    def __init__(self, pixel_aspect: Fraction, n_threads: int = 0) -> None:
        self._pixel_aspect = pixel_aspect
        self._n_threads = n_threads
        self._converter = VideoReformatter()
        self._matrix: bytes | None = None
        self._is_first = True

    def upright(self, picture: VideoFrame) -> U8:
        """One picture."""
        if self._is_first:
            self._is_first = False
            if SideDataType.DISPLAYMATRIX in picture.side_data:
                self._matrix = bytes(picture.side_data[SideDataType.DISPLAYMATRIX])  # type: ignore[typeddict-item]  # the stub lacks the key
        width = max(1, round(picture.width * self._pixel_aspect))
        plain = self._converter.reformat(
            picture, format="rgb24", width=width, threads=self._n_threads
        )
        image = np.ascontiguousarray(plain.to_ndarray()).view(np.uint8)
        if self._matrix is None:
            return image
        return np.ascontiguousarray(turned_by_display_matrix(image, self._matrix))


def turned_by_display_matrix(image: U8, matrix: bytes) -> U8:
    """The image as a display matrix wants it shown, in quarter turns and flips.

    Parameters
    ----------
    image : (H, W, 3) uint8
    matrix : bytes
        Nine 32-bit integers a b u c d v x y w, row by row; a point (p, q) of the picture is shown
        at (a p + c q, b p + d q). Source: ISO/IEC 14496-12, track header; FFmpeg ``display.h``.
    """
    a, b, _, c, d = np.frombuffer(matrix, np.int32, count=5).tolist()
    if abs(a) >= abs(b):
        flip_x, flip_y = a < 0, d < 0
    else:
        image = image.swapaxes(0, 1)
        flip_x, flip_y = c < 0, b < 0
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]

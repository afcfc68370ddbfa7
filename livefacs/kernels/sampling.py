"""Green of an image between its pixels: single places, and small pieces turned and scaled."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32, F64, I64, U8
from livefacs.kernels._jit import kernel


@kernel
def raster(width: int, right: F64, down: F64, most: int, offsets: I64) -> tuple[int, float]:
    """Which pixels stand for one pixel of a smaller picture: up to three by three, evenly.

    Parameters
    ----------
    width : int
        Of the image.
    right, down : (2,) float64
        Edges of the smaller picture's pixel, in pixels of the image.
    most : int
        Pixels along an edge at most, 3 or less.
    offsets : (9,) int64, written
        Their places in the flattened image, from the nearest pixel's.

    Returns
    -------
    n : int
        How many; 0 where the picture is not smaller.
    margin : float
        How far they reach, pixels.
    """
    step = max(abs(right[0]) + abs(right[1]), abs(down[0]) + abs(down[1]))
    n = min(most, int(step + 0.5))
    if n < 2:
        return 0, 1.0
    at, margin = 0, 1.0
    for q in range(n):
        v = (q + 0.5) / n - 0.5
        for p in range(n):
            u = (p + 0.5) / n - 0.5
            i = int(np.floor(u * right[0] + v * down[0] + 0.5))
            j = int(np.floor(u * right[1] + v * down[1] + 0.5))
            offsets[at] = 3 * (j * width + i)
            margin = max(margin, abs(i) + 1.0, abs(j) + 1.0)
            at += 1
    return at, margin


@kernel
def sample(
    flat: U8, width: int, height: int, x: float, y: float, offsets: I64, n: int, margin: float
) -> float:
    """Green at a place: mean of ``raster``'s pixels, or bilinear where there are none.

    ``flat`` is the image as one row of bytes; beyond its border the border goes on.
    """
    x = min(max(x, margin), width - 1.001 - margin)
    y = min(max(y, margin), height - 1.001 - margin)
    if n > 0:
        at = 3 * (int(y + 0.5) * width + int(x + 0.5)) + 1
        total = 0
        for k in range(n):
            total += flat[at + offsets[k]]
        return float(total) / n
    i, j = int(x), int(y)
    u, v = x - i, y - j
    at = 3 * (j * width + i) + 1
    below = at + 3 * width
    top = flat[at] * (1.0 - u) + flat[at + 3] * u
    low = flat[below] * (1.0 - u) + flat[below + 3] * u
    return float(top * (1.0 - v) + low * v)


@kernel
def sample_patch(image: U8, x: float, y: float, right: F64, down: F64, out: F32) -> bool:
    """A small piece of the image, turned and scaled; False where part of it lies outside.

    Parameters
    ----------
    image : (H, W, 3) uint8
    x, y : float
        Its middle in pixels of the image.
    right, down : (2,) float64
        Step in the image for one pixel of the patch.
    out : (h, w) float32, written
        Green, 0..255.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    n_down, n_across = out.shape[0], out.shape[1]
    offsets = np.empty(9, np.int64)
    n, margin = raster(width, right, down, 3, offsets)
    reach_x = 0.5 * (n_across * abs(right[0]) + n_down * abs(down[0]))
    reach_y = 0.5 * (n_across * abs(right[1]) + n_down * abs(down[1]))
    if x < reach_x or y < reach_y or x + reach_x > width - 1 or y + reach_y > height - 1:
        return False
    for row in range(n_down):
        b = row - 0.5 * (n_down - 1)
        for column in range(n_across):
            a = column - 0.5 * (n_across - 1)
            px = x + a * right[0] + b * down[0]
            py = y + a * right[1] + b * down[1]
            out[row, column] = sample(flat, width, height, px, py, offsets, n, margin)
    return True

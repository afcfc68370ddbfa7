"""Green of an image between its pixels: rows of places, and small pieces turned and scaled."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32, F64, I32, I64, U8
from livefacs.kernels._jit import four_bytes, kernel


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
def add_bilinear(flat: U8, row_bytes: int, places: I32, across: F32, down: F32, total: F32) -> None:
    """Add green between four pixels for each place of a row.

    Loads first, then the arithmetic of 32 bits: loops of one kind, which vectorise.

    Parameters
    ----------
    flat : (H * W * 3,) uint8
    row_bytes : int
        Of the image.
    places : (3, n) int32
        First row: green of the upper left pixel in ``flat``; the others are overwritten.
    across, down : (n,) float32, 0..1
        From that pixel on.
    total : (n,) float32, added to
    """
    byte, last = np.int32(255), np.int32(24)
    for k in range(places.shape[1]):
        place = np.int64(places[0, k])
        places[1, k] = four_bytes(flat, place)  # the next pixel's green is its fourth
        places[2, k] = four_bytes(flat, place + row_bytes)
    for k in range(places.shape[1]):
        upper, lower = places[1, k], places[2, k]
        a, b = np.float32(upper & byte), np.float32((upper >> last) & byte)
        c, d = np.float32(lower & byte), np.float32((lower >> last) & byte)
        high, low = a + (b - a) * across[k], c + (d - c) * across[k]
        total[k] += high + (low - high) * down[k]


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
    row_pixels, half = np.int32(width), 0.5 if n > 0 else 0.0  # the nearest pixel, or the four
    share = np.float32(1.0 / max(n, 1))
    places = np.empty((3, n_across), np.int32)
    across, below = np.empty(n_across, np.float32), np.empty(n_across, np.float32)
    x_last, y_last = width - 1.001 - margin, height - 1.001 - margin
    for row in range(n_down):
        b = row - 0.5 * (n_down - 1)
        x_row = x + b * down[0] - 0.5 * (n_across - 1) * right[0]
        y_row = y + b * down[1] - 0.5 * (n_across - 1) * right[1]
        for column in range(np.int32(n_across)):  # 32 bits: AVX2 turns no others to floats
            at = np.float64(np.int32(column))
            px = min(x_last, max(margin, x_row + at * right[0])) + half  # NaN gives the margin
            py = min(y_last, max(margin, y_row + at * right[1])) + half
            i, j = np.int32(px), np.int32(py)
            across[column], below[column] = px - i, py - j
            places[0, column] = np.int32(3) * np.int32(np.int32(j * row_pixels) + i) + np.int32(1)
            out[row, column] = np.float32(0.0)
        if n > 0:
            _add_raster(flat, places, offsets[:n], share, out[row])
        else:
            add_bilinear(flat, 3 * width, places, across, below, out[row])
    return True


@kernel
def _add_raster(flat: U8, places: I32, offsets: I64, share: np.float32, total: F32) -> None:
    """Add the mean of the pixels at ``offsets`` from each place of a row."""
    for k in range(places.shape[1]):
        place, levels = np.int64(places[0, k]), np.int32(0)
        for q in range(offsets.shape[0]):
            levels += np.int32(four_bytes(flat, place + offsets[q]) & np.uint32(255))
        total[k] += np.float32(levels) * share

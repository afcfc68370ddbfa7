"""The face in the image: warped upright through the mesh, wrinkle energies, oriented gradients.

Only the green plane is read: blood makes skin relief stand out there most, and a third of the
bytes need fetching. Every position comes from the mesh and the mean face alone, never from what is
known of the person, so that the same image and mesh always give the same readings.
"""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F32, F64, I64, U8
from livefacs.kernels._jit import kernel
from livefacs.kernels.geometry import fit_similarity, undo_perspective
from livefacs.kernels.sampling import add_bilinear, sample_patch

N_ORIENTATIONS = 8
CELL_PX = 6
"""Pixels a side of a cell of the upright face."""

_NOISE_ENERGY = 0.5
"""Squared grey levels: what noise leaves of a line once it is averaged along it."""
_DARKEST = 4.0
_TINY = 1e-6


PATCH_PIXELS_PER_EYES = 80.0
"""Pixels of a patch to an outer-eye distance."""
SMALLEST_PX = 64
"""No face is read in a smaller image."""
MAX_PATCH_PX = 24
STRIP_PX = 6
"""Rows over which a line is followed."""
LINE_PX = 2
"""Distance of a line's middle from its borders."""

FIT_ROUNDS = 3
FIT_SOFTNESS = 0.02
"""As the estimator's own fit: residual, in eye distances, at which a point counts half."""
PIXELS_PER_EYES = 48.0
"""Pixels of the upright face to an outer-eye distance."""


@kernel
def fit_affine(points_px: F32, ids: I64, inverse: F64, out: F64) -> None:
    """Affine camera that takes the mean face to the image, by least squares.

    Parameters
    ----------
    points_px : (478, 3) float32
    ids : (m,) int64
        Points that expressions leave in place.
    inverse : (4, m) float64
        Weighted pseudo-inverse of their homogeneous coordinates in the mean face.
    out : (4, 2) float64, written
        Rows: pixels for one eye distance along x, y and z of the face; the origin.
    """
    out[:] = 0.0
    for j in range(ids.shape[0]):
        x, y = float(points_px[ids[j], 0]), float(points_px[ids[j], 1])
        for row in range(4):
            out[row, 0] += inverse[row, j] * x
            out[row, 1] += inverse[row, j] * y


@kernel
def line_energy(patch: F32, strip: F32) -> float:
    """Mean squared depth of dark upright lines.

    The patch is cut into strips of ``STRIP_PX`` rows, each averaged along the lines, so that noise
    and pores cancel and lines stay; a line is darker than the skin ``LINE_PX`` to both sides.

    Parameters
    ----------
    patch : (h, w) float32
    strip : (>= w,) float32, overwritten

    Returns
    -------
    float
        Squared grey levels.
    """
    n_down, n_across = patch.shape[0], patch.shape[1]
    n_rows = min(STRIP_PX, n_down)
    total, n = 0.0, 0
    for first in range(0, n_down - n_rows + 1, n_rows):
        for column in range(n_across):
            value = np.float32(0.0)
            for row in range(first, first + n_rows):
                value += patch[row, column]
            strip[column] = value / n_rows
        for column in range(LINE_PX, n_across - LINE_PX):
            depth = strip[column - LINE_PX] + strip[column + LINE_PX] - 2.0 * strip[column]
            n += 1
            if depth > 0.0:
                total += depth * depth
    return total / n


@kernel
def read_patch(patch: F32, strip: F32, out: F32) -> None:
    """Lines and brightness of a patch.

    Parameters
    ----------
    patch : (h, w) float32
    strip : (>= h, >= w) float32, overwritten
    out : (3,) float32, written
        Log energy of upright lines and of level lines, both over the brightness; log brightness.
    """
    mean = max(float(patch.mean()), _DARKEST)
    out[0] = math.log((line_energy(patch, strip) + _NOISE_ENERGY) / mean)
    out[1] = math.log((line_energy(patch.T, strip) + _NOISE_ENERGY) / mean)
    out[2] = math.log(mean)


@kernel
def upright_face(
    image: U8,
    face_from_camera: F64,
    offset: F64,
    scale: float,
    relief: F32,
    left: float,
    top: float,
    out: F32,
) -> None:
    """The face as seen from the front, expression and all: rigid turning alone is taken out.

    The camera is rigid, fitted with little weight on points that expressions move: one with more
    freedom would follow the expression. Pixels of the image are those of a pinhole whose focal
    length is the longer side of the image.

    Parameters
    ----------
    image : (H, W, 3) uint8
    face_from_camera : (3, 3) float64
    offset : (3,) float64
    scale : float
        From ``geometry.fit_similarity`` of the mesh onto the mean face.
    relief : (h, w) float32
        Depth of the mean face at each pixel of the result, eye distances.
    left, top : float
        Where the first pixel stands in the mean face; pixels are ``1 / 48`` of an eye distance.
    out : (h, w) float32, written
        Green, 0..255.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    unit, one = np.float32(1.0 / PIXELS_PER_EYES), np.float32(1.0)
    r = (face_from_camera / max(scale, 1e-9)).astype(np.float32)
    nearness = np.float32(1.0 / max(width, height))
    x_middle, y_middle = np.float32(0.5 * width), np.float32(0.5 * height)
    x_first, y_first = np.float32(left - offset[0]), np.float32(top - offset[1])
    z_first, quarter = np.float32(offset[2]), np.float32(0.25) * unit
    x_last, y_last = np.float32(width - 2.001), np.float32(height - 2.001)
    n = out.shape[1]
    floats, places = np.empty((6, n), np.float32), np.empty((3, n), np.int32)
    x_row, y_row, shrinks = floats[0], floats[1], floats[2]
    across, down, total = floats[3], floats[4], floats[5]
    row_pixels, row_bytes = np.int32(width), 3 * width
    for row in range(out.shape[0]):
        b = y_first + np.float32(row) * unit
        for column in range(np.int32(n)):  # numbers of 32 bits: AVX2 turns no others to floats
            a = x_first + np.float32(np.int32(column)) * unit
            z = relief[row, column] - z_first
            depth = r[0, 2] * a + r[1, 2] * b + r[2, 2] * z
            shrink = one / (one + depth * nearness)
            shrinks[column] = shrink
            x_row[column] = x_middle + (r[0, 0] * a + r[1, 0] * b + r[2, 0] * z) * shrink
            y_row[column] = y_middle + (r[0, 1] * a + r[1, 1] * b + r[2, 1] * z) * shrink
            total[column] = np.float32(0.0)
        for k in range(4):  # a pixel is the mean of its quarters, each between four pixels
            quarter_x = quarter if k & 1 else -quarter
            quarter_y = quarter if k & 2 else -quarter
            x_step = quarter_x * r[0, 0] + quarter_y * r[1, 0]
            y_step = quarter_x * r[0, 1] + quarter_y * r[1, 1]
            for column in range(n):
                x = x_row[column] + x_step * shrinks[column]
                y = y_row[column] + y_step * shrinks[column]
                x = min(x_last, max(one, x))  # beyond its border the border goes on; NaN gives 1
                y = min(y_last, max(one, y))
                i, j = np.int32(x), np.int32(y)
                across[column], down[column] = x - np.float32(i), y - np.float32(j)
                place = np.int32(np.int32(j * row_pixels) + i)
                places[0, column] = np.int32(3) * place + np.int32(1)
            add_bilinear(flat, row_bytes, places, across, down, total)
        for column in range(n):
            out[row, column] = np.float32(0.25) * total[column]


@kernel
def oriented_gradients(face: F32, cells: F64, out: U8) -> None:
    """Histogram of oriented gradients, compact: one normalisation, eight bits a number.

    Each pixel's gradient is shared between the two nearest of eight unsigned orientations and goes
    to one cell; a cell is divided by the root energy of itself and its eight neighbours.

    Parameters
    ----------
    face : (6 rows, 6 columns) float32
        Pixels, cells of ``CELL_PX``.
    cells : (rows, columns, 8) float64, written
        Gradient of each orientation.
    out : (rows * columns * 8,) uint8, written
        255 times the root of the orientation's share.
    """
    n_rows, n_columns = cells.shape[0], cells.shape[1]
    height, width = face.shape[0], face.shape[1]
    sizes, turns = np.empty(width, np.float32), np.empty(width, np.float32)
    shares = np.zeros((N_ORIENTATIONS, width), np.float32)  # of a row of cells
    none, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    last, tiny = np.float32(N_ORIENTATIONS - 1), np.float32(_TINY)
    for i in range(1, height - 1):
        for j in range(1, width - 1):  # no branch in these loops: they vectorise
            gx = face[i, j + 1] - face[i, j - 1]
            gy = face[i + 1, j] - face[i - 1, j]
            gx = -gx if gy < none else gx
            gy = abs(gy)
            sizes[j] = math.sqrt(gx * gx + gy * gy)
            # angle / pi in 0..1 without an arc tangent: exact at the eighths, within 0.4 degrees
            ax = abs(gx)
            t = half * (one - ax / max(ax + gy, tiny))
            turns[j] = (t if gx >= none else one - t) * np.float32(N_ORIENTATIONS)
        for j in range(1, width - 1):  # the last eighth is shared with the first orientation
            shares[0, j] += sizes[j] * max(one - turns[j], turns[j] - last, none)
        for k in range(1, N_ORIENTATIONS):
            middle = np.float32(k)
            for j in range(1, width - 1):
                shares[k, j] += sizes[j] * max(one - abs(turns[j] - middle), none)
        if (i + 1) % CELL_PX == 0 or i == height - 2:
            for k in range(N_ORIENTATIONS):
                for c in range(n_columns):
                    total = none
                    for j in range(CELL_PX * c, CELL_PX * c + CELL_PX):
                        total += shares[k, j]
                    cells[i // CELL_PX, c, k] = total
            shares[:] = none
    energies = np.empty((n_rows, n_columns))
    for r in range(n_rows):
        for c in range(n_columns):
            energy = 0.0
            for k in range(N_ORIENTATIONS):
                energy += cells[r, c, k] * cells[r, c, k]
            energies[r, c] = energy
    at = 0
    for r in range(n_rows):
        for c in range(n_columns):
            energy = 0.0
            for rr in range(max(0, r - 1), min(n_rows, r + 2)):
                for cc in range(max(0, c - 1), min(n_columns, c + 2)):
                    energy += energies[rr, cc]
            scale = 1.0 / (math.sqrt(energy) + CELL_PX * CELL_PX)
            for k in range(N_ORIENTATIONS):
                share = min(cells[r, c, k] * scale, 1.0)
                out[at] = np.uint8(255.0 * math.sqrt(share) + 0.5)
                at += 1


@kernel
def read_face(
    image: U8,
    points_px: F32,
    align_ids: I64,
    align_prior: F64,
    mean_face: F64,
    orthographic: F64,
    inverse: F64,
    patch_points: I64,
    patch_sizes: I64,
    slopes: F64,
    relief: F32,
    left: float,
    top: float,
    camera: F64,
    upright: F32,
    cells: F64,
    patches: F32,
    texture: U8,
) -> None:
    """Everything that is read of a face in an image; one call a frame.

    Parameters
    ----------
    image : (H, W, 3) uint8
    points_px : (478, 3) float32
    align_ids, inverse, camera : see ``fit_affine``
    align_prior : (m,) float64
        Weights of these points in the rigid fit.
    mean_face : (478, 3) float64
    orthographic : (478, 3) float64, overwritten
    patch_points : (n, 4) int64
        Landmarks whose mean is a patch's middle; -1 fills up.
    patch_sizes : (n, 2) int64
    slopes : (n, 2) float64
        Change of depth along x and y of the mean face.
    relief, left, top, upright : see ``upright_face``
    cells, texture : see ``oriented_gradients``
    patches : (n, 3) float32, written
    """
    if min(image.shape[0], image.shape[1]) < SMALLEST_PX:
        patches[:] = np.nan
        texture[:] = 0
        return
    fit_affine(points_px, align_ids, inverse, camera)
    unit = 1.0 / PATCH_PIXELS_PER_EYES
    right, down = np.empty(2), np.empty(2)
    strip = np.empty(MAX_PATCH_PX, np.float32)
    buffer = np.empty(MAX_PATCH_PX * MAX_PATCH_PX, np.float32)
    for i in range(patch_points.shape[0]):
        x, y, n = 0.0, 0.0, 0
        for j in range(patch_points.shape[1]):
            point = patch_points[i, j]
            if point >= 0:
                x += points_px[point, 0]
                y += points_px[point, 1]
                n += 1
        for d in range(2):
            right[d] = unit * (camera[0, d] + slopes[i, 0] * camera[2, d])
            down[d] = unit * (camera[1, d] + slopes[i, 1] * camera[2, d])
        n_across, n_down = patch_sizes[i, 0], patch_sizes[i, 1]
        patch = buffer[: n_across * n_down].reshape(n_down, n_across)
        if sample_patch(image, x / n, y / n, right, down, patch):
            read_patch(patch, strip, patches[i])
        else:
            patches[i] = np.nan
    height, width = image.shape[0], image.shape[1]
    undo_perspective(points_px, 0.5 * width, 0.5 * height, float(max(width, height)), orthographic)
    rotation, offset = np.empty((3, 3)), np.empty(3)
    scale, _ = fit_similarity(
        orthographic, mean_face, align_ids, align_prior, FIT_ROUNDS, FIT_SOFTNESS, rotation, offset
    )
    upright_face(image, rotation, offset, scale, relief, left, top, upright)
    oriented_gradients(upright, cells, texture)

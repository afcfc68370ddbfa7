"""What lies between FaceMesh's networks: crops, patches for its attention, points of the image.

A *region* is a square of the image that may be turned: centre x, centre y, side (pixels) and angle
(radians, clockwise on the screen). The network sees it as a *crop* of 192 by 192; pixel ``i`` of a
crop of ``n`` looks at ``(i / n - 1/2) * side`` from the centre, along the turned axes. Sources: the
graphs and custom operators of MediaPipe (Apache 2.0), face_landmark_with_attention.
"""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F32, F64, I32, I64, U8
from livefacs.kernels._jit import four_bytes, kernel

_CROP = 192
_REGION_SCALE = 1.5  # of the box around the mesh
_MAP = 48  # side of the feature map that patches are cut from
_PATCH = 16
_PATCH_SCALE = 1.5  # of the box around lips or eye
_N_MESH = 468
_N_CONTOUR = 16  # the first points of an eye's list: its contour
_IRIS = 5
_TICK_BITS = 5  # places of a crop are rounded to 1/32 of a pixel ...
_TICKS = 1 << _TICK_BITS
_LEVEL_BITS = 2 * _TICK_BITS  # ... so that four weights have ten bits
_HALF_LEVEL = 1 << (_LEVEL_BITS - 1)
N_SCRATCH_ROWS = 6
"""Rows of the scratch of ``crop_to_float``: places along x and y, and what stands there."""


@kernel
def crop_to_float(
    image: U8, region: F64, low: float, high: float, is_black_outside: bool, ticks: I32, out: F32
) -> None:
    """A region of an image as floats, bilinear.

    Rounded as OpenCV's warp rounds, which MediaPipe crops with: places to 1/32 of a pixel (a
    tick), values to whole levels. Without, points come out .03 pixels from MediaPipe's; with,
    .0003.

    Parameters
    ----------
    image : (H, W, 3) uint8
    region : (4,) float64
        Centre x, centre y, side in pixels; angle in radians.
    low, high : float
        What 0 and 255 become.
    is_black_outside : bool
        Beyond the border: black where True, the nearest pixel of the border where False.
    ticks : (N_SCRATCH_ROWS, n) int32, scratch
    out : (n, n, 3) float32, written
    """
    n = out.shape[0]
    step = region[2] / n * _TICKS
    along_x, along_y = math.cos(region[3]) * step, math.sin(region[3]) * step
    x_corner = region[0] * _TICKS - (along_x - along_y) * (0.5 * n) + 0.5
    y_corner = region[1] * _TICKS - (along_y + along_x) * (0.5 * n) + 0.5
    scale, offset = np.float32((high - low) / 255.0), np.float32(low)
    levels = image.reshape(-1)
    last_x, last_y = (image.shape[1] - 1) * _TICKS, (image.shape[0] - 1) * _TICKS
    for row in range(n):
        x_row, y_row = x_corner - along_y * row, y_corner + along_x * row
        for column in range(np.int32(n)):  # of 32 bits, as all here: AVX2 turns no others to floats
            at = np.float64(np.int32(column))
            ticks[0, column] = np.int32(np.floor(x_row + along_x * at))
            ticks[1, column] = np.int32(np.floor(y_row + along_y * at))
        is_inside = (
            min(ticks[0, 0], ticks[0, n - 1]) >= 0
            and max(ticks[0, 0], ticks[0, n - 1]) < last_x
            and min(ticks[1, 0], ticks[1, n - 1]) >= 0
            and max(ticks[1, 0], ticks[1, n - 1]) < last_y
        )
        if is_inside:
            _blend_row(levels, 3 * image.shape[1], ticks, scale, offset, out[row].reshape(-1))
        else:
            for column in range(n):
                for c in range(3):
                    level = _level_at_border(
                        image, ticks[0, column], ticks[1, column], c, is_black_outside
                    )
                    out[row, column, c] = np.float32(level) * scale + offset


@kernel
def _blend_row(
    levels: U8, row_bytes: int, ticks: I32, scale: np.float32, offset: np.float32, out: F32
) -> None:
    """One row of a crop that lies inside the image.

    First the loads, two words for a pixel and the next, then the arithmetic of 32 bits, which
    vectorises.
    """
    bits, width = np.int32(_TICK_BITS), np.int32(row_bytes)
    for column in range(ticks.shape[1]):
        x, y = ticks[0, column], ticks[1, column]
        ticks[2, column] = np.int32((y >> bits) * width) + np.int32((x >> bits) * np.int32(3))
    for column in range(ticks.shape[1]):
        i = np.int64(ticks[2, column])
        ticks[2, column] = four_bytes(levels, i)
        ticks[3, column] = four_bytes(levels, i + 2)
        ticks[4, column] = four_bytes(levels, i + row_bytes)
        ticks[5, column] = four_bytes(levels, i + row_bytes + 2)
    for column in range(ticks.shape[1]):
        across = ticks[0, column] & np.int32(_TICKS - 1)
        down = ticks[1, column] & np.int32(_TICKS - 1)
        words = ticks[2, column], ticks[3, column], ticks[4, column], ticks[5, column]
        k = np.uint64(3 * column)  # signed, each would be looked at for a minus
        out[k] = np.float32(_blended(words, 0, across, down)) * scale + offset
        k += np.uint64(1)
        out[k] = np.float32(_blended(words, 8, across, down)) * scale + offset
        k += np.uint64(1)
        out[k] = np.float32(_blended(words, 16, across, down)) * scale + offset


@kernel
def _blended(
    words: tuple[np.int32, np.int32, np.int32, np.int32],
    shift: int,
    across: np.int32,
    down: np.int32,
) -> np.int32:
    """The bilinear mean of one channel, 0..255: upper pixel, the next; lower pixel, the next."""
    bits, here, there = np.int32(_TICK_BITS), np.int32(shift), np.int32(shift + 8)
    upper_left, upper_right = (
        (words[0] >> here) & np.int32(255),
        (words[1] >> there) & np.int32(255),
    )
    lower_left, lower_right = (
        (words[2] >> here) & np.int32(255),
        (words[3] >> there) & np.int32(255),
    )
    upper = np.int32((upper_left << bits) + np.int32(np.int32(upper_right - upper_left) * across))
    lower = np.int32((lower_left << bits) + np.int32(np.int32(lower_right - lower_left) * across))
    level = np.int32(np.int32(upper << bits) + np.int32(np.int32(lower - upper) * down))
    return np.int32(np.int32(level + np.int32(_HALF_LEVEL)) >> np.int32(_LEVEL_BITS))


@kernel
def _level_at_border(image: U8, x_ticks: int, y_ticks: int, c: int, is_black_outside: bool) -> int:
    """The bilinear mean of four pixels of which some may lie outside; 0..255."""
    height, width = image.shape[0], image.shape[1]
    left, across = x_ticks >> _TICK_BITS, x_ticks & (_TICKS - 1)
    top, down = y_ticks >> _TICK_BITS, y_ticks & (_TICKS - 1)
    total = _HALF_LEVEL
    for i in range(4):
        x, y = left + (i & 1), top + (i >> 1)
        is_inside = 0 <= x < width and 0 <= y < height
        if is_inside or not is_black_outside:
            weight = (across if i & 1 else _TICKS - across) * (down if i >> 1 else _TICKS - down)
            total += weight * image[min(max(y, 0), height - 1), min(max(x, 0), width - 1), c]
    return total >> _LEVEL_BITS


@kernel
def region_from_points(points_px: F32, i_from: int, i_to: int, out: F64) -> None:
    """The region in which the network looks for a face that was here a frame ago.

    Parameters
    ----------
    points_px : (n, 3) float32, pixels
    i_from, i_to : int
        The line between these points is level in the crop: the outer corners of the eyes.
    out : (4,) float64, written
    """
    low_x = high_x = float(points_px[0, 0])
    low_y = high_y = float(points_px[0, 1])
    for i in range(1, points_px.shape[0]):
        x, y = float(points_px[i, 0]), float(points_px[i, 1])
        low_x, high_x = min(low_x, x), max(high_x, x)
        low_y, high_y = min(low_y, y), max(high_y, y)
    out[0], out[1] = 0.5 * (low_x + high_x), 0.5 * (low_y + high_y)
    out[2] = _REGION_SCALE * max(high_x - low_x, high_y - low_y)
    out[3] = math.atan2(
        float(points_px[i_to, 1]) - float(points_px[i_from, 1]),
        float(points_px[i_to, 0]) - float(points_px[i_from, 0]),
    )


@kernel
def _patch_transform(mesh: F32, indices: I64, i_from: int, i_to: int, out: F64) -> None:
    """From cells of a patch to the feature map: (2, 3), around the listed points, turned with them.

    ``Landmarks2TransformMatrix`` of the network. ``mesh`` is in pixels of the crop, of which the
    feature map has a quarter.
    """
    scale = _MAP / _CROP
    angle = math.atan2(
        float(mesh[3 * i_to + 1]) - float(mesh[3 * i_from + 1]),
        float(mesh[3 * i_to]) - float(mesh[3 * i_from]),
    )
    c, s = math.cos(angle), math.sin(angle)
    low_x = low_y = math.inf
    high_x = high_y = -math.inf
    for k in range(indices.shape[0]):
        x, y = scale * mesh[3 * indices[k]], scale * mesh[3 * indices[k] + 1]
        turned_x, turned_y = c * x + s * y, c * y - s * x
        low_x, high_x = min(low_x, turned_x), max(high_x, turned_x)
        low_y, high_y = min(low_y, turned_y), max(high_y, turned_y)
    middle_x, middle_y = 0.5 * (low_x + high_x), 0.5 * (low_y + high_y)
    wide = _PATCH_SCALE * (high_x - low_x) / _PATCH
    tall = _PATCH_SCALE * (high_y - low_y) / _PATCH
    half = 0.5 * _PATCH
    out[0, 0], out[0, 1] = c * wide, -s * tall
    out[1, 0], out[1, 1] = s * wide, c * tall
    out[0, 2] = c * middle_x - s * middle_y - half * (out[0, 0] + out[0, 1])
    out[1, 2] = s * middle_x + c * middle_y - half * (out[1, 0] + out[1, 1])


@kernel
def _cut_patch(features: F32, transform: F64, out: F32) -> None:
    """A patch of the feature map, bilinear, 0 outside: ``TransformTensorBilinear``."""
    n, depth = features.shape[0], features.shape[2]
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            u, v = column + 0.5, row + 0.5
            x = transform[0, 0] * u + transform[0, 1] * v + transform[0, 2] - 0.5
            y = transform[1, 0] * u + transform[1, 1] * v + transform[1, 2] - 0.5
            left, top = math.floor(x), math.floor(y)
            for d in range(depth):
                out[row, column, d] = 0.0
            for i in range(4):
                i_x, i_y = int(left) + (i & 1), int(top) + (i >> 1)
                if 0 <= i_x < n and 0 <= i_y < n:
                    across, down = x - left, y - top
                    weight = np.float32(
                        (across if i & 1 else 1.0 - across) * (down if i >> 1 else 1.0 - down)
                    )
                    for d in range(depth):
                        out[row, column, d] += weight * features[i_y, i_x, d]


@kernel
def cut_patches(
    mesh: F32,
    features: F32,
    parts: tuple[I64, I64, I64],
    lines: I64,
    patches: tuple[F32, F32, F32],
    transforms: F64,
) -> None:
    """The patches of the feature map that the second network refines: lips, left and right eye.

    Parameters
    ----------
    mesh : (1404,) float32
        x, y, z of the 468 points in pixels of the crop.
    features : (48, 48, 32) float32
    parts : tuple of (80,), (71,), (71,) int64
        Points of the mesh in the order of the second network's outputs.
    lines : (3, 2) int64
        Two points of each part whose line is level in its patch.
    patches : tuple of three (16, 16, 32) float32, written
    transforms : (3, 2, 3) float64, written
        From patch to feature map, for ``refine_mesh``.
    """
    for i in range(3):
        _patch_transform(mesh, parts[i], lines[i, 0], lines[i, 1], transforms[i])
        _cut_patch(features, transforms[i], patches[i])


@kernel
def _place(found: F32, k: int, transform: F64, i_point: int, points: F32) -> None:
    """Write x and y of a refined point: ``TransformLandmarks``, in pixels of the crop."""
    to_crop = _CROP / _MAP
    x, y = float(found[2 * k]), float(found[2 * k + 1])
    points[i_point, 0] = transform[0, 0] * x + transform[0, 1] * y + to_crop * transform[0, 2]
    points[i_point, 1] = transform[1, 0] * x + transform[1, 1] * y + to_crop * transform[1, 2]


@kernel
def refine_mesh(
    mesh: F32,
    parts: tuple[I64, I64, I64],
    found: tuple[F32, F32, F32, F32, F32],
    transforms: F64,
    region: F64,
    points_px: F32,
) -> None:
    """The 478 points of a face in the image.

    Lips and eyes take x and y from the second network and keep their depth; an iris has the mean
    depth of the contour of its eye.

    Parameters
    ----------
    mesh : (1404,) float32
        x, y, z of the 468 points in pixels of the crop.
    parts, transforms : as of ``cut_patches``
    found : tuple of (160,), (142,), (10,), (142,), (10,) float32
        What the second network gave: lips, left eye and its iris, right eye and its iris.
    region : (4,) float64
        Where the crop lies in the image.
    points_px : (478, 3) float32, written
    """
    lips, left_eye, right_eye = parts
    for i in range(_N_MESH):
        for axis in range(3):
            points_px[i, axis] = mesh[3 * i + axis]
    for k in range(lips.shape[0]):
        _place(found[0], k, transforms[0], lips[k], points_px)
    for k in range(left_eye.shape[0]):
        _place(found[1], k, transforms[1], left_eye[k], points_px)
        _place(found[3], k, transforms[2], right_eye[k], points_px)
    left_depth = right_depth = 0.0
    for k in range(_N_CONTOUR):
        left_depth += mesh[3 * left_eye[k] + 2] / _N_CONTOUR
        right_depth += mesh[3 * right_eye[k] + 2] / _N_CONTOUR
    for k in range(_IRIS):
        _place(found[2], k, transforms[1], _N_MESH + k, points_px)
        _place(found[4], k, transforms[2], _N_MESH + _IRIS + k, points_px)
        points_px[_N_MESH + k, 2] = left_depth
        points_px[_N_MESH + _IRIS + k, 2] = right_depth
    scale = region[2] / _CROP
    c, s = math.cos(region[3]) * scale, math.sin(region[3]) * scale
    half = 0.5 * _CROP
    for i in range(points_px.shape[0]):
        x, y = points_px[i, 0] - half, points_px[i, 1] - half
        points_px[i, 0] = region[0] + c * x - s * y
        points_px[i, 1] = region[1] + s * x + c * y
        points_px[i, 2] = points_px[i, 2] * scale


@kernel
def gather_xy(points_px: F32, indices: I64, out: F32) -> None:
    """x and y of the listed points, one after the other.

    Parameters
    ----------
    points_px : (478, 3) float32
    indices : (n,) int64
    out : (2 n,) float32, written
    """
    for k in range(indices.shape[0]):
        out[2 * k] = points_px[indices[k], 0]
        out[2 * k + 1] = points_px[indices[k], 1]

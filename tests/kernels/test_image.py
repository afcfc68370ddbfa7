"""What is read of an image: lines, oriented gradients, sampling."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.arrays import F32, F64
from livefacs.kernels import image as k
from livefacs.kernels.sampling import sample_patch

N = k.N_ORIENTATIONS


def noise(shape: tuple[int, ...], seed: int = 0) -> F32:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


def line_energy(patch: F64) -> float:
    """The plain twin: strips, their means, how much darker a column is than its neighbours."""
    n_rows = min(k.STRIP_PX, len(patch))
    depths = []
    for i in range(len(patch) // n_rows):
        strip = patch[i * n_rows : (i + 1) * n_rows].mean(axis=0)
        around = strip[: -2 * k.LINE_PX] + strip[2 * k.LINE_PX :]
        depths.append(np.maximum(around - 2 * strip[k.LINE_PX : -k.LINE_PX], 0) ** 2)
    return float(np.mean(depths))


@pytest.mark.parametrize("shape", [(18, 18), (9, 24), (20, 12)])
def test_line_energy_equals_its_plain_twin(shape: tuple[int, int]):
    patch = noise(shape)
    ours = k.line_energy(patch, np.empty(24, np.float32))
    assert ours == pytest.approx(line_energy(patch.astype(np.float64)), rel=1e-4)


def test_lines_show_in_their_own_direction_and_noise_in_none():
    patch = np.full((18, 18), 120, np.float32)
    patch[:, 8:10] -= 20
    out = np.empty(3, np.float32)
    strip = np.empty(24, np.float32)
    k.read_patch(patch, strip, out)
    assert out[0] > out[1] + 3
    k.read_patch(np.ascontiguousarray(patch.T), strip, out)
    assert out[1] > out[0] + 3
    grain = 120 + np.random.default_rng(1).normal(0, 3, (18, 18)).astype(np.float32)
    still = np.empty(3, np.float32)
    k.read_patch(grain, strip, still)
    assert still[:2].max() < out[1] - 1.5
    assert still[2] == pytest.approx(np.log(120), abs=0.02)


def oriented_gradients(face: F64) -> F64:
    """The plain twin, from arrays."""
    gy, gx = np.zeros_like(face), np.zeros_like(face)
    gx[1:-1, 1:-1] = face[1:-1, 2:] - face[1:-1, :-2]
    gy[1:-1, 1:-1] = face[2:, 1:-1] - face[:-2, 1:-1]
    flip = np.where(gy < 0, -1.0, 1.0)
    gx, gy = gx * flip, gy * flip
    size = np.hypot(gx, gy)
    quarter = 0.5 * (1 - np.abs(gx) / np.maximum(np.abs(gx) + gy, 1e-9))
    turn = N * np.where(gx >= 0, quarter, 1 - quarter)
    low = np.floor(turn).astype(int)
    rows, columns = face.shape[0] // k.CELL_PX, face.shape[1] // k.CELL_PX
    cells = np.zeros((rows, columns, N))
    for i in range(face.shape[0]):
        for j in range(face.shape[1]):
            cell = cells[i // k.CELL_PX, j // k.CELL_PX]
            share = turn[i, j] - low[i, j]
            cell[low[i, j] % N] += size[i, j] * (1 - share)
            cell[(low[i, j] + 1) % N] += size[i, j] * share
    around = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            around[r, c] = (cells[max(0, r - 1) : r + 2, max(0, c - 1) : c + 2] ** 2).sum()
    shares = cells / (np.sqrt(around) + k.CELL_PX**2)[..., None]
    return 255 * np.sqrt(np.minimum(shares, 1)).reshape(-1)


def test_oriented_gradients_equal_their_plain_twin():
    face = noise((24, 18))
    out = np.empty(4 * 3 * N, np.uint8)
    k.oriented_gradients(face, np.empty((4, 3, N)), out)
    assert np.abs(out - oriented_gradients(face.astype(np.float64))).max() < 0.6


def test_a_smaller_picture_is_the_mean_of_the_pixels_under_it():
    image = noise((60, 80, 3)).astype(np.uint8)
    out = np.empty((4, 5), np.float32)
    right, down = np.array([3.0, 0.0]), np.array([0.0, 3.0])
    assert sample_patch(image, 40.0, 30.0, right, down, out)
    for row in range(4):
        for column in range(5):
            x, y = 40 + 3 * (column - 2), 30 + 3 * (row - 1.5)
            top, left = int(y + 0.5) - 1, int(x + 0.5) - 1
            mean = image[top : top + 3, left : left + 3, 1].mean()
            assert out[row, column] == pytest.approx(mean, abs=1e-3)


def test_between_pixels_it_is_bilinear():
    image = np.zeros((20, 20, 3), np.uint8)
    image[..., 1] = 10 * np.arange(20)[None, :]
    out = np.empty((1, 3), np.float32)
    half = np.array([0.5, 0.0])
    assert sample_patch(image, 10.25, 9.5, half, np.array([0.0, 0.5]), out)
    np.testing.assert_allclose(out[0], (97.5, 102.5, 107.5), atol=1e-4)


@pytest.mark.parametrize("place", [(1.0, 10.0), (10.0, 1.0), (19.0, 10.0), (10.0, 18.5)])
def test_a_patch_that_leaves_the_image_is_not_read(place: tuple[float, float]):
    out = np.empty((4, 4), np.float32)
    image = np.zeros((20, 20, 3), np.uint8)
    right, down = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert not sample_patch(image, *place, right, down, out)
    assert sample_patch(image, 10.0, 10.0, right, down, out)


def test_the_affine_camera_is_the_least_squares_one():
    rng = np.random.default_rng(2)
    shape, weight = rng.normal(size=(30, 3)), rng.uniform(0.1, 1, 30)
    rows = np.hstack((shape, np.ones((30, 1))))
    inverse = np.linalg.solve(rows.T @ (rows * weight[:, None]), (rows * weight[:, None]).T)
    points = rng.normal(size=(478, 3)).astype(np.float32)
    out = np.empty((4, 2))
    k.fit_affine(points, np.arange(30), inverse, out)
    root = np.sqrt(weight)[:, None]
    expected = np.linalg.lstsq(rows * root, points[:30, :2] * root, rcond=None)[0]
    np.testing.assert_allclose(out, expected, atol=1e-6)


def bilinear(green: F64, x: float, y: float) -> float:
    """The plain twin of one look between four pixels."""
    height, width = green.shape
    x, y = min(max(x, 1.0), width - 2.001), min(max(y, 1.0), height - 2.001)
    i, j = int(x), int(y)
    four = green[j : j + 2, i : i + 2]
    across, down = np.array((1 - (x - i), x - i)), np.array((1 - (y - j), y - j))
    return float(down @ four @ across)


@pytest.mark.parametrize("middle", [(0.0, 0.0), (0.3, -0.2), (-0.6, 0.5)])
def test_an_upright_face_equals_its_plain_twin_over_the_border_too(middle: tuple[float, float]):
    image = np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)
    turn, scale, relief = 0.4, 1 / 40.0, noise((12, 18), seed=4) / 2550
    c, s = np.cos(turn), np.sin(turn)
    rotation, offset = (
        np.array(((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0))),
        np.array((*middle, 0)),
    )
    out = np.empty((12, 18), np.float32)
    k.upright_face(image, rotation, offset, scale, relief, -0.2, -0.1, out)
    axes = rotation.T / scale  # from face to pixels, before perspective
    expected, unit = np.empty_like(out), 1 / k.PIXELS_PER_EYES
    for row, column in np.ndindex(out.shape):
        place = np.array((-0.2 + unit * column, -0.1 + unit * row, relief[row, column])) - offset
        x, y, depth = axes @ place
        shrink = 1 / (1 + depth / 120)
        looks = []
        for u, v in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            dx, dy = 0.25 * unit * shrink * (axes[:2, 0] * u + axes[:2, 1] * v)
            looks.append(
                bilinear(image[..., 1].astype(float), 60 + x * shrink + dx, 45 + y * shrink + dy)
            )
        expected[row, column] = np.mean(looks)
    np.testing.assert_allclose(out, expected, atol=1e-3)

"""Readings of a face in an image: where patches lie, what moves them and what does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livefacs.arrays import F32, U8
from livefacs.au.estimator_model import load_model
from livefacs.au.image_reader import ImageReader
from livefacs.kernels import image as k
from livefacs.kernels._jit import signature_count
from livefacs.types import Landmarks
from livefacs.vocab.readings import N_PATCHES, N_TEXTURE, PATCH_INDEX, PATCHES

from .faces import face, landmarks

SIZE = (640, 480)
GLABELLA, CHIN = PATCH_INDEX["glabella"], PATCH_INDEX["chin"]


def read(image: U8, mesh: Landmarks) -> tuple[F32, U8]:
    return ImageReader(load_model()).read(image, mesh)


def painted(mesh: Landmarks, point: int, *, is_upright: bool = True) -> U8:
    """Plain skin with one dark line through a landmark."""
    image = np.full((mesh.image_size[1], mesh.image_size[0], 3), 140, np.uint8)
    x, y = mesh.points_px[point, :2].astype(int)
    if is_upright:
        image[y - 12 : y + 13, x - 1 : x + 2] = 90
    else:
        image[y - 1 : y + 2, x - 12 : x + 13] = 90
    return image


def test_shapes_and_types():
    patches, texture = read(np.zeros((480, 640, 3), np.uint8), landmarks(face()))
    assert patches.shape == (N_PATCHES, 3)
    assert patches.dtype == np.float32
    assert texture.shape == (N_TEXTURE,)
    assert texture.dtype == np.uint8
    assert len(set(PATCHES)) == N_PATCHES


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e6])
def test_a_mesh_of_rubbish_reads_no_byte_outside_the_image(value: float):
    """A place that is no number would be one far outside: nothing is read there, nothing dies."""
    mesh = landmarks(face())
    points = mesh.points_px.copy()
    points[::3] = value
    for rubbish in (points, np.full_like(points, value)):
        image = np.full((480, 640, 3), 140, np.uint8)
        patches, _ = read(image, replace(mesh, points_px=rubbish))
        known = patches[~np.isnan(patches)]
        assert ((known > -20) & (known < 20)).all()


def test_a_frown_line_shows_between_the_brows_and_nowhere_else():
    mesh = landmarks(face())
    plain, _ = read(np.full((480, 640, 3), 140, np.uint8), mesh)
    patches, _ = read(painted(mesh, 9), mesh)
    rise = (patches - plain)[:, 0]
    assert rise[GLABELLA] > 3
    assert np.abs(np.delete(rise, [GLABELLA, PATCH_INDEX["nose_root"]])).max() < 0.5


def test_a_level_line_is_told_from_an_upright_one():
    mesh = landmarks(face())
    patches, _ = read(painted(mesh, 199, is_upright=False), mesh)
    assert patches[CHIN, 1] > patches[CHIN, 0] + 2


@pytest.mark.parametrize("angle", [0.3, -0.3])
def test_patches_turn_with_the_head(angle: float):
    """A picture that is turned with its face reads the same."""
    rng = np.random.default_rng(4)
    mesh = landmarks(face(), size=(480, 480))
    coarse = rng.uniform(60, 200, (60, 60))
    grey = np.kron(coarse, np.ones((8, 8)))
    turned = _turned(grey, angle)
    straight, _ = read(_image(grey), mesh)
    tipped, _ = read(_image(turned), landmarks(face(), size=(480, 480), roll=-angle))
    difference = np.abs(tipped - straight)[[GLABELLA, CHIN, PATCH_INDEX["under_eye_L"]]]
    assert difference[:, :2].max() < 1.0
    assert difference[:, 2].max() < 0.03


def _image(grey: np.ndarray) -> U8:
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def _turned(grey: np.ndarray, angle: float) -> np.ndarray:
    """Turned about its middle, clockwise as seen for a positive angle."""
    n = len(grey)
    y, x = np.mgrid[:n, :n] - n / 2
    c, s = np.cos(angle), np.sin(angle)
    i = np.clip((c * x + s * y + n / 2).round().astype(int), 0, n - 1)
    j = np.clip((-s * x + c * y + n / 2).round().astype(int), 0, n - 1)
    return grey[j, i]


def test_light_changes_texture_little():
    rng = np.random.default_rng(5)
    grey = np.kron(rng.uniform(60, 120, (60, 80)), np.ones((8, 8)))
    mesh = landmarks(face())
    _, dim = read(_image(grey), mesh)
    _, bright = read(_image(1.8 * grey), mesh)
    assert np.abs(dim.astype(float) - bright).mean() < 6


def test_a_face_that_leaves_the_image_is_read_where_it_is_seen():
    mesh = landmarks(face(), centre=(0.0, 190.0))
    patches, _ = read(np.full((480, 640, 3), 140, np.uint8), mesh)
    assert np.isnan(patches[CHIN]).all()
    assert np.isfinite(patches[GLABELLA]).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 2, 3), (5, 400, 3)])
def test_tiny_images_do_not_lead_beyond_memory(shape: tuple[int, int, int]):
    patches, _ = read(np.full(shape, 9, np.uint8), landmarks(face()))
    assert np.isnan(patches).all()


def test_one_signature_whatever_comes():
    frozen = landmarks(face())
    frozen.points_px.setflags(write=False)
    image = np.zeros((480, 640, 3), np.uint8)
    read(image, frozen)
    image.setflags(write=False)
    read(image, landmarks(face()))
    read(np.zeros((640, 480, 3), np.uint8).transpose(1, 0, 2), landmarks(face()))
    assert signature_count(k.read_face) == 1

"""The head that ships: size, names, what its shapes move, and that it is built anew alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pygltflib
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from livefacs.formats.head import ShippedHead
from livefacs.resources import data_path
from livefacs.vocab.controls import control_names
from livefacs.vocab.facs import AU_CHANNELS, EYE_CHANNELS, HEAD_CHANNELS
from tests.support.waiting import PATIENCE_S

FACE = 0
SKIN = 0
MOST_BYTES = 3_000_000
FULL = 0.001  # metres: a shape that moves less shows nothing


@pytest.fixture(scope="module")
def head() -> ShippedHead:
    return ShippedHead()


def centre(head: ShippedHead, name: str) -> np.ndarray:
    """Where an action moves the skin, weighted by how far."""
    size = np.linalg.norm(head.displacement(FACE, SKIN, name), axis=1)
    return np.asarray((head.points(FACE, SKIN) * size[:, None]).sum(axis=0) / size.sum())


def test_it_is_small_and_an_independent_reader_opens_it() -> None:
    assert data_path("head.glb").stat().st_size <= MOST_BYTES
    gltf = pygltflib.GLTF2().load_binary(str(data_path("head.glb")))
    assert {node.name for node in gltf.nodes} >= {"head", "neck", "eye_left", "eye_right", "face"}
    n = len(gltf.meshes[0].extras["targetNames"])
    assert all(len(primitive.targets) == n for primitive in gltf.meshes[0].primitives)


def test_the_skin_is_fine_only_where_that_shows_and_has_no_cracks(head: ShippedHead) -> None:
    """Each triangle costs a machine without a graphics card; an edge left open would gape."""
    part = head.document["meshes"][FACE]["primitives"][SKIN]
    triangles = head.values(part["indices"]).reshape(-1, 3).astype(int)
    assert len(triangles) < 16_000
    edges = np.sort(np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    found, times = np.unique(edges, axis=0, return_counts=True)
    assert times.max() == 2
    a, b = found[times == 1].T
    assert (np.bincount(np.concatenate((a, b))) % 2 == 0).all()
    open_edges = coo_array((np.ones(len(a)), (a, b)), shape=(triangles.max() + 1,) * 2)
    _, ring = connected_components(open_edges, directed=False)
    assert len(np.unique(ring[a])) == 5  # the neck's end, behind both ears and the lids


def test_every_action_of_the_face_has_a_shape(head: ShippedHead) -> None:
    turning = {*HEAD_CHANNELS, *EYE_CHANNELS}
    for channel in AU_CHANNELS:
        if channel not in turning:
            moved = np.linalg.norm(head.displacement(FACE, SKIN, channel), axis=1)
            assert moved.max() > FULL, channel


@pytest.mark.parametrize("vocabulary", ["arkit52", "ict_facekit"])
def test_names_of_the_maps_move_it(head: ShippedHead, vocabulary: str) -> None:
    still = {name for name in control_names(vocabulary) if name not in head.names}
    gaze = {name for name in still if name.startswith(("eyeLookIn", "eyeLookOut"))}
    assert still - gaze <= {"cheekRaiser_L", "cheekRaiser_R"}  # nothing drives it in the map


@pytest.mark.parametrize(
    ("left", "direction"),
    [
        ("AU12_L", (1, 1, -1)),  # out, up and back
        ("AU2_L", (0, 1, 0)),
        ("AU15_L", (0, -1, 0)),
        ("AU6_L", (0, 1, 0)),
        ("AU20_L", (1, 0, 0)),
        ("AD34_L", (0, 0, 0)),
    ],
)
def test_sides_move_apart_and_mirror_each_other(
    head: ShippedHead, left: str, direction: tuple[int, int, int]
) -> None:
    right = left.removesuffix("L") + "R"
    assert centre(head, left)[0] > 0.01
    assert centre(head, right) == pytest.approx(centre(head, left) * (-1, 1, 1), abs=2.5e-3)
    moved = head.displacement(FACE, SKIN, left)
    largest = moved[np.linalg.norm(moved, axis=1).argmax()]
    for axis, sign in enumerate(direction):
        assert sign == 0 or np.sign(largest[axis]) == sign


def test_closed_lids_meet_in_front_of_the_eyeball(head: ShippedHead) -> None:
    """The first points of the skin are the landmarks: margins of the left lids, by pairs."""
    upper, lower = [387, 386, 385], [373, 374, 380]
    eye = sum(np.array(head.node(name)["translation"]) for name in ("eye_left", "head", "neck"))
    radius = np.linalg.norm(head.points(1, 0), axis=1).min()
    for closing in (0.0, 0.5, 1.0):
        points = head.points(FACE, SKIN) + closing * head.displacement(FACE, SKIN, "AU45_L")
        off = np.linalg.norm(points[upper + lower] - eye, axis=1)
        assert off.min() > radius, closing
    assert np.linalg.norm(points[upper] - points[lower], axis=1).max() < 0.0005


def test_the_jaw_takes_the_lower_teeth_along(head: ShippedHead) -> None:
    moved = head.displacement(2, 0, "AU27")
    assert moved[:, 1].min() < -0.015
    still = (moved == 0).all(axis=1)
    assert 0.3 < still.mean() < 0.7  # the upper row


@pytest.mark.slow
@pytest.mark.facebench
def test_the_build_is_reproducible_from_the_people(facebench: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="the script takes FaceMesh's triangles from mediapipe")
    built = tmp_path / "head.glb"
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "tools.head", str(facebench), "--to", str(built)]
    subprocess.run(words, check=True, cwd=root, capture_output=True, timeout=PATIENCE_S)
    assert built.read_bytes() == data_path("head.glb").read_bytes()

"""Who is who among several faces: people of the development clips, composed into one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.estimator_model import load_model
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.face_track import ShapeMemory, ShapeReader
from livefacs.landmarkers.roll_call import SAME_SHAPE, RollCall
from livefacs.mesh import N_MESH
from livefacs.types import Frame
from tests.support.composed import FACEBENCH, RATE_HZ, Place, Tile, composed
from tools.shape_changes import KEPT_VARIANCE, changes_of

pytestmark = pytest.mark.skipif(
    not (FACEBENCH / "people").is_dir(), reason="no clips of people at ../shared/facebench"
)

CROPS = {  # around the face, parts of the picture
    "d11": (0.01, 0.08, 1.0, 1.0),
    "sky2": (0.38, 0.02, 0.67, 0.6),
    "dped": (0.03, 0.14, 0.95, 1.0),
    "w040": (0.29, 0.14, 0.66, 0.93),
}
LEFT, RIGHT = (200.0, 240.0), (600.0, 240.0)


def person(name: str, centre: Callable[[float], Place], **more: object) -> Tile:
    """A tile with somebody's face."""
    return Tile(FACEBENCH / "people" / f"{name}.mp4", centre, crop=CROPS[name], **more)  # type: ignore[arg-type]  # of Tile


def path_between(t: float, begin_s: float, took_s: float) -> float:
    """0 before, 1 after, in between in proportion."""
    return min(max((t - begin_s) / took_s, 0.0), 1.0)


def called(
    tiles: list[Tile],
    seconds: float,
    n: int = 2,
    frames: Iterator[Frame] | None = None,
    **how: bool,
) -> list[str]:
    """What each performer is, frame by frame: ``0 1``; ``-``: not seen, ``!``: somebody new.

    Faces are called by the tile whose centre they are nearest to. Equal neighbours are one.
    """
    rows = []
    roll_call = RollCall(load_model(None), n, **how)
    with closing(open_landmarker("facemesh", n_performers=n)) as finder:
        for frame in frames or composed(tiles, seconds):
            faces = finder.faces(frame)
            height, width = frame.image.shape[:2]
            row = []
            for each in roll_call.call(faces, (width, height), frame.t_ns):
                name = "-"
                if each.face is not None:
                    centre = faces[each.face][:, :2].mean(axis=0)
                    name = str(nearest(tiles, frame.i_frame / RATE_HZ, centre))
                row.append(name + ("!" if each.is_new else ""))
            rows.append(" ".join(row))
    return [row for row, _ in groupby(rows)]


def nearest(tiles: list[Tile], seconds: float, centre: np.ndarray) -> int:
    """Number of the tile that a face is of."""
    ways = {}
    for i, tile in enumerate(tiles):
        place = tile.centre(seconds)
        if place is not None:
            ways[i] = float(np.hypot(*(centre - place)))
    return min(ways, key=ways.__getitem__)


@pytest.mark.parametrize(("one", "other"), [("d11", "sky2"), ("w040", "dped")])
def test_two_who_cross_keep_their_numbers(one: str, other: str) -> None:
    def way(t: float) -> float:
        return 400.0 * path_between(t, 1.5, 1.5)

    tiles = [
        person(one, lambda t: (200.0 + way(t), 240.0)),
        person(other, lambda t: (600.0 - way(t), 240.0)),
    ]
    rows = called(tiles, 5.5)
    assert rows[0] == rows[-1] == "0 1"
    assert not {"1 0", "0 0", "1 1"} & set(rows)
    assert "- 1" in rows  # the one behind was hidden


def test_two_who_meet_and_turn_back_keep_their_numbers() -> None:
    def way(t: float) -> float:
        return 190.0 * (path_between(t, 1.5, 1.0) - path_between(t, 2.8, 1.0))

    tiles = [
        person("d11", lambda t: (200.0 + way(t), 240.0)),
        person("sky2", lambda t: (600.0 - way(t), 240.0)),
    ]
    rows = called(tiles, 5.5)
    assert rows[0] == rows[-1] == "0 1"
    assert "1 0" not in rows


def test_shapes_tell_when_motion_was_wrong() -> None:
    """Both hide and come back in each other's place: motion says the opposite."""

    def side(t: float, first: tuple[float, float], then: tuple[float, float]) -> Place:
        return first if t < 2.5 else None if t < 2.8 else then

    tiles = [
        person("d11", lambda t: side(t, LEFT, RIGHT)),
        person("sky2", lambda t: side(t, RIGHT, LEFT)),
    ]
    rows = called(tiles, 6.0)
    assert rows[0] == rows[-1] == "0 1"


def test_who_comes_back_has_the_number_again() -> None:
    tiles = [
        person("d11", lambda _: LEFT),
        person("sky2", lambda t: None if 3.0 < t < 5.0 else RIGHT),
    ]
    assert called(tiles, 7.0) == ["0 1", "0 -", "0 1"]


def test_who_comes_in_place_of_another_is_somebody_new() -> None:
    tiles = [
        person("d11", lambda _: LEFT),
        person("sky2", lambda t: RIGHT if t < 3.0 else None),
        person("dped", lambda t: RIGHT if t > 5.0 else None),
    ]
    rows = called(tiles, 8.0)
    assert rows[:2] == ["0 1", "0 -"]
    assert rows[-2:] == ["0 2!", "0 2"]
    with_room = called(tiles, 8.0, 3, takes_over=False)
    assert with_room[-1] == "0 - 2"  # a number of their own where there is one


def test_a_picture_on_the_wall_gives_way_to_a_person() -> None:
    tiles = [
        person("d11", lambda _: (170.0, 240.0), height=300),
        person("sky2", lambda t: (630.0, 240.0) if t > 1.0 else None, height=300),
        person("dped", lambda _: (400.0, 240.0), height=330, still=True),
    ]
    rows = called(tiles, 5.0)
    assert rows[0] == "0 2"
    assert rows[-2:] == ["0 1!", "0 1"]


def test_numbers_go_from_left_to_right_and_places_hold() -> None:
    late_left = [
        person("d11", lambda t: LEFT if t > 0.5 else None),
        person("sky2", lambda _: RIGHT),
    ]
    assert called(late_left, 2.0)[-1] == "0 1"
    alone = [person("sky2", lambda _: RIGHT)]
    assert called(alone, 1.5)[-1] == "0 -"
    assert called(alone, 1.5, by_place=True)[-1] == "- 0"


def test_shapes_of_one_person_are_nearer_than_those_of_two() -> None:
    """On people whom no threshold was chosen on alone: half of all clips, in the other half."""
    reader = ShapeReader(load_model(None))

    def memory(clip: Path, first: int) -> ShapeMemory:
        found = ShapeMemory()
        tile = Tile(clip, lambda _: (240.0, 240.0), height=460, crop=CROPS[clip.stem], first=first)
        with closing(open_landmarker("facemesh")) as finder:
            for frame in composed([tile], 1.2, (480, 480)):
                for face in finder.faces(frame):
                    sample = reader.read(face, (480, 480))
                    if sample is not None:
                        found.add(sample)
        return found

    people = {
        name: [memory(FACEBENCH / "people" / f"{name}.mp4", first) for first in (0, 60)]
        for name in ("w040", "dped", "sky2")
    }
    own = {name: late.distance(early) for name, (early, late) in people.items()}
    taken = []
    for name, (_, late) in people.items():
        for other, (theirs, _) in people.items():
            if other != name:
                assert own[name] < late.distance(theirs)
                taken.append(late.distance(theirs) <= SAME_SHAPE)
    assert max(own.values()) < SAME_SHAPE
    assert sum(taken) <= 2  # of six: the limit is not sure


def test_a_face_turned_far_gives_no_shape() -> None:
    model = load_model(None)
    points = (100.0 * model.canonical + 300.0).astype(np.float32)
    assert points.shape == (N_MESH, 3)
    reader = ShapeReader(model)
    assert reader.read(points, (640, 640)) is not None
    angle = np.radians(40.0)
    turned = points.copy()
    x, z = points[:, 0] - 300.0, points[:, 2] - 300.0
    turned[:, 0] = 300.0 + x * np.cos(angle) + z * np.sin(angle)
    turned[:, 2] = 300.0 - x * np.sin(angle) + z * np.cos(angle)
    assert reader.read(turned, (640, 640)) is None


def test_what_a_face_changes_by_is_taken_out_and_what_tells_people_apart_is_not() -> None:
    random = np.random.default_rng(0)
    changing, telling = np.linalg.qr(random.normal(size=(40, 2)))[0].T
    acting = random.normal(0.0, 0.05, (3, 300))
    people = [
        (0.1 * number * telling + np.outer(row, changing)).reshape(-1, 20, 2)
        for number, row in enumerate(acting)
    ]
    (change,) = changes_of(people)
    left = changing - change.ravel() * (change.ravel() @ changing)
    variance = float((acting - np.median(acting, axis=1, keepdims=True)).var())
    kept = np.sqrt(KEPT_VARIANCE / (KEPT_VARIANCE + variance))
    assert np.linalg.norm(left) == pytest.approx(kept, rel=0.02)
    assert abs(change.ravel() @ telling) < 1e-6

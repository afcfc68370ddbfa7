"""Pictures turned as the user says: clips, image folders, cameras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import ConfigError, SourceError
from livefacs.protocols import Source
from livefacs.sources import open_source
from livefacs.sources.turned import turned
from tests.sources.clips import every, write_clip
from tests.sources.mjpeg import MjpegCamera
from tests.take.synthetic import make_take, tracked_frame


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    served = MjpegCamera()
    yield served
    served.close()


CORNERS = {0: (0, 0), 90: (0, -1), 180: (-1, -1), 270: (-1, 0)}
"""Where a white top left corner lies once the picture was turned clockwise."""


def white_corner(image: np.ndarray) -> tuple[int, int]:
    brightness = {(y, x): int(image[y, x].mean()) for y in (0, -1) for x in (0, -1)}
    return max(brightness, key=lambda corner: brightness[corner])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_clip_is_turned_clockwise(tmp_path: Path, degrees: int) -> None:
    clip = write_clip(tmp_path / "c.mkv", times_ms=every(6), corner=True)
    source = open_source(str(clip), realtime=False, rotate=degrees)
    assert isinstance(source, Source)
    frames = list(iter(source.read, None))
    source.close()
    assert [frame.t_ns for frame in frames] == [ms * 1_000_000 for ms in every(6)]
    for frame in frames:
        assert white_corner(frame.image) == CORNERS[degrees]
        assert frame.image.shape == ((64, 48, 3) if degrees % 180 else (48, 64, 3))
        assert frame.image.flags.c_contiguous
    assert source.description.startswith("c.mkv,")
    assert source.description.endswith(f"turned by {degrees}°") == bool(degrees)


def test_a_turned_clip_loops(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mkv", times_ms=every(3), corner=True)
    source = open_source(str(clip), realtime=False, loop=True, rotate=90)
    corners = [white_corner(frame.image) for _ in range(7) if (frame := source.read())]
    source.close()
    assert corners == [CORNERS[90]] * 7


def test_a_camera_is_turned(camera: MjpegCamera) -> None:
    plain = open_source(camera.url)
    upright = plain.read()
    plain.close()
    source = open_source(camera.url, rotate=270)
    assert "turned by 270°" in source.description
    frame = source.read()
    source.close()
    assert upright is not None
    assert frame is not None
    assert frame.image.shape[:2] == upright.image.shape[1::-1]


@pytest.mark.parametrize("degrees", [45, -90, 360])
def test_other_angles_are_refused(degrees: int) -> None:
    with pytest.raises(ConfigError, match="expected 90, 180 or 270"):
        open_source("demo", rotate=degrees)


def test_a_take_has_nothing_to_turn(tmp_path: Path) -> None:
    folder = make_take(tmp_path / "t", [tracked_frame(0)]).folder
    with pytest.raises(SourceError, match="no pictures that could be turned"):
        open_source(str(folder), rotate=90)


def test_turning_four_times_changes_nothing() -> None:
    image = np.random.default_rng(2).integers(0, 255, (3, 5, 3)).astype(np.uint8)
    back = image
    for _ in range(4):
        back = turned(back, 90)
    np.testing.assert_array_equal(back, image)
    np.testing.assert_array_equal(turned(image, 90)[:, -1], image[0])  # the top goes to the right

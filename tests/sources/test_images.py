"""Folders and patterns of images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sources.images import (
    ImagesSource,
    is_image_spec,
    list_images,
    natural_key,
    read_rgb,
)


def write_image(path: Path, image: np.ndarray) -> Path:
    encoded = cv2.imencode(path.suffix, image)[1]
    path.write_bytes(encoded.tobytes())
    return path


def grey(value: int, size: tuple[int, int] = (16, 12)) -> np.ndarray:
    return np.full((size[1], size[0], 3), value, np.uint8)


def test_natural_order_and_given_rate(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100, 2):
        write_image(tmp_path / f"shot{number}.png", grey(number))
    (tmp_path / "notes.txt").write_text("not an image")
    source = ImagesSource(str(tmp_path), 25.0)
    frames = [source.read() for _ in range(5)]
    assert [int(f.image[0, 0, 0]) for f in frames if f] == [1, 2, 9, 10, 100]
    assert [f.t_ns for f in frames if f] == [0, 40_000_000, 80_000_000, 120_000_000, 160_000_000]
    assert [f.i_frame for f in frames if f] == list(range(5))
    assert source.read() is None
    assert source.n_frames == 5


def test_natural_key_compares_digits_by_value_and_mixed_names() -> None:
    names = ["b1", "a10", "a2", "2", "a02b", "A1"]
    ordered = sorted(map(Path, names), key=natural_key)
    assert [path.name for path in ordered] == ["2", "A1", "a2", "a02b", "a10", "b1"]


def test_patterns_single_files_and_brackets_in_folder_names(tmp_path: Path) -> None:
    folder = tmp_path / "take [1]"
    folder.mkdir()
    write_image(folder / "x1.jpg", grey(5))
    write_image(folder / "x2.png", grey(6))
    assert len(list_images(str(folder))) == 2
    write_image(tmp_path / "y1.jpg", grey(5))
    assert [path.name for path in list_images(str(tmp_path / "*.jpg"))] == ["y1.jpg"]
    assert ImagesSource(str(tmp_path / "y1.jpg"), 30).n_frames == 1


def test_rgb_order_grey_alpha_16_bit_and_unicode_names(tmp_path: Path) -> None:
    blue_bgr = np.zeros((4, 4, 3), np.uint8)
    blue_bgr[..., 0] = 200
    assert read_rgb(write_image(tmp_path / "größe.png", blue_bgr))[0, 0].tolist() == [0, 0, 200]
    one_channel = np.full((4, 4), 77, np.uint8)
    assert read_rgb(write_image(tmp_path / "g.png", one_channel))[0, 0].tolist() == [77] * 3
    deep = np.full((4, 4), 77 << 8, np.uint16)
    assert read_rgb(write_image(tmp_path / "d.png", deep)).dtype == np.uint8
    alpha = np.full((4, 4, 4), 50, np.uint8)
    assert read_rgb(write_image(tmp_path / "a.png", alpha)).shape == (4, 4, 3)


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_unreadable_images_are_named(tmp_path: Path, content: bytes | None) -> None:
    first = write_image(tmp_path / "1.png", grey(1))
    broken = tmp_path / "2.png"
    broken.write_bytes(first.read_bytes()[:40] if content is None else content)
    source = ImagesSource(str(tmp_path), 30)
    assert source.read() is not None
    with pytest.raises(SourceError, match=r"2\.png is not an image"):
        source.read()


@pytest.mark.parametrize("spec", ["", "*.png", "absent/shot*.png", "absent.jpg"])
def test_nothing_there_is_told(tmp_path: Path, spec: str) -> None:
    with pytest.raises(SourceError, match="no image at"):
        ImagesSource(str(tmp_path / spec), 30)


def test_rewind_and_close(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", grey(1))
    source = ImagesSource(str(tmp_path), 30)
    assert source.read() is not None
    assert source.read() is None
    source.rewind()
    assert source.read() is not None
    source.rewind()
    source.close()
    assert source.read() is None


def test_a_clip_whose_name_has_brackets_is_a_clip(tmp_path: Path) -> None:
    clip = tmp_path / "take [b].mp4"
    clip.write_bytes(b"")
    assert not is_image_spec(str(clip))
    assert is_image_spec(str(tmp_path / "shots [b] *.png"))
    assert is_image_spec(str(tmp_path / "gone [b]*.mp4"))

"""Folders and patterns of images."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sources.images import ImagesSource
from livefacs.sources.pictures import read_rgb
from livefacs.sources.sequence import frame_numbers, is_image_spec, list_images, natural_key


def write_image(path: Path, image: np.ndarray) -> Path:
    encoded = cv2.imencode(path.suffix, image)[1]
    path.write_bytes(encoded.tobytes())
    return path


def grey(value: int, size: tuple[int, int] = (16, 12)) -> np.ndarray:
    return np.full((size[1], size[0], 3), value, np.uint8)


def shown(spec: str | Path, rate_hz: float = 25.0) -> tuple[ImagesSource, list[tuple[int, int]]]:
    """The source, and the number and milliseconds of every frame."""
    source = ImagesSource(str(spec), rate_hz)
    frames = list(iter(source.read, None))
    return source, [(frame.i_frame, round(frame.t_ns / 1e6)) for frame in frames]


def encode_picture(path: Path, image: np.ndarray, pix_fmt: str) -> Path:
    """EXR and DPX through FFmpeg's encoders."""
    height, width = image.shape[:2]
    encoder = av.CodecContext.create(path.suffix[1:], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pix_fmt
    encoder.time_base = Fraction(1, 25)
    picture = av.VideoFrame.from_ndarray(image, format=pix_fmt)
    path.write_bytes(b"".join(bytes(p) for p in (*encoder.encode(picture), *encoder.encode(None))))
    return path


def test_numbers_give_frames_and_times_in_natural_order(tmp_path: Path) -> None:
    for number in (12, 9, 8, 10):
        write_image(tmp_path / f"shot{number}.png", grey(number))
    (tmp_path / "notes.txt").write_text("not an image")
    source = ImagesSource(str(tmp_path), 25.0)
    frames = list(iter(source.read, None))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [8, 9, 10, 12]
    assert [frame.t_ns for frame in frames] == [0, 40_000_000, 80_000_000, 160_000_000]
    assert [frame.i_frame for frame in frames] == [0, 1, 2, 4]
    assert source.n_frames == 4
    assert source.notices == (f"{tmp_path}: pictures are missing, their places stay empty: 11",)


def test_a_hole_keeps_its_place(tmp_path: Path) -> None:
    for number in (*range(1001, 1006), *range(1009, 1012)):
        write_image(tmp_path / f"sc01_v2.{number}.jpg", grey(number % 200))
    source, frames = shown(tmp_path, 24.0)
    assert frames[5] == (8, 333)
    assert frames[-1] == (10, 417)
    assert source.notices[0].endswith("their places stay empty: 1006-1008")


def test_hidden_files_beside_the_pictures_are_none_of_them(tmp_path: Path) -> None:
    """macOS leaves ``._`` files on foreign disks: with them no number would count."""
    folder = tmp_path / "shot"
    folder.mkdir()
    for number in (3, 4, 7):
        cv2.imwrite(str(folder / f"shot.{number:04}.png"), np.zeros((8, 8, 3), np.uint8))
        (folder / f"._shot.{number:04}.png").write_bytes(b"\0\5\x16\7")
    for spec in (folder, folder / "*.png", folder / "shot.%04d.png"):
        assert frame_numbers(list_images(str(spec))) == [3, 4, 7]
    assert [path.name for path in list_images(str(folder / "._shot.0003.png"))] == [
        "._shot.0003.png"
    ]


def test_renders_of_every_second_frame_lack_nothing(tmp_path: Path) -> None:
    for number in range(1001, 1011, 2):
        write_image(tmp_path / f"{number}.png", grey(3))
    source, frames = shown(tmp_path)
    assert frames == [(number, 40 * number) for number in range(0, 10, 2)]
    assert source.notices == ()


def test_a_broken_picture_is_counted_and_passed_over(tmp_path: Path) -> None:
    whole = write_image(tmp_path / "a1.jpg", np.random.default_rng(1).integers(0, 255, (64, 64, 3)))
    data = whole.read_bytes()
    for number in range(2, 6):
        (tmp_path / f"a{number}.jpg").write_bytes(data)
    (tmp_path / "a1.jpg").write_bytes(b"")
    (tmp_path / "a3.jpg").write_bytes(data[: len(data) // 2])
    source, frames = shown(tmp_path)
    assert frames == [(1, 40), (3, 120), (4, 160)]
    assert source.n_damaged == 2
    (told,) = source.closing_notices()
    assert told.startswith("2 damaged picture(s) were skipped")
    assert "a1.jpg" in told


@pytest.mark.parametrize(
    ("pattern", "n_found"),
    [
        ("shot.%04d.png", 3),
        ("shot.####.png", 3),
        ("shot.%d.png", 4),
        ("shot.#.png", 4),
        ("shot.1*.png", 3),
        ("SHOT.%04d.png", 0),
        ("shot.%05d.png", 0),
        ("shot.%04d.jpg", 0),
    ],
)
def test_patterns_of_other_programs(tmp_path: Path, pattern: str, n_found: int) -> None:
    for number in (999, 1000, 1001, 1002):
        write_image(tmp_path / f"shot.{number}.png", grey(3))
    write_image(tmp_path / "shotx1000.png", grey(3))
    assert is_image_spec(str(tmp_path / pattern))
    if n_found:
        assert len(list_images(str(tmp_path / pattern))) == n_found
        return
    with pytest.raises(SourceError, match="no image at"):
        list_images(str(tmp_path / pattern))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["a.png"], [0]),
        (["v2_9_final.png", "v2_10_final.png"], [9, 10]),
        (["x1.jpg", "x2.png"], [1, 2]),
        (["cam1.0001.png", "cam1.0002.png", "cam2.0001.png"], None),
        (["anna.png", "bert.png"], None),
        (["20251130093001.png", "20251130121502.png"], None),
    ],
)
def test_which_number_counts(names: list[str], numbers: list[int] | None) -> None:
    assert frame_numbers([Path(name) for name in names]) == numbers


def test_a_sequence_in_two_formats_is_refused(tmp_path: Path) -> None:
    for suffix in ("jpg", "png"):
        for number in (1, 2):
            write_image(tmp_path / f"s.{number}.{suffix}", grey(3))
    with pytest.raises(SourceError, match=r"two pictures for one frame: .*s\.1\.jpg and s\.1\.png"):
        ImagesSource(str(tmp_path), 25.0)
    assert len(shown(tmp_path / "*.png")[1]) == 2


def test_names_without_a_sequence_are_taken_in_their_order(tmp_path: Path) -> None:
    for name in ("anna", "bert"):
        write_image(tmp_path / f"{name}.png", grey(3))
    source, frames = shown(tmp_path)
    assert frames == [(0, 0), (1, 40)]
    assert "no numbered sequence" in source.notices[0]


def test_exr_is_light_and_comes_as_a_viewer_shows_it(tmp_path: Path) -> None:
    light = np.zeros((8, 6, 3), np.float32)
    light[:, :, 0], light[:, :, 1], light[:, :, 2] = 0.18, 4.0, -0.5
    for number in (1, 2):
        encode_picture(tmp_path / f"s.{number:04}.exr", light, "gbrpf32le")
    image = read_rgb(tmp_path / "s.0001.exr")
    assert (image.shape, image.dtype, image.flags.c_contiguous) == ((8, 6, 3), np.uint8, True)
    assert image[0, 0].tolist() == [118, 255, 0]  # 18 % grey, beyond white, below black
    assert shown(tmp_path / "s.####.exr")[1] == [(0, 0), (1, 40)]


@pytest.mark.parametrize(
    ("suffix", "pix_fmt", "dtype"), [("exr", "gbrpf32le", np.float32), ("dpx", "rgb24", np.uint8)]
)
def test_exr_and_dpx_that_break_off_are_flagged(
    tmp_path: Path, suffix: str, pix_fmt: str, dtype: type
) -> None:
    image = np.random.default_rng(1).uniform(0, 1, (40, 30, 3))
    pixels = (image * (1 if dtype == np.float32 else 255)).astype(dtype)
    whole = encode_picture(tmp_path / f"s1.{suffix}", pixels, pix_fmt)
    data = whole.read_bytes()
    for number, share in enumerate((0.0, 0.01, 0.5, 0.95, 1.0), start=2):
        (tmp_path / f"s{number}.{suffix}").write_bytes(data[: int(len(data) * share)])
    source, frames = shown(tmp_path)
    assert frames == [(0, 0), (5, 200)]
    assert source.n_damaged == 4
    assert "convert it to PNG" in source.closing_notices()[0]


def test_dpx_of_ten_bits(tmp_path: Path) -> None:
    image = np.full((8, 6, 3), 128 << 8, np.uint16)
    path = encode_picture(tmp_path / "s.dpx", image, "rgb48be")
    assert abs(int(read_rgb(path).mean()) - 128) <= 1


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
    with pytest.raises(SourceError, match=r"2\.png is not an image"):
        ImagesSource(str(broken), 30)
    first.unlink()
    (tmp_path / "3.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"none of 2 pictures can be decoded; .*2\.png is not an"):
        ImagesSource(str(tmp_path), 30)


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

"""Plots: the page stands alone and shows the numbers; the picture is one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livefacs.errors import ConfigError
from livefacs.formats import plot_html, plot_png
from livefacs.formats.curves import ExportOptions
from livefacs.formats.facs_events import FacsEvent
from livefacs.formats.plot_rows import N_COLUMNS, Plot, limits, plot_from_take
from livefacs.take.reader import Take
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.take.synthetic import START_NS, clip_info, make_take, tracked_frame


@pytest.fixture
def plot(take: Take) -> Plot:
    return plot_from_take(take, [], ExportOptions())


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_else(plot: Plot, tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    plot_html.write(plot, path)
    page = path.read_text()
    checker = _Checker()
    checker.feed(page)
    assert checker.addresses == []
    assert not re.search(r"https?://|url\(|@import|fetch\(", page)
    assert checker.tags.count("svg") == len(plot.rows)


def test_the_page_holds_the_curves(plot: Plot, tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    plot_html.write(plot, path)
    page = path.read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    data = json.loads(found[1])
    index = [row.name for row in plot.rows].index("AU12")
    assert data["rows"][index]["sides"] == ["L", "R"]
    assert data["rows"][index]["values"][0][10] == 1.0
    assert data["rows"][index]["values"][1][10] == 0.5
    assert data["label"][10] == "01:00:00:10"
    assert "Lip corner puller" in page
    assert "big smile" in page
    svg = page.split('aria-label="AU12')[1]
    line = re.search(r'class="sideL" points="([^"]*)"', svg)
    assert line is not None
    x, y = map(float, line[1].split()[30].split(","))
    assert x == plot_html.WIDTH / 2
    assert y == pytest.approx(plot_html.HEIGHT * (1 - 1 / 1.25), abs=0.06)


def test_events_are_drawn_with_their_letters(take: Take, tmp_path: Path) -> None:
    plot = plot_from_take(take, ["12"], ExportOptions())
    event = FacsEvent(
        "AU12", "L", START_NS, START_NS + 10**9 // 6, START_NS + 10**9 // 3, "E", 1.0, "L12E"
    )
    plot = replace(plot, rows=(replace(plot.rows[0], events=(event,)),))
    plot_html.write(plot, tmp_path / "plot.html")
    page = (tmp_path / "plot.html").read_text()
    assert 'class="event" x="0.0" width="400.0"' in page
    assert ">L12E</text>" in page
    plot_png.write(plot, tmp_path / "plot.png")


def test_only_what_moves_is_shown(plot: Plot, take: Take) -> None:
    assert [row.name for row in plot.rows] == ["AU12", "AU26"]
    chosen = plot_from_take(take, ["au26", "6"], ExportOptions())
    assert [row.title for row in chosen.rows] == [
        "AU26 Jaw drop",
        "AU6 Cheek raiser and lid compressor",
    ]
    with pytest.raises(ConfigError, match="no action 'AU99'"):
        plot_from_take(take, ["AU99"], ExportOptions())


def test_a_take_without_movement_says_so(tmp_path: Path) -> None:
    still = plot_from_take(make_take(tmp_path / "t", [tracked_frame(0)]), [], ExportOptions())
    assert still.rows == ()
    plot_html.write(still, tmp_path / "plot.html")
    assert "Nothing to show: no curve reaches 0.05." in (tmp_path / "plot.html").read_text()
    plot_png.write(still, tmp_path / "plot.png")


def test_a_rig_is_plotted_by_its_controls(take: Take, tmp_path: Path) -> None:
    plot = plot_from_take(take, [], ExportOptions(rig="arkit52"))
    assert [row.name for row in plot.rows] == ["mouthSmileLeft", "mouthSmileRight"]
    assert not plot.has_letters
    plot_html.write(plot, tmp_path / "plot.html")
    assert "letters A to E" not in (tmp_path / "plot.html").read_text()


def test_the_picture(plot: Plot, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    plot_png.write(plot, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 1440
        pixels = np.asarray(image.convert("RGB"), np.int16)
    blue = (pixels[..., 2] - pixels[..., 0] > 100).sum()
    orange = (pixels[..., 0] - pixels[..., 2] > 100).sum()
    assert blue > 200
    assert orange > 200


def test_the_picture_names_the_markers(plot: Plot, tmp_path: Path) -> None:
    dark = []
    for marks in (plot.marks, ()):
        plot_png.write(replace(plot, marks=marks), tmp_path / "plot.png")
        with Image.open(tmp_path / "plot.png") as image:
            between = np.asarray(image.convert("L"))[44:52, 300:1400]  # the title and the first row
        dark.append(int((between < 128).sum()))
    assert dark[0] > 20
    assert dark[1] == 0


def test_the_picture_shows_what_exceeds_the_scale(tmp_path: Path) -> None:
    frames = []
    for i in range(60):
        intensity = np.zeros(N_AU, np.float32)
        intensity[CHANNEL_INDEX["AU12_L"]] = 1.6 if 15 <= i < 45 else 0.0
        frame = tracked_frame(i)
        frames.append(replace(frame, units=replace(frame.units, intensity=intensity)))
    plot = plot_from_take(make_take(tmp_path / "t", frames, clip_info()), [], ExportOptions())
    assert limits(plot, plot.rows[0]) == pytest.approx((0.0, 1.68))
    plot_png.write(plot, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as image:
        pixels = np.asarray(image.convert("RGB"), np.int16)
    middle = pixels[:, 800:900]  # the plateau: no rise or fall crosses these columns
    assert (middle[..., 2] - middle[..., 0] > 100).any(axis=0).all()


def test_long_takes_are_thinned_and_keep_their_peaks(tmp_path: Path) -> None:
    frames = [tracked_frame(0) if i != 1777 else tracked_frame(10) for i in range(3000)]
    frames = [replace(f, i_frame=i, t_ns=START_NS + i * 10**7) for i, f in enumerate(frames)]
    long = make_take(tmp_path / "t", frames, clip_info())
    plot = plot_from_take(long, ["12"], ExportOptions())
    assert len(plot.time_s) <= N_COLUMNS + 2
    assert plot.rows[0].values.max() == 1.0


def test_a_small_peak_beside_a_large_movement_survives(tmp_path: Path) -> None:
    """Both in one span of the picture: the lids for one frame, the mouth a frame later."""
    frames = []
    for i in range(3000):
        intensity = np.zeros(N_AU, np.float32)
        intensity[CHANNEL_INDEX["AU45_L"]] = 0.4 if i == 1776 else 0.0
        intensity[CHANNEL_INDEX["AU12_L"]] = 1.0 if i == 1777 else 0.0
        frame = tracked_frame(0)
        units = replace(frame.units, intensity=intensity)
        frames.append(replace(frame, i_frame=i, t_ns=START_NS + i * 10**7, units=units))
    plot = plot_from_take(make_take(tmp_path / "t", frames, clip_info()), [], ExportOptions())
    peaks = {row.name: float(row.values.max()) for row in plot.rows}
    assert peaks == {"AU12": 1.0, "AU45": pytest.approx(0.4)}
    for row in plot.rows:
        peak_s = plot.time_s[row.values.max(axis=1).argmax()]
        assert peak_s == pytest.approx(17.76, abs=30.0 / N_COLUMNS * 2)


def test_frames_without_a_face_are_a_gap(plot: Plot) -> None:
    assert [int(i) for i in np.flatnonzero(np.isnan(plot.rows[0].values[:, 0]))] == [40]

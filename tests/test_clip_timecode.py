"""Timecode of recorded and solved clips: as the clip writes it, or one line that says why not."""

from __future__ import annotations

import csv
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest

from livefacs.clock import NS_PER_S
from livefacs.config import load_options
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.formats.maya_anim import time_unit
from livefacs.offline import SolveOptions, working_take
from livefacs.sinks.trimming import trim_take
from livefacs.take.layout import TimecodeStart
from livefacs.take.reader import Take
from livefacs.timecode import RATES, edit_list_rate
from tests.support.commands import run
from tests.take.synthetic import START_NS, clip_info, make_take, tracked_frame


def clip_with_timecode(path: Path, rate: Fraction, timecode: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["timecode"] = timecode
        for shade in range(4):
            image = np.full((48, 64, 3), 40 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("nominal", "timecode", "name", "last"),
    [
        (30, "01:01:00:00", "29.97ndf", "01:01:00:03"),
        (30, "01:00:59;28", "29.97df", "01:01:00;03"),
        (60, "01:01:00:00", "59.94ndf", "01:01:00:03"),
        (24, "10:00:00:22", "23.976", "10:00:01:01"),
    ],
)
def test_the_clip_says_whether_it_drops(
    tmp_path: Path, nominal: int, timecode: str, name: str, last: str
) -> None:
    clip = clip_with_timecode(tmp_path / "clip.mov", Fraction(nominal * 1000, 1001), timecode)
    assert run("record", clip, "--take", tmp_path / "take", "--no-meters") == 0
    take = Take(tmp_path / "take")
    assert (take.rate.name, take.timecode(0), take.timecode(3)) == (name, timecode, last)


def test_a_rate_that_counts_otherwise_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = clip_with_timecode(tmp_path / "clip.mov", Fraction(30000, 1001), "01:00:00:00")
    words = ("record", clip, "--take", tmp_path / "take", "--no-meters", "--timecode-rate")
    assert run(*words, "29.97df") == 2
    assert "choose with --timecode-rate and --timecode-start" in capsys.readouterr().err
    assert not (tmp_path / "take").exists()
    assert run(*words, "29.97df", "--timecode-start", "02:00:00:00") == 0
    assert Take(tmp_path / "take").timecode(0) == "02:00:00;00"


def test_the_time_of_day_of_a_clip_is_the_wall_clocks(tmp_path: Path) -> None:
    clip = clip_with_timecode(tmp_path / "clip.mov", Fraction(25), "01:00:00:00")
    words = ("--no-meters", "--timecode-source", "time of day")
    before = datetime.now()
    assert run("record", clip, "--take", tmp_path / "take", *words) == 0
    take = Take(tmp_path / "take")
    recorded = datetime.strptime(take.timecode(0)[:8], "%H:%M:%S")
    late_s = (recorded - before.replace(microsecond=0)).seconds  # over midnight, too
    assert late_s <= (datetime.now() - before).seconds + 1


def test_a_live_source_has_no_timecode_of_a_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--take", tmp_path / "take", "--realtime", "--timecode-source", "clip")
    assert run("record", "demo", *words, "--no-meters") == 2
    assert "expected 'time of day' or 'free run'" in capsys.readouterr().err
    assert not (tmp_path / "take").exists()


@pytest.mark.parametrize(
    ("rate", "timecode", "name", "first", "n_notices"),
    [
        (Fraction(30000, 1001), "01:01:00:00", "29.97ndf", "01:01:00:00", 0),
        (Fraction(30), "16:37:10;02", "29.97df", "16:37:10;02", 0),
        (Fraction(120), "01:00:00:75", "120", "01:00:00:75", 0),
        (Fraction(25), "01:00:00:25", "25", "00:00:00:00", 1),
    ],
)
def test_solving_and_recording_follow_the_clip_or_say_that_they_cannot(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rate: Fraction,
    timecode: str,
    name: str,
    first: str,
    n_notices: int,
) -> None:
    clip = clip_with_timecode(tmp_path / "clip.mkv", rate, timecode)
    options = SolveOptions(tracking=load_options(None, {}).tracking)
    with working_take(str(clip), options) as working:
        assert (working.take.rate.name, working.take.timecode(0)) == (name, first)
        assert len(working.notices) == n_notices
    assert run("record", clip, "--take", tmp_path / "take", "--no-meters") == 0
    take = Take(tmp_path / "take")
    assert (take.rate.name, take.timecode(0)) == (name, first)
    assert ("counted from 00:00:00:00 instead" in capsys.readouterr().out) == bool(n_notices)


@pytest.mark.parametrize("rate", ["29.97df", "59.94df", "119.88df"])
def test_a_whole_rate_that_is_labelled_drop_frame_has_a_label_a_frame(
    tmp_path: Path, rate: str
) -> None:
    nominal, start = RATES[rate].nominal, "16:37:10;02"
    frames = [tracked_frame(i, rate_hz=nominal) for i in range(20 * nominal)]
    timecode = TimecodeStart.of_clip(float(nominal), start)
    take = make_take(tmp_path / "take", frames, clip_info(timecode=timecode, is_live=False))
    first = RATES[rate].frame_from_label(start) + START_NS * nominal // NS_PER_S
    expected = [RATES[rate].label_from_frame(first + i) for i in range(len(frames))]
    assert [take.timecode(row) for row in range(take.n_rows)] == expected
    assert (take.rate.name, take.rate.fraction) == (rate, nominal)

    for name in ("csv", "edl", "otio", "usd", "maya"):
        suffix = find_format(name).suffixes[0]
        options = ExportOptions(timecode=name == "csv")
        export_take(take, find_format(name), tmp_path / f"{name}{suffix}", options)
    with (tmp_path / "csv.csv").open(newline="") as file:
        assert [row["timecode"] for row in csv.DictReader(file)] == expected
    text = (tmp_path / "edl.edl").read_text()
    listed, n_each = edit_list_rate(RATES[rate])
    end = listed.label_from_frame((first + len(frames) - 1) // n_each + 1)
    assert f"{listed.label_from_frame(first // n_each)} {end}" in text
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "otio.otio")).find_clips()
    assert clip.source_range.start_time.value == first
    assert clip.source_range.duration.value == len(frames)
    assert clip.source_range.start_time.rate == pytest.approx(float(RATES[rate].fraction))
    assert f"timeCodesPerSecond = {nominal}" in (tmp_path / "usd.usda").read_text()
    assert f"timeUnit {time_unit(RATES[str(nominal)])};" in (tmp_path / "maya.anim").read_text()


@pytest.mark.parametrize(
    "words", [("--timecode-start", "00:00:00;00"), ("--timecode-rate", "29.97")]
)
def test_a_drop_frame_count_that_is_asked_for_has_a_label_a_frame(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    clip = clip_with_timecode(tmp_path / "clip.mov", Fraction(30), "")
    assert run("record", clip, "--take", tmp_path / "take", "--no-meters", *words) == 0
    take = Take(tmp_path / "take")
    assert (take.rate.name, take.rate.fraction) == ("29.97df", 30)
    assert Take(trim_take(take, range(1, 3), tmp_path / "parts")).rate == take.rate

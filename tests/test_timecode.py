"""Timecode against OpenTimelineIO, the reference's worked numbers, and itself."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefacs.errors import ConfigError
from livefacs.timecode import (
    RATES,
    TimecodeRate,
    clip_rate_and_label,
    edit_list_rate,
    find_rate,
    frame_of_day,
    nearest_rate,
)

opentime = pytest.importorskip("opentimelineio.opentime")

rates = pytest.mark.parametrize("rate", RATES.values(), ids=lambda rate: rate.name)
usual_rates = pytest.mark.parametrize(
    "rate", [rate for rate in RATES.values() if rate.nominal <= 60], ids=lambda rate: rate.name
)


def reference_label(frame: int, rate: TimecodeRate) -> str:
    moment = opentime.RationalTime(frame, float(rate.fraction))
    return str(moment.to_timecode(float(rate.fraction), rate.drop))


def _reference_day(rate: TimecodeRate) -> int:
    """OpenTimelineIO ends the non-drop day of 1001-rates at the drop-frame day's frame."""
    return min(rate.frames_a_day, int(24 * 3600 * float(rate.fraction)))


@usual_rates
def test_labels_agree_with_opentimelineio_through_a_day(rate: TimecodeRate) -> None:
    minute = 60 * rate.nominal
    frames = {0, rate.frames_a_day - 1}
    for i_minute in (*range(24), 59, 60, 61, 599, 600, 1439):
        frames.update(i_minute * minute + offset for offset in range(-6, 7))
    for frame in sorted(frame for frame in frames if 0 <= frame < rate.frames_a_day):
        if not rate.drop and frame >= _reference_day(rate):
            continue
        label = rate.label_from_frame(frame)
        assert label == reference_label(frame, rate)
        assert rate.frame_from_label(label) == frame


@rates
@given(data=st.data())
def test_every_label_names_its_frame(rate: TimecodeRate, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, rate.frames_a_day - 1))
    assert rate.frame_from_label(rate.label_from_frame(frame)) == frame
    assert rate.frames_from_ns(rate.ns_from_frames(frame)) == frame


@pytest.mark.parametrize(
    ("frame", "label"),
    [
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),
        (17982, "00:10:00;00"),
        (107892, "01:00:00;00"),
        (2589407, "23:59:59;29"),
        (2589408, "00:00:00;00"),
    ],
)
def test_drop_frame_as_worked_by_hand(frame: int, label: str) -> None:
    assert RATES["29.97df"].label_from_frame(frame) == label


def test_rates_are_exact() -> None:
    assert RATES["23.976"].fraction == Fraction(24000, 1001)
    assert RATES["59.94df"].fraction == Fraction(60000, 1001)
    assert RATES["29.97df"].ns_from_frames(30000) == 1_001_000_000_000
    assert len(RATES) == 19


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("29.97", "29.97df"),
        ("29.97 NDF", "29.97ndf"),
        ("30000/1001", "29.97df"),
        ("23.98", "23.976"),
        ("25 fps", "25"),
    ],
)
def test_rates_as_people_write_them(text: str, name: str) -> None:
    assert find_rate(text).name == name


@pytest.mark.parametrize("text", ["26", "df", "1/0", "", "30001/1001"])
def test_an_unknown_rate_lists_the_known(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected one of 23\.976, 24"):
        find_rate(text)


@pytest.mark.parametrize(
    ("rate", "label", "error"),
    [
        ("24", "10:00:00", "expected HH:MM:SS:FF"),
        ("24", "10:00:00:24", "frames 00-23"),
        ("24", "25:00:00:00", "hours 00-23"),
        ("24", "10:00:00;00", "drop-frame"),
        ("29.97df", "10:01:00;01", "does not exist"),
    ],
)
def test_a_wrong_label_is_named(rate: str, label: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        RATES[rate].frame_from_label(label)


def test_time_of_day_reads_as_the_clock() -> None:
    moment = datetime(2025, 3, 1, 14, 5, 9, 500_000)
    assert RATES["25"].label_from_frame(frame_of_day(moment, RATES["25"])) == "14:05:09:12"
    skipped = datetime(2025, 3, 1, 14, 1, 0, 0)
    rate = RATES["29.97df"]
    assert rate.label_from_frame(frame_of_day(skipped, rate)) == "14:01:00;02"


def test_drop_frame_stays_with_the_clock_for_a_day() -> None:
    rate = RATES["29.97df"]
    day_ns = 24 * 3600 * 10**9
    assert abs(rate.ns_from_frames(rate.frames_a_day) - day_ns) < 90_000_000


@pytest.mark.parametrize(
    ("rate_hz", "name"),
    [
        *((29.9, "29.97df"), (30.0, "30"), (23.98, "23.976"), (0, "30"), (12, "30")),
        *((60.02, "60"), (90, "60"), (120, "120")),
        *((119.9, "119.88df"), (61.5, "60"), (150, "120"), (240, "240"), (1000, "240")),
    ],
)
def test_the_nearest_rate(rate_hz: float, name: str) -> None:
    assert nearest_rate(rate_hz).name == name


@pytest.mark.parametrize(
    ("rate_hz", "label", "name", "start"),
    [
        (30.0, "16:37:10;02", "29.97df", "16:37:10;02"),  # as iPhones write it
        (60.0, "16:37:10;59", "59.94df", "16:37:10;59"),
        (30.0, "16:37:10:02", "30", "16:37:10:02"),
        (29.97, "16:37:10:02", "29.97ndf", "16:37:10:02"),
        (120.0, "01:00:00:75", "120", "01:00:00:75"),
        (120.0, "01:00:00;75", "119.88df", "01:00:00;75"),
        (240.0, "01:00:00:239", "240", "01:00:00:239"),
        (25.0, "01:00:00;10", "25", "01:00:00:10"),
        (24.0, " 10:00:00:22 ", "24", "10:00:00:22"),
        (25.0, "01:00:00:25", "25", None),
        (30.0, "01:01:00;00", "30", None),
        (25.0, "yesterday", "25", None),
        (0.0, None, "30", None),
    ],
)
def test_a_clips_label_says_how_it_counts(
    rate_hz: float, label: str | None, name: str, start: str | None
) -> None:
    rate, found = clip_rate_and_label(rate_hz, label)
    assert (rate.name, found) == (name, start)


@pytest.mark.parametrize(
    ("name", "listed", "n_frames"),
    [
        ("120", "60", 2),
        ("240", "60", 4),
        ("119.88df", "59.94df", 2),
        ("100", "50", 2),
        ("25", "25", 1),
    ],
)
def test_edit_lists_count_by_two_digits(name: str, listed: str, n_frames: int) -> None:
    rate, n_each = edit_list_rate(RATES[name])
    assert (rate.name, n_each) == (listed, n_frames)
    for frame in range(0, 10 * RATES[name].nominal * 60, 777 * n_each):
        assert rate.label_from_frame(frame // n_each)[:8] == RATES[name].label_from_frame(frame)[:8]

"""Takes of the Live Link Face app as a clip; the file is one that our exporter wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.sources.livelink_csv import LiveLinkCsvSource
from livefacs.timecode import RATES
from livefacs.vocab.arkit import ARKIT_52
from tests.take.synthetic import START_NS, clip_info, make_take, tracked_frame
from tests.wire.making import ARKIT

HEADER = "Timecode,BlendShapeCount," + ",".join(name[0].upper() + name[1:] for name in ARKIT_52)


def write(path: Path, *rows: str) -> Path:
    values = ",".join(f"{value:.10f}" for value in ARKIT.values)
    lines = [f"{row},52,{values}" if row.count(",") == 0 else row for row in rows]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_rows_times_and_values(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "23:59:59:58.000", "23:59:59:59.500", "00:00:00:02.000")
    source = LiveLinkCsvSource(path)
    frames = [source.read() for _ in range(4)]
    assert frames[3] is None
    times = [frame.t_ns for frame in frames if frame]
    assert times == [0, 25_000_000, 66_666_667]
    assert [frame.i_frame for frame in frames if frame] == [0, 2, 4]
    assert frames[0] is not None
    assert frames[0].shapes is not None
    np.testing.assert_allclose(frames[0].shapes.weights, ARKIT.values, atol=1e-6)
    assert source.timecode == "23:59:59:58"
    source.rewind()
    assert source.read() is not None


@pytest.mark.parametrize("rate", ["24", "29.97df", "60", "100", "119.88df", "120", "240"])
def test_what_was_exported_at_any_rate_is_read_at_it(tmp_path: Path, rate: str) -> None:
    period_ns = NS_PER_S / RATES[rate].fraction
    frames = [
        replace(tracked_frame(i), t_ns=START_NS + round(i * period_ns))
        for i in range(3 * RATES[rate].nominal)
    ]
    take = make_take(tmp_path / "take", frames, clip_info(rate, "01:00:00:00"))
    export_take(take, find_format("livelinkface"), tmp_path / "a.csv", ExportOptions())
    source = LiveLinkCsvSource(tmp_path / "a.csv")
    assert source.rate_hz == RATES[rate].nominal
    times = [frame.t_ns for frame in iter(source.read, None)]
    recorded = np.array([frame.t_ns - START_NS for frame in frames])
    assert len(times) == len(recorded)  # labels of 1001-rates stand for whole frames
    np.testing.assert_allclose(np.array(times), recorded, atol=NS_PER_S / 200)


def test_damaged_rows_are_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "00:00:01:00.0", "nonsense", "00:00:01:01.0,52,x,y")
    source = LiveLinkCsvSource(path)
    assert source.n_frames == 1
    assert source.closing_notices() == ("a.csv: 2 row(s) were damaged and left out",)


def test_what_is_no_take_says_what_is_expected(tmp_path: Path) -> None:
    other = tmp_path / "b.csv"
    other.write_text("frame,AU12\n1,0.5\n")
    with pytest.raises(SourceError, match="no take of Live Link Face"):
        LiveLinkCsvSource(other)
    with pytest.raises(SourceError, match="no row could be read"):
        LiveLinkCsvSource(write(tmp_path / "c.csv"))
    with pytest.raises(SourceError, match="cannot be read as CSV"):
        LiveLinkCsvSource(tmp_path / "none.csv")
    other.write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(SourceError, match="cannot be read as CSV"):
        LiveLinkCsvSource(other)

"""The solve CSV: header, values, empty cells."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from livefacs.formats.au_csv import header
from livefacs.types import ActionUnits, Estimate, Gaze, HeadPose, Health
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU, unmeasured_actions
from tests.formats.plain_csv import write_au_csv


def _estimate(**values: float) -> Estimate:
    row = np.zeros(N_AU, np.float32)
    for channel, value in values.items():
        row[CHANNEL_INDEX[channel]] = value
    units = ActionUnits(row, row, np.full(N_AU, 0.5, np.float32))
    return Estimate(units, HeadPose(yaw_rad=np.pi / 6), Gaze(), Health.UNCALIBRATED)


def _written(tmp_path, frames):
    path = tmp_path / "out.csv"
    write_au_csv(path, frames)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_header_starts_as_agreed_and_names_every_channel_once():
    names = header()
    assert ",".join(names[:7]) == (
        "frame,timestamp_s,face,confidence,head_yaw_deg,head_pitch_deg,head_roll_deg"
    )
    assert set(AU_CHANNELS) | {"AU12", "AD34", "AU45"} <= set(names)
    assert len(names) == len(set(names))
    assert "AD30" not in names


def test_bilateral_is_the_mean_of_the_sides(tmp_path):
    (row,) = _written(tmp_path, [(7, 1_500_000_000, _estimate(AU12_L=0.8, AU12_R=0.2, AU17=1.4))])
    assert (row["frame"], row["timestamp_s"], row["face"]) == ("7", "1.500000", "1")
    assert [float(row[c]) for c in ("AU12", "AU12_L", "AU12_R")] == pytest.approx([0.5, 0.8, 0.2])
    assert float(row["AU17"]) == 1.0
    assert float(row["head_yaw_deg"]) == pytest.approx(30.0)


def test_what_was_not_measured_is_empty_never_zero(tmp_path):
    seen, lost = _written(tmp_path, [(0, 0, _estimate(AU1_L=np.nan)), (1, 33, None)])
    assert seen["AU1_L"] == seen["AU1"] == ""
    assert {"AU11", "AU13", "AD19", "AU38", "AU39"} <= set(unmeasured_actions())
    assert all(seen[name] == "" for name in unmeasured_actions())
    assert lost["face"] == "0"
    assert all(lost[name] == "" for name in header()[4:])

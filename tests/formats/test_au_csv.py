"""The solve CSV: header, values, empty cells."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.formats.au_csv import header, performance_from_csv
from livefacs.retarget.inputs import SIGNAL_INDEX
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


def test_a_table_of_action_units_reads_as_a_performance(tmp_path: Path) -> None:
    path = tmp_path / "aus.csv"
    path.write_text(
        "frame, t_s, AU12_L, AU12_R, gaze_yaw_R_rad, head_yaw_deg, other\n"
        "7, 1.5, 0.5, , 0.5235988, 3, x\n"
        "8, 1.6, 0.7, 0.1, 0, 4, y\n"
    )
    made = performance_from_csv(path)
    assert made.i_frame.tolist() == [7, 8]
    assert made.t_s == pytest.approx([1.5, 1.6])

    def column(name: str) -> list[float]:
        return [float(value) for value in made.completed()[:, SIGNAL_INDEX[name]]]

    assert column("AU12") == pytest.approx([0.5, 0.4])
    assert column("gaze_out_R_deg") == pytest.approx([-30.0, 0.0])
    assert column("head_yaw_deg") == [3.0, 4.0]


def test_a_table_as_solve_writes_it_and_one_without_sides(tmp_path: Path) -> None:
    path = tmp_path / "aus.csv"
    path.write_text(
        "frame,timestamp_s,gaze_left_yaw_deg,gaze_right_yaw_deg,gaze_left_pitch_deg,AU1,AU12,AU12_L\n"
        "0,2.0,10,12,-5,0.4,0.9,0.8\n"
    )
    made = performance_from_csv(path)
    row = {name: float(made.completed()[0, index]) for name, index in SIGNAL_INDEX.items()}
    assert row["AU1_L"] == row["AU1_R"] == row["AU1"] == 0.4
    assert (row["AU12_L"], row["AU12_R"]) == (0.8, 0.9)
    assert (row["gaze_out_L_deg"], row["gaze_out_R_deg"]) == (10.0, -12.0)
    assert row["gaze_yaw_deg"] == 11.0
    assert row["gaze_pitch_L_deg"] == -5.0
    assert made.t_s[0] == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frame,AU12_L\n,0.5\n", "no frame number or no time"),
        ("a,b\n1,2\n", "no Action Unit column"),
        ("AU12_L\n", "no rows"),
        ("AU12_L\nmuch\n", "aus.csv:2: AU12_L: expected a number, got 'much'"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "aus.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        performance_from_csv(path)


def test_an_absent_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        performance_from_csv(tmp_path / "absent.csv")

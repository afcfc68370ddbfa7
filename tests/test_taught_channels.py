"""Channels that a performer taught: on every protocol, in takes, files and rigs."""

from __future__ import annotations

import csv
import json

import msgpack
import numpy as np
import pytest

from livefacs.clock import ClockMap
from livefacs.formats.curves import ExportOptions, performance_from_take
from livefacs.formats.export import export_take, find_format
from livefacs.retarget.compiler import program_from_map
from livefacs.retarget.coverage import coverage_from_map
from livefacs.retarget.library import load_map
from livefacs.retarget.retargeter import Retargeter
from livefacs.take.layout import TakeInfo
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.types import ActionUnits, Gaze, HeadPose, Health, Landmarks, TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from livefacs.wire.osc import OscEncoder
from livefacs.wire.packed import PackedEncoder
from livefacs.wire.packet_reading import reading_from_osc

CHANNELS = (*AU_CHANNELS, "X_tongue_out", "X_cheek_L", "X_cheek_R")
CLOCK = ClockMap(0, 0)


def frame(i: int = 0, tongue: float = 0.6, channels=CHANNELS) -> TrackedFrame:
    values = np.linspace(0.0, 0.5, len(channels)).astype(np.float32)
    if len(channels) > N_AU:
        values[N_AU:] = tongue, 0.2, 0.4
    units = ActionUnits(values, values, np.full(len(values), 0.5, np.float32), channels)
    points = np.zeros((478, 3), np.float32)
    t_ns = i * 33_333_333
    face = Landmarks(points, t_ns, i, (640, 480))
    return TrackedFrame(i, t_ns, Health.OK, (640, 480), face, HeadPose(), Gaze(), units)


@pytest.mark.parametrize("array", [False, True])
def test_osc_carries_them_and_no_letters_of_them(array):
    encoder = OscEncoder(CLOCK, array=array, letters=True)
    for tracked in (frame(), frame(channels=AU_CHANNELS), frame(1)):
        values: dict[str, float] = {}
        texts: dict[str, str] = {}
        for datagram in encoder.encode(tracked):
            reading = reading_from_osc(bytes(datagram))
            values |= reading.values
            texts |= reading.texts
        n = len(tracked.units.channels)
        if array:
            assert sum(name.startswith("/livefacs/au[") for name in values) == n
        else:
            assert ("/livefacs/au/X_tongue_out" in values) == (n > N_AU)
            assert values["/livefacs/au/AU12_L"] == pytest.approx(
                float(tracked.units.intensity[CHANNEL_INDEX["AU12_L"]])
            )
            assert not [name for name in texts if "X_" in name]
            assert len(texts) == N_AU


@pytest.mark.parametrize("form", ["msgpack", "json"])
def test_zeromq_and_websocket_messages_carry_them(form):
    encoder = PackedEncoder(CLOCK, form=form)
    for tracked in (frame(), frame(channels=AU_CHANNELS), frame(1, 0.7)):
        (payload,) = encoder.encode(tracked)
        message = msgpack.unpackb(payload) if form == "msgpack" else json.loads(payload)
        assert tuple(message["au"]) == tracked.units.channels
        assert tuple(message["au_confidence"]) == tracked.units.channels
        if len(message["au"]) > N_AU:
            assert message["au"]["X_tongue_out"] == pytest.approx(0.6 + 0.1 * tracked.i_frame)


@pytest.fixture
def take(tmp_path):
    folder = tmp_path / "take_001"
    folder.mkdir()
    writer = TakeWriter(folder, TakeInfo(channels=CHANNELS, rate_hz=30.0))
    writer.append([frame(i, 0.1 * i) for i in range(9)])
    writer.append([frame(9, channels=AU_CHANNELS)])  # such as the last frame of a session
    writer.close()
    return Take(folder)


def test_takes_record_them(take):
    assert take.channels == CHANNELS
    assert take.tracked(3).units.channels == CHANNELS
    assert take.tracked(3).units.intensity[N_AU] == pytest.approx(0.3)
    assert np.isnan(take.intensity[9, N_AU:]).all()


def test_tables_have_a_column_for_them(take, tmp_path):
    path = tmp_path / "out.csv"
    export_take(take, find_format("csv"), path, ExportOptions())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["X_tongue_out"]) for row in rows[:9]] == pytest.approx(
        [0.1 * i for i in range(9)], abs=1e-4
    )
    assert rows[0]["AD19"] == ""


MAP = """
[rig]
title = "Tongue"
audience = "tests"
names_from = "tests"

[controls.tongueOut]
terms = { X_tongue_out = 1.0 }

[controls.cheeks]
terms = { X_cheek = 1.0 }

[controls.nobody]
terms = { X_nobody_taught_this = 1.0, AU26 = 0.5 }
"""


def test_maps_read_them_and_unknown_ones_count_as_0(take, tmp_path):
    path = tmp_path / "tongue.toml"
    path.write_text(MAP)
    rig_map = load_map(str(path))
    program = program_from_map(rig_map)
    assert set(program.taught) == {"X_tongue_out", "X_cheek", "X_nobody_taught_this"}
    live = Retargeter(program).retarget(frame())
    values = dict(zip(live.controls, live.values.tolist(), strict=True))
    assert values["tongueOut"] == pytest.approx(0.6)
    assert values["cheeks"] == pytest.approx(0.3)
    assert values["nobody"] == pytest.approx(0.5 * frame().units.intensity[CHANNEL_INDEX["AU26"]])
    without = Retargeter(program).retarget(frame(channels=AU_CHANNELS))
    assert without.values[without.controls.index("tongueOut")] == 0.0
    rows = Retargeter(program).run(performance_from_take(take))
    assert rows[:9, program.controls.index("tongueOut")] == pytest.approx(0.1 * np.arange(9))
    coverage = coverage_from_map(rig_map)
    assert coverage.dead == ()
    assert set(coverage.taught) == set(program.taught)

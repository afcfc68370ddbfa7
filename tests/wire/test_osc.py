"""The project's own OSC scheme, read by python-osc."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pythonosc.osc_packet import OscPacket

from livefacs.retarget.compiler import program_from_map
from livefacs.retarget.library import load_map
from livefacs.retarget.retargeter import Retargeter
from livefacs.types import Health
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU, letter_from_intensity
from livefacs.wire.osc import OscEncoder
from livefacs.wire.osctemplate import MAX_DATAGRAM_BYTES, OscMessage, OscTemplate, address_part
from tests.wire.making import ARKIT, CLOCK, joined, make_frame, make_rig


def read(datagrams: object) -> dict[str, list[object]]:
    """Arguments by address, of all datagrams."""
    return {
        timed.message.address: list(timed.message.params)
        for datagram in joined(datagrams)
        for timed in OscPacket(datagram).messages
    }


def test_every_value_arrives_under_its_address() -> None:
    frame = make_frame()
    got = read(OscEncoder(CLOCK).encode(frame))
    for name, value in zip(AU_CHANNELS, frame.units.intensity, strict=True):
        assert got[f"/livefacs/au/{name}"] == [value]
    assert got["/livefacs/frame"] == [12345]
    assert got["/livefacs/time"] == [1_700_000_000, 750_000_000]
    assert got["/livefacs/health"] == [0]
    assert got["/livefacs/head"] == pytest.approx(
        [math.degrees(0.1), math.degrees(0.2), math.degrees(-0.3), 1.0, -2.0, 60.0], rel=1e-6
    )
    assert got["/livefacs/gaze"] == pytest.approx(
        [math.degrees(angle) for angle in (0.05, 0.02, 0.06, -0.01)], rel=1e-6
    )
    assert len(got) == N_AU + 5


def test_datagrams_are_bundles_of_at_most_1400_bytes_with_frame_and_time_in_each() -> None:
    rig = make_rig("big", tuple(f"CTRL_expressions_control{i}" for i in range(250)))
    encoder = OscEncoder(CLOCK, rig="big", letters=True)
    datagrams = joined(encoder.encode(make_frame(rigs=(rig,), health=Health.HELD)))
    assert len(datagrams) > 5
    for datagram in datagrams:
        assert len(datagram) <= MAX_DATAGRAM_BYTES
        assert datagram.startswith(b"#bundle\0")
        first = [timed.message for timed in OscPacket(datagram).messages[:3]]
        assert [message.address for message in first] == [
            "/livefacs/frame",
            "/livefacs/time",
            "/livefacs/health",
        ]
        assert [list(message.params) for message in first] == [
            [12345],
            [1_700_000_000, 750_000_000],
            [Health.HELD],
        ]
    got = read(datagrams)
    assert got["/livefacs/big/CTRL_expressions_control249"] == [np.float32(249 / 250)]


def test_the_second_frame_overwrites_the_first() -> None:
    encoder = OscEncoder(CLOCK)
    encoder.encode(make_frame(1))
    got = read(encoder.encode(make_frame(2, intensity=np.full(N_AU, 0.25))))
    assert got["/livefacs/frame"] == [2]
    assert all(got[f"/livefacs/au/{name}"] == [0.25] for name in AU_CHANNELS)


def test_unknown_values_are_left_out_of_that_frame_only() -> None:
    encoder = OscEncoder(CLOCK, letters=True)
    intensity = np.full(N_AU, 0.5)
    intensity[CHANNEL_INDEX["AU12_L"]] = np.nan
    intensity[CHANNEL_INDEX["AU17"]] = np.inf
    got = read(encoder.encode(make_frame(intensity=intensity)))
    for gone in ("AU12_L", "AU17"):
        assert f"/livefacs/au/{gone}" not in got
        assert f"/livefacs/letter/{gone}" not in got
    assert got["/livefacs/au/AU12_R"] == [0.5]
    assert "/livefacs/au/AU12_L" in read(encoder.encode(make_frame()))


def test_letters_are_steady_at_the_borders() -> None:
    encoder = OscEncoder(CLOCK, letters=True)
    letters = []
    for value in (0.29, 0.31, 0.29, 0.2, 0.0):
        intensity = np.full(N_AU, value, np.float32)
        letters.append(
            read(encoder.encode(make_frame(intensity=intensity)))["/livefacs/letter/AU17"]
        )
    assert letters == [["B"], ["C"], ["C"], ["B"], [""]]


@settings(deadline=None)  # a busy machine is no error
@given(
    hnp.arrays(
        np.float32,
        N_AU,
        elements=st.floats(0, 2, width=32) | st.sampled_from([np.nan, np.inf, -np.inf]),
    )
)
def test_no_nan_reaches_the_wire_and_letters_agree(intensity: np.ndarray) -> None:
    got = read(OscEncoder(CLOCK, letters=True).encode(make_frame(intensity=intensity)))
    for name, value in zip(AU_CHANNELS, intensity, strict=True):
        if np.isfinite(value):
            assert got[f"/livefacs/au/{name}"] == [value]
            # Letters are decided in float32, like the intensities themselves.
            if min(abs(float(value) - floor) for floor in (0.05, 0.15, 0.3, 0.6, 0.9)) > 1e-6:
                assert got[f"/livefacs/letter/{name}"] == [letter_from_intensity(float(value))]
        else:
            assert f"/livefacs/au/{name}" not in got


def test_a_stream_with_ever_other_unknown_channels_keeps_memory_bounded() -> None:
    encoder = OscEncoder(CLOCK)
    rng = random.Random(4)
    for _ in range(80):
        intensity = np.full(N_AU, 0.5)
        intensity[rng.sample(range(N_AU), 5)] = np.nan
        got = read(encoder.encode(make_frame(intensity=intensity)))
        assert len(got) == N_AU - 5 + 5
    assert len(encoder._layouts) <= 32


def test_a_map_that_is_tuned_while_it_runs_keeps_its_packets() -> None:
    encoder = OscEncoder(CLOCK, rig="arkit52", units=False)
    for _ in range(5):
        program = program_from_map(load_map("arkit52"))
        tracked = make_frame()
        frame = Retargeter(program).retarget(tracked)
        encoder.encode(replace(tracked, rigs={"arkit52": frame}))
    assert len(encoder._layouts) == 1


def test_unbundled_every_message_is_a_datagram() -> None:
    datagrams = joined(OscEncoder(CLOCK, bundle=False).encode(make_frame()))
    assert len(datagrams) == N_AU + 5
    assert not any(datagram.startswith(b"#bundle") for datagram in datagrams)
    assert read(datagrams) == read(OscEncoder(CLOCK).encode(make_frame()))


def test_array_mode_sends_one_message_of_all_channels_and_zero_for_unknown() -> None:
    intensity = np.arange(N_AU) / 100
    intensity[3] = np.nan
    frame = make_frame(intensity=intensity, rigs=(ARKIT,))
    datagrams = OscEncoder(CLOCK, array=True, rig="arkit52").encode(frame)
    got = read(datagrams)
    assert len(datagrams) == 1
    expected = np.where(np.isnan(intensity), 0, intensity).astype(np.float32)
    assert np.array_equal(np.array(got["/livefacs/au"], np.float32), expected)
    assert got["/livefacs/arkit52"] == ARKIT.values.tolist()


def test_prefix_and_units_off() -> None:
    encoder = OscEncoder(CLOCK, prefix="/face/", units=False, rig="arkit52")
    got = read(encoder.encode(make_frame(rigs=(ARKIT,))))
    assert got["/face/arkit52/jawOpen"] == [ARKIT.values[ARKIT.controls.index("jawOpen")]]
    assert not any(address.startswith("/face/au") for address in got)
    assert "/head" in read(OscEncoder(CLOCK, prefix="").encode(make_frame()))


def test_a_rig_that_was_edited_while_live_changes_the_addresses() -> None:
    encoder = OscEncoder(CLOCK, rig="arkit52")
    encoder.encode(make_frame(rigs=(ARKIT,)))
    other = make_rig("arkit52", ("jawOpen", "new one"), np.array([0.25, 0.75]))
    got = read(encoder.encode(make_frame(rigs=(other,))))
    assert got["/livefacs/arkit52/new_one"] == [0.75]
    assert "/livefacs/arkit52/eyeBlinkLeft" not in got


def test_a_patched_template_equals_what_python_osc_builds() -> None:
    def messages(scale: float) -> list[OscMessage]:
        return [
            OscMessage("/a", "f", (1.0 * scale,)),
            OscMessage("/abc", "sfi", ("name", 2.0 * scale, 7)),
            OscMessage("/flag", "T", (True,)),
            OscMessage("/none"),
        ]

    patched = OscTemplate(messages(0.0))
    patched.floats[patched.offsets("/a")[0] // 4] = 3.0
    patched.floats[patched.offsets("/abc", 1)[0] // 4] = 6.0
    assert joined(patched.datagrams) == joined(OscTemplate(messages(3.0)).datagrams)


@settings(deadline=None)  # a busy machine is no error
@given(st.text(min_size=1, max_size=20))
def test_address_parts_hold_no_character_that_osc_reserves(name: str) -> None:
    assert not set(address_part(name)) & set(" #*,?[]{}")

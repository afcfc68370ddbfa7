"""Packed messages, read by msgpack and json themselves."""

from __future__ import annotations

import json

import msgpack
import numpy as np
import pytest

from livefacs.vocab.facs import AU_CHANNELS, N_AU
from livefacs.wire.packed import PackedEncoder, message_from_packed
from tests.wire.making import ARKIT, CLOCK, make_frame, make_rig


@pytest.mark.parametrize("form", ["msgpack", "json"])
@pytest.mark.parametrize("rig", [None, "arkit52"])
def test_every_value_arrives(form: str, rig: str | None) -> None:
    encoder = PackedEncoder(CLOCK, topic='a "topic" 100%', rig=rig, form=form)  # type: ignore[arg-type]
    frame = make_frame(rigs=(ARKIT,))
    (payload,) = encoder.encode(frame)
    message = json.loads(payload) if form == "json" else msgpack.unpackb(payload)
    assert message["topic"] == 'a "topic" 100%'
    assert message["timestamp"] == 5.5
    assert message["t_ns"] == 5_500_000_000
    assert message["unix_ns"] == 1_700_000_000_750_000_000
    assert message["frame"] == 12345
    assert message["health"] == 0
    assert message["confidence"] == 0.5
    assert list(message["au"]) == list(AU_CHANNELS)
    assert list(message["au"].values()) == pytest.approx(frame.units.intensity.tolist(), abs=6e-6)
    assert set(message["au_confidence"].values()) == {0.5}
    assert message["head"]["yaw_rad"] == pytest.approx(0.1)
    assert message["gaze"]["right_pitch_rad"] == pytest.approx(-0.01)
    if rig is None:
        assert "controls" not in message
    else:
        assert message["rig"] == "arkit52"
        assert list(message["controls"]) == list(ARKIT.controls)
        assert list(message["controls"].values()) == pytest.approx(ARKIT.values.tolist(), abs=6e-6)
    assert message_from_packed(payload) == message


@pytest.mark.parametrize("form", ["msgpack", "json"])
def test_unknown_values_are_null(form: str) -> None:
    intensity = np.full(N_AU, 0.5)
    intensity[0] = np.nan
    rig = make_rig("arkit52", ARKIT.controls, np.full(52, np.inf))
    encoder = PackedEncoder(CLOCK, rig="arkit52", form=form)  # type: ignore[arg-type]
    (payload,) = encoder.encode(make_frame(intensity=intensity, rigs=(rig,)))
    message = message_from_packed(payload)
    assert message["au"][AU_CHANNELS[0]] is None
    assert message["au"][AU_CHANNELS[1]] == 0.5
    assert set(message["controls"].values()) == {None}


def test_json_follows_a_rig_that_changes() -> None:
    encoder = PackedEncoder(CLOCK, rig="arkit52", form="json")
    encoder.encode(make_frame(rigs=(ARKIT,)))
    rig = make_rig("arkit52", ('100% "open"',), np.array([0.25]))
    (payload,) = encoder.encode(make_frame(rigs=(rig,)))
    assert json.loads(payload)["controls"] == {'100% "open"': 0.25}


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"[1]", b"\x01", b"{", b"x" * (1 << 21)])
def test_what_is_no_message_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected|neither"):
        message_from_packed(payload)


def test_patched_bytes_say_the_same_as_a_packed_dict() -> None:
    encoder = PackedEncoder(CLOCK, rig="arkit52")
    for i_frame, t_ns in ((0, 0), (1 << 40, 1 << 62)):
        frame = make_frame(i_frame, rigs=(ARKIT,), t_ns=t_ns)
        (payload,) = encoder.encode(frame)
        read, built = msgpack.unpackb(payload), encoder.message(frame)
        assert list(read) == list(built)
        for key, value in built.items():
            assert read[key] == (pytest.approx(value) if isinstance(value, dict | float) else value)
    other = make_rig("arkit52", ("a", "b"), np.array([0.25, 0.5]))
    (payload,) = encoder.encode(make_frame(rigs=(other,)))
    assert msgpack.unpackb(payload)["controls"] == {"a": 0.25, "b": 0.5}
    assert "controls" not in msgpack.unpackb(encoder.encode(make_frame())[0])

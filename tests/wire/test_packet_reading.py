"""What receivers understand: round trips, and hostile bytes that must only ever be refused."""

from __future__ import annotations

import contextlib
import json

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.wire import vts
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from livefacs.wire.packet_reading import MAX_NAMES, READERS, reading_from_osc, reading_from_packed
from tests.wire.golden import encoders, golden_frame
from tests.wire.making import ARKIT

SAMPLES = {
    "osc": "osc",
    "vmc": "vmc",
    "vrcft": "vrcft",
    "faceosc": "faceosc",
    "facecap": "facecap",
    "osf": "osf",
    "vtsphone": "vtsphone",
    "livelink": "livelink",
    "ifacialmocap": "ifacialmocap_v1",
    "zmq": "zmq",
    "ws": "ws_json",
}
EXPECTED = {
    "osc": ("/livefacs/au/AU1_R", 0.01),
    "vmc": ("JawOpen", 17 / 52),
    "vrcft": ("/avatar/parameters/FT/v2/JawOpen", 0.7),
    "faceosc": ("/gesture/mouth/width", 14.0),
    "facecap": ("jawOpen", 17 / 52),
    "osf": ("mouth_open", 0.73),
    "vtsphone": ("JawOpen", round(17 / 52, 4)),
    "livelink": ("JawOpen", 17 / 61),
    "ifacialmocap": ("jawOpen", 33.0),
    "zmq": ("controls/jawOpen", 17 / 52),
    "ws": ("au/AU1_R", 0.01),
}


@pytest.mark.parametrize("scheme", list(READERS))
def test_what_an_encoder_writes_its_reader_understands(scheme: str) -> None:
    values: dict[str, float] = {}
    for datagram in encoders()[SAMPLES[scheme]].encode(golden_frame()):
        reading = READERS[scheme](bytes(datagram))
        values |= reading.values
        if scheme in ("osc", "zmq", "ws"):
            assert reading.unix_ns == 1_700_000_000_750_000_000
            assert reading.frame == 12345
    name, value = EXPECTED[scheme]
    assert values[name] == pytest.approx(value, abs=1e-5)
    assert ARKIT.controls[17] == "jawOpen"


@pytest.mark.parametrize("scheme", list(READERS))
@given(data=st.data())
@settings(max_examples=150, deadline=None)  # a busy machine is no error
def test_hostile_bytes_are_refused_or_read_but_never_break_a_reader(
    scheme: str, data: st.DataObject
) -> None:
    honest = [bytes(part) for part in encoders_once(scheme)]
    packet = data.draw(st.one_of(st.binary(max_size=600), mutated(honest)))
    try:
        reading = READERS[scheme](packet)
    except ValueError:
        return
    assert len(reading.values) + len(reading.texts) <= MAX_NAMES
    assert all(value == value and abs(value) != float("inf") for value in reading.values.values())
    assert all(len(text) <= 120 and text.isprintable() for text in reading.texts.values())


_ONCE: dict[str, list[bytes]] = {}


def encoders_once(scheme: str) -> list[bytes]:
    """An honest frame of each scheme, encoded once for all examples."""
    if scheme not in _ONCE:
        encoder = encoders()[SAMPLES[scheme]]
        _ONCE[scheme] = [bytes(part) for part in encoder.encode(golden_frame())]
    return _ONCE[scheme]


def mutated(packets: list[bytes]) -> st.SearchStrategy[bytes]:
    """Honest packets with bytes exchanged, cut short or with rubbish behind."""
    return st.builds(
        lambda packet, edits, cut, tail: _edited(packet, edits)[:cut] + tail,
        st.sampled_from(packets),
        st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
        st.one_of(st.just(10_000), st.integers(0, 1400)),
        st.one_of(st.just(b""), st.binary(max_size=16)),
    )


def _edited(packet: bytes, edits: list[tuple[int, int]]) -> bytes:
    out = bytearray(packet)
    for at, value in edits:
        out[at % len(out)] = value
    return bytes(out)


def test_deeply_nested_bundles_are_refused_or_empty() -> None:
    packet = b""
    for _ in range(3000):
        body = len(packet).to_bytes(4, "big") + packet if packet else b""
        packet = b"#bundle\0" + bytes(7) + b"\x01" + body
        if len(packet) > 60_000:
            break
    with contextlib.suppress(ValueError):
        assert reading_from_osc(packet).values == {}


def test_a_message_of_very_many_names_is_cut() -> None:
    message = {"au": {f"n{i}": 0.5 for i in range(9000)}}
    assert len(reading_from_packed(msgpack.packb(message)).values) == MAX_NAMES
    assert len(reading_from_packed(json.dumps(message).encode()).values) == MAX_NAMES


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(ValueError, match="neither msgpack nor JSON"):
        reading_from_packed(b'{"a":' + b"[" * 100_000)


def test_vmc_names_and_control_characters() -> None:
    (datagram,) = OscTemplate(
        [
            OscMessage("/VMC/Ext/Blend/Val", "sf", ("Jaw\x1b[2J", 0.5)),
            OscMessage("/VMC/Ext/Blend/Val", "s", ("lonely",)),
        ]
    ).datagrams
    assert reading_from_osc(bytes(datagram)).values == {"Jaw[2J": 0.5}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)  # a busy machine is no error
@given(
    st.one_of(
        st.text(max_size=200),
        st.builds(
            lambda kind, data, request: json.dumps(
                {"messageType": kind, "data": data, "requestID": request}
            ),
            st.sampled_from(["APIError", "InputParameterListResponse", "x"]) | JSON_VALUES,
            JSON_VALUES
            | st.fixed_dictionaries(
                {},
                optional={
                    "errorID": JSON_VALUES,
                    "message": JSON_VALUES,
                    "authenticationToken": JSON_VALUES,
                    "defaultParameters": JSON_VALUES,
                },
            ),
            JSON_VALUES,
        ),
    )
)
def test_hostile_replies_of_vtube_studio(text: str) -> None:
    try:
        reply = vts.reply_from_text(text)
    except ValueError:
        return
    assert isinstance(reply.error, int)
    assert len(reply.text) <= 200
    assert all(isinstance(name, str) for name in vts.parameter_names(reply))
    try:
        token = vts.token_from_reply(reply)
    except ValueError:
        return
    assert 0 < len(token) <= 256


def test_odd_packets_do_not_fill_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="unknown type"):
        reading_from_osc(b"/a\0\0,z\0\0")
    assert capfd.readouterr() == ("", "")

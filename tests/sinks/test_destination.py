"""Destination URLs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.errors import SinkError
from livefacs.sinks.destination import SCHEMES, parse_destination


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("osc://127.0.0.1:9001", "127.0.0.1", 9001),
        ("osc://studio.local", "studio.local", 9000),
        ("osc://:8000", "127.0.0.1", 8000),
        ("osc://[::1]:8000", "::1", 8000),
        ("zmq://*:5570", "0.0.0.0", 5570),
        ("zmq://127.0.0.1:0", "127.0.0.1", 0),
        ("vmc://", "127.0.0.1", 39539),
        ("livelink://10.0.0.7", "10.0.0.7", 11111),
        ("ifacialmocap://10.0.0.7", "10.0.0.7", 49983),
        ("vrcft://", "127.0.0.1", 9000),
        ("faceosc://", "127.0.0.1", 8338),
        ("vts://", "127.0.0.1", 8001),
        ("ws://", "127.0.0.1", 8765),
        ("lsl://Anna-Face?scope=machine", "Anna-Face", 0),
    ],
)
def test_host_and_port(url: str, host: str, port: int) -> None:
    destination = parse_destination(url)
    assert (destination.host, destination.port) == (host, port)
    assert destination.url == url


def test_options_are_typed_and_all_present() -> None:
    one = parse_destination(
        "osc://127.0.0.1:9000?prefix=/face&bundle=off&array=ON&rig=arkit52&mirror=on&rate=29.5"
    )
    assert one.rig == "arkit52"
    assert one.mirror is True
    assert one.rate_hz == 29.5
    assert dict(one.options) == {
        "prefix": "/face",
        "bundle": False,
        "array": True,
        "letters": False,
        "units": True,
        "oscquery": None,
        "broadcast": False,
    }
    plain = parse_destination("vmc://127.0.0.1")
    assert (plain.rig, plain.mirror, plain.rate_hz) == ("arkit52", False, None)
    flipped = parse_destination("livelink://h?flip=roll,gaze&fps=29.97&subject=Anna")
    assert flipped.options["flip"] == ("roll", "gaze")
    assert flipped.options["fps"] == "29.97df"
    assert parse_destination("zmq://?control=off").options["control"] is None
    assert parse_destination("vrcft://?prefix=").options["prefix"] == ""
    assert parse_destination("vrcft://?prefix=My/Face").options["prefix"] == "My/Face/"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", ["expected scheme://host:port"]),
        ("127.0.0.1:9000", ["expected scheme://host:port"]),
        ("osc:127.0.0.1:9000", ["did you mean osc?"]),
        ("vcm://127.0.0.1", ["did you mean vmc?"]),
        ("osc://127.0.0.1:99999", ["port from 1 to 65535"]),
        ("osc://127.0.0.1:nine", ["port from 1 to 65535"]),
        ("osc://127.0.0.1:0", ["port 0"]),
        ("osc://[::1:9000", ["host:port"]),
        ("osc://127.0.0.1:9000/face", ["nothing but host, port and ?options"]),
        ("osc://me@127.0.0.1:9000", ["nothing but host, port and ?options"]),
        ("osc://h?bundel=off", ["unknown option 'bundel'", "did you mean bundle?"]),
        ("osc://h?bundle=maybe", ["bundle=maybe: expected on or off"]),
        ("osc://h?rate=0", ["rate=0: expected a number above 0"]),
        ("osc://h?rate=nan", ["expected a number above 0"]),
        ("osc://h?prefix=face", ["expected an OSC address"]),
        ("osc://h?rate=10&rate=20", ["'rate' stands twice"]),
        ("livelink://h?fps=31", ["no timecode rate '31'"]),
        ("livelink://h?subject=", ["1 to 100 bytes"]),
        ("vmc://h?flip=up", ["expected some of yaw, pitch, roll, gaze"]),
        ("vrcft://h?bits=9", ["whole number from 0 to 8"]),
        ("lsl://?scope=machine", ["expected a name"]),
        ("ws://h?format=xml", ["expected json or msgpack"]),
        ("zmq://h?control=x", ["whole number from 0 to 65535"]),
    ],
)
def test_a_broken_url_is_explained(url: str, words: list[str]) -> None:
    with pytest.raises(SinkError) as caught:
        parse_destination(url)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_all_errors_come_together() -> None:
    with pytest.raises(SinkError) as caught:
        parse_destination("osc://h:99999?bundle=maybe&rate=-1&foo=1")
    for word in ("port from 1 to 65535", "bundle=maybe", "rate=-1", "unknown option 'foo'"):
        assert word in str(caught.value)


@settings(deadline=None)  # a busy machine is no error
@given(
    st.text(max_size=80)
    | st.builds(lambda s, r: f"{s}://{r}", st.sampled_from(list(SCHEMES)), st.text(max_size=60))
)
def test_any_text_is_a_destination_or_a_sink_error(url: str) -> None:
    try:
        destination = parse_destination(url)
    except SinkError:
        return
    assert destination.scheme in SCHEMES
    assert 0 <= destination.port <= 65535

"""VTube Studio messages."""

from __future__ import annotations

import json

import numpy as np

from livefacs.types import Health
from livefacs.wire import vts
from tests.wire.making import ARKIT, make_frame, make_rig


def test_requests_have_the_envelope_of_the_api() -> None:
    message = json.loads(vts.authentication_request("secret"))
    assert message["apiName"] == "VTubeStudioPublicAPI"
    assert message["apiVersion"] == "1.0"
    assert message["messageType"] == "AuthenticationRequest"
    assert message["data"]["authenticationToken"] == "secret"
    assert 3 <= len(message["data"]["pluginName"]) <= 32
    assert 3 <= len(message["data"]["pluginDeveloper"]) <= 32
    assert len(message["requestID"]) <= 64


def test_injection_carries_every_parameter() -> None:
    rig = make_rig("vts", ("FaceAngleX", "jawOpen", 'odd "%d"'), np.array([-12.5, 0.25, np.nan]))
    (payload,) = vts.VtsEncoder("vts").encode(make_frame(rigs=(rig,)))
    message = json.loads(payload)
    assert message["messageType"] == "InjectParameterDataRequest"
    assert message["data"] == {
        "faceFound": True,
        "mode": "set",
        "parameterValues": [
            {"id": "FaceAngleX", "value": -12.5},
            {"id": "JawOpen", "value": 0.25},
            {"id": 'odd "%d"', "value": 0.0},
        ],
    }
    (payload,) = vts.VtsEncoder("vts").encode(make_frame(rigs=(rig,), health=Health.NO_FACE))
    assert json.loads(payload)["data"]["faceFound"] is False


def test_only_allowed_parameters_are_sent() -> None:
    encoder = vts.VtsEncoder("arkit52")
    frame = make_frame(rigs=(ARKIT,))
    assert len(encoder.names(frame)) == 52
    encoder.allow({"JawOpen", "MouthClose"})
    values = json.loads(encoder.encode(frame)[0])["data"]["parameterValues"]
    assert [value["id"] for value in values] == ["JawOpen", "MouthClose"]
    encoder.allow(())
    assert encoder.encode(frame) == ()
    assert encoder.encode(make_frame()) == ()


def test_custom_parameters_obey_the_limits_of_names() -> None:
    data = json.loads(vts.creation_request("JawOpen") or "")["data"]
    assert (data["min"], data["max"], data["defaultValue"]) == (0.0, 1.0, 0.0)
    assert len(data["explanation"]) < 256
    assert json.loads(vts.creation_request("HeadYaw") or "")["data"]["min"] == -1.0
    for name in ("abc", "a" * 33, "has space", "Blink_L"):
        assert vts.creation_request(name) is None

"""VTube Studio API messages (JSON over WebSocket): build requests, read replies.

Source: DenchiSoft/VTubeStudio API documentation, see ``docs/protocols.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from livefacs.types import Health, TrackedFrame
from livefacs.vocab.arkit import ARKIT_52
from livefacs.wire.rigvalues import pascal_if_arkit, zeros_for_unknown

PLUGIN_NAME: Final = "livefacs"
PLUGIN_DEVELOPER: Final = "livefacs"
DENIED: Final = 50
"""Error id of a user who declined the plug-in."""
_MAX_TOKEN: Final = 256
_MAX_REPLY_BYTES: Final = 1 << 20
_CUSTOM_NAME: Final = re.compile(r"[A-Za-z0-9]{4,32}")
_PASCAL_52: Final = frozenset(map(pascal_if_arkit, ARKIT_52))


def request(message_type: str, request_id: str, **data: Any) -> str:
    """A request with its envelope."""
    return json.dumps(
        {
            "apiName": "VTubeStudioPublicAPI",
            "apiVersion": "1.0",
            "requestID": request_id,
            "messageType": message_type,
            "data": data,
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def token_request() -> str:
    """Asks for a token; VTube Studio shows the user a dialog."""
    return request(
        "AuthenticationTokenRequest",
        "token",
        pluginName=PLUGIN_NAME,
        pluginDeveloper=PLUGIN_DEVELOPER,
    )


def authentication_request(token: str) -> str:
    """Opens the session with a token."""
    return request(
        "AuthenticationRequest",
        "auth",
        pluginName=PLUGIN_NAME,
        pluginDeveloper=PLUGIN_DEVELOPER,
        authenticationToken=token,
    )


def parameter_list_request() -> str:
    """Asks which tracking parameters there are."""
    return request("InputParameterListRequest", "list")


def creation_request(name: str) -> str | None:
    """Creates a custom parameter; None where VTube Studio cannot hold such a name."""
    if _CUSTOM_NAME.fullmatch(name) is None:
        return None
    return request(
        "ParameterCreationRequest",
        f"new:{name}",
        parameterName=name,
        explanation="Facial action from livefacs",
        min=0.0 if name in _PASCAL_52 else -1.0,
        max=1.0,
        defaultValue=0.0,
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: type, request it answers, and data. ``error`` is 0 where it is none."""

    message_type: str
    request_id: str
    data: dict[str, Any]
    error: int = 0
    text: str = ""


def reply_from_text(text: str | bytes) -> Reply:
    """Read a reply.

    Raises
    ------
    ValueError
        Not a reply of this API.
    """
    if len(text) > _MAX_REPLY_BYTES:
        raise ValueError("reply of VTube Studio is too long")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("reply of VTube Studio is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("messageType"), str):
        raise ValueError("reply of VTube Studio has no messageType")
    data = message.get("data")
    data = data if isinstance(data, dict) else {}
    request_id = message.get("requestID")
    error = data.get("errorID", 0) if message["messageType"] == "APIError" else 0
    return Reply(
        message_type=message["messageType"],
        request_id=request_id if isinstance(request_id, str) else "",
        data=data,
        error=error if isinstance(error, int) and error else int(bool(error)),
        text=str(data.get("message", ""))[:200],
    )


def token_from_reply(reply: Reply) -> str:
    """The token.

    Raises
    ------
    ValueError
        The reply holds none.
    """
    token = reply.data.get("authenticationToken")
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN or not token.isprintable():
        raise ValueError("VTube Studio gave no usable token")
    return token


def parameter_names(reply: Reply) -> set[str]:
    """Names of default and custom parameters of a parameter list."""
    names = set()
    for kind in ("defaultParameters", "customParameters"):
        entries = reply.data.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                names.add(entry["name"])
    return names


class VtsEncoder:
    """Encodes tracked frames as InjectParameterDataRequest.

    Parameters
    ----------
    rig : str
        Rig whose controls are parameters (``vtubestudio``); ARKit shapes are sent under their
        PascalCase names.
    """

    def __init__(self, rig: str) -> None:
        self._rig = rig
        self._controls: tuple[str, ...] | None = None
        self._names: list[str] = []
        self._allowed: frozenset[str] | None = None
        self._format = ""
        self._index = np.zeros(0, np.intp)

    def names(self, tracked: TrackedFrame) -> list[str]:
        """Every parameter that the rig wants to drive."""
        rig = tracked.rigs.get(self._rig)
        return [] if rig is None else [pascal_if_arkit(name) for name in rig.controls]

    def allow(self, names: Iterable[str]) -> None:
        """Send these only: an unknown id would spoil the whole request."""
        self._allowed = frozenset(names)
        self._controls = None

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes]:
        """One request as UTF-8; no request where there is nothing to inject."""
        rig = tracked.rigs.get(self._rig)
        if rig is None:
            return ()
        if rig.controls is not self._controls:
            self._learn(rig.controls)
        if not self._names:
            return ()
        found = "false" if Health.NO_FACE in tracked.health else "true"
        values = zeros_for_unknown(rig.values)[self._index].tolist()
        return ((self._format % (found, *values)).encode(),)

    def _learn(self, controls: tuple[str, ...]) -> None:
        named = [pascal_if_arkit(name) for name in controls]
        allowed = self._allowed
        kept = [i for i, name in enumerate(named) if allowed is None or name in allowed]
        self._names = [named[index] for index in kept]
        self._index = np.array(kept, np.intp)
        self._controls = controls
        empty = request(
            "InjectParameterDataRequest", "frame", faceFound="@", mode="set", parameterValues=["@"]
        ).replace("%", "%%")
        values = ",".join(
            f'{{"id":{json.dumps(name)},"value":%.5f}}'.replace("%.5f", "\0").replace("%", "%%")
            for name in self._names
        ).replace("\0", "%.5f")
        self._format = empty.replace('["@"]', f"[{values}]").replace('"@"', "%s")

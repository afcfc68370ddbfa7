"""Destinations as users write them: ``scheme://host:port?option=value&…``.

Every scheme has a default port; the options are in ``SCHEMES``. All errors of a URL come together
in one ``SinkError``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from livefacs.datagrams import host_of_url
from livefacs.errors import SinkError
from livefacs.sinks.option_values import (
    OptionValue,
    choice,
    osc_prefix,
    oscquery,
    path_prefix,
    plain_text,
    port_or_off,
    positive,
    rate_name,
    several,
    short_text,
    switch,
    whole,
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a scheme.

    Attributes
    ----------
    parse : callable
        Value from text; raises ValueError with what was expected.
    default : OptionValue
    help : str, one line for people
    """

    parse: Callable[[str], OptionValue]
    default: OptionValue
    help: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a scheme is.

    Attributes
    ----------
    summary : str, one line: what it is for
    port : int, the default; 0 where the scheme has none
    rig : str or None
        Rig whose controls it carries unless the URL says otherwise; None: Action Units alone.
    listens : bool
        True where it opens a port and waits, instead of sending to one.
    options : mapping of name to Option
    """

    summary: str
    port: int
    rig: str | None = None
    listens: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked destination.

    Attributes
    ----------
    url : str
        As the user wrote it.
    rig : str or None
        Name of the rig map that must be in ``TrackedFrame.rigs``.
    mirror : bool
        Hand it the mirrored performance.
    rate_hz : float or None
        At most so many frames a second, by capture time.
    options : mapping
        The scheme's own options, every one present, of its own type.
    face : int or None
        The performer it carries; None: the first, or all where the scheme tells them apart.
    performers : int
        How many performers it carries, where it carries everyone's; else 1.
    """

    url: str
    scheme: str
    host: str
    port: int
    rig: str | None
    mirror: bool
    rate_hz: float | None
    options: Mapping[str, OptionValue]
    face: int | None = None
    performers: int = 1


_BROADCAST: Final = {
    "broadcast": Option(switch, False, "allow a broadcast address as the host"),
}
_FLIP: Final = {
    "flip": Option(
        several("yaw", "pitch", "roll", "gaze"),
        (),
        "negate head yaw, pitch, roll or horizontal gaze (comma list)",
    ),
}

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        "osc": Scheme(
            "the project's own OSC scheme",
            9000,
            options={
                "prefix": Option(osc_prefix, "/livefacs", "start of every address"),
                "bundle": Option(switch, True, "off: one message a datagram"),
                "array": Option(switch, False, "on: all values of a kind in one message"),
                "letters": Option(switch, False, "on: A–E letters too"),
                "units": Option(switch, True, "off: only the rig's controls"),
                "oscquery": Option(
                    oscquery, None, "who may look the addresses up: machine, network, or a port"
                ),
                **_BROADCAST,
            },
        ),
        "zmq": Scheme(
            "ZeroMQ PUB: topic and msgpack, with a REP control socket",
            5570,
            listens=True,
            options={
                "topic": Option(plain_text, "face.au", "first frame of every message"),
                "control": Option(port_or_off, -1, "port of the control socket, or off"),
            },
        ),
        "ws": Scheme(
            "WebSocket server for browsers: JSON or msgpack",
            8765,
            listens=True,
            options={
                "format": Option(choice("json", "msgpack"), "json", "json or msgpack"),
                "origin": Option(
                    plain_text, None, "more web origins that may connect (comma list), or any"
                ),
            },
        ),
        "vmc": Scheme(
            "VMC protocol: VSeeFace, Warudo, VNyan, Blender",
            39539,
            "arkit52",
            options={
                "names": Option(
                    choice("usual", "map"), "usual", "map: names as the rig map spells them"
                ),
                "bones": Option(switch, True, "off: no head and eye rotation"),
                **_FLIP,
                **_BROADCAST,
            },
        ),
        "livelink": Scheme(
            "Live Link Face, for Unreal",
            11111,
            "livelink61",
            options={
                "subject": Option(short_text, "livefacs", "name of the Live Link subject"),
                "device": Option(short_text, None, "device id; else this machine's own UUID"),
                "fps": Option(rate_name, "60", "frame rate of the timecode: 60, 29.97 …"),
                **_FLIP,
                **_BROADCAST,
            },
        ),
        "ifacialmocap": Scheme(
            "iFacialMocap text frames: VSeeFace, VNyan, VMagicMirror",
            49983,
            "arkit52",
            options={
                "version": Option(whole(1, 2), 1, "1 or 2"),
                "wait": Option(switch, False, "on: listen here, stream to whoever shakes hands"),
                "reply": Option(whole(1, 65535), 49983, "receivers' port, with wait=on"),
                **_FLIP,
                **_BROADCAST,
            },
        ),
        "vrcft": Scheme(
            "VRChat avatar parameters, Unified Expressions v2",
            9000,
            "vrcft2",
            options={
                "prefix": Option(path_prefix, "FT/", "what stands before v2/ on the avatar"),
                "combined": Option(switch, True, "off: base shapes only"),
                "bits": Option(whole(0, 8), 0, "bits of binary parameters; 0: floats"),
                "eyes": Option(
                    choice("parameters", "native", "off"), "parameters", "route of eye tracking"
                ),
                "oscquery": Option(
                    oscquery, None, "ask VRChat what the avatar has: machine, network, or its port"
                ),
                **_FLIP,
                **_BROADCAST,
            },
        ),
        "faceosc": Scheme(
            "FaceOSC's addresses, for patches made for it",
            8338,
            options={
                "scale": Option(positive, 1.0, "factor on every gesture"),
                **_BROADCAST,
            },
        ),
        "osf": Scheme(
            "OpenSeeFace's packet: VSeeFace, VTube Studio, Godot and Resonite tools",
            11573,
            options={"id": Option(whole(0, 999), 0, "face id"), **_BROADCAST},
        ),
        "facecap": Scheme(
            "Face Cap's OSC, for rigs that were routed for that app",
            8080,
            "arkit52",
            options={**_FLIP, **_BROADCAST},
        ),
        "vts": Scheme("VTube Studio", 8001, "vtubestudio"),
        "vtsphone": Scheme(
            "VTube Studio's phone stream, for its 3rd party PC clients",
            21412,
            "arkit52",
            listens=True,
            options={**_FLIP},
        ),
        "lsl": Scheme(
            "Lab Streaming Layer: lsl://NAME?scope=… (needs pylsl)",
            0,
            listens=True,
            options={
                "scope": Option(
                    choice("machine", "network"), None, "who can find the stream; must be said"
                ),
            },
        ),
    }
)
_COMMON: Final[Mapping[str, Callable[[str], OptionValue]]] = {
    "rig": plain_text,
    "mirror": switch,
    "rate": positive,
    "face": whole(1, 8),
}


def parse_destination(url: str) -> Destination:
    """Read a destination URL.

    Raises
    ------
    SinkError
        With every error of the URL.
    """
    scheme_name, separator, _ = url.partition("://")
    scheme = SCHEMES.get(scheme_name)
    if not separator or scheme is None:
        raise SinkError(
            f"output {url!r}: expected scheme://host:port with a scheme of "
            f"{', '.join(SCHEMES)}{_suggestion(scheme_name.partition(':')[0], SCHEMES)}"
        )
    errors: list[str] = []
    host, port = _host_and_port(url, scheme, errors)
    options = _options(url.partition("?")[2], scheme, errors)
    if errors:
        raise SinkError(f"output {url!r}: {'; '.join(errors)}")
    rig, mirror, rate, face = (options.pop(name, None) for name in _COMMON)
    return Destination(
        url=url,
        scheme=scheme_name,
        host=host,
        port=port,
        rig=str(rig) if rig is not None else scheme.rig,
        mirror=bool(mirror),
        rate_hz=float(rate) if isinstance(rate, float) else None,
        options=MappingProxyType(options),
        face=face if isinstance(face, int) else None,
    )


def _host_and_port(url: str, scheme: Scheme, errors: list[str]) -> tuple[str, int]:
    try:
        parts = urlsplit(url.partition("?")[0])
        port = parts.port
    except ValueError as error:
        errors.append(f"{error}: expected host:port with a port from 1 to 65535")
        return host_of_url(None), scheme.port
    host = host_of_url(parts.hostname)
    if scheme.port == 0:
        host = parts.netloc  # a name, not an address: its capitals count
        if not host:
            errors.append("expected a name behind ://")
    if parts.path.strip("/") or parts.username is not None or parts.fragment:
        errors.append("expected nothing but host, port and ?options")
    if port == 0 and not scheme.listens:
        errors.append("port 0: expected a port from 1 to 65535")
    return host, scheme.port if port is None else port


def _options(query: str, scheme: Scheme, errors: list[str]) -> dict[str, OptionValue]:
    values: dict[str, OptionValue] = {name: opt.default for name, opt in scheme.options.items()}
    parsers = {**_COMMON, **{name: option.parse for name, option in scheme.options.items()}}
    given: set[str] = set()
    for name, text in parse_qsl(query, keep_blank_values=True):
        parse = parsers.get(name)
        if parse is None:
            errors.append(
                f"unknown option {name!r}: expected one of {', '.join(parsers)}"
                f"{_suggestion(name, parsers)}"
            )
            continue
        if name in given:
            errors.append(f"option {name!r} stands twice")
        given.add(name)
        try:
            values[name] = parse(text)
        except ValueError as error:
            errors.append(f"{name}={text}: {error}")
    return values


def _suggestion(word: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""

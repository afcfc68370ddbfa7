"""From a checked destination to an open sink."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from livefacs.clock import ClockMap
from livefacs.errors import LivefacsError, SinkError
from livefacs.protocols import Encoder, SessionControl, Sink
from livefacs.sinks.destination import Destination
from livefacs.sinks.device_id import device_id
from livefacs.sinks.handshake import (
    OnRequest,
    RequestedSink,
    ifacialmocap_requests,
    vtsphone_requests,
)
from livefacs.sinks.hub import Hub, Outlet, RateLimit
from livefacs.sinks.udp import UdpSink
from livefacs.timecode import find_rate
from livefacs.wire.avatar import Avatar
from livefacs.wire.axes import AxisSigns
from livefacs.wire.facecap import FaceCapEncoder
from livefacs.wire.faceosc import FaceOscEncoder
from livefacs.wire.ifacialmocap import IFacialMocapEncoder
from livefacs.wire.livelink import LiveLinkEncoder
from livefacs.wire.openseeface import OpenSeeFaceEncoder
from livefacs.wire.osc import OscEncoder, about
from livefacs.wire.packed import packed_for_performers
from livefacs.wire.several import SeveralEncoder
from livefacs.wire.vmc import VmcEncoder
from livefacs.wire.vrcft import VrcftEncoder
from livefacs.wire.vts import VtsEncoder


def open_sink(destination: Destination, clock: ClockMap, control: SessionControl | None) -> Sink:
    """Open the sink of one destination, without mirror and rate limit (see ``open_hub``).

    Parameters
    ----------
    clock : ClockMap
        Session clock against wall clock, for time stamps and timecode.
    control : SessionControl or None
        What a scheme with a control socket (``zmq``) may command; None opens none.

    Raises
    ------
    SinkError
        Host not resolvable, port in use, library of an optional scheme not installed.
    """
    return _OPENERS[destination.scheme](destination, clock, control)


def open_hub(
    destinations: Sequence[Destination], clock: ClockMap, control: SessionControl | None = None
) -> Hub:
    """Open all destinations of a session; closes what is open again if one fails.

    Raises
    ------
    SinkError
        See ``open_sink``; or a destination stands twice.
    """
    outlets: list[Outlet] = []
    try:
        for each in destinations:
            if any(outlet.sink.url == each.url for outlet in outlets):
                raise SinkError(f"output {each.url!r} stands twice; expected each output once")
            limit = RateLimit(each.rate_hz) if each.rate_hz is not None else None
            face = None if each.performers > 1 else each.face
            outlets.append(Outlet(open_sink(each, clock, control), each.mirror, limit, face))
    except LivefacsError:
        Hub(outlets).close()
        raise
    return Hub(outlets)


def _udp(destination: Destination, encoder: Encoder) -> UdpSink:
    return UdpSink(
        destination.url,
        encoder,
        destination.host,
        destination.port,
        broadcast=bool(destination.options["broadcast"]),
    )


def _open_osc(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    options, prefix = destination.options, str(destination.options["prefix"])

    def encoder(prefix: str) -> Encoder:
        return OscEncoder(
            clock,
            prefix=prefix,
            bundle=bool(options["bundle"]),
            array=bool(options["array"]),
            letters=bool(options["letters"]),
            units=bool(options["units"]),
            rig=destination.rig,
        )

    def everyone() -> Encoder:
        if destination.performers == 1:
            return encoder(prefix)
        named = [(face, encoder(f"{prefix}/{face}")) for face in _faces(destination)]
        return SeveralEncoder([(1, encoder(prefix)), *named])

    query = options["oscquery"]
    if query is None:
        return _udp(destination, everyone())
    from livefacs.sinks.oscjson import QueriedSink

    assert isinstance(query, str | int)
    udp, target = _udp(destination, everyone()), (destination.host, destination.port)
    return QueriedSink(udp, everyone(), query, target, lambda address: about(address, prefix))


def _open_vmc(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    options = destination.options
    encoder = VmcEncoder(
        clock,
        _rig(destination),
        usual_names=options["names"] == "usual",
        bones=bool(options["bones"]),
        signs=_signs(destination),
    )
    return _udp(destination, encoder)


def _open_livelink(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    options = destination.options
    encoder = LiveLinkEncoder(
        clock,
        _rig(destination),
        subject=str(options["subject"]),
        device=str(options["device"] or device_id()),
        rate=find_rate(str(options["fps"])).fraction,
        signs=_signs(destination),
    )
    return _udp(destination, encoder)


def _open_ifacialmocap(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    options, signs, rig = destination.options, _signs(destination), _rig(destination)
    version, reply = options["version"], options["reply"]
    assert isinstance(version, int)
    assert isinstance(reply, int)
    if options["wait"]:
        requests = ifacialmocap_requests(rig, reply_port=reply, signs=signs)
        return _requested(destination, requests)
    return _udp(destination, IFacialMocapEncoder(rig, version=version, signs=signs))


def _open_vrcft(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    options = destination.options
    n_bits, eyes = options["bits"], options["eyes"]
    assert isinstance(n_bits, int)

    def encoder(avatar: Avatar | None) -> Encoder:
        return VrcftEncoder(
            _rig(destination),
            prefix=str(options["prefix"]),
            combined=bool(options["combined"]),
            n_bits=n_bits,
            eyes="native" if eyes == "native" else "off" if eyes == "off" else "parameters",
            signs=_signs(destination),
            avatar=avatar,
        )

    query = options["oscquery"]
    if query is None:
        return _udp(destination, encoder(None))
    from livefacs.sinks.vrchat import AvatarSink

    assert isinstance(query, str | int)
    place = destination.url, destination.host, destination.port
    return AvatarSink(*place, query, encoder, broadcast=bool(options["broadcast"]))


def _open_faceosc(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    scale = destination.options["scale"]
    assert isinstance(scale, float)
    return _udp(destination, FaceOscEncoder(scale=scale, mirrored=destination.mirror))


def _open_osf(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    face_id = destination.options["id"]
    assert isinstance(face_id, int)
    return _udp(
        destination, OpenSeeFaceEncoder(clock, face_id=face_id, mirrored=destination.mirror)
    )


def _open_facecap(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    return _udp(destination, FaceCapEncoder(_rig(destination), signs=_signs(destination)))


def _open_vtsphone(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    requests = vtsphone_requests(clock, _rig(destination), signs=_signs(destination))
    return _requested(destination, requests)


def _requested(destination: Destination, requests: OnRequest) -> Sink:
    return RequestedSink(destination.url, destination.host, destination.port, requests)


# zmq, websockets and pylsl are imported only where a destination asks for them: `--help` and a
# session without them stay quick and small.


def _open_zmq(destination: Destination, clock: ClockMap, control: SessionControl | None) -> Sink:
    from livefacs.sinks.zeromq import open_zmq

    return open_zmq(destination, clock, control)


def _open_ws(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    from livefacs.sinks.websocket import WebSocketSink

    is_text = destination.options["format"] == "json"
    origin = destination.options["origin"]
    return WebSocketSink(
        destination.url,
        packed_for_performers(
            destination.performers,
            clock,
            rig=destination.rig,
            form="json" if is_text else "msgpack",
        ),
        destination.host,
        destination.port,
        is_text=is_text,
        origin=None if origin is None else str(origin),
    )


def _open_vts(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    from livefacs.sinks.vtubestudio import VtsSink

    encoder = VtsEncoder(_rig(destination))
    return VtsSink(destination.url, encoder, destination.host, destination.port)


def _open_lsl(destination: Destination, _: ClockMap, __: SessionControl | None) -> Sink:
    from livefacs.sinks.lsl import LslSink

    scope = destination.options["scope"]
    if scope is None:
        raise SinkError(
            f"output {destination.url!r}: LSL's library opens its data port on every interface of "
            "this machine; expected scope=network, or scope=machine to be found by this machine "
            "alone (the port is open all the same)"
        )
    n = destination.performers
    return LslSink(destination.url, destination.host, destination.rig, str(scope), n)


def _faces(destination: Destination) -> range:
    return range(1, destination.performers + 1)


def _rig(destination: Destination) -> str:
    if destination.rig is None:
        raise SinkError(f"output {destination.url!r}: expected rig=NAME")
    return destination.rig


def _signs(destination: Destination) -> AxisSigns:
    flip = destination.options["flip"]
    return AxisSigns.flipping(flip if isinstance(flip, tuple) else ())


_OPENERS: Final[Mapping[str, Callable[[Destination, ClockMap, SessionControl | None], Sink]]] = {
    "osc": _open_osc,
    "zmq": _open_zmq,
    "ws": _open_ws,
    "vmc": _open_vmc,
    "livelink": _open_livelink,
    "ifacialmocap": _open_ifacialmocap,
    "vrcft": _open_vrcft,
    "faceosc": _open_faceosc,
    "osf": _open_osf,
    "facecap": _open_facecap,
    "vts": _open_vts,
    "vtsphone": _open_vtsphone,
    "lsl": _open_lsl,
}

"""From a checked destination to an open sink."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from livefacs.clock import ClockMap
from livefacs.errors import LivefacsError, SinkError
from livefacs.protocols import Encoder, SessionControl, Sink
from livefacs.sinks.destination import Destination
from livefacs.sinks.hub import Hub, Outlet, RateLimit
from livefacs.sinks.udp import UdpSink
from livefacs.wire.osc import OscEncoder


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
            outlets.append(Outlet(open_sink(each, clock, control), each.mirror, limit))
    except LivefacsError:
        Hub(outlets).close()
        raise
    return Hub(outlets)


def _udp(destination: Destination, encoder: Encoder) -> Sink:
    return UdpSink(
        destination.url,
        encoder,
        destination.host,
        destination.port,
        broadcast=bool(destination.options["broadcast"]),
    )


def _open_osc(destination: Destination, clock: ClockMap, _: SessionControl | None) -> Sink:
    options = destination.options
    encoder = OscEncoder(
        clock,
        prefix=str(options["prefix"]),
        bundle=bool(options["bundle"]),
        array=bool(options["array"]),
        letters=bool(options["letters"]),
        units=bool(options["units"]),
        rig=destination.rig,
    )
    return _udp(destination, encoder)


def _open_zmq(destination: Destination, clock: ClockMap, control: SessionControl | None) -> Sink:
    from livefacs.sinks.zeromq import open_zmq  # zmq is imported only where it is used

    return open_zmq(destination, clock, control)


_OPENERS: Final[Mapping[str, Callable[[Destination, ClockMap, SessionControl | None], Sink]]] = {
    "osc": _open_osc,
    "zmq": _open_zmq,
}

"""From a checked destination to an open sink."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from livefacs.clock import ClockMap
from livefacs.errors import LivefacsError
from livefacs.protocols import Encoder, SessionControl, Sink
from livefacs.sinks.destination import Destination
from livefacs.sinks.hub import Outlet, Prepared
from livefacs.sinks.udp import UdpSink
from livefacs.wire.osc import OscEncoder


def open_sink(destination: Destination, clock: ClockMap, control: SessionControl | None) -> Sink:
    """Open the sink of one destination, without mirror and rate limit (see ``open_outlets``).

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


def open_outlets(
    destinations: Sequence[Destination], clock: ClockMap, control: SessionControl | None = None
) -> list[Outlet]:
    """Open all destinations of a session; closes what is open again if one fails.

    Raises
    ------
    SinkError
        See ``open_sink``.
    """
    prepared = Prepared()
    outlets: list[Outlet] = []
    try:
        for each in destinations:
            sink = open_sink(each, clock, control)
            outlets.append(Outlet(sink, prepared, mirror=each.mirror, rate_hz=each.rate_hz))
    except LivefacsError:
        for outlet in outlets:
            outlet.close()
        raise
    return outlets


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

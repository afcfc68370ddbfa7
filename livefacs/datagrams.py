"""Sockets that receive datagrams, from one address or from a multicast group."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from typing import Final

_INTERFACES: Final = ("0.0.0.0", "127.0.0.1")
"""The system's usual one, and the loopback, where programs of this machine may send."""


def bound_udp(host: str, port: int) -> socket.socket:
    """A UDP socket on an address of this machine, or one that joined a multicast group.

    A group is joined on the system's usual interface and on the loopback, and several programs of
    this machine may listen to it at once.

    Parameters
    ----------
    host : str
        Address or name of this machine, or a group: 224.0.0.0 to 239.255.255.255, ``ff…``.
    port : int
        0 takes a free one.

    Raises
    ------
    OSError, OverflowError
        The port is in use, the address is not this machine's, or no interface knows groups.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if not _is_group(host):
            udp.bind((host, port))
            return udp
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound to the group, the socket hears nothing else on that port; Windows cannot.
        udp.bind(("" if sys.platform == "win32" else host, port))
        _join(udp, host)
    except (OSError, OverflowError):
        udp.close()
        raise
    return udp


def _is_group(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:  # a name
        return False


def _join(udp: socket.socket, group: str) -> None:
    """Join on every interface that will have it; OSError where none will."""
    address = ipaddress.ip_address(group).packed
    if udp.family == socket.AF_INET6:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, address + struct.pack("@I", 0))
        return
    failure = None
    n_joined = 0
    for interface in _INTERFACES:
        membership = address + socket.inet_aton(interface)
        try:
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            n_joined += 1
        except OSError as error:  # a machine that is in no network, a loopback without groups
            failure = error
    if failure is not None and not n_joined:
        raise failure

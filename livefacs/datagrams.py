"""Sockets that receive datagrams, from one address or from a multicast group."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import struct
import sys
from typing import Any, Final

_LOOPBACK: Final = "127.0.0.1"
_INTERFACES: Final = ("0.0.0.0", _LOOPBACK)
"""The system's usual one, and the loopback, where programs of this machine may send."""
_NARROW: Final = (1, 2)
"""Scopes of IPv6 groups that are one for each interface: the machine's own, and the link's."""
_ESCAPED_ZONE: Final = re.compile(r"%25(?=.)")


def host_of_url(hostname: str | None) -> str:
    """A host as URLs have it: none is the loopback, ``*`` every address of this machine.

    The interface of a link-local address may stand behind ``%`` or, as RFC 6874 has it, ``%25``.
    """
    if hostname == "*":
        return _INTERFACES[0]
    return _ESCAPED_ZONE.sub("%", hostname or _LOOPBACK)


def bound_udp(host: str, port: int) -> socket.socket:
    """A UDP socket on an address of this machine, or one that joined a multicast group.

    A group is joined on the interface that it names (``ff02::1%eth0``); else on the loopback and
    on the system's usual interface, or, with IPv6, on all. Several programs of this machine may
    listen to it at once.

    Parameters
    ----------
    host : str
        Address or name of this machine, or a group: 224.0.0.0 to 239.255.255.255, ``ff…``.
    port : int
        0 takes a free one.

    Raises
    ------
    OSError, OverflowError, UnicodeError, TypeError
        The port is in use, the address is not this machine's, or no interface knows groups;
        ``why_not_bound`` says it in words.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if not _is_group(host):
            udp.bind(_address(host, port))
            return udp
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound to the group, the socket hears nothing else on that port. Windows cannot, nor can
        # anybody where the same group is another one on each interface.
        whole = sys.platform == "win32" or _is_one_for_each_interface(host)
        udp.bind(_address(("::" if ":" in host else "") if whole else host, port))
        _join(udp, host)
    except (OSError, OverflowError, UnicodeError, TypeError):
        udp.close()
        raise
    return udp


def why_not_bound(host: str, port: int, error: Exception) -> str:
    """What to say of an error of ``bound_udp``: where, what came, and what was expected."""
    address, _, interface = host.partition("%")
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    names = [name for _, name in socket.if_nameindex()]
    reason, expected = str(error), "a free port on an address of this machine"
    if interface and not _has_interface(interface):
        reason = f"there is no interface {interface}"
        expected = f"one of this machine's behind the %: {', '.join(names)}"
    elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        expected += " (another program may be receiving there)"
    elif _is_group(host):
        expected = "an interface that takes part in multicast" + (
            f", named as in [{address}%{names[-1]}]; there are {', '.join(names)}"
            if ":" in host and names
            else ""
        )
    elif ":" in host and ipaddress.ip_address(host).is_link_local and not interface:
        expected = f"the interface of a link-local address, as in [{host}%{names[-1]}]"
    return f"cannot listen on {where} ({reason}); expected {expected}"


def _address(host: str, port: int) -> Any:
    """The socket address; that of IPv6 with its interface, which ``bind`` takes from no name."""
    if ":" not in host:
        return host, port
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("port must be 0-65535")
    return socket.getaddrinfo(host, port, socket.AF_INET6, socket.SOCK_DGRAM)[0][4]


def _is_group(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:  # a name
        return False


def _is_one_for_each_interface(group: str) -> bool:
    return ":" in group and "%" not in group and _packed(group)[1] & 0xF in _NARROW


def _has_interface(name: str) -> bool:
    return name.isdecimal() or name in (known for _, known in socket.if_nameindex())


def _packed(group: str) -> bytes:
    return ipaddress.ip_address(group).packed


def _join(udp: socket.socket, group: str) -> None:
    """Join on every interface that will have it; OSError where none will."""
    if udp.family == socket.AF_INET6:
        scope = _address(group, 0)[3]
        indices = [scope] if scope else [0, *(index for index, _ in socket.if_nameindex())]
        level, option = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP
        interfaces = [struct.pack("@I", index) for index in indices]
    else:
        level, option = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP
        interfaces = [socket.inet_aton(interface) for interface in _INTERFACES]
    failure = None
    n_joined = 0
    for interface in interfaces:
        try:
            udp.setsockopt(level, option, _packed(group) + interface)
            n_joined += 1
        except OSError as error:  # a machine that is in no network, a loopback without groups
            failure = error
    if failure is not None and not n_joined:
        raise failure

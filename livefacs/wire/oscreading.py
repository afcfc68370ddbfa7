"""OSC as it comes in: any datagram becomes a list of messages, or one plain fault."""

from __future__ import annotations

import logging
import struct
from pathlib import Path
from typing import Final

import pythonosc
from pythonosc.osc_packet import OscPacket, ParseError

_MAX_MESSAGES: Final = 2000
_PYTHON_OSC: Final = str(Path(pythonosc.__file__).parent)


def _is_not_python_osc(record: logging.LogRecord) -> bool:
    return not record.pathname.startswith(_PYTHON_OSC)


# python-osc writes a line for each odd packet to the root logger: whoever sends us such packets
# would fill the user's terminal. What matters of them is counted by whoever reads.
logging.getLogger().addFilter(_is_not_python_osc)


class OscFault(ValueError):
    """The bytes are not OSC."""


def messages_from_osc(datagram: bytes) -> list[tuple[str, list[object]]]:
    """Address and arguments of every message, bundles unfolded in order, time tags ignored.

    Raises
    ------
    OscFault
        The datagram is malformed, nested too deeply, or holds too many messages.
    """
    try:
        messages = OscPacket(datagram).messages
    except (ParseError, ValueError, IndexError, TypeError, struct.error) as fault:
        raise OscFault(f"not an OSC packet: {fault}") from None
    except (RecursionError, OverflowError):
        raise OscFault("not an OSC packet: nested too deeply, or a number out of range") from None
    if len(messages) > _MAX_MESSAGES:
        raise OscFault(f"{len(messages)} messages in a packet: expected at most {_MAX_MESSAGES}")
    return [(timed.message.address, list(timed.message.params)) for timed in messages]

"""The OSC control port: own commands, and those of the Live Link Face app for stage control.

Own commands stand under ``/livefacs/`` (``/livefacs/neutral``, ``/livefacs/record s i`` …, see
``commands.run_command``); the reply goes to the same address with the text as ``s``. Of the app's
commands, those that have a counterpart here are answered as the phone answers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pythonosc.osc_message_builder import OscMessageBuilder

from livefacs.errors import LivefacsError, SinkError
from livefacs.printable import printable
from livefacs.protocols import SessionControl
from livefacs.sinks.commands import (
    MAX_TEXT,
    CommandError,
    run_command,
    text_argument,
    whole_argument,
)
from livefacs.wire.oscreading import OscError, messages_from_osc
from livefacs.workers import Worker

_PREFIX: Final = "/livefacs/"
_MAX_REQUEST_BYTES: Final = 4096
_POLL_S: Final = 0.1
_JOIN_S: Final = 2.0
_TARGET_COMMANDS: Final = ("/OSCSetSendTarget", "/OSCAddSendTarget")
"""How the app is told where answers go, and how Unreal's Switchboard tells it."""
_UNKNOWN: Final = -1
"""Answer to battery and thermal queries: what the phone says where it does not know."""

Reply = tuple[str, Sequence[object]] | None


class OscControl:
    """Listens for commands in a thread of its own.

    Replies go to the sender, or where ``/OSCSetSendTarget`` said last. Packets that are malformed,
    oversized or unknown are counted and ignored.

    Parameters
    ----------
    control : SessionControl
    host, port : where to listen; port 0 takes a free one
    on_failure : callable(exception) or None
        Called from the listening thread where that ends by an error.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_bad : int
        Packets and commands that were refused.
    last_error : str
        Why the last one was.

    Raises
    ------
    SinkError
        The port cannot be had.
    """

    def __init__(
        self,
        control: SessionControl,
        host: str = "127.0.0.1",
        port: int = 8000,
        on_failure: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._control = control
        self.n_bad = 0
        self.last_error = ""
        self._target: tuple[str, int] | None = None
        self._closing = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, OverflowError, UnicodeError, TypeError) as error:
            self._socket.close()
            raise SinkError(
                f"control port {host}:{port}: cannot listen ({error}); "
                "expected a free port on an address of this machine"
            ) from None
        self._socket.settimeout(_POLL_S)
        self.port: int = self._socket.getsockname()[1]
        self._thread = Worker(self._serve, "livefacs-osc", on_failure)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; a command that does not return is not waited for."""
        self._closing.set()
        self._thread.join(_JOIN_S)

    def _serve(self) -> None:
        with self._socket:
            while not self._closing.is_set():
                try:
                    datagram, sender = self._socket.recvfrom(_MAX_REQUEST_BYTES + 1)
                except TimeoutError:
                    continue
                except OSError as error:  # an earlier reply was refused, or too long a datagram
                    self._refuse(error)
                    continue
                self._handle(datagram, sender)

    def _handle(self, datagram: bytes, sender: tuple[Any, ...]) -> None:
        try:
            if len(datagram) > _MAX_REQUEST_BYTES:
                raise OscError(f"expected at most {_MAX_REQUEST_BYTES} bytes")
            messages = messages_from_osc(datagram)
        except OscError as error:
            self._refuse(error)
            return
        for address, arguments in messages:
            try:
                reply = self._answer(address, arguments)
            except (CommandError, LivefacsError, OSError, ValueError) as error:
                # whatever a datagram asks for ends neither this thread nor the session
                self._refuse(error)
                reply = ("/livefacs/error", (address[:80], str(error)[:400]))
            if reply is not None:
                self._send(reply, sender)

    def _answer(self, address: str, arguments: Sequence[object]) -> Reply:
        if address.startswith(_PREFIX):
            word = address.removeprefix(_PREFIX)
            return address, (run_command(self._control, word, arguments),)
        if address in _TARGET_COMMANDS:
            self._target = _target(arguments)
            return f"{address}Confirm", ()
        action = _STAGE.get(address)
        if action is None:
            raise CommandError(_NOT_HERE.get(address, "unknown command"))
        return action(self._control, arguments)

    def _send(self, reply: tuple[str, Sequence[object]], sender: tuple[Any, ...]) -> None:
        address, arguments = reply
        builder = OscMessageBuilder(address=address)
        for argument in arguments:
            builder.add_arg(argument)  # type: ignore[arg-type]  # str, int and float only
        try:
            self._socket.sendto(builder.build().dgram, self._target or sender)
        except OSError as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self.n_bad += 1
        self.last_error = str(error)


def _target(arguments: Sequence[object]) -> tuple[str, int]:
    host = text_argument(arguments, 0)
    port = whole_argument(arguments, 1)
    try:
        address = socket.getaddrinfo(
            host, port, socket.AF_INET, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0][4]
    except (OSError, UnicodeError):  # the latter: a label that is no part of a host name
        raise CommandError(f"send target {host[:60]!r}: expected a numeric IPv4 address") from None
    return str(address[0]), int(address[1])


def _silent(act: Callable[[SessionControl, Sequence[object]], object]) -> Any:
    def run(control: SessionControl, arguments: Sequence[object]) -> Reply:
        act(control, arguments)
        return None

    return run


def _record_start(control: SessionControl, arguments: Sequence[object]) -> Reply:
    slate = text_argument(arguments, 0) if arguments else None
    take = whole_argument(arguments, 1) if len(arguments) > 1 else None
    return "/RecordStartConfirm", (control.record_start(slate, take, _notes(arguments)),)


def _notes(arguments: Sequence[object]) -> str | None:
    """A stage's description of the take: no reason to refuse it, however long and of what lines."""
    return printable(str(arguments[2]))[:MAX_TEXT] if len(arguments) > 2 else None


def _record_stop(control: SessionControl, _arguments: Sequence[object]) -> Reply:
    return "/RecordStopConfirm", control.record_stop()


_STAGE: Final[Mapping[str, Callable[[SessionControl, Sequence[object]], Reply]]] = MappingProxyType(
    {
        "/Slate": _silent(lambda control, given: control.set_slate(text_argument(given, 0))),
        "/Take": _silent(lambda control, given: control.set_take(whole_argument(given, 0))),
        "/RecordStart": _record_start,
        "/RecordStop": _record_stop,
        "/LiveLinkStreamStart": _silent(lambda control, _: control.start_streaming()),
        "/LiveLinkStreamStop": _silent(lambda control, _: control.stop_streaming()),
        "/ARSessionStart": lambda _control, _: ("/ARSessionStartConfirm", ()),
        "/ARSessionStop": lambda _control, _: ("/ARSessionStopConfirm", ()),
        **dict.fromkeys(("/VideoDisplayOn", "/VideoDisplayOff"), _silent(lambda *_: None)),
        "/BatteryQuery": lambda _control, _: ("/Battery", (float(_UNKNOWN),)),
        "/ThermalsQuery": lambda _control, _: ("/Thermals", (_UNKNOWN,)),
    }
)
"""Commands of the Live Link Face app: those with a counterpart, and those that ask for nothing."""

_START_WITH: Final = "outputs are chosen at the start: --to livelink://HOST:PORT?subject=NAME"
_NOT_HERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/AddLiveLinkAddress": _START_WITH,
        "/ClearAllLiveLinkAddresses": _START_WITH,
        "/LiveLinkSubject": _START_WITH,
        "/Transport": "takes are not sent away: copy the take folder",
    }
)
"""Commands of the app that are refused, and why."""

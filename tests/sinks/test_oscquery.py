"""OSCQuery: read by a public client; VRChat's answers as documented, and hostile ones."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from livefacs.clock import ClockMap
from livefacs.errors import SinkError
from livefacs.sinks import oscjson, vrchat
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.wire.avatar import Avatar, AvatarShape, avatar_from_parameters
from livefacs.wire.oscquery import parameters_from_tree
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.vrcft import VrcftEncoder
from tests.support.waiting import wait_until
from tests.wire.making import VRCFT_BASE, make_frame, make_rig

zeroconf = pytest.importorskip("zeroconf")
CLOCK = ClockMap(0, 0)
ROOT = "/avatar/parameters/"
RIG = make_rig("vrcft2", VRCFT_BASE, np.full(len(VRCFT_BASE), 0.6, np.float32))
FLOATS = {f"{ROOT}FT/v2/JawOpen": "f", f"{ROOT}FT/v2/EyeLeftX": "f"}
BITS = {
    **{f"{ROOT}FT/v2/JawX{bit}": "T" for bit in (1, 2, 4)},
    f"{ROOT}FT/v2/JawXNegative": "T",
    **{f"{ROOT}FT/v2/LipPucker{bit}": "F" for bit in (1, 2)},
}
OTHERS = {f"{ROOT}VRCEmote": "i", f"{ROOT}v2/JawOpen": "f", "/input/Jump": "i"}


def vrchat_tree(types: dict[str, str], worn: str) -> dict[str, Any]:
    """As VRChat answers: parameters nested by their slashes, the worn avatar's id as a value."""
    root: dict[str, Any] = {"FULL_PATH": "/", "ACCESS": 0, "CONTENTS": {}}
    entries = {address: {"TYPE": tag, "ACCESS": 3} for address, tag in types.items()}
    entries["/avatar/change"] = {"TYPE": "s", "ACCESS": 1, "VALUE": [worn]}
    for address, attributes in entries.items():
        node, path = root, ""
        for part in address[1:].split("/"):
            path += f"/{part}"
            node = node.setdefault("CONTENTS", {}).setdefault(
                part, {"FULL_PATH": path, "ACCESS": 0}
            )
        node.update(attributes)
    return root


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    """A server on this machine; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeVRChat:
    """What is worn may change."""

    def __init__(self) -> None:
        self.tree = vrchat_tree({**FLOATS, **BITS, **OTHERS}, "avtr_1")

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        node = self.tree
        for part in request.path.strip("/").split("/"):
            node = node["CONTENTS"][part]
        body = json.dumps(node).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def sent_addresses(receiver: socket.socket) -> set[str]:
    """Addresses of the datagrams that are here."""
    found: set[str] = set()
    while True:
        try:
            datagram = receiver.recv(65536)
        except BlockingIOError:
            return found
        found |= {address for address, _ in messages_from_osc(datagram)}


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        yield udp


def test_an_avatar_is_read_from_the_tree() -> None:
    tree = vrchat_tree({**FLOATS, **BITS, **OTHERS}, "avtr_1")
    types, values = parameters_from_tree(json.dumps(tree).encode())
    assert types == {**FLOATS, **BITS, **OTHERS}
    assert values["/avatar/change"] == "avtr_1"
    avatar = avatar_from_parameters(types)
    assert avatar is not None
    assert avatar.prefix == "FT/"
    assert set(avatar.shapes) == {
        AvatarShape("JawOpen"),
        AvatarShape("EyeLeftX"),
        AvatarShape("JawX", 3, has_negative=True),
        AvatarShape("LipPucker", 2),
    }
    assert str(avatar) == "2 floats and 2 of 2 to 3 bits under FT/v2/"
    assert avatar_from_parameters({f"{ROOT}VRCEmote": "i"}) is None


def test_what_an_avatar_takes_goes_out_and_nothing_else() -> None:
    avatar = Avatar("", (AvatarShape("JawOpen"), AvatarShape("JawX", 3, has_negative=True)))
    values = {"JawRight": 0.0, "JawLeft": 0.5, "JawOpen": 0.25}
    rig = make_rig("vrcft2", VRCFT_BASE, np.array([values.get(n, 0.0) for n in VRCFT_BASE], "f4"))
    encoder = VrcftEncoder("vrcft2", avatar=avatar)
    got = {
        address: arguments[0]
        for datagram in encoder.encode(make_frame(rigs=(rig,)))
        for address, arguments in messages_from_osc(bytes(datagram))
        if "v2/" in address
    }
    assert got == {
        f"{ROOT}v2/JawOpen": 0.25,
        f"{ROOT}v2/JawX1": False,
        f"{ROOT}v2/JawX2": False,
        f"{ROOT}v2/JawX4": True,  # half of the way
        f"{ROOT}v2/JawXNegative": True,
    }


def test_the_sink_follows_the_worn_avatar(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vrchat, "_PERIOD_S", 0.05)
    game = FakeVRChat()
    port = receiver.getsockname()[1]
    frame = make_frame(rigs=(RIG,))

    def sends(address: str, absent: str) -> bool:
        sent_addresses(receiver)
        sink.send(frame)
        found = sent_addresses(receiver)
        return address in found and absent not in found

    with answering(game.answer) as http_port:
        url = f"vrcft://127.0.0.1:{port}?oscquery={http_port}"
        with closing(open_sink(parse_destination(url), CLOCK, None)) as sink:
            jaw, pucker = f"{ROOT}FT/v2/JawX4", f"{ROOT}FT/v2/LipPucker"
            wait_until(lambda: sends(jaw, pucker), "the avatar's own parameters")
            game.tree = vrchat_tree({f"{ROOT}v2/LipPucker": "f"}, "avtr_2")
            wait_until(lambda: sends(f"{ROOT}v2/LipPucker", jaw), "the other avatar's")


def test_the_game_is_found_by_mdns_on_this_machine(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vrchat, "_PERIOD_S", 0.05)
    game = FakeVRChat()
    frame = make_frame(rigs=(RIG,))
    url = f"vrcft://127.0.0.1:{receiver.getsockname()[1]}?oscquery=machine"
    with answering(game.answer) as http_port:
        responder = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
        try:
            for name, port in (("Another-1", 9), ("VRChat-Client-A1B2C3", http_port)):
                responder.register_service(
                    zeroconf.ServiceInfo(
                        oscjson.SERVICE,
                        f"{name}.{oscjson.SERVICE}",
                        addresses=[socket.inet_aton("127.0.0.1")],
                        port=port,
                        server=f"{name}.local.",
                    )
                )
            with closing(open_sink(parse_destination(url), CLOCK, None)) as sink:

                def follows() -> bool:
                    sink.send(frame)
                    return f"{ROOT}FT/v2/JawX4" in sent_addresses(receiver)

                wait_until(follows, "the avatar's own parameters")
        finally:
            responder.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "Expecting value"),
        (b"no JSON", "Expecting value"),
        (b"[]", "expected a JSON object"),
        (b"3", "expected a JSON object"),
        (b'{"CONTENTS": ' * 100_000, "nested too deeply|Expecting"),
        (json.dumps({"CONTENTS": {str(i): {} for i in range(30_000)}}).encode(), "20000 nodes"),
        (b"\xff\xfe", "decode|Expecting"),
    ],
    ids=["empty", "text", "list", "number", "deep", "wide", "bytes"],
)
def test_a_hostile_tree_is_a_plain_error(text: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parameters_from_tree(text)


def test_nodes_that_are_none_are_passed_over() -> None:
    odd = {
        "CONTENTS": {
            "a": 3,
            "b": {"FULL_PATH": 4, "TYPE": "f", "ACCESS": 3},
            "c": {"FULL_PATH": "/c" + "x" * 300, "TYPE": "f", "ACCESS": 3},
            "d": {"FULL_PATH": "/d\n", "TYPE": "f", "ACCESS": 3},
            "e": {"FULL_PATH": "/e", "TYPE": ["f"], "ACCESS": 3, "VALUE": {}},
            "f": {"FULL_PATH": "/f", "TYPE": "f", "ACCESS": [3]},
            "g": {"FULL_PATH": "/g", "TYPE": "f", "ACCESS": 2, "CONTENTS": [1]},
        }
    }
    assert parameters_from_tree(json.dumps(odd).encode()) == ({"/g": "f"}, {})


def test_answers_are_bounded_in_size_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oscjson, "_MOST_BYTES", 10_000)
    monkeypatch.setattr(oscjson, "_ANSWER_S", 0.5)
    ended = threading.Event()

    def hostile(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302 if request.path == "/elsewhere" else 200)
        request.send_header("Location", "http://192.0.2.1/")
        request.end_headers()
        while request.path == "/endless" and not ended.is_set():
            request.wfile.write(b"x" * 1000)
        while request.path == "/slow" and not ended.wait(0.05):
            request.wfile.write(b" ")

    with answering(hostile) as port:
        with pytest.raises(ValueError, match="more than 10000 bytes"):
            oscjson.fetch("127.0.0.1", port, "/endless")
        with pytest.raises(ValueError, match="answered with 302"):
            oscjson.fetch("127.0.0.1", port, "/elsewhere")
        begun = time.monotonic()
        with pytest.raises((OSError, http.client.HTTPException, ValueError)):
            parameters_from_tree(oscjson.fetch("127.0.0.1", port, "/slow"))
        assert time.monotonic() - begun < 60  # not for ever
        ended.set()


def ask(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body) if body else None


def served(query: str, receiver: socket.socket) -> oscjson.QueriedSink:
    url = f"osc://127.0.0.1:{receiver.getsockname()[1]}?letters=on&oscquery={query}"
    sink = open_sink(parse_destination(url), CLOCK, None)
    assert isinstance(sink, oscjson.QueriedSink)
    return sink


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_public_client_reads_what_is_sent(receiver: socket.socket) -> None:
    oscquery = pytest.importorskip("pythonoscquery.osc_query_client")
    with closing(served(str(free_port()), receiver)) as sink:
        sink.send(make_frame())
        info = zeroconf.ServiceInfo(
            oscjson.SERVICE,
            f"x.{oscjson.SERVICE}",
            addresses=[socket.inet_aton("127.0.0.1")],
            port=sink.port,
        )
        client = oscquery.OSCQueryClient(info)
        host = client.get_host_info()
        assert (host.name, host.osc_port) == ("livefacs", receiver.getsockname()[1])

        def told(path: str) -> dict[str, Any]:
            node = client.query_node(path)
            return {kind.name.upper(): value for kind, value in node.attributes.items()}

        head = told("/livefacs/head")
        assert head["FULL_PATH"] == "/livefacs/head"
        assert list(head["TYPE"]) == [float] * 6
        inner = {
            value
            for each in told("/livefacs")["CONTENTS"]
            for kind, value in each.attributes.items()
            if kind.name.upper() == "FULL_PATH"
        }
        assert inner >= {"/livefacs/au", "/livefacs/gaze", "/livefacs/health"}
        assert client.query_node("/nothing") is None


def test_attributes_ranges_and_refusals(receiver: socket.socket) -> None:
    with closing(served(str(free_port()), receiver)) as sink:
        assert ask(sink.port, "/")[1] == {"FULL_PATH": "/", "ACCESS": 0, "CONTENTS": {}}
        frame = make_frame()
        sink.send(frame)
        status, node = ask(sink.port, "/livefacs/au/AU12_L")
        assert (status, node["TYPE"], node["ACCESS"]) == (200, "f", 1)
        assert node["RANGE"] == [{"MIN": 0.0}]
        assert node["VALUE"][0] >= 0.0
        assert ask(sink.port, "/livefacs/au/AU12_L?VALUE") == (200, {"VALUE": node["VALUE"]})
        assert ask(sink.port, "/livefacs/letter/AU12_L?RANGE")[1]["RANGE"][0]["VALS"][1] == "A"
        assert ask(sink.port, "/livefacs?VALUE")[0] == 204
        assert ask(sink.port, "/livefacs?COLOUR")[0] == 400
        assert ask(sink.port, "/elsewhere")[0] == 404
        assert ask(sink.port, "/", host="attacker.example")[0] == 403
        address = socket.gethostbyname(socket.gethostname())
        with socket.socket() as other:  # beyond loopback nothing listens
            is_refused = address.startswith("127.") or other.connect_ex((address, sink.port)) != 0
        assert is_refused


def test_it_is_announced_on_this_machine_and_taken_back(receiver: socket.socket) -> None:
    responder, names = zeroconf.Zeroconf(interfaces=["127.0.0.1"]), set()

    def note(*, name: str, state_change: Any, **_: Any) -> None:
        (names.discard if state_change.name == "Removed" else names.add)(name)

    zeroconf.ServiceBrowser(responder, oscjson.SERVICE, handlers=[note])
    try:
        with closing(served("machine", receiver)) as sink:
            mine = f"livefacs-{sink.port}.{oscjson.SERVICE}"
            wait_until(lambda: mine in names, "the announcement")
        wait_until(lambda: mine not in names, "its end")
    finally:
        responder.close()


def test_options_say_what_they_take() -> None:
    with pytest.raises(SinkError, match="oscquery=yes: expected machine, network, an HTTP port"):
        parse_destination("osc://127.0.0.1?oscquery=yes")
    assert parse_destination("osc://127.0.0.1").options["oscquery"] is None

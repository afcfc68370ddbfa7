"""The Live Link device id: as the phone's, and the same at every start."""

from __future__ import annotations

import re
import socket
import struct
from pathlib import Path

import pytest

from livefacs.config import load_options
from livefacs.session.composition import open_session
from livefacs.sinks.device_id import device_id
from tests.sinks.doubles import udp_receiver

PHONES = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def test_it_is_an_upper_case_uuid_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "device_id.txt"
    first = device_id(path)
    assert PHONES.fullmatch(first)
    assert device_id(path) == first
    assert device_id(tmp_path / "another.txt") != first
    assert [file.name for file in path.parent.iterdir()] == ["device_id.txt"]


@pytest.mark.parametrize("content", [b"", b"livefacs\n", b"\xff\xfe", b"8C4A2E1B-6E43"])
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device_id.txt"
    path.write_bytes(content)
    first = device_id(path)
    assert PHONES.fullmatch(first)
    assert device_id(path) == first


def test_where_nothing_can_be_kept_it_stays_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "device_id.txt"
    assert PHONES.fullmatch(device_id(path))
    assert device_id(path) == device_id(path)


class FixedOffsets:
    """Reads as two public receivers do: 36 characters of id, then the subject."""

    def __init__(self, packet: bytes) -> None:
        self.device = packet[5:41].decode("ascii")
        (length,) = struct.unpack_from(">i", packet, 41)
        self.subject = packet[45 : 45 + length].decode()
        self.values = struct.unpack_from(">61f", packet, 45 + length + 17)


def received(receiver: socket.socket, options: str) -> list[bytes]:
    url = f"livelink://127.0.0.1:{receiver.getsockname()[1]}?subject=Anna{options}"
    options_of = {
        "source": {"spec": "demo", "realtime": False},
        "stream": {"to": (f"{url}&rate=10",)},
        "seconds": 1.0,
    }
    with open_session(load_options(None, options_of)) as session:
        session.run()
        (sent,) = session.status()["outputs"]
    return [receiver.recv(4096) for _ in range(sent["packets"])]


def test_receivers_that_read_at_fixed_offsets_understand_every_packet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEFACS_HOME", str(tmp_path))
    with udp_receiver() as receiver:
        first, again = ([FixedOffsets(p) for p in received(receiver, "")] for _ in range(2))
        own = received(receiver, "&device=stage-left")
    devices = {packet.device for packet in (*first, *again)}
    assert len(devices) == 1
    assert PHONES.fullmatch(devices.pop())
    assert {packet.subject for packet in first} == {"Anna"}
    assert all(-4 < value < 4 for packet in first for value in packet.values)
    assert all(packet[5:15] == b"stage-left" for packet in own)

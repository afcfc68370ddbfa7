"""Structured rubbish for every parser of bytes from outside: right in most places, wrong in one.

Random bytes fail at the first check. What hangs or eats memory is well-formed down to a size, a
count or a nesting, so that is what is varied here.
"""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Callable

import msgpack

from livefacs.timecode import RATES
from livefacs.vocab.arkit import LIVELINK_61
from livefacs.wire.ltc import LtcWriter
from livefacs.wire.vtsphone import REQUEST, request_bytes

ODD_SIZES = (-(2**31), -8, -4, -1, 0, 1, 2, 3, 4, 7, 8, 12, 2**16, 2**24, 2**31 - 4, 2**31 - 1)
TAGS = "ifsbhdtrmTFN[]ISczx"
TEXTS = (b"", b"a", b"/livefacs/neutral", b"slate_1", b"\xff\xfe", b"\x1b[2J", b"x" * 300)
ADDRESSES = (b"/a", b"/livefacs/mark", b"/RecordStart", b"/VMC/Ext/Blend/Val", b"a", b"")
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e308, 1e-320, True, None, "", "x")


def padded(text: bytes) -> bytes:
    """An OSC string."""
    return text + bytes(4 - len(text) % 4)


def osc_message(rng: random.Random) -> bytes:
    """A message whose tags fit its arguments, mostly."""
    tags = "".join(rng.choices(TAGS, k=rng.choice((0, 1, 1, 2, 3, 8))))
    body = b""
    for tag in tags:
        if rng.random() < 0.03:
            continue
        if tag == "s":
            body += padded(rng.choice(TEXTS))
        elif tag == "b":
            data = rng.randbytes(rng.randrange(9))
            size = rng.choice(ODD_SIZES) if rng.random() < 0.2 else len(data)
            body += struct.pack(">i", size) + data + bytes(-len(data) % 4)
        elif tag in "hdt":
            body += rng.randbytes(8)
        elif tag in "ifrm":
            body += rng.randbytes(4)
    return (
        padded(rng.choice(ADDRESSES))
        + (padded(b"," + tags.encode()) if rng.random() < 0.95 else b"")
        + body
    )


def osc_packet(rng: random.Random, depth: int = 0) -> bytes:
    """A message or a bundle of them, in which a size or two may be wrong."""
    if rng.random() < 0.4 + 0.1 * depth:
        return osc_message(rng)
    parts = [b"#bundle\0", rng.choice((bytes(7) + b"\1", rng.randbytes(8)))]
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        element = osc_packet(rng, depth + 1)
        size = rng.choice(ODD_SIZES) if rng.random() < 0.15 else len(element)
        parts.append(struct.pack(">i", size) + element)
    whole = b"".join(parts)
    if rng.random() < 0.1:
        whole = whole[: rng.randrange(len(whole) + 1)]
    return whole


def value(rng: random.Random, depth: int = 0) -> object:
    """A JSON value with numbers at the ends of what there is."""
    if depth > 3 or rng.random() < 0.6:
        return rng.choice((*NUMBERS, rng.random(), "\ud800", "\x1b]0;x\x07"))
    if rng.random() < 0.5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): value(rng, depth + 1) for _ in range(rng.randrange(5))}


KEYS = (
    "unix_ns", "frame", "au", "controls", "messageType", "requestID", "data", "errorID", "message",
    "authenticationToken", "parameterValues", "defaultParameters", "id", "value", "type", "t_ns",
)  # fmt: skip


def json_packet(rng: random.Random) -> bytes:
    """An object of known keys with odd values, as JSON, cut short now and then."""
    text = json.dumps({rng.choice(KEYS): value(rng) for _ in range(rng.randrange(6))})
    if rng.random() < 0.05:
        text = '{"a":' + rng.choice("[{") * rng.choice((10, 100_000))
    return text.encode()[: rng.choice((None, None, rng.randrange(1, 200)))]


def injection(rng: random.Random) -> bytes:
    """A request to VTube Studio, right in its envelope."""
    parameters = [{"id": value(rng), "value": value(rng)} for _ in range(rng.randrange(4))]
    data = {"parameterValues": parameters if rng.random() < 0.9 else value(rng)}
    envelope = {"messageType": "InjectParameterDataRequest", "requestID": value(rng)}
    return json.dumps(envelope | {"data": data if rng.random() < 0.9 else value(rng)}).encode()


def msgpack_packet(rng: random.Random) -> bytes:
    """A map of known keys as msgpack, its bytes edited: lengths that promise gigabytes."""
    values = (1, 1.5, -1, 2**63, "x", None, [1], {"a": 1})
    document = {rng.choice(KEYS): rng.choice(values) for _ in range(4)}
    return edited(rng, msgpack.packb(document))


def edited(rng: random.Random, packet: bytes) -> bytes:
    """A packet with a few bytes exchanged, cut short or with rubbish behind."""
    out = bytearray(packet)
    for _ in range(rng.randrange(4)):
        if out:
            odd = rng.choice((0, 0x7F, 0x80, 0xDD, 0xDF, 0xFF, rng.randrange(256)))
            out[rng.randrange(len(out))] = odd
    if rng.random() < 0.2:
        del out[rng.randrange(len(out) + 1) :]
    return bytes(out) + (rng.randbytes(rng.randrange(9)) if rng.random() < 0.1 else b"")


def honest(packets: list[bytes]) -> Callable[[random.Random], bytes]:
    """Edits of packets that our own encoders wrote."""
    return lambda rng: edited(rng, rng.choice(packets))


def phone_request(rng: random.Random) -> bytes:
    """What a receiver asks of VTube Studio's phone: edited, or with odd values."""
    if rng.random() < 0.5:
        ports = rng.sample(range(1, 65536), rng.randrange(1, 5))
        return edited(rng, request_bytes(rng.uniform(0.1, 12.0), ports, "receiver"))
    numbers = [rng.choice(NUMBERS) for _ in range(rng.randrange(40))]
    request: dict[str, object] = {
        "messageType": rng.choice((REQUEST, REQUEST, REQUEST, "x", value(rng))),
        "time": rng.choice((1.0, 5, value(rng))),
        "sentBy": rng.choice(("receiver", value(rng))),
        "ports": rng.choice(([50506], numbers, value(rng))),
    }
    return json.dumps(request).encode()


def timecode_sound(rng: random.Random) -> bytes:
    """A tenth of a second of linear timecode, its samples edited: not numbers, loud, cut."""
    label = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}:00"
    samples = LtcWriter(RATES[rng.choice(("24", "25", "30"))], label, 8000).write(3)
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(samples))
        odd = (math.nan, math.inf, -math.inf, 1e38, -1.0, 0.0)
        samples[at : at + rng.choice((1, 5, 60))] = rng.choice(odd)
    return samples.tobytes()


def livelink_table(rng: random.Random) -> bytes:
    """A take of the Live Link Face app of a few rows, with a value or a byte edited."""
    rows = [",".join(("Timecode", "BlendShapeCount", *LIVELINK_61))]
    for i in range(rng.randrange(1, 4)):
        cells = [f"10:00:00:{i:02}.000", "61", *(f"{rng.random():.4f}" for _ in LIVELINK_61)]
        if rng.random() < 0.5:
            odd = (
                "",
                "x",
                "nan",
                "inf",
                "9" * 400,
                "-1",
                "1e300",
                "99:99:99:99",
                "1:2:3:" + "9" * 400,
            )
            times = ("9" * 5000 + ":00:00:00", "10:00:00:00.", "::::", "\x1b[2J")
            cells[rng.randrange(len(cells))] = rng.choice(odd)
            cells[0] = rng.choice((cells[0], *odd, *times))
        rows.append(",".join(cells))
    whole = "\n".join(rows).encode()
    return edited(rng, whole) if rng.random() < 0.3 else whole


def oscquery_tree(rng: random.Random) -> bytes:
    """A tree of another program's parameters, in which a node or an attribute is something else."""

    def node(path: str, depth: int) -> object:
        if rng.random() < 0.05:
            return value(rng)
        made: dict[str, object] = {"FULL_PATH": path, "ACCESS": rng.choice((0, 1, 2, 3))}
        names = ("FT", "v2", "JawOpen", "JawX1", "JawX2", "JawXNegative", "Jaw" * 40, "x1024")
        if depth < 6 and rng.random() < 0.8:
            some = rng.sample(names, rng.randrange(4))
            made["CONTENTS"] = {name: node(f"{path}/{name}", depth + 1) for name in some}
        if rng.random() < 0.7:
            made |= {"TYPE": rng.choice("fTFis"), "VALUE": [value(rng)]}
        if rng.random() < 0.1:
            made[rng.choice(list(made))] = value(rng)
        return made

    text = json.dumps(node("/avatar/parameters", 0)).encode()
    return edited(rng, text) if rng.random() < 0.2 else text


def text_frame(rng: random.Random) -> bytes:
    """An iFacialMocap frame of odd names and numbers."""
    numbers = ("1", "-1", "nan", "inf", "1e999", "0" * 400, "9" * 400, "", "x", "1,2,3", "1," * 500)
    names = ("jawOpen", "=head", "", "a#b", "\x1b[2J")
    tokens = [
        rng.choice(names) + rng.choice("-&#|") + rng.choice(numbers)
        for _ in range(rng.randrange(1, 8))
    ]
    return "|".join(tokens).encode()


def camera_picture(jpeg: bytes) -> Callable[[random.Random], bytes]:
    """Messages of the camera page: a picture with bytes, sizes or segments that are wrong."""

    def make(rng: random.Random) -> bytes:
        data = bytearray(jpeg)
        for _ in range(rng.choice((0, 1, 1, 2, 5))):
            at = rng.randrange(2, len(data))
            data[at] = rng.choice((0, 0xFF, 0xDA, 0xC2, rng.randrange(256)))
        if rng.random() < 0.3:
            marker = rng.choice((0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE1, 0xFE))
            body = rng.randbytes(rng.choice((0, 1, 9, 15, 67, 200)))
            size = rng.choice((0, 1, 2, 65535)) if rng.random() < 0.3 else len(body) + 2
            data[2:2] = bytes((0xFF, marker)) + struct.pack(">H", size) + body
        if rng.random() < 0.1:
            del data[rng.randrange(len(data)) :]
        page_ms = rng.choice((0.0, -1e3, 1e9, 1e15, math.nan, math.inf))
        magic = b"LFC1" if rng.random() < 0.95 else b"LFC2"
        return struct.pack("<4sId", magic, rng.getrandbits(32), page_ms) + bytes(data)

    return make


def camera_answer(rng: random.Random) -> bytes:
    """What the camera page answers when its clock is asked."""
    answer: dict[str, object] = {"type": "time", "id": rng.choice((1, 2, *NUMBERS))}
    answer["t"] = rng.choice((1.5, 1e9, *NUMBERS))
    if rng.random() < 0.1:
        answer["more"] = "[" * rng.randrange(300)
    text = json.dumps(answer)
    return text[: rng.randrange(len(text))].encode() if rng.random() < 0.1 else text.encode()

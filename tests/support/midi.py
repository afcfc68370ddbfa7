"""MIDI for tests: timecode as bytes, written from the standard, and a backend of mido.

``MIDO_BACKEND=tests.support.midi`` gives a program two ports, and what a test writes to the FIFO
that ``LIVEFACS_TEST_MIDI`` names comes in by the first of them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido

CODES = {"24": 0, "23.976": 0, "25": 1, "29.97df": 2, "30": 3, "29.97ndf": 3}
FRAMES_HZ = {"24": 24.0, "23.976": 24 / 1.001, "25": 25.0, "30": 30.0, "29.97ndf": 30 / 1.001}
FRAMES_HZ["29.97df"] = 30 / 1.001


def quarter_frames(hour: int, minute: int, second: int, frame: int, code: int) -> list[bytes]:
    """The eight messages of a label: F1 and 0nnndddd each, low half first."""
    numbers = (frame, second, minute, hour | code << 5)
    nibbles = [nibble for number in numbers for nibble in (number & 15, number >> 4)]
    return [bytes((0xF1, piece << 4 | nibble)) for piece, nibble in enumerate(nibbles)]


def full_frame(hour: int, minute: int, second: int, frame: int, code: int) -> bytes:
    """F0 7F 7F 01 01 hh mm ss ff F7, the rate above the hours."""
    return bytes((0xF0, 0x7F, 0x7F, 1, 1, hour | code << 5, minute, second, frame, 0xF7))


def next_label(label: tuple[int, int, int, int], name: str) -> tuple[int, int, int, int]:
    """The label after one, counted up by hand, with drop-frame's skips."""
    hour, minute, second, frame = label
    nominal = round(FRAMES_HZ[name])
    frame += 1
    if frame == nominal:
        frame, second = 0, second + 1
    if second == 60:
        second, minute = 0, minute + 1
        if name == "29.97df" and minute % 10:
            frame = 2
    if minute == 60:
        minute, hour = 0, hour + 1
    return hour % 24, minute, second, frame


def running(
    label: tuple[int, int, int, int], name: str, seconds: float
) -> Iterator[tuple[float, bytes, tuple[int, int, int, int]]]:
    """Timecode that runs: when each message is due (s), its bytes, and the label that runs then."""
    quarter_s = 0.25 / FRAMES_HZ[name]
    n = 0
    while n * quarter_s < seconds:
        second_frame = next_label(label, name)
        for piece, message in enumerate(quarter_frames(*label, CODES[name])):
            yield n * quarter_s, message, label if piece < 4 else second_frame
            n += 1
        label = next_label(second_frame, name)


class Input:
    """A port of mido's."""

    opened: list[Input] = []  # noqa: RUF012  # the test's view of a program's ports

    def __init__(
        self, name: str, callback: Callable[[Any], object] | None = None, **_: object
    ) -> None:
        self.name, self.closed = name, False
        self._callback = callback
        self._parser = mido.Parser()
        Input.opened.append(self)
        if path := os.environ.get("LIVEFACS_TEST_MIDI"):
            threading.Thread(target=self._read, args=(path,), daemon=True).start()

    def play(self, data: bytes) -> None:
        """Let bytes come in."""
        self._parser.feed(data)
        for message in self._parser:
            if self._callback is not None and not self.closed:
                self._callback(message)

    def close(self) -> None:
        self.closed = True

    def _read(self, path: str) -> None:
        with Path(path).open("rb", buffering=0) as pipe:
            while not self.closed:
                data = pipe.read(64)
                if data:
                    self.play(data)
                else:
                    time.sleep(0.01)


def get_devices(**_: object) -> list[dict[str, object]]:
    """What mido asks a backend."""
    return [
        {"name": name, "is_input": True, "is_output": False}
        for name in ("Sync Box:MTC 20:0", "Keyboard:in 24:0")
    ]

"""What the crash test's processes do: record until they are killed."""

from __future__ import annotations

import itertools
import struct
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from livefacs.sinks.recorder import RecorderSink

from .synthetic import clip_info, tracked_frame

SENT = struct.Struct("<qd")


def record_until_killed(folder: str, reports: Connection) -> None:
    sink = RecorderSink(Path(folder), clip_info())
    pace = threading.Event()
    for i_frame in itertools.count():
        sink.send(tracked_frame(i_frame))
        reports.send_bytes(SENT.pack(i_frame, time.monotonic()))
        pace.wait(0.005)

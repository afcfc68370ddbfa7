"""What the kill test's process does: record with sound until it is killed."""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path

import numpy as np

from livefacs.clock import ClockMap
from livefacs.session.sound_of_takes import from_microphone
from livefacs.sinks.recorder import RecorderSink
from tests.support.sound import FakePortAudio
from tests.take.synthetic import CLOCK, clip_info, tracked_frame

if __name__ == "__main__":
    device = FakePortAudio()
    opener = from_microphone(device.microphone())
    clock = ClockMap(device.clock.now_ns, CLOCK.unix_ns)  # what was heard before is no part of it
    sink = RecorderSink(Path(sys.argv[1]), clip_info(), sound=opener, clock=clock)
    pace = threading.Event()
    for i_frame in itertools.count():
        sink.send(tracked_frame(i_frame))
        device.play(np.full((800, 1), 0.25, np.float32))
        pace.wait(0.005)

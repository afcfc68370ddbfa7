"""OSC families, read by liblo's oscdump: another implementation in another language."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading

import pytest

from livefacs.protocols import Encoder
from livefacs.sinks.udp import UdpSink
from livefacs.types import TrackedFrame
from livefacs.wire.faceosc import FaceOscEncoder
from livefacs.wire.osc import OscEncoder
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.vmc import VmcEncoder
from livefacs.wire.vrcft import VrcftEncoder
from tests.sinks.doubles import free_port
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.golden import golden_frame
from tests.wire.making import CLOCK

OSCDUMP = shutil.which("oscdump")
pytestmark = pytest.mark.skipif(
    OSCDUMP is None, reason="oscdump (Debian package liblo-tools) is not installed"
)

CASES: dict[str, tuple[Encoder, str, str]] = {
    "osc": (OscEncoder(CLOCK, letters=True), r"/livefacs/au/AU4_L f 0\.04", "AU64"),
    "osc unbundled": (OscEncoder(CLOCK, bundle=False), r"/livefacs/au/AU4_L f 0\.04", "AU64"),
    "vmc": (VmcEncoder(CLOCK, "arkit52"), r'/VMC/Ext/Blend/Val sf "JawOpen" 0\.3269', "Apply"),
    "vrcft": (
        VrcftEncoder("vrcft2"),
        r"/avatar/parameters/FT/v2/JawOpen f 0\.700",
        "v2/EyeClosed ",
    ),
    "vrcft bits": (
        VrcftEncoder("vrcft2", n_bits=4),
        r"/avatar/parameters/FT/v2/JawOpen8 T",
        "v2/JawXNegative",
    ),
    "faceosc": (FaceOscEncoder(), r"/gesture/mouth/width f 14\.000", "/gesture/nostrils"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_liblo_reads_every_message(case: str) -> None:
    encoder, line, last = CASES[case]
    frame = golden_frame()
    n_messages = count_messages(encoder, frame)
    port = free_port()
    assert OSCDUMP is not None
    with subprocess.Popen(
        [OSCDUMP, "-L", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as dump:
        impatience = threading.Timer(PATIENCE_S, dump.kill)
        impatience.start()
        wait_until(lambda: is_bound(port), "oscdump to listen")
        sink = UdpSink("osc://", encoder, "127.0.0.1", port)
        sink.send(frame)
        assert dump.stdout is not None
        lines = [dump.stdout.readline() for _ in range(n_messages)]
        impatience.cancel()
        dump.kill()
        sink.close()
    text = "".join(lines)
    assert last in text, text
    assert re.search(line, text), text
    assert "unhandled" not in text.lower()
    assert "nan" not in text


def is_bound(port: int) -> bool:
    """Whether somebody listens on a UDP port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False


def count_messages(encoder: Encoder, frame: TrackedFrame) -> int:
    """Messages of one frame."""
    return sum(len(messages_from_osc(bytes(part))) for part in encoder.encode(frame))

"""Lab Streaming Layer, read by pylsl's own inlet."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from livefacs.clock import now_ns
from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.listening import Tally
from livefacs.sinks.receiving import open_receiver
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.vocab.facs import AU_CHANNELS, N_AU
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import ARKIT, CLOCK, make_frame


def test_an_inlet_reads_labels_samples_and_capture_times() -> None:
    pylsl = pytest.importorskip("pylsl", reason="pylsl (optional) is not installed")
    sink = open_sink(
        parse_destination("lsl://livefacs-test?rig=arkit52&scope=machine"), CLOCK, None
    )
    intensity = np.arange(N_AU) / 100
    intensity[5] = np.nan
    t_ns = now_ns()
    sink.send(make_frame(intensity=intensity, rigs=(ARKIT,), t_ns=t_ns))
    (found,) = pylsl.resolve_byprop("name", "livefacs-test", timeout=PATIENCE_S)
    inlet = pylsl.StreamInlet(found)
    info = inlet.info(timeout=PATIENCE_S)
    labels = info.get_channel_labels()
    inlet.open_stream(timeout=PATIENCE_S)
    sample = None
    while sample is None:
        sink.send(make_frame(intensity=intensity, rigs=(ARKIT,), t_ns=t_ns))
        sample, stamp = inlet.pull_sample(timeout=0.2)
    values = dict(zip(labels, sample, strict=True))
    assert info.type() == "Expression"
    assert len(labels) == 1 + N_AU + 10 + 52
    assert values[AU_CHANNELS[4]] == pytest.approx(0.04)
    assert values[AU_CHANNELS[5]] == 0.0
    assert values["head_roll"] == pytest.approx(-0.3)
    assert values["gaze_right_pitch"] == pytest.approx(-0.01)
    assert values["jawOpen"] == pytest.approx(ARKIT.values[17])
    assert 0.0 <= pylsl.local_clock() - stamp < 15.0
    inlet.close_stream()

    receiver = open_receiver(parse_destination("lsl://livefacs-test"))
    tally = Tally()

    def has_come() -> int:
        sink.send(make_frame(rigs=(ARKIT,), t_ns=t_ns))
        tally.take(receiver, 0.1)
        return tally.n_packets

    wait_until(has_come, "a sample in the listener")
    assert tally.values["jawOpen"] == pytest.approx(ARKIT.values[17])
    receiver.close()
    sink.close()


def test_its_open_port_must_be_asked_for() -> None:
    with pytest.raises(SinkError, match=r"every interface.*expected scope=network"):
        open_sink(parse_destination("lsl://x"), CLOCK, None)


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(SinkError, match=r'pip install "livefacs\[lsl\]"'):
        open_sink(parse_destination("lsl://x?scope=network"), CLOCK, None)

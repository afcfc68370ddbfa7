"""MIDI timecode from a port: which one is meant, what is told, and what a take is labelled with."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import mido
import numpy as np
import pytest

from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, SourceError
from livefacs.sources import midi as midi_ports
from livefacs.sources.midi import MidiTimecode, find_midi_port, list_midi_ports
from livefacs.sources.wire_timecode import WireCount
from livefacs.take.reader import Take
from livefacs.timecode import RATES
from tests.support import midi
from tests.support.clock import SteppedClock
from tests.support.commands import run

PORTS = ["Sync Box:MTC 20:0", "Keyboard:in 24:0"]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Mido with the ports of the tests."""
    monkeypatch.setattr(mido, "backend", mido.Backend("tests.support.midi"))
    monkeypatch.setattr(mido, "open_input", mido.backend.open_input)
    monkeypatch.setattr(mido, "get_input_names", mido.backend.get_input_names)
    midi.Input.opened.clear()
    yield
    midi.Input.opened.clear()


def test_ports_by_name_and_by_a_part_of_it(backend: None) -> None:
    assert list_midi_ports() == PORTS
    assert find_midi_port("sync", PORTS) == PORTS[0]
    assert find_midi_port("Keyboard:in 24:0", PORTS) == PORTS[1]
    assert find_midi_port("", PORTS[:1]) == PORTS[0]
    with pytest.raises(SourceError, match=r"several MIDI ports fit 'mtc:'.*'Keyboard:in 24:0'"):
        find_midi_port("", PORTS)
    with pytest.raises(SourceError, match=r"no MIDI port 'mtc:drum'.*'Sync Box:MTC 20:0'"):
        find_midi_port("drum", PORTS)
    with pytest.raises(SourceError, match="none found"):
        find_midi_port("", [])


def test_a_port_that_does_not_open(backend: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("busy")

    monkeypatch.setattr(mido, "open_input", refuse)
    with pytest.raises(SourceError, match="MIDI port 'Sync Box:MTC 20:0' does not open: busy"):
        MidiTimecode("sync")


def test_without_the_library_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(ConfigError, match=r"pip install 'livefacs\[midi\]'"):
        list_midi_ports()
    words = ("--record", tmp_path / "t", "--timecode-source", "mtc:x", "--no-meters")
    assert run("live", "-s", "demo", *words) == 2
    said = capsys.readouterr()
    assert "pip install 'livefacs[midi]'" in said.err
    assert "Traceback" not in said.out + said.err


def test_without_a_backend_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mido, "backend", mido.Backend("mido.backends.absent"))
    with pytest.raises(ConfigError, match=r"mido.backends.absent.*pip install 'livefacs\[midi\]'"):
        list_midi_ports()


@pytest.mark.skipif(importlib.util.find_spec("rtmidi") is None, reason="python-rtmidi is not here")
def test_a_system_without_midi_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(midi_ports, "_ALSA_SEQUENCER", tmp_path / "absent")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(mido, "backend", mido.Backend("mido.backends.rtmidi"))
    with pytest.raises(SourceError, match=r"no MIDI here: ALSA's sequencer .*modprobe snd-seq"):
        list_midi_ports()


def test_cameras_lists_the_ports(backend: None, capsys: pytest.CaptureFixture[str]) -> None:
    run("cameras")
    assert "MIDI port  Sync Box:MTC 20:0  (--timecode-source mtc:NAME)" in capsys.readouterr().out


def test_frames_are_counted_by_the_wire_through_a_drop_out(backend: None) -> None:
    clock = SteppedClock(5 * NS_PER_S)
    wire = MidiTimecode("sync", clock=clock)
    (port,) = midi.Input.opened
    assert not wire.wait(0.0)
    assert wire.rate(30.0) is None
    assert wire.place(clock.now_ns, RATES["30"]) is None

    def play(label: tuple[int, int, int, int], seconds: float) -> None:
        begin_ns = clock.now_ns
        for due_s, data, _ in midi.running(label, "30", seconds):
            clock.now_ns = begin_ns + round(due_s * NS_PER_S)
            port.play(data)

    play((1, 0, 0, 0), 2.0)
    assert wire.is_heard
    assert wire.rate(30.0) == RATES["30"]
    assert wire.rate(59.0) == RATES["60"]
    count = WireCount(wire, RATES["30"], clock.now_ns)
    assert count.start[0] == "01:00:01:29"
    clock.now_ns += 5 * NS_PER_S
    assert not wire.is_heard
    assert wire.running_since_ns is not None  # nothing has contradicted it yet
    assert RATES["30"].label_from_frame(count.frame_at(clock.now_ns)) == "01:00:06:29"
    play((20, 0, 0, 0), 1.0)
    assert wire.is_heard
    assert RATES["30"].label_from_frame(count.frame_at(clock.now_ns)).startswith("20:00:0")
    assert count.n_corrections == 1
    wire.close()
    assert port.closed


@contextmanager
def feed(label: tuple[int, int, int, int] = (14, 0, 0, 0)) -> Iterator[None]:
    """Timecode at 30 into the first port that is opened, in real time."""
    is_over = threading.Event()

    def play() -> None:
        while not midi.Input.opened and not is_over.wait(0.001):
            pass
        begin_s = time.perf_counter()
        for due_s, data, _ in midi.running(label, "30", 3600.0):
            if is_over.wait(max(0.0, begin_s + due_s - time.perf_counter())):
                return
            midi.Input.opened[0].play(data)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    yield
    is_over.set()
    thread.join()


def test_record_starts_and_ends_with_timecode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: None
) -> None:
    take, is_over = tmp_path / "takes" / "a", threading.Event()

    def play_until_recorded() -> None:
        with feed():
            while not (take / "frames.rec").exists() and not is_over.wait(0.01):
                pass
            is_over.wait(1.0)

    player = threading.Thread(target=play_until_recorded)
    player.start()
    words = ("--take", take, "--start-with", "timecode", "--timecode-source", "mtc:sync")
    try:
        assert run("record", "demo", "--realtime", *words, "--slate", "s", "--no-meters") == 0
    finally:
        is_over.set()
        player.join()
    said = capsys.readouterr().out
    assert "timecode runs: take started at 14:00:" in said
    assert "timecode stopped: take ended at 14:00:" in said
    recorded = Take(take)
    assert recorded.state == "closed"
    assert recorded.document["timecode"]["source"] == "mtc"
    assert recorded.rate == RATES["30"]
    assert recorded.duration_s > 0.5


def test_without_timecode_nothing_is_recorded_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: None
) -> None:
    words = ("--start-with", "timecode", "--timecode-source", "mtc:sync", "--seconds", "0.5")
    take = tmp_path / "a"
    assert run("record", "demo", "--realtime", "--take", take, *words, "--no-meters") == 5
    said = capsys.readouterr()
    assert "waiting for timecode: a take starts when it runs" in said.out
    assert f"{take}: nothing was recorded: no timecode ran (mtc:sync)" in said.err
    assert not take.exists()


@pytest.mark.parametrize("source", ["time of day", "ltc:1"])
def test_only_a_wire_can_start_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    words = ("--start-with", "timecode", "--timecode-source", source, "--no-meters")
    assert run("record", "demo", "--take", tmp_path / "a", *words) == 2
    assert "expected --record, a live source and --timecode-source" in capsys.readouterr().err


@pytest.mark.parametrize("plays", [True, False])
def test_live_takes_its_timecode_from_a_port(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    backend: None,
    plays: bool,
) -> None:
    if not plays:
        monkeypatch.setattr("livefacs.session.take_timecode._LOCK_S", 0.01)
    words = ("--record", tmp_path / "takes", "--slate", "s", "--no-meters", "--seconds", "1")
    with feed() if plays else nullcontext():
        assert run("live", "-s", "demo", *words, "--timecode-source", "mtc:sync") == 0
    said = capsys.readouterr().out
    assert ("this take has the time of day" in said) == (not plays)
    assert midi.Input.opened[0].closed
    take = Take(tmp_path / "takes" / "s_001")
    assert take.document["timecode"]["source"] == ("mtc" if plays else "time of day")
    if plays:
        assert take.rate == RATES["30"]
        assert take.timecode(0).startswith("14:00:")
        spans = np.diff(take.frames["timecode"]) - np.diff(take.t_ns) * 30 / NS_PER_S
        assert np.abs(spans).max() < 2.0


def test_a_clip_that_is_not_live_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: None
) -> None:
    words = ("--take", tmp_path / "t", "--timecode-source", "mtc:sync", "--no-meters")
    assert run("record", "demo", *words) == 2
    assert "expected a camera, or a clip with --realtime" in capsys.readouterr().err

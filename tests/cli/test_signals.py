"""What ends a command from outside: a closed terminal ends it as politely as Ctrl-C does."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from livefacs.cli.signals import ended_as_by_ctrl_c, stopped_by_signals
from livefacs.resources import data_path
from livefacs.take.reader import Take
from tests.support.processes import AS_FROM_A_TERMINAL
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and terminals"),
]
LIVE = ("live", "--source", "demo", "--loop", "--record")


@contextmanager
def in_a_terminal(*words: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command in a terminal of its own, and our side of that."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=AS_FROM_A_TERMINAL,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):
            os.close(ours)


_IN_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # hung up when the other side is closed
from livefacs.cli.main import main
main(sys.argv[1:])
"""


def read_until(descriptor: int, words: bytes) -> bytes:
    """What the terminal shows until these words come."""
    seen = b""
    ends_at = time.monotonic() + PATIENCE_S
    while words not in seen:
        assert time.monotonic() < ends_at, seen.decode(errors="replace")
        if select.select([descriptor], [], [], 0.5)[0]:
            seen += os.read(descriptor, 65536)
    return seen


def take_when_begun(folder: Path) -> Path:
    """The take, once some frames are in it."""
    pace = threading.Event()
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        for take in folder.glob("*"):
            records = take / "frames.rec"
            if records.exists() and records.stat().st_size > 0:
                return take
        assert time.monotonic() < ends_at, "no frame was recorded"
        pace.wait(0.02)


def test_a_closed_terminal_closes_the_take(tmp_path: Path) -> None:
    with in_a_terminal(*LIVE, tmp_path) as (process, terminal):
        read_until(terminal, b"recording into")
        drained = threading.Thread(target=_drain, args=(terminal,), daemon=True)
        drained.start()
        take = take_when_begun(tmp_path)
        os.close(terminal)
        drained.join(PATIENCE_S)
        assert process.wait(PATIENCE_S) == 0
    assert Take(take).state == "closed"


def test_a_hang_up_that_is_to_be_ignored_is_ignored(tmp_path: Path) -> None:
    """As ``nohup`` asks for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "livefacs.cli.main", *LIVE, str(tmp_path), "--no-meters"],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    try:
        take = take_when_begun(tmp_path)
        process.send_signal(signal.SIGHUP)
        size = (take / "frames.rec").stat().st_size
        pace = threading.Event()
        ends_at = time.monotonic() + PATIENCE_S
        while (take / "frames.rec").stat().st_size < 2 * size:
            assert process.poll() is None, "the hang-up ended it"
            assert time.monotonic() < ends_at
            pace.wait(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert Take(take).state == "closed"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_other_commands_end_as_by_ctrl_c(number: signal.Signals) -> None:
    """``probe`` leaves a rig at rest, whatever ends it."""
    with subprocess.Popen(
        [sys.executable, "-m", "livefacs.cli.main", "probe", "osc://127.0.0.1:9", "--loop"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=AS_FROM_A_TERMINAL,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline()  # the first control moves
            process.send_signal(number)
            rest = process.stdout.read()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert "packets" in rest  # it came to its last line


def test_handlers_are_put_back() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    stopped = threading.Event()
    with stopped_by_signals(stopped.set):
        signal.raise_signal(signal.SIGTERM)
    assert stopped.is_set()
    with pytest.raises(KeyboardInterrupt), ended_as_by_ctrl_c():
        signal.raise_signal(signal.SIGTERM)
    assert before == {number: signal.getsignal(number) for number in signal.valid_signals()}


class Finalized:
    """What its finalizer raises goes nowhere."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_an_interrupt_that_was_passed_over_comes_again() -> None:
    waits = threading.Event()

    def run() -> None:
        with ended_as_by_ctrl_c():
            Finalized()
            waits.wait(PATIENCE_S)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert time.monotonic() - began < PATIENCE_S  # it was woken
    with ended_as_by_ctrl_c():
        Finalized()  # ended before the interrupt came again: it comes no more
    assert not [each for each in threading.enumerate() if isinstance(each, threading.Timer)]


def test_an_error_in_place_of_an_interrupt_is_the_interrupt() -> None:
    """As a compiler makes one of what comes up in it."""

    def run(error: Exception, *, is_interrupted: bool) -> None:
        with ended_as_by_ctrl_c():
            try:
                if is_interrupted:
                    signal.raise_signal(signal.SIGTERM)
            finally:
                raise error

    error = RuntimeError("failed in nopython mode")
    with pytest.raises(KeyboardInterrupt) as raised:
        run(error, is_interrupted=True)
    assert raised.value.__cause__ is error
    with pytest.raises(RuntimeError, match="nopython"):
        run(error, is_interrupted=False)


def _drain(descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 65536):
            pass


def catches(pid: int, number: signal.Signals) -> bool:
    """True once a process has a handler for a signal of its own."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks the system for handlers")
@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.3, 1.0, 6.0])
@pytest.mark.parametrize(
    "words",
    [
        ("solve", str(data_path("performer.mp4")), "-o", "out.csv"),
        ("live", "--source", "demo", "--loop"),
        ("mirror", "--source", "demo", "--no-browser", "--port", "0"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_starts_ends_with_a_line(
    words: tuple[str, ...], delay_s: float, tmp_path: Path
) -> None:
    """With kernels to compile, from its imports on."""
    number = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)[len(f"{words}{delay_s}") % 3]
    environment = {**os.environ, "LIVEFACS_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "livefacs", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
        preexec_fn=AS_FROM_A_TERMINAL,
    )
    with process:
        wait_until(lambda: catches(process.pid, signal.SIGTERM), "its handlers")
        threading.Event().wait(delay_s)
        process.send_signal(number)
        _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 130), told  # 0: a live session that was there already
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    if process.returncode:
        assert "stopped" in told.splitlines()[-1]

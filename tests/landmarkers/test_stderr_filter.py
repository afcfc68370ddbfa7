"""Native log lines are held back; everything else that goes to standard error arrives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from livefacs.landmarkers.stderr_filter import native_logs_silenced
from tests.support.waiting import PATIENCE_S

NOISE = (
    b"W0000 00:00:1795215099.834103   16324 inference_feedback_manager.cc:114] Feedback\n"
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795215099.834103   16324 gl_context.cc:1] x\n"
)


def test_noise_is_dropped_and_words_come_through(capfd: pytest.CaptureFixture[str]) -> None:
    with native_logs_silenced():
        os.write(2, NOISE + b"a warning of ours\n" + NOISE + b"E0000 00:00:1.2 1 x.cc:1] error\n")
        print("from Python", file=sys.stderr)
    heard = capfd.readouterr().err.splitlines()
    assert sorted(heard) == ["E0000 00:00:1.2 1 x.cc:1] error", "a warning of ours", "from Python"]


def test_standard_error_works_again_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with native_logs_silenced():
            os.write(2, b"before\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_threads_do_not_exchange_standard_error_crosswise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The second comes while the first is inside, and leaves after it."""
    inside = threading.Event(), threading.Event()
    leave = threading.Event(), threading.Event()

    def redirect(i: int) -> None:
        with native_logs_silenced():
            inside[i].set()
            leave[i].wait(PATIENCE_S)

    threads = [threading.Thread(target=redirect, args=(i,)) for i in range(2)]
    threads[0].start()
    assert inside[0].wait(PATIENCE_S)
    threads[1].start()
    assert not inside[1].wait(0.2)
    for i in range(2):
        leave[i].set()
        threads[i].join(PATIENCE_S)
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_no_descriptor_is_left_open() -> None:
    """A process that redirects a thousand times can still open as many files as before."""
    program = (
        "import os\n"
        "from livefacs.landmarkers.stderr_filter import native_logs_silenced\n"
        "first = os.open(os.devnull, os.O_RDONLY)\n"
        "for _ in range(1000):\n"
        "    with native_logs_silenced(): pass\n"
        "assert os.open(os.devnull, os.O_RDONLY) == first + 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)


def test_a_process_without_standard_error_is_left_alone() -> None:
    program = (
        "import os, sys\n"
        "os.close(2)\n"
        "sys.stderr = None\n"
        "from livefacs.landmarkers.stderr_filter import native_logs_silenced\n"
        "with native_logs_silenced(): print('works')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=PATIENCE_S, stdout=subprocess.PIPE
    )
    assert done.stdout.strip() == b"works"

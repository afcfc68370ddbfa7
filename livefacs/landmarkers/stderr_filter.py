"""Silence for the log lines that MediaPipe's native libraries write to standard error.

They are written before any logging library is set up, straight to file descriptor 2, and no
environment variable holds them back. So the descriptor points to a temporary file for the few
moments in which they come, and whatever is not a known log line is written on afterwards.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STDERR: Final = 2
_LOG_LINE: Final = re.compile(
    rb"^(?:[IW]\d{4} \d\d:\d\d:|INFO: Created TensorFlow Lite|INFO: Initialized TensorFlow Lite"
    rb"|WARNING: All log messages before absl::InitializeLog|WARNING: Logging before InitGoogle"
    rb"|Matplotlib is building the font cache)"
)
"""absl's information and warnings (never its errors), TensorFlow Lite's greeting."""

_REDIRECTED: Final = threading.RLock()  # one descriptor: two threads must not exchange it crosswise


@contextmanager
def native_logs_silenced() -> Iterator[None]:
    """Hold back native log lines of level information and warning; let all else through.

    Where the process has no standard error (a windowed program), nothing is redirected.
    """
    with _REDIRECTED:
        try:
            kept = os.dup(_STDERR)
        except OSError:
            yield
            return
        _flush()
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), _STDERR)
            try:
                yield
            finally:
                _flush()
                os.dup2(kept, _STDERR)
                os.close(kept)
                caught.seek(0)
                _write_on(caught.read())


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _write_on(text: bytes) -> None:
    for line in text.splitlines(keepends=True):
        if not _LOG_LINE.match(line):
            os.write(_STDERR, line)

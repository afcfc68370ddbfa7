"""A stage day's load for a while: ``python -m bench.soak_set --minutes 20``.

Two faces at 720p from a looped clip, sound and LTC through a null sink, ten destinations, the
mirror in a headless Chromium, and a take with pictures. Fails where a record was lost, memory
grows, or frames take too long; frames that the machine had no time for are told.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from bench.soak_mirror import growth, watch
from livefacs.arrays import F64
from livefacs.take.integrity import errors_of
from livefacs.take.layout import STAGES
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.types import Health
from tests.mirror.test_browser import Chrome, start_chromium, wait
from tests.sinks.doubles import free_port
from tests.support.composed import FACEBENCH, Tile, composed, write_clip
from tests.support.pulse import null_sink
from tests.support.waiting import wait_until

UDP = ("osc", "osc", "vmc", "livelink", "ifacialmocap", "vrcft", "osf", "facecap")
MOST_SPREAD = 2.0
"""Of the slowest hundredth of frames to the middle one."""


def main() -> None:
    """Run, print, and fail where something is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=60, help="pictures a second")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        clip = _clip(home / "two.mp4", asked.rate)
        with null_sink(home) as sound:
            if sound is None:
                raise SystemExit("PulseAudio does not run here")
            environment = {**os.environ, **sound, "LIVEFACS_HOME": str(home / "home")}
            rows = _run(home, clip, asked.minutes, environment)
        failures = [*growth(rows), *_take(home / "takes")]
    if failures:
        raise SystemExit("; ".join(failures))


def _clip(path: Path, rate: int) -> Path:
    left = Tile(FACEBENCH / "clips" / "performer.mp4", lambda _: (360.0, 360.0), 560)
    right = Tile(FACEBENCH / "clips" / "id03.mp4", lambda _: (920.0, 360.0), 560, first=90)
    return write_clip(path, composed([left, right], 20.0, (1280, 720), noise=1.0), rate)


def _run(home: Path, clip: Path, minutes: float, environment: dict[str, str]) -> F64:
    """Rows of seconds, resident MB, heap MB, frames drawn by the page."""
    timecode, said = home / "ltc.wav", home / "said.txt"
    length = ("--seconds", str(60 * minutes + 120))
    livefacs = (sys.executable, "-m", "livefacs")
    subprocess.run([*livefacs, "ltc", "write", str(timecode), "--rate", "30", *length], check=True)
    with contextlib.ExitStack() as closing:
        closing.enter_context(_playing(timecode, environment))
        destinations = [f"zmq://127.0.0.1:{free_port()}", f"ws://127.0.0.1:{free_port()}"]
        for i, scheme in enumerate(UDP):
            ear = closing.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            ear.bind(("127.0.0.1", 0))
            destinations.append(f"{scheme}://127.0.0.1:{ear.getsockname()[1]}?face={i % 2 + 1}")
        words = [*livefacs, "live", "--source", str(clip), "--loop", "--realtime", "--faces", "2"]
        words += ["--record", str(home / "takes"), "--record-video", "--audio", "auto"]
        words += ["--timecode-source", "ltc:1", "--mirror", "--mirror-port", "0"]
        words += ["--no-meters", *(word for url in destinations for word in ("--to", url))]
        log = closing.enter_context(said.open("w"))
        program = psutil.Popen(words, env=environment, stdout=log, stderr=log)
        closing.callback(lambda: print(said.read_text()))
        closing.callback(program.wait, 60)
        closing.callback(program.terminate)
        driver = start_chromium(home / "chromium")
        closing.callback(driver.quit)
        _open(driver, said)
        return watch(program, driver, minutes, "livefacs")


@contextlib.contextmanager
def _playing(path: Path, environment: dict[str, str]) -> Iterator[None]:
    player = subprocess.Popen(["paplay", str(path)], env=environment)
    try:
        yield
    finally:
        player.kill()
        player.wait()


def _open(driver: Chrome, said: Path) -> None:
    """Show the page, whose address the program has written."""
    wait_until(lambda: "mirror: http" in said.read_text(), "the page")
    driver.get(said.read_text().partition("mirror: ")[2].split()[0])
    wait(driver, "return document.body.dataset.ready === 'yes'")


def _take(folder: Path) -> list[str]:
    """What is wrong with the take; prints what it holds."""
    (first,) = (path for path in folder.iterdir() if path.is_dir())
    failures: list[str] = []
    for path in (first, first / "face_2"):
        with Take(path) as take:
            summary, numbers = take.document["summary"], take.frames["i_frame"]
            total_ms = take.frames["stage_ns"][:, STAGES.index("total")] / 1e6
            middle, slow = np.percentile(total_ms, (50, 99))
            skipped = int((np.diff(numbers) - 1).sum())
            faces = float((take.frames["n_faces"] > 0).mean())
            late = int((take.frames["health"] & int(Health.RECORDER_LATE) > 0).sum())
            print(
                f"{path.name}: {take.n_rows} rows at {take.frame_rate_hz:.1f} Hz, a face in"
                f" {faces:.1%}, {skipped} pictures had no time, frame {middle:.1f} ms,"
                f" p99 {slow:.1f} ms ({slow / middle:.2f} x); recorder: {late} late,"
                f" {summary['dropped']} lost, {summary['images_dropped']} pictures lost"
            )
            print(f"  timecode {take.document['timecode']['source']}, {sound_of(take)}")
            failures += errors_of(take)
            if summary["dropped"] or summary["images_dropped"]:
                failures.append(f"{path.name}: records were lost")
            if path == first and slow > MOST_SPREAD * middle:  # both were measured as one
                failures.append(f"{path.name}: p99 is {slow / middle:.2f} times the median")
    return failures


if __name__ == "__main__":
    main()

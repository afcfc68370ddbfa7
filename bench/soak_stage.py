"""Leave the stage running and watch its memory: ``python -m bench.soak_stage --minutes 20``.

One page is open in a headless Chromium; every few seconds a control is tuned and undone. The
program's resident memory and the page's script heap are noted every ten seconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from bench.soak_mirror import MOST_MB_AN_HOUR, PERIOD_S, heap_mb, slope_an_hour
from tests.mirror.stage_doubles import OnStage
from tests.mirror.test_browser import start_chromium, wait
from tests.mirror.test_head3d import SOFTWARE_GL


def main() -> None:
    """Run, print, and fail where memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        os.environ["LIVEFACS_HOME"] = str(home / "home")
        running = OnStage(home)
        driver = start_chromium(home / "chromium", *SOFTWARE_GL)
        try:
            driver.get(f"http://127.0.0.1:{running.port}/stage")
            wait(driver, "return document.body.dataset.face === 'yes'", 60)
            rows = _watch(running, driver, minutes)
        finally:
            driver.quit()
            running.stop()
    program, heap = (slope_an_hour(rows[:, 0], rows[:, column]) for column in (1, 2))
    print(f"growth: program {program:+.2f} MB/h, page heap {heap:+.2f} MB/h")
    print(f"frames drawn: {rows[-1, 3] - rows[0, 3]:.0f} in {rows[-1, 0]:.0f} s")
    if max(program, heap) > MOST_MB_AN_HOUR:
        raise SystemExit("memory grows")


def _watch(running: OnStage, driver, minutes: float) -> np.ndarray:  # type: ignore[no-untyped-def, type-arg]  # selenium's driver; a table of floats
    process, rows = psutil.Process(), []
    began = time.monotonic()
    with running.http() as http:
        while (elapsed := time.monotonic() - began) < 60 * minutes:
            drawn = float(driver.execute_script("return window.stage.live.drawn"))
            rows.append((elapsed, process.memory_info().rss / 1e6, heap_mb(driver), drawn))
            print("{:7.0f} s  {:7.1f} MB  {:6.2f} MB heap  {:7.0f} drawn".format(*rows[-1]))
            until = time.monotonic() + PERIOD_S
            while time.monotonic() < until:
                changes = {"changes": {"jawOpen": {"gain": 1.3}}}
                http.post("/api/stage/change", json=changes)
                http.post("/api/stage/undo", json={})
                time.sleep(1.0)
    return np.array(rows)


if __name__ == "__main__":
    main()

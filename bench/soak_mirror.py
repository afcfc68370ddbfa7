"""Leave the mirror running and watch its memory: ``python -m bench.soak_mirror --minutes 30``.

One page is open in a headless Chromium, one visitor never reads, and once a minute a third comes
and goes. The program's resident memory and the page's script heap are noted every ten seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import psutil
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from livefacs.arrays import F64
from livefacs.config import load_options
from livefacs.mirror.core import MirrorOptions
from livefacs.mirror.server import Mirror
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import puppets
from tests.mirror.test_browser import Chrome, go, start_chromium

PERIOD_S = 10.0
WARM_UP_SHARE = 0.2
MOST_MB_AN_HOUR = 6.0


def visit(mirror: Mirror) -> AbstractContextManager[ClientConnection]:
    """A visitor that does not read."""
    address = f"127.0.0.1:{mirror.port}"
    return connect(f"ws://{address}/live", origin=Origin(f"http://{address}"), max_size=None)


def heap_mb(driver: Chrome) -> float:
    """Script heap of the page after a collection, with its array buffers."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    usage = driver.execute_cdp_cmd("Runtime.getHeapUsage", {})
    return float(usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6


def watch(
    program: psutil.Process,
    driver: Chrome,
    minutes: float,
    page: str,
    spend: Callable[[int, float], None] = lambda _n, until: time.sleep(
        max(0.0, until - time.monotonic())
    ),
) -> F64:
    """Rows of seconds, resident MB, heap MB, frames drawn by the page.

    ``page`` is what counts them in its script; ``spend`` is told how many rows there are and until
    when to go on, monotonic seconds.
    """
    began, rows = time.monotonic(), []
    while (elapsed := time.monotonic() - began) < 60 * minutes:
        drawn = float(driver.execute_script(f"return window.{page}.live.drawn"))
        rows.append((elapsed, program.memory_info().rss / 1e6, heap_mb(driver), drawn))
        print("{:7.0f} s  {:7.1f} MB  {:6.2f} MB heap  {:7.0f} drawn".format(*rows[-1]), flush=True)
        spend(len(rows), began + elapsed + PERIOD_S)
    return np.array(rows)


def growth(rows: F64) -> list[str]:
    """What is wrong with the rows of ``watch``; prints what they say."""
    program, heap = (slope_an_hour(rows[:, 0], rows[:, column]) for column in (1, 2))
    print(f"growth: program {program:+.2f} MB/h, page heap {heap:+.2f} MB/h")
    print(f"frames drawn: {rows[-1, 3] - rows[0, 3]:.0f} in {rows[-1, 0]:.0f} s")
    return ["memory grows"] if max(program, heap) > MOST_MB_AN_HOUR else []


def slope_an_hour(seconds: F64, values: F64) -> float:
    """Growth an hour after the warm-up, by a straight line."""
    late = seconds > WARM_UP_SHARE * seconds[-1]
    return float(np.polyfit(seconds[late], values[late], 1)[0] * 3600)


def main() -> None:
    """Run, print, and fail where memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    options = load_options(None, {"source": {"spec": "demo", "loop": True}})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        mirror = Mirror(MirrorOptions(port=0, progress_path=home / "p.sqlite"), puppets=puppets())
        mirror.start()

        def come_and_go(n_rows: int, until: float) -> None:
            if n_rows % 6 == 4:
                with visit(mirror):
                    pass
            time.sleep(max(0.0, until - time.monotonic()))

        driver = start_chromium(home / "chromium")
        with open_session(options, keep_image=True) as session:
            session.watchers.append(mirror.feed)
            running = threading.Thread(target=session.run)
            running.start()
            try:
                with visit(mirror):
                    go(driver, mirror)
                    rows = watch(psutil.Process(), driver, minutes, "livefacs", come_and_go)
            finally:
                session.stop()
                running.join()
                driver.quit()
        mirror.stop()
    if failures := growth(rows):
        raise SystemExit("; ".join(failures))


if __name__ == "__main__":
    main()

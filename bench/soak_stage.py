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

import psutil

from bench.soak_mirror import growth, watch
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
            with running.http() as http:

                def tune(_n_rows: int, until: float) -> None:
                    while time.monotonic() < until:
                        changes = {"changes": {"jawOpen": {"gain": 1.3}}}
                        http.post("/api/stage/change", json=changes)
                        http.post("/api/stage/undo", json={})
                        time.sleep(1.0)

                rows = watch(psutil.Process(), driver, minutes, "stage", tune)
        finally:
            driver.quit()
            running.stop()
    if failures := growth(rows):
        raise SystemExit("; ".join(failures))


if __name__ == "__main__":
    main()

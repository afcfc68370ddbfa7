"""Every script in ``examples/``, run as its user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

import livefacs
from livefacs.resources import data_path
from tests.sinks.doubles import free_port
from tests.support.waiting import PATIENCE_S

EXAMPLES = Path(__file__).parents[1] / "examples"
CLIP = str(data_path("performer.mp4"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * PATIENCE_S)]


def run(name: str, *words: str | Path, cwd: Path) -> str:
    """What a script prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, words)],
        cwd=cwd,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.glob("*.py")]
    assert len(names) == 8
    assert [name for name in names if f'"{name}"' not in here] == []


def test_a_folder_to_parquet(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "a.mp4").write_bytes(Path(CLIP).read_bytes())
    (clips / "b.mp4").write_bytes(b"no clip")
    assert "a.parquet: 420 frames" in run("solve_folder.py", clips, "out", cwd=tmp_path)
    assert parquet.read_table(tmp_path / "out/a.parquet").num_rows == 420
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.parquet"]


def test_a_rig_from_a_loop_of_ones_own(tmp_path: Path) -> None:
    assert "browOuterUpLeft" in run("drive_a_rig.py", "demo", "3", cwd=tmp_path)


def test_record_and_export(tmp_path: Path) -> None:
    said = run("record_and_export.py", "demo", "takes", "shot.glb", cwd=tmp_path)
    assert "1 marker(s)" in said
    assert (tmp_path / "shot.glb").read_bytes().startswith(b"glTF")
    (take,) = (tmp_path / "takes").iterdir()
    assert len(livefacs.Take(take)) > 30


def test_a_custom_map(tmp_path: Path) -> None:
    said = run("custom_map.py", "puppet.toml", CLIP, cwd=tmp_path)
    assert [line.split(":")[0] for line in said.splitlines()] == ["jaw", "browLeft", "browRight"]


def test_a_score_against_a_key(tmp_path: Path) -> None:
    (tmp_path / "key.csv").write_text("frame,codes\n66,1E+2E+5D\n115,6E+10C+12D+26B\n")
    said = run("score_against_key.py", CLIP, "key.csv", cwd=tmp_path)
    last = said.splitlines()[-1]
    assert last.endswith("over 2 frames")
    assert float(last.split()[2]) > 0.5


def test_a_live_plot(tmp_path: Path) -> None:
    run("live_plot.py", "demo", "2", "plot.png", cwd=tmp_path)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_bake_for_blender(tmp_path: Path) -> None:
    """Blender itself is run by the test of its script, where it is installed."""
    said = run("blender_bake.py", CLIP, cwd=tmp_path)
    assert "blender_import.py" in said
    assert (tmp_path / "performer.arkit52.jsonl").stat().st_size > 100_000


def test_values_over_osc_arrive(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / "osc_receiver.py"), str(port), "20"],
        stdout=subprocess.PIPE,
        text=True,
    ) as receiver:
        try:
            assert receiver.stdout is not None
            assert "listening" in receiver.stdout.readline()
            url = f"osc://127.0.0.1:{port}"
            with livefacs.open_session("demo", to=[url], realtime=False, seconds=2) as session:
                session.run()
            said, _ = receiver.communicate(timeout=PATIENCE_S)
        finally:
            receiver.kill()
    assert said.count("/livefacs/") >= 20

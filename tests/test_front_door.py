"""``import livefacs``, as a pipeline's Python uses it: public names only."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from pyarrow import Table

import livefacs
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import canonical_neutral
from livefacs.au.profile import save_profile
from livefacs.errors import ConfigError, LivefacsError, RigMapError, SourceError, TakeError
from livefacs.resources import data_path
from tests.sinks.doubles import udp_receiver
from tests.support.waiting import PATIENCE_S

CLIP = data_path("performer.mp4")
N_FRAMES = 420


@pytest.fixture(scope="module")
def solved() -> livefacs.Take:
    return livefacs.solve(CLIP)


def test_the_import_costs_nothing(tmp_path: Path) -> None:
    """In a process and a folder of its own: nothing but the standard library."""
    code = (
        "import sys; before = set(sys.modules); import livefacs\n"
        "new = {name for name in set(sys.modules) - before"
        " if name.split('.')[0] not in sys.stdlib_module_names}\n"
        "assert new == {'livefacs'}, new\n"
        "assert livefacs.__version__ and 'solve' in dir(livefacs)\n"
        "livefacs.load_rig\n"
        "assert 'mediapipe' not in sys.modules and 'starlette' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=PATIENCE_S)


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        livefacs.slove  # noqa: B018 - the attribute is the test
    assert set(livefacs.__all__) <= set(dir(livefacs))


def test_a_clip_solved(solved: livefacs.Take) -> None:
    assert len(solved) == N_FRAMES
    assert solved.values.shape == solved.confidence.shape == (N_FRAMES, len(solved.channels))
    assert solved.values.dtype == np.float32
    assert solved.head.shape == (N_FRAMES, 6)
    assert solved.gaze.shape == (N_FRAMES, 4)
    assert solved.health.shape == solved.t_ns.shape == (N_FRAMES,)
    assert (np.diff(solved.t_ns) > 0).all()
    brows = solved["AU2_L"]
    assert brows[:40].max() < 0.2 < 0.5 < brows[46:83].max()
    assert {"AU2", "AU12", "AU45"} <= {event.action for event in solved.events()}
    with pytest.raises(ConfigError, match="no column 'AU99'"):
        solved["AU99"]


def test_the_numbers_are_those_of_the_command(solved: livefacs.Take, tmp_path: Path) -> None:
    solved.to_csv(tmp_path / "api.csv", confidence=True)
    command = [sys.executable, "-m", "livefacs.cli.main", "solve", str(CLIP), "--confidence"]
    subprocess.run([*command, "-o", str(tmp_path / "cli.csv")], check=True, timeout=PATIENCE_S)
    assert (tmp_path / "api.csv").read_bytes() == (tmp_path / "cli.csv").read_bytes()


def test_columns_as_dataframes_take_them(solved: livefacs.Take, tmp_path: Path) -> None:
    columns = solved.to_dict()
    table = Table.from_pydict(columns)  # what pandas and Polars read columns with, too
    assert table.num_rows == N_FRAMES
    assert table["t_s"].to_pylist()[1] == pytest.approx(1 / 30)
    assert table["face"].to_pylist() == [True] * N_FRAMES
    assert {"AU12_L", "AU12_L_confidence", "head_yaw_rad", "gaze_left_yaw_rad", "health"} <= {
        *table.column_names
    }
    assert {len(column) for column in columns.values()} == {N_FRAMES}


def test_a_rig_along_a_take_is_what_frame_by_frame_gives(solved: livefacs.Take) -> None:
    curves = solved.retarget("arkit52")
    rig = livefacs.load_rig("arkit52")
    one_by_one = np.stack([rig.retarget(frame).values for frame in solved])
    np.testing.assert_array_equal(curves.values, one_by_one)
    assert curves.to_dict()["jawOpen"].shape == (N_FRAMES,)
    with pytest.raises(RigMapError, match="did you mean 'arkit52'"):
        solved.retarget("arkit25")


def test_exports_and_what_is_wrong_with_them(solved: livefacs.Take, tmp_path: Path) -> None:
    solved.export(tmp_path / "out.glb", rig="arkit52", fps="24")
    assert (tmp_path / "out.glb").read_bytes().startswith(b"glTF")
    with pytest.raises(ConfigError, match="known options: rig, fps"):
        solved.export(tmp_path / "out.csv", fpss="24")
    with pytest.raises(ConfigError, match="the ending does not tell"):
        solved.export(tmp_path / "out.xyz")


def test_a_solved_take_is_kept_where_it_is_saved_and_gone_otherwise(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    take = livefacs.solve(CLIP, on_progress=lambda done, n: seen.append((done, n)))
    assert seen[0] == (1, N_FRAMES)
    assert seen[-1] == (N_FRAMES, N_FRAMES)
    work = take.folder
    take.save(tmp_path / "kept")
    expected = np.array(take.values)
    with pytest.raises(TakeError, match="cannot write"):
        take.save(tmp_path / "kept")
    del take
    gc.collect()
    assert not work.exists()
    with livefacs.Take(tmp_path / "kept") as kept:
        np.testing.assert_array_equal(kept.values, expected)
        assert next(iter(kept)).units.intensity.shape == (len(kept.channels),)
    with pytest.raises(TakeError, match="was closed"):
        kept.values  # noqa: B018 - the attribute is the test


def test_what_cannot_be_had_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.mp4"):
        livefacs.solve(tmp_path / "gone.mp4")
    with pytest.raises(LivefacsError, match="no profile"):
        livefacs.solve(CLIP, profile="nobody")
    with pytest.raises(TakeError):
        livefacs.Take(tmp_path)
    with pytest.raises(LivefacsError):
        livefacs.open_session(tmp_path / "gone.mp4")
    with pytest.raises(ConfigError, match="unknown key"):
        livefacs.open_session("demo", options={"tracking": {"filter": 1}})


def test_frames_of_a_session_in_a_loop(tmp_path: Path) -> None:
    with livefacs.open_session("demo", realtime=False, seconds=1, record=tmp_path) as session:
        frames = list(session)
    assert [frame.i_frame for frame in frames] == list(range(30))
    assert frames[20].landmarks is not None
    (folder,) = tmp_path.iterdir()
    recorded = livefacs.Take(folder)
    assert recorded.state == "closed"
    assert recorded["AU12_L"].tolist() == [
        float(each.units.intensity[recorded.channels.index("AU12_L")]) for each in frames
    ]


def test_a_loop_that_is_left_early_closes_the_session_at_once() -> None:
    with livefacs.open_session("demo", realtime=False) as session:
        for frame in session:
            if frame.i_frame == 5:
                break
    assert session.summary().frames == 6
    assert not [each for each in threading.enumerate() if each.name.startswith("livefacs-feed")]


def test_a_callback_with_every_frame_and_what_it_raises() -> None:
    seen = []
    with livefacs.open_session("demo", realtime=False, seconds=0.5) as session:
        assert session.run(seen.append).frames == len(seen) == 15

    def fail(_frame: object) -> None:
        raise ValueError("the callback's own")

    with (
        pytest.raises(ValueError, match="the callback's own"),
        livefacs.open_session("demo", realtime=False) as session,
    ):
        session.run(fail)


def test_destinations_get_the_frames() -> None:
    with udp_receiver() as receiver:
        url = f"osc://127.0.0.1:{receiver.getsockname()[1]}"
        with livefacs.open_session("demo", to=[url], realtime=False, seconds=0.2) as session:
            session.run()
        assert b"/livefacs/" in receiver.recv(65536)


def test_a_profile_as_it_is_and_by_name(solved: livefacs.Take, tmp_path: Path) -> None:
    neutral = canonical_neutral(load_model())
    person = livefacs.Profile("anna", "facemesh", neutral, {"AU2_L": 0.5}, "2026")
    given = livefacs.solve(CLIP, profile=person)
    assert given.document["profile"]["name"] == "anna"
    save_profile(person, tmp_path / "anna.json")
    named = livefacs.solve(CLIP, profile=str(tmp_path / "anna.json"))
    np.testing.assert_allclose(named.values, given.values, atol=1e-3)  # six decimals in the file
    assert not np.allclose(given["AU2_L"], solved["AU2_L"], atol=0.05)

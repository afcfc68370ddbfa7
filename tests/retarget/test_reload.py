from __future__ import annotations

import os
from pathlib import Path

import pytest

from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter, RigWatch
from tests.retarget.making import HEADER, by_name, frame, write_map

JAW = "[controls.jaw]\nterms = { AU26 = 1.0 }\n"


def edit(path: Path, text: str) -> None:
    """Write as an editor does, with a later time even on coarse file clocks."""
    before = path.stat().st_mtime_ns
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 2_000_000_000, before + 2_000_000_000))


def jaw(retargeter: Retargeter) -> float:
    return by_name(retargeter.retarget(frame({"AU26": 0.5})))["jaw"]


def test_an_edit_is_taken_up_by_all_that_run_the_map(tmp_path: Path) -> None:
    path = write_map(tmp_path, JAW)
    program = load_rig(path)
    plain, mirrored = Retargeter(program), Retargeter(program)
    watch = RigWatch(plain, mirrored)
    assert watch.reload_if_changed() is None
    assert jaw(plain) == 0.5
    edit(path, HEADER + JAW + "gain = 1.5\n")
    reload = watch.reload_if_changed()
    assert reload is not None
    assert reload.is_taken
    assert jaw(plain) == jaw(mirrored) == 0.75
    assert watch.reload_if_changed() is None


def test_a_broken_edit_keeps_the_old_map_and_tells_every_error(tmp_path: Path) -> None:
    path = write_map(tmp_path, JAW)
    retargeter = Retargeter(load_rig(path))
    watch = RigWatch(retargeter)
    edit(path, HEADER + JAW.replace("AU26", "AU266") + "gian = 2\n")
    reload = watch.reload_if_changed()
    assert reload is not None
    assert not reload.is_taken
    assert len(reload.errors) == 2
    assert any("AU266" in error for error in reload.errors)
    assert any("did you mean 'gain'" in error for error in reload.errors)
    assert jaw(retargeter) == 0.5
    assert watch.reload_if_changed() is None
    edit(path, HEADER + JAW + "gain = 2.0\n")
    mended = watch.reload_if_changed()
    assert mended is not None
    assert mended.is_taken
    assert jaw(retargeter) == 1.0


def test_an_edit_of_the_parent_counts(tmp_path: Path) -> None:
    parent = write_map(tmp_path, JAW, "parent")
    child = write_map(tmp_path, "", "child", HEADER + 'extends = "parent"\n')
    retargeter = Retargeter(load_rig(child))
    watch = RigWatch(retargeter)
    edit(parent, HEADER + JAW + "gain = 0.5\n")
    assert watch.reload_if_changed() is not None
    assert jaw(retargeter) == 0.25


def test_a_parent_that_an_edit_brings_in_is_watched_even_while_it_is_broken(tmp_path: Path) -> None:
    child = write_map(tmp_path, JAW, "child")
    parent = write_map(tmp_path, "[controls.extra]\nterms = { AU0 = 1.0 }\n", "parent")
    retargeter = Retargeter(load_rig(child))
    watch = RigWatch(retargeter)
    edit(child, HEADER + 'extends = "parent"\n' + JAW)
    broken = watch.reload_if_changed()
    assert broken is not None
    assert not broken.is_taken
    edit(parent, HEADER + "[controls.extra]\nterms = { AU27 = 1.0 }\n")
    mended = watch.reload_if_changed()
    assert mended is not None
    assert mended.is_taken
    assert retargeter.program.controls == ("extra", "jaw")


def test_a_map_that_an_editor_moved_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = write_map(tmp_path, JAW)
    retargeter = Retargeter(load_rig(path))
    watch = RigWatch(retargeter)
    away = path.rename(tmp_path / "away")
    assert watch.reload_if_changed() is None
    assert jaw(retargeter) == 0.5
    away.rename(path)
    assert watch.reload_if_changed() is None


def test_controls_may_change_with_an_edit(tmp_path: Path) -> None:
    path = write_map(tmp_path, JAW)
    retargeter = Retargeter(load_rig(path))
    before = retargeter.retarget(frame())
    watch = RigWatch(retargeter)
    edit(path, HEADER + JAW + "[controls.lip]\nterms = { AU25 = 1.0 }\n")
    assert watch.reload_if_changed() is not None
    after = retargeter.retarget(frame())
    assert before.controls == ("jaw",)
    assert after.controls == ("jaw", "lip")
    assert after.controls is retargeter.retarget(frame()).controls


@pytest.mark.parametrize("name", ["arkit52", "marmoset"])
def test_rig_is_named_after_its_file(name: str) -> None:
    assert Retargeter(load_rig(name)).rig == name

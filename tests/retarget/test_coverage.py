from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.retarget.coverage import coverage_from_map
from livefacs.retarget.library import load_map
from tests.retarget.making import HEADER, frame, performance_of, write_map

BODY = """
[controls.jawOpen]
terms = { AU26 = 2.0 }
[controls.mouthFunnel]
terms = { AU22 = 1.0 }
dead_zone = 0.999
curve = [[0.0, 0.0], [2.0, 0.0]]
[controls.tongueOut]
undriven = "no tongue"
[controls."eyeLookIn{side}"]
terms = { "gaze_out_{side}_deg" = -0.033 }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_map(tmp_path, BODY, header=HEADER + 'vocabulary = "arkit52"\n')


def test_coverage_names_what_is_missing(path: Path) -> None:
    found = coverage_from_map(load_map(path))
    assert found.undriven == (("tongueOut", "no tongue"),)
    assert found.dead == ("mouthFunnel",)
    assert "jawLeft" in found.absent
    assert len(found.absent) == 52 - 5
    assert "AU12" in found.unused_actions
    assert not {"AU26", "AU22", "AU61", "AU62"} & set(found.unused_actions)


def test_limits_are_looked_for_along_a_performance(path: Path) -> None:
    levels = (0.0, 0.4, 0.8, 0.2)
    frames = [frame({"AU26": level}, t_ns=i * 40_000_000) for i, level in enumerate(levels)]
    found = coverage_from_map(load_map(path), performance_of(frames))
    (hit,) = found.limits
    assert hit.control == "jawOpen"
    assert hit.limit == 1.0
    assert hit.wanted == pytest.approx(1.6)
    assert hit.share == 0.25


def test_a_lower_limit_counts_only_where_the_control_rests_above_it(tmp_path: Path) -> None:
    body = "[controls.open]\nterms = { AU45 = 1.0 }\ngain = -2.0\noffset = 1.0\n"
    rig = load_map(write_map(tmp_path, body))
    performance = performance_of([frame({"AU45_L": 1.0, "AU45_R": 1.0}), frame()])
    (hit,) = coverage_from_map(rig, performance).limits
    assert (hit.limit, hit.share) == (0.0, 0.5)

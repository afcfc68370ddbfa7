"""The steps of a guided calibration: seen twice, skipped, again, ended."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.au.calibration_run import CalibrationRun, RepetitionCounter
from livefacs.au.estimator_model import load_model
from livefacs.au.face_time import FaceTime
from livefacs.au.rounds import EXERCISES, SHORT, exercises_of
from livefacs.errors import ProfileError
from tests.au.scripted import Script, at_rest, turning, twice

MODEL = load_model()


def fed(run: CalibrationRun, shown) -> CalibrationRun:
    script = Script(shown)
    start = getattr(run, "fed", 0)
    script._i_frame = start
    while (frame := script.read()) is not None:
        run.feed(script.detect(frame), frame.t_ns)
    return run


class Run(CalibrationRun):
    """Counts its frames, so that times go on."""

    fed = 0

    def feed(self, face, t_ns):
        super().feed(face, t_ns)
        self.fed += 1


def run_of(n: int = 2) -> Run:
    return Run(MODEL, "facemesh", EXERCISES[:n])


def test_a_repetition_is_a_way_out_and_back():
    counter = RepetitionCounter()
    for i, away in enumerate([1, 1, 5, 9, 10, 9, 4, 1, 1, 6, 8, 9, 8, 2, 1, 1]):
        counter.feed(away, i * 66_000_000)
    assert counter.seen == 2


def test_small_wobbles_and_single_frames_are_none():
    counter = RepetitionCounter()
    for i, away in enumerate([1, 2, 1, 2.5, 1, 9, 1, 1, 2, 1]):
        counter.feed(away, i * 33_000_000)
    assert counter.seen == 0


def test_it_moves_on_by_itself():
    run = fed(run_of(), at_rest(95))
    assert run.state().step == "head"
    fed(run, turning())
    assert run.state().actions == ("AU1", "AU2")
    fed(run, twice("a")[:45])
    assert run.state().seen == 1
    fed(run, twice("a")[45:] + at_rest(8))
    assert run.state().actions == ("AU4",)
    fed(run, twice("b") + at_rest(8))
    assert run.is_done
    assert run.state().step == "done"


def test_a_head_that_does_not_turn_is_asked_to():
    run = fed(run_of(), at_rest(95 + 170))
    assert run.state().step == "head"
    assert run.state().hint == "turn the head further"


def test_skip_retry_and_finish():
    run = fed(run_of(3), at_rest(95) + turning())
    run.skip()
    assert run.state().actions == ("AU4",)
    run.retry()
    assert run.state().actions == ("AU1", "AU2")
    fed(run, twice("a")[:45])
    run.retry()
    assert run.state().actions == ("AU1", "AU2")
    assert run.state().seen == 0
    run.finish()
    assert run.is_done
    assert run.profile("anna").personal.lessons == ()


def test_rest_cannot_be_skipped():
    run = run_of()
    run.skip()
    run.finish()
    assert run.state().step == "neutral"
    with pytest.raises(ProfileError, match="three quiet seconds"):
        run.profile("anna")


def test_a_lost_face_is_said():
    run = fed(run_of(), at_rest(10))
    run.feed(None, 10**9)
    assert run.state().hint == "no face"


def test_a_lost_face_costs_a_prompt_no_time():
    """Away for a minute, then the movement: it is still asked for, and seen twice."""
    run = fed(run_of(), at_rest(95) + turning())
    fed(run, twice("a")[:45])
    for _ in range(60):
        run.feed(None, 10**12)
    late_ns = 10**12
    script = Script(twice("a")[45:] + at_rest(8))
    while (frame := script.read()) is not None:
        run.feed(script.detect(frame), late_ns + frame.t_ns)
    assert run.state().actions == ("AU4",)


def test_a_step_that_begins_again_forgets_what_it_saw():
    run = fed(run_of(), at_rest(60))
    run.begin_again()
    assert run.state().done_s == 0.0
    fed(run, at_rest(60))
    assert run.state().step == "neutral"  # sixty and sixty frames are no three seconds in one
    fed(run, at_rest(40) + turning() + twice("a")[:45])
    assert run.state().seen == 1
    run.begin_again()
    assert run.state().seen == 0
    assert run.state().actions == ("AU1", "AU2")
    run.finish()
    run.begin_again()
    assert run.is_done


def test_a_movement_that_shows_is_told():
    run = fed(run_of(), at_rest(95) + turning() + twice("a")[:20])
    assert run.state().is_away


def test_rounds():
    assert len(exercises_of("short")) == SHORT == 8
    assert exercises_of("full") == EXERCISES
    assert exercises_of("12") == EXERCISES[:12]
    assert [each.actions for each in exercises_of("full", ("14", "AU12"))] == [
        ("AU6", "AU12"),
        ("AU14",),
    ]
    assert np.unique([each.instruction for each in EXERCISES]).size == len(EXERCISES)


def test_time_counts_with_a_face_only_and_a_gap_as_a_tenth_of_a_second():
    time = FaceTime()
    for t_ms in (0, 40, 80):
        time.add(t_ms * 1_000_000)
    assert time.seconds == pytest.approx(0.08)
    time.pause()
    time.add(5_000_000_000)
    assert time.seconds == pytest.approx(0.08)
    time.add(9_000_000_000)
    assert time.seconds == pytest.approx(0.18)
    time.add(8_000_000_000)
    assert time.seconds == pytest.approx(0.18)

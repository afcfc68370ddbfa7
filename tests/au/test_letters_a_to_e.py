"""Letters with hysteresis, and events."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.au.events import find_events
from livefacs.au.letters_a_to_e import LetterScale
from livefacs.vocab.facs import CHANNEL_INDEX, LETTER_FLOORS, N_AU

I12 = CHANNEL_INDEX["AU12_L"]


def _letters(values):
    scale = LetterScale()
    row = np.zeros(N_AU, np.float32)
    out = []
    for value in values:
        row[I12] = value
        out.append("-ABCDE"[scale.step(row)[I12]])
    return out


def test_letters_rise_at_their_floors():
    rising = [floor + 1e-3 for _, floor in reversed(LETTER_FLOORS)]
    assert _letters([0.0, *rising]) == list("-ABCDE")


def test_a_letter_is_left_only_well_below_its_floor():
    assert _letters([0.31, 0.29, 0.28, 0.31, 0.2]) == ["C", "C", "C", "C", "B"]


def test_a_fall_through_several_letters_is_followed_at_once():
    assert _letters([0.95, 0.1, 0.0]) == ["E", "A", "-"]


def test_unknown_has_no_letter():
    assert not LetterScale().step(np.full(N_AU, np.nan, np.float32)).any()


def _curve(*pieces, fps=30, start_s=0.0):
    values = np.concatenate([np.full(round(s * fps), v) for v, s in pieces])
    rows = np.zeros((len(values), N_AU), np.float32)
    rows[:, I12] = values
    t_ns = np.round((start_s + np.arange(len(values)) / fps) * 1e9).astype(np.int64)
    return t_ns, rows


def test_an_event_has_onset_apex_offset_and_peaks():
    t_ns, rows = _curve((0, 1), (0.4, 0.5), (0.8, 0.5), (0.4, 0.5), (0, 1), start_s=5.0)
    (event,) = find_events(t_ns, rows)
    assert event.action == "AU12"
    assert event.onset_s == pytest.approx(6.0, abs=0.01)
    assert event.apex_s == pytest.approx(6.5, abs=0.01)
    assert event.apex_end_s == pytest.approx(7.0, abs=0.05)
    assert event.offset_s == pytest.approx(7.5, abs=0.05)
    assert (event.peak_left, event.peak_right) == (pytest.approx(0.8), 0.0)
    assert event.letter == "D"
    assert not event.is_open


def test_short_gaps_close_and_short_events_go():
    t_ns, rows = _curve((0, 1), (0.5, 0.5), (0, 0.09), (0.5, 0.5), (0, 1), (0.5, 0.05), (0, 1))
    events = find_events(t_ns, rows)
    assert len(events) == 1
    assert events[0].duration_s == pytest.approx(1.06, abs=0.05)


def test_a_blink_may_be_short_and_an_event_may_be_open():
    t_ns, rows = _curve((0, 1), (0.8, 0.5))
    rows[10, CHANNEL_INDEX["AU45_L"]] = 0.9
    blink, smile = find_events(t_ns, rows)
    assert blink.action == "AU45"
    assert smile.is_open


def test_nothing_gives_nothing():
    assert find_events(np.zeros(0, np.int64), np.zeros((0, N_AU), np.float32)) == []
    t_ns, rows = _curve((np.nan, 1))
    assert find_events(t_ns, rows) == []

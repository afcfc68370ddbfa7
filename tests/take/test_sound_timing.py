"""Lost samples are found by the times of the blocks; late blocks, jitter and drift are none."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.take.sound_timing import SoundTiming
from tests.support.sound import RATE_HZ, block

N = 480


def lost(
    late_s: list[float], *, told: frozenset[int] = frozenset(), n: int = N, drift: float = 0.0
) -> dict[int, int]:
    """Samples found to be lost before each block, by its number."""
    timing, found = SoundTiming(), []
    for i, late in enumerate(late_s):
        at_s = i * n / RATE_HZ * (1 + drift) + late
        found += timing.put(block(n, at_s, overflowed=i in told))
    found += timing.flush()
    assert len(found) == len(late_s)
    return {i: n_lost for i, (n_lost, _) in enumerate(found) if n_lost}


def test_nothing_is_lost_where_blocks_jitter_and_drift() -> None:
    random = np.random.default_rng(1)
    jitter = random.exponential(0.004, 6000).tolist()
    assert lost(jitter, drift=2e-4) == {}


def test_late_blocks_are_no_gap_when_the_next_catch_up() -> None:
    late = [0.0] * 300
    for i in range(100, 110):  # a tenth of a second held up, then all at once
        late[i] = 0.1 - (i - 100) * 0.01
    assert lost(late) == {}


@pytest.mark.parametrize("lost_s", [0.05, 0.5, 30.0])
def test_a_gap_is_found_where_it_is_and_as_long_as_it_is(lost_s: float) -> None:
    random = np.random.default_rng(2)
    late = random.exponential(0.002, 400)
    late[150:] += lost_s
    found = lost(late.tolist())
    assert list(found) == [150]
    assert found[150] / RATE_HZ == pytest.approx(lost_s, abs=0.004)


def test_a_short_gap_is_believed_where_the_device_tells_of_it() -> None:
    late = [0.0] * 150 + [0.02] * 150
    assert lost(late) == {}
    assert lost(late, told=frozenset({150})) == {150: round(0.02 * RATE_HZ)}


def test_two_gaps_and_one_at_the_very_end() -> None:
    late = [0.0] * 100 + [0.1] * 100 + [0.3] * 100 + [0.9] * 2
    found = lost(late)
    assert found == {100: 4800, 200: 9600, 300: 28800}


def test_large_blocks_are_held_back_as_few_as_can_be() -> None:
    timing = SoundTiming()
    given = [len(list(timing.put(block(RATE_HZ, float(i))))) for i in range(8)]
    assert given == [0, 0, 0, 0, 1, 1, 1, 1]

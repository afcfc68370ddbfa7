"""Several performers: what the second one costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count, cycle

import pytest

from bench.timing import Table, quick_us
from livefacs.au.estimator_model import load_model
from livefacs.clock import ClockMap
from livefacs.config import StreamOptions, TrackingOptions
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.face_readers import with_readers
from livefacs.session.parts import make_estimator, performers_from_options
from livefacs.session.performers import PerformersTracker
from livefacs.session.rigs import Retargeting
from livefacs.session.tracker import Tracker
from livefacs.sinks.sink_from_destination import open_hub
from livefacs.types import Frame
from tests.support.composed import FACEBENCH, Tile, composed

STREAM = StreamOptions(to=("osc://127.0.0.1:9?rig=arkit52",))


def endless(tiles: list[Tile]) -> Iterator[Frame]:
    """A picture of 800 x 480 again and again, with rising times."""
    frames = list(composed(tiles, 2.0))
    numbers = count()
    for frame, i in zip(cycle(frames), numbers, strict=False):
        yield replace(frame, t_ns=i * 33_333_333, i_frame=i)


def test_two_performers_cost_less_than_two(table: Table) -> None:
    if not (FACEBENCH / "rom").is_dir():
        pytest.skip("no clips at ../shared/facebench")
    left = Tile(FACEBENCH / "clips" / "performer.mp4", lambda _: (200.0, 240.0))
    right = Tile(FACEBENCH / "rom" / "id03_mix.mp4", lambda _: (600.0, 240.0))
    model = load_model(None)
    with ExitStack() as closing:
        one_tracking, two_tracking = TrackingOptions(), TrackingOptions(faces=2)
        alone = with_readers(open_landmarker("facemesh"), "all", model)
        both = performers_from_options(two_tracking, model, print)
        closing.callback(alone.close)
        closing.callback(both.close)
        rigs_of_one, rigs_of_two = Retargeting(STREAM), Retargeting(STREAM, 2)
        estimator = make_estimator(one_tracking, model, alone.name)
        one = Tracker(alone, estimator, retargeters=rigs_of_one.straight[0])
        performers = [
            Tracker(both, make_estimator(one_tracking, model, both.name), retargeters=rigs)
            for rigs in rigs_of_two.straight
        ]
        two = PerformersTracker(both, performers[0], performers[1:])
        hubs = [open_hub(rigs.destinations, ClockMap.read()) for rigs in (rigs_of_one, rigs_of_two)]
        for hub in hubs:
            closing.callback(hub.close)
        of_one, of_two = endless([left]), endless([left, right])

        def track_one() -> None:
            tracked = one.step(next(of_one))
            assert tracked.landmarks is not None
            hubs[0].send(tracked)

        def track_two() -> None:
            tracked = two.step(next(of_two))
            hubs[1].send(tracked)

        for _ in range(30):
            track_one()
            track_two()
        one_us, two_us = quick_us(track_one, track_two, rounds=40, inner=5)
    table.note("one performer, picture to packets", one_us, "µs")
    table.note("two performers, picture to packets", two_us, "µs")
    table.note("two performers / one", two_us / one_us, "×", "at most 2.4; aim 1.7")
    assert two_us <= 2.4 * one_us

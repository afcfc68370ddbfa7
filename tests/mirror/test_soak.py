"""Memory stays flat over many frames and visitors; ``bench/soak_mirror.py`` is the long version."""

from __future__ import annotations

import gc
import json
import struct
import tracemalloc

import pytest
from websockets.sync.client import ClientConnection

from livefacs.mirror.server import Mirror
from tests.mirror.conftest import make_frame
from tests.mirror.test_server import ack, live, next_frame
from tests.support.waiting import wait_until

N_FRAMES = 1500
MOST_BYTES = 300_000


@pytest.mark.slow
def test_memory_is_flat_over_frames_and_visitors(mirror: Mirror) -> None:
    """One page reads, one is stalled, thirty come and go."""
    with live(mirror) as reader, live(mirror):
        wait_until(lambda: mirror.feed.n_pages == 2)
        tracemalloc.start(1)
        play(mirror, reader, 200)
        before = _traced()
        play(mirror, reader, N_FRAMES)
        for _ in range(30):
            with live(mirror) as visitor:
                visitor.send(json.dumps({"type": "drill-start", "name": "smile-c"}))
                visitor.send("nonsense")
        wait_until(lambda: mirror.feed.n_pages == 2)
        play(mirror, reader, 50)
        grown = _traced() - before
        tracemalloc.stop()
    assert grown < MOST_BYTES, grown


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def play(mirror: Mirror, reader: ClientConnection, n: int) -> None:
    """Send frames and read each of them."""
    frame = make_frame()
    for i in range(n):
        mirror.feed.send(frame)
        assert struct.unpack_from("<I", next_frame(reader), 4)[0] == 0
        ack(reader, i)


@pytest.mark.slow
def test_the_stages_memory_is_flat_over_frames_changes_and_visitors(mirror: Mirror) -> None:
    """A page of the stage reads while a control is tuned and undone; others come and go."""
    stage = mirror.stage

    def play_stage(reader: ClientConnection, n: int, first: int) -> None:
        for i in range(n):
            stage.take(make_frame(first + i, AU12_L=0.5))
            next_frame(reader)
            ack(reader, first + i)
            if i % 50 == 0:
                stage.change({"jawOpen": {"gain": 1.3}})
                stage.undo()

    with live(mirror, "/stage/live") as reader, live(mirror, "/stage/live"):
        wait_until(lambda: stage.feed.n_pages == 2)
        tracemalloc.start(1)
        play_stage(reader, 400, 0)  # the last ten seconds are kept: these fill them
        before = _traced()
        play_stage(reader, N_FRAMES, 400)
        for _ in range(30):
            with live(mirror, "/stage/live") as visitor:
                visitor.send("nonsense")
        wait_until(lambda: stage.feed.n_pages == 2)
        grown = _traced() - before
        tracemalloc.stop()
    assert grown < MOST_BYTES, grown

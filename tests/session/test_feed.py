"""The reading thread: every frame of a file, and an end that nobody waits for."""

from __future__ import annotations

from contextlib import closing

import pytest

from livefacs.errors import SourceError
from livefacs.session.feed import Feed
from tests.session.doubles import ListSource, frame

LONG_S = 3600.0  # a test that waited for this would run into its time limit


@pytest.mark.parametrize("n_frames", [0, 1, 3, 9])
def test_the_end_of_a_file_is_known_at_once(n_frames: int) -> None:
    with closing(Feed(ListSource([frame(i) for i in range(n_frames)]), lambda: 0)) as feed:
        feed.start()
        for i in range(n_frames):
            assert not feed.ended
            grabbed = feed.get(LONG_S)
            assert grabbed is not None
            assert grabbed.frame.i_frame == i
        assert feed.get(LONG_S) is None
        assert feed.ended


def test_a_failure_comes_after_the_frames_before_it() -> None:
    source = ListSource([frame(0), frame(1)], failure=SourceError("torn"))
    with closing(Feed(source, lambda: 0)) as feed:
        feed.start()
        assert [feed.get(LONG_S) is not None for _ in range(2)] == [True, True]
        with pytest.raises(SourceError, match="torn"):
            feed.get(LONG_S)


def test_a_reader_that_stops_early_lets_the_thread_go() -> None:
    source = ListSource([frame(i) for i in range(50)])
    with closing(Feed(source, lambda: 0)) as feed:
        feed.start()
        assert feed.get(LONG_S) is not None
    assert source.closed
    assert not feed._thread.is_alive()

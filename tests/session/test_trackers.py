"""A session that another tracker feeds: recorded and exported like one with a camera."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import now_ns
from livefacs.config import RecordOptions, SessionOptions, SourceOptions
from livefacs.errors import TakeError
from livefacs.offline import SolveOptions, solve_clip
from livefacs.session.composition import open_session
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.take.reader import Take
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.wire.making import CLOCK
from tests.wire.test_shapes import FRAME, WHOLE


@pytest.mark.parametrize("scheme", [name for name in WHOLE if name in ("livelink", "vmc")])
def test_it_is_recorded_and_cannot_be_solved_again(scheme: str, tmp_path: Path) -> None:
    options = SessionOptions(
        source=SourceOptions(spec=f"{scheme}://127.0.0.1:0"),
        record=RecordOptions(folder=tmp_path, slate="phone"),
        seconds=1.0,
    )
    with open_session(options) as session:
        port = session.source.port  # type: ignore[attr-defined]  # a TrackerSource
        sink = open_sink(parse_destination(f"{scheme}://127.0.0.1:{port}"), CLOCK, None)
        stopped = threading.Event()

        def send() -> None:
            while not stopped.wait(0.02):
                sink.send(FRAME)

        sending = threading.Thread(target=send)
        sending.start()
        try:
            session.run()
        finally:
            stopped.set()
            sending.join()
            sink.close()
    take = Take(next(tmp_path.glob("phone*")))
    has_face = take.frames["n_faces"] > 0
    assert has_face.sum() > 5
    smile = take.intensity[has_face][-1, CHANNEL_INDEX["AU12_L"]]
    assert smile == pytest.approx(FRAME.rigs["arkit52"].values[23], abs=0.02)
    assert np.isnan(take.points_px[0]).all()
    assert take.tracked(int(np.flatnonzero(has_face)[0])).landmarks is None
    assert take.t_ns[-1] < now_ns()
    with pytest.raises(TakeError, match="holds no landmarks to solve from"):
        solve_clip(str(take.folder), tmp_path / "x.csv", SolveOptions())

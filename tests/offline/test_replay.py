"""A take that is solved again gives the numbers of the live run, to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.face_readers import with_readers
from livefacs.offline import SolveOptions, solve_clip
from livefacs.resources import data_path
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.tracker import Tracker
from livefacs.sinks.recorder import RecorderSink
from livefacs.sources import open_source
from livefacs.take.reader import Take
from livefacs.types import Frame, Landmarks

from ..take.synthetic import clip_info

N_FRAMES = 90


class _ClosedEyes:
    """A landmarker that sometimes sees nobody."""

    name = "facemesh"

    def __init__(self) -> None:
        self._seeing = with_readers(open_landmarker("facemesh"), "all", load_model())
        self.blind = range(40, 62)

    def detect(self, frame: Frame) -> Landmarks | None:
        return None if frame.i_frame in self.blind else self._seeing.detect(frame)

    def close(self) -> None:
        self._seeing.close()


def make_tracker(landmarker: object) -> Tracker:
    rigs = [Retargeter(load_rig("arkit52"))]
    mirrored = [Retargeter(load_rig("livelink61"))]
    return Tracker(
        landmarker,  # type: ignore[arg-type]
        Estimator(),
        retargeters=rigs,
        mirrored_retargeters=mirrored,
    )


def test_live_equals_replay_to_the_byte(tmp_path: Path) -> None:
    source = open_source(str(data_path("performer.mp4")), realtime=False)
    landmarker = _ClosedEyes()
    tracker = make_tracker(landmarker)
    sink = RecorderSink(tmp_path / "live", clip_info())
    for i_frame in range(N_FRAMES):
        if i_frame == 20:
            tracker.estimator.capture_neutral()
            sink.mark("neutral capture", "neutral")
        frame = source.read()
        assert frame is not None
        sink.send(tracker.step(frame))
    assert sink.close().rows == N_FRAMES
    source.close()
    landmarker.close()

    take = Take(tmp_path / "live")
    solve_clip(str(take.folder), tmp_path / "again", SolveOptions(format="take"))
    solved = Take(tmp_path / "again")
    for column in ("i_frame", "t_ns", "health", "head", "gaze", "intensity", "raw", "confidence"):
        assert solved.frames[column].tobytes() == take.frames[column].tobytes(), column
    straight, mirrored = (Retargeter(load_rig(name)) for name in ("arkit52", "livelink61"))
    rigs = {
        "arkit52": [straight.retarget(frame).values for frame in solved],
        "livelink61 mirrored": [mirrored.retarget(frame.mirrored()).values for frame in solved],
    }
    for name, values in rigs.items():
        assert np.stack(values).tobytes() == take.rig(name)[1].tobytes()
    assert (tmp_path / "live/landmarks.rec").read_bytes() == (
        tmp_path / "again/landmarks.rec"
    ).read_bytes()
    assert np.nanmax(take.intensity) > 0.2  # there was something to compare

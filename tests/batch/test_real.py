"""The real solver in a process of its own gives the file that it gives here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av

from livefacs.batch import Job, Manifest, run_batch
from livefacs.offline import SolveOptions, solve_clip, work_on_clip
from livefacs.resources import data_path

N_FRAMES = 40


def shortened(path: Path) -> Path:
    """The performer's first frames, as they are in the clip."""
    with av.open(str(data_path("performer.mp4"))) as whole, av.open(str(path), "w") as part:
        stream = part.add_stream_from_template(whole.streams.video[0])
        for index, packet in enumerate(whole.demux(video=0)):
            if index == N_FRAMES:
                break
            packet.stream = stream
            part.mux(packet)
    return path


def test_batch_and_solve_give_the_same_bytes(tmp_path: Path) -> None:
    clip = shortened(tmp_path / "clip.mp4")
    options = SolveOptions(read_ahead=False)
    jobs = [Job(str(clip), str(tmp_path / "out" / "clip.csv"))]
    outcomes = list(
        run_batch(jobs, work_on_clip, options, Manifest(tmp_path / "out"), n_processes=1)
    )
    assert [outcome.state for outcome in outcomes] == ["done"]
    assert outcomes[0].report["n_frames"] == N_FRAMES
    solve_clip(str(clip), tmp_path / "here.csv", replace(options, read_ahead=True))
    assert (tmp_path / "out/clip.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()

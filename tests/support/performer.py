"""Pictures of the bundled performer."""

from __future__ import annotations

from livefacs.resources import data_path
from livefacs.sources.video import VideoSource
from livefacs.types import Frame


def performer_frames(n_frames: int) -> list[Frame]:
    """The first frames of the clip."""
    source = VideoSource(data_path("performer.mp4"))
    frames = [frame for _ in range(n_frames) if (frame := source.read()) is not None]
    source.close()
    return frames

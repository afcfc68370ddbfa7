"""The take's video with its sound: an MP4 whose pictures are the recorded ones, untouched.

The sound is that of ``formats.wave`` (drift taken out), as AAC. It begins with the first picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from livefacs.arrays import F32
from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.wave import needed_sound, samples_on_frames
from livefacs.take.layout import VIDEO_FILE
from livefacs.take.reader import Take
from livefacs.take.wave import SAMPLE_RATE_HZ

_MOST_CHANNELS: Final = 2  # what every player plays: the others of a multitrack stay in the WAV
_NS_A_US: Final = 1000


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file."""
    sound = needed_sound(take)
    stamps = take.video_stamps()
    if not len(stamps):
        raise TakeError(
            f"{take.folder}: the take has no video; record with --video, or take the sound alone"
            " (--to wav)"
        )
    first_ns = int(take.t_ns[int(stamps["row"][0])]) - int(stamps["pts"][0]) * _NS_A_US
    n_channels = min(_MOST_CHANNELS, sound.info.n_channels)
    with (
        av.open(str(take.folder / VIDEO_FILE)) as pictures,
        av.open(str(path), "w", format="mp4") as movie,
    ):
        video = movie.add_stream_from_template(pictures.streams.video[0])
        track: Any = movie.add_stream("aac", rate=SAMPLE_RATE_HZ)
        track.layout = "mono" if n_channels == 1 else "stereo"
        heard = _encoded(track, samples_on_frames(take, sound, first_ns), n_channels)
        for packet in _in_order(_copied(pictures, video), heard):
            movie.mux(packet)


def _copied(pictures: Any, video: Any) -> Iterator[Any]:
    for packet in pictures.demux(video=0):
        if packet.dts is not None:
            packet.stream = video
            yield packet


def _encoded(track: Any, blocks: Iterator[F32], n_channels: int) -> Iterator[Any]:
    """AAC packets."""
    at = 0
    for samples in blocks:
        planes = np.ascontiguousarray(samples[:, :n_channels].T)
        if not planes.shape[1]:
            continue
        frame = av.AudioFrame.from_ndarray(planes, "fltp", track.layout.name)
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts, frame.time_base = at, Fraction(1, SAMPLE_RATE_HZ)
        at += planes.shape[1]
        yield from track.encode(frame)
    yield from track.encode(None)


def _in_order(pictures: Iterator[Any], sound: Iterator[Any]) -> Iterator[Any]:
    """Both streams' packets by their times, as players want them."""
    picture, heard = next(pictures, None), next(sound, None)
    while picture is not None or heard is not None:
        if heard is None or (picture is not None and _time(picture) <= _time(heard)):
            yield picture
            picture = next(pictures, None)
        else:
            yield heard
            heard = next(sound, None)


def _time(packet: Any) -> float:
    return float((packet.dts or 0) * packet.time_base)

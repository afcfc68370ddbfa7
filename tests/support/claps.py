"""Clips and takes with a flash and a clap at once, now and then."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from livefacs.session.sound_of_takes import from_microphone
from livefacs.sinks.recorder import RecorderSink
from livefacs.take.reader import Take
from tests.support import sound
from tests.support.sound import NS_PER_S, FakePortAudio, clap
from tests.support.waiting import wait_until
from tests.take.synthetic import CLOCK, clip_info, tracked_frame

RATE_HZ = 30
FLASHES = (20, 80)
"""Frames of the take."""
N_FRAMES = 120
_FIRST = 15  # the sound is on a quarter of a second before the first frame


def clap_take(folder: Path) -> Take:
    """Two seconds at 60 fps with video; a flash and a clap at once, twice."""
    device = FakePortAudio(n_channels=1)
    sink = RecorderSink(
        folder,
        clip_info(is_live=False),  # no picture is left out
        video=True,
        sound=from_microphone(device.microphone()),
        clock=CLOCK,
    )
    frames = [tracked_frame(i) for i in range(_FIRST + 30, _FIRST + 30 + N_FRAMES)]
    start = device.n_played
    samples = np.zeros((3 * sound.RATE_HZ, 1), np.float32)
    for flash in FLASHES:
        late_ns = frames[flash].t_ns - device.time_of(start)
        at = round(late_ns * sound.RATE_HZ / NS_PER_S)
        samples[at : at + 480] = clap()
    for begin in range(0, len(samples), 480):
        device.play(samples[begin : begin + 480])
    taken = sink._sound
    wait_until(lambda: taken._n_taken == taken._n_heard)  # type: ignore[union-attr]
    for i, frame in enumerate(frames):
        shade = 255 if i in FLASHES else 20
        sink.send(replace(frame, image=np.full((48, 64, 3), shade, np.uint8)))
    sink.close()
    return Take(folder)


def clap_clip(
    path: Path,
    *,
    seconds: float = 4.0,
    flashes: tuple[int, ...] = (30, 75),
    codec: str = "aac",
    sample_rate_hz: int = 44_100,
    sound_begins_s: float = 0.0,
    hole_s: tuple[float, float] | None = None,
) -> Path:
    """A clip at 30 fps whose claps are heard when a white picture shows.

    Parameters
    ----------
    sound_begins_s : float
        So much later than the pictures the sound begins.
    hole_s : (begin, end)
        There is no sound between these times.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=RATE_HZ)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(codec, rate=sample_rate_hz)
        audio.layout = "stereo"
        for i in range(round(seconds * RATE_HZ)):
            image = np.full((48, 64, 3), 255 if i in flashes else 20, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        samples = np.zeros((2, round(seconds * sample_rate_hz)), np.float32)
        for i in flashes:
            at = round(i / RATE_HZ * sample_rate_hz)
            samples[:, at : at + 480] = clap(2).T
        for begin in range(round(sound_begins_s * sample_rate_hz), samples.shape[1], 1024):
            if hole_s is not None and hole_s[0] <= begin / sample_rate_hz < hole_s[1]:
                continue
            block = np.ascontiguousarray(samples[:, begin : begin + 1024])
            if audio.codec_context.format.name == "s16":
                packed = (block.T.reshape(1, -1) * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(packed, "s16", "stereo")
            else:
                frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
            frame.sample_rate, frame.pts = sample_rate_hz, begin
            frame.time_base = Fraction(1, sample_rate_hz)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path

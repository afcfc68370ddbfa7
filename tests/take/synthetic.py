"""Tracked frames with known numbers, for tests of takes and formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livefacs.clock import NS_PER_S, ClockMap
from livefacs.take.layout import TakeInfo, TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import RATES
from livefacs.types import (
    ActionUnits,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    RigFrame,
    TrackedFrame,
)
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU

CONTROLS = ("jawOpen", "mouthSmileLeft", "mouthSmileRight")
START_NS = 5 * NS_PER_S
CLOCK = ClockMap(session_ns=START_NS, unix_ns=1_750_000_000 * NS_PER_S)


def smile(i_frame: int) -> float:
    """Left AU12 of a frame: rises to 1 at frame 10, falls to 0 at 20, and so on."""
    phase = i_frame % 20
    return phase / 10 if phase <= 10 else 2 - phase / 10


def tracked_frame(
    i_frame: int,
    *,
    rate_hz: float = 60.0,
    face: bool = True,
    controls: Sequence[str] = CONTROLS,
    image: np.ndarray | None = None,
    rig: str = "arkit52",
) -> TrackedFrame:
    t_ns = START_NS + round(i_frame * NS_PER_S / rate_hz)
    intensity = np.zeros(N_AU, np.float32)
    intensity[CHANNEL_INDEX["AU12_L"]] = smile(i_frame)
    intensity[CHANNEL_INDEX["AU12_R"]] = smile(i_frame) / 2
    intensity[CHANNEL_INDEX["AU26"]] = i_frame / 1000
    intensity[CHANNEL_INDEX["AU9_L"]] = np.nan
    rng = np.random.default_rng(i_frame)
    points = rng.uniform(0, 640, (478, 3)).astype(np.float32)
    values = np.linspace(0, 1, len(controls), dtype=np.float32) * np.float32(smile(i_frame))
    return TrackedFrame(
        i_frame=i_frame,
        t_ns=t_ns,
        health=Health.OK if face else Health.NO_FACE | Health.HELD,
        image_size=(640, 480),
        landmarks=Landmarks(points, t_ns, i_frame, (640, 480), 2) if face else None,
        head=HeadPose(0.1 * smile(i_frame), -0.2, 0.05, 1.0, -2.0, 60.0 + i_frame / 10),
        gaze=Gaze(0.1, -0.05, 0.12, -0.04),
        units=ActionUnits(intensity, intensity * np.float32(1.1), np.ones(N_AU, np.float32)),
        rigs={rig: RigFrame(rig, tuple(controls), values)},
        stage_ns={"landmarks": 3_600_000, "estimate": 50_000},
        image=image,
    )


def clip_info(rate: str = "60", start: str = "01:00:00:00", **more: object) -> TakeInfo:
    timecode = TimecodeStart(RATES[rate], "free run", start)
    defaults = {"slate": "smile", "number": 3, "rate_hz": float(RATES[rate].fraction)}
    return TakeInfo(**{**defaults, "timecode": timecode, **more})  # type: ignore[arg-type]


def make_take(folder: Path, frames: Sequence[TrackedFrame], info: TakeInfo | None = None) -> Take:
    folder.mkdir(parents=True, exist_ok=True)
    writer = TakeWriter(folder, info or clip_info(), CLOCK)
    for begin in range(0, len(frames), 50):
        writer.append(frames[begin : begin + 50])
    writer.close()
    return Take(folder)


def without_checksums(folder: Path) -> None:
    """As takes were before."""
    document = json.loads((folder / "take.json").read_text())
    del document["checksums"]
    (folder / "take.json").write_text(json.dumps(document))
    (folder / "checksums.rec").unlink()

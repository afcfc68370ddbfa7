"""Frames and maps for the tests of retargeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from livefacs.retarget.inputs import N_SIGNALS, Performance, read_signals
from livefacs.types import ActionUnits, Gaze, HeadPose, Health, RigFrame, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU

HEADER = """
[rig]
title = "A test rig"
audience = "tests"
names_from = "the test"
"""
FRAME_NS = 33_333_333


def frame(
    units: Mapping[str, float] | None = None,
    *,
    t_ns: int = 0,
    head: HeadPose | None = None,
    gaze: Gaze | None = None,
) -> TrackedFrame:
    """A tracked frame with some channels set and the rest 0."""
    intensity = np.zeros(N_AU, np.float32)
    for name, value in (units or {}).items():
        intensity[CHANNEL_INDEX[name]] = value
    known = np.ones(N_AU, np.float32)
    return TrackedFrame(
        i_frame=0,
        t_ns=t_ns,
        health=Health.OK,
        image_size=(640, 480),
        landmarks=None,
        head=head or HeadPose(),
        gaze=gaze or Gaze(),
        units=ActionUnits(intensity, intensity, known),
    )


def write_map(folder: Path, body: str, name: str = "rig", header: str = HEADER) -> Path:
    """Write a map file; gives its path."""
    path = folder / f"{name}.toml"
    path.write_text(header + body, encoding="utf-8")
    return path


def by_name(made: RigFrame) -> dict[str, float]:
    """Control values by name."""
    return {name: float(value) for name, value in zip(made.controls, made.values, strict=True)}


def performance_of(frames: Sequence[TrackedFrame]) -> Performance:
    """What maps read of the frames, numbered as they come."""
    signals = np.zeros((len(frames), N_SIGNALS))
    for row, each in zip(signals, frames, strict=True):
        read_signals(each, row)
    t_ns = np.array([each.t_ns for each in frames])
    return Performance(np.arange(len(frames)), t_ns, signals)

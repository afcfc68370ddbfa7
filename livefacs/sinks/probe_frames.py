"""A slow sweep through every control of a rig, as tracked frames: tests a rig without a face."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.clock import NS_PER_S
from livefacs.types import ActionUnits, Gaze, HeadPose, Health, RigFrame, TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS, N_AU

_HEAD_RAD: Final = math.radians(25.0)
_GAZE_RAD: Final = math.radians(20.0)
POSE_STEPS: Final = ("head yaw", "head pitch", "head roll", "gaze yaw", "gaze pitch")
"""Steps that every destination gets besides its controls."""


@dataclass(frozen=True, slots=True)
class SweptRig:
    """What the sweep must know of a rig.

    Attributes
    ----------
    controls : tuple of str
    limits : (n_controls, 2) float64
    rest : (n_controls,) float32
        Values of a neutral face.
    """

    controls: tuple[str, ...]
    limits: F64
    rest: F32


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the sweep: a channel, a control or a pose angle that moves alone."""

    kind: str
    name: str


def sweep_steps(rigs: Mapping[str, SweptRig], *, units: bool) -> list[Step]:
    """Steps in order: Action Units where they are sent, pose, then every rig's controls."""
    steps = [Step("au", name) for name in AU_CHANNELS] if units else []
    steps += [Step("pose", name) for name in POSE_STEPS]
    for rig, swept in rigs.items():
        steps += [Step(rig, name) for name in swept.controls]
    return steps


def sweep_frames(
    step: Step, rigs: Mapping[str, SweptRig], *, seconds: float, rate_hz: float, i_first: int
) -> Iterator[TrackedFrame]:
    """Frames of one step: from rest to the upper limit, back, and to the lower one if it differs.

    ``t_ns`` counts from 0 at frame 0; everything else rests.
    """
    n_frames = max(2, round(seconds * rate_hz))
    for i_frame in range(n_frames + 1):
        phase = i_frame / n_frames
        t_ns = round((i_first + i_frame) * NS_PER_S / rate_hz)
        yield _frame(step, rigs, phase, i_first + i_frame, t_ns)


def _frame(
    step: Step, rigs: Mapping[str, SweptRig], phase: float, i_frame: int, t_ns: int
) -> TrackedFrame:
    intensity = np.zeros(N_AU, np.float32)
    head, gaze = HeadPose(z_cm=60.0), Gaze()
    if step.kind == "au":
        intensity[AU_CHANNELS.index(step.name)] = math.sin(math.pi * phase) ** 2
    elif step.kind == "pose":
        head, gaze = _posed(step.name, math.sin(2.0 * math.pi * phase), head, gaze)
    frames = {rig: _rig_frame(rig, swept, step, phase) for rig, swept in rigs.items()}
    return TrackedFrame(
        i_frame=i_frame,
        t_ns=t_ns,
        health=Health.OK,
        image_size=(0, 0),
        landmarks=None,
        head=head,
        gaze=gaze,
        units=ActionUnits(intensity, intensity, np.ones(N_AU, np.float32)),
        rigs=frames,
        rigs_mirrored=frames,
    )


def _posed(name: str, swing: float, head: HeadPose, gaze: Gaze) -> tuple[HeadPose, Gaze]:
    if name == "head yaw":
        return replace(head, yaw_rad=swing * _HEAD_RAD), gaze
    if name == "head pitch":
        return replace(head, pitch_rad=swing * _HEAD_RAD), gaze
    if name == "head roll":
        return replace(head, roll_rad=swing * _HEAD_RAD), gaze
    angle = swing * _GAZE_RAD
    if name == "gaze yaw":
        return head, Gaze(left_yaw_rad=angle, right_yaw_rad=angle)
    return head, Gaze(left_pitch_rad=angle, right_pitch_rad=angle)


def _rig_frame(rig: str, swept: SweptRig, step: Step, phase: float) -> RigFrame:
    values = swept.rest.copy()
    if step.kind == rig:
        index = swept.controls.index(step.name)
        rest, (low, high) = float(values[index]), swept.limits[index]
        if rest - low < 1e-6:
            values[index] = rest + (high - rest) * math.sin(math.pi * phase) ** 2
        else:
            swing = math.sin(2.0 * math.pi * phase)
            values[index] = rest + ((high - rest) if swing > 0.0 else (rest - low)) * swing
    return RigFrame(rig, swept.controls, values)

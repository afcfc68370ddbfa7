"""Tracked frames with known values, without a camera."""

from __future__ import annotations

import numpy as np

from livefacs.clock import ClockMap
from livefacs.retarget.library import load_rig
from livefacs.types import (
    ActionUnits,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    RigFrame,
    TrackedFrame,
)
from livefacs.vocab.arkit import ARKIT_52, LIVELINK_61
from livefacs.vocab.facs import N_AU

CLOCK = ClockMap(session_ns=5_000_000_000, unix_ns=1_700_000_000_250_000_000)
"""Session second 5 is Unix 1700000000.25."""

VRCFT_BASE = load_rig("vrcft2").controls
"""Base shapes, openness, gaze and head, as the map that ships drives them."""


def make_rig(name: str, controls: tuple[str, ...], values: np.ndarray | None = None) -> RigFrame:
    """A rig frame; the i-th of n controls stands at i / n unless values are given."""
    if values is None:
        values = np.arange(len(controls)) / len(controls)
    return RigFrame(name, controls, values.astype(np.float32))


ARKIT = make_rig("arkit52", ARKIT_52)
LIVELINK = make_rig("livelink61", LIVELINK_61)


def make_frame(
    i_frame: int = 12345,
    *,
    intensity: np.ndarray | None = None,
    rigs: tuple[RigFrame, ...] = (),
    mirrored: tuple[RigFrame, ...] = (),
    t_ns: int = 5_500_000_000,
    health: Health = Health.OK,
    landmarks: Landmarks | None = None,
) -> TrackedFrame:
    """A frame whose i-th channel stands at i / 100 unless intensities are given."""
    if intensity is None:
        intensity = np.arange(N_AU) / 100
    values = intensity.astype(np.float32)
    confidence = np.full(N_AU, 0.5, np.float32)
    return TrackedFrame(
        i_frame=i_frame,
        t_ns=t_ns,
        health=health,
        image_size=(640, 480),
        landmarks=landmarks,
        head=HeadPose(0.1, 0.2, -0.3, 1.0, -2.0, 60.0),
        gaze=Gaze(0.05, 0.02, 0.06, -0.01),
        units=ActionUnits(values, values, confidence),
        rigs={rig.rig: rig for rig in rigs},
        rigs_mirrored={rig.rig: rig for rig in mirrored},
    )


def make_landmarks() -> Landmarks:
    """A flat mesh with the points that gestures are measured between."""
    points = np.zeros((478, 3), np.float32)
    places = {
        33: (270, 200),
        263: (370, 200),
        61: (292, 300),
        291: (348, 300),
        13: (320, 296),
        14: (320, 304),
        386: (345, 195),
        374: (345, 205),
        159: (295, 194),
        145: (295, 206),
        334: (345, 167),
        105: (295, 163),
        2: (320, 255),
        152: (320, 351),
        64: (309, 250),
        294: (331, 250),
    }
    for index, place in places.items():
        points[index, :2] = place
    return Landmarks(points, 0, 0, (640, 480))


def joined(datagrams: object) -> list[bytes]:
    """Datagrams as bytes of their own."""
    return [bytes(datagram) for datagram in datagrams]  # type: ignore[attr-defined]

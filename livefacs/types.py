"""What flows through the chain: frozen dataclasses of plain arrays.

Spaces: *image* is pixels, x right, y down. *Camera* is right-handed, centimetres, x right in the
image, y down, z away from the camera. Head angles: yaw > 0 turns to the performer's left,
pitch > 0 is nose down, roll > 0 tips the head towards the performer's right shoulder (image
left). Gaze angles: yaw > 0 looks to the performer's left, pitch > 0 looks down. Time is ``t_ns``,
int nanoseconds of one session clock, or presentation time for a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag
from functools import lru_cache
from typing import Final

import numpy as np

from livefacs.arrays import F32, I64, U8
from livefacs.vocab.facs import AU_CHANNELS, MIRROR_ORDER, N_AU

N_LANDMARKS: Final = 478
"""FaceMesh with irises."""


class Health(IntFlag):
    """What a receiver should know of a frame besides its numbers."""

    OK = 0
    NO_FACE = 1
    HELD = 2  # values are the last seen ones, or on their way back to neutral
    UNCALIBRATED = 4  # automatic neutral, no personal profile
    OUT_OF_RANGE = 8  # head turned, face too small, or at the border
    SIDE_HIDDEN = 16  # one side is turned away; its values are held, then faded
    FRAMES_SKIPPED = 32  # newer frames overwrote at least one before this
    LATE = 64  # sent more than one frame period after it was there
    RECORDER_LATE = 128  # the take writer fell behind
    NO_NEUTRAL = 256  # no frame is known to rest: the mean face stands in, or what may be held
    NEW_PERFORMER = 512  # from here on this number is another person's; the neutral begins anew


def format_health(health: Health) -> str:
    """The flags in words, comma separated; ``ok`` where none is set."""
    names = [flag.name.lower().replace("_", " ") for flag in Health if flag in health and flag.name]
    return ", ".join(names) or "ok"


@dataclass(frozen=True, slots=True)
class Frame:
    """One image.

    Attributes
    ----------
    image : (H, W, 3) uint8, RGB, C-contiguous, not mirrored
    t_ns : int
        Session clock at the grab, or presentation time for a file.
    i_frame : int
        Number of the frame in its source, from 0; a gap means frames that were dropped.
    landmarks : Landmarks or None
        The mesh that was recorded with it, in a take that is replayed; None where there was no
        face, and elsewhere.
    shapes : Shapes or None
        What another tracker measured in place of an image.
    arrived_ns : int or None
        Session clock at its arrival, where ``t_ns`` was taken elsewhere; None: as ``t_ns``.
    """

    image: U8
    t_ns: int
    i_frame: int
    landmarks: Landmarks | None = None
    shapes: Shapes | None = None
    arrived_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Shapes:
    """A face as another tracker has it: blend shape weights and angles.

    Attributes
    ----------
    weights : (52,) float32
        In the order of ``vocab.arkit.ARKIT_52``; NaN where the tracker has no such shape.
    head : HeadPose
    gaze : Gaze
    has_face : bool
        False where the tracker says that it sees none.
    """

    weights: F32
    head: HeadPose
    gaze: Gaze
    has_face: bool = True


@dataclass(frozen=True, slots=True)
class Readings:
    """What is read of one face besides its mesh; a function of image and mesh alone.

    Attributes
    ----------
    patches : (N_PATCHES, 3) float32
        By ``vocab.readings.PATCHES``: log energy of dark upright lines and of dark level lines,
        both over the brightness, and log brightness. NaN where the patch leaves the image.
    texture : (N_TEXTURE,) uint8
        Oriented gradients of the upright face: rows, columns, orientations.
    blendshapes : (N_BLENDSHAPES,) float32
        What MediaPipe's blendshape net makes of the mesh, 0..1; NaN where it did not run.
    """

    patches: F32
    texture: U8
    blendshapes: F32


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The mesh of one face.

    Attributes
    ----------
    points_px : (478, 3) float32
        Pixels, x right, y down, z in x's scale, away from the camera.
    image_size : (width, height) in pixels
    n_faces : int
        Faces seen in the image; the largest is followed.
    readings : Readings or None
        What was read of the face besides; None where only the mesh is known.
    """

    points_px: F32
    t_ns: int
    i_frame: int
    image_size: tuple[int, int]
    n_faces: int = 1
    readings: Readings | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is seen of one of several performers in a frame.

    Attributes
    ----------
    landmarks : Landmarks or None
        None where the performer is not seen.
    is_new : bool
        From this frame on the number is another person's.
    """

    landmarks: Landmarks | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Rigid pose of the head in camera space; angles in radians, translation in centimetres."""

    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    roll_rad: float = 0.0
    x_cm: float = 0.0
    y_cm: float = 0.0
    z_cm: float = 0.0

    def mirrored(self) -> HeadPose:
        """The pose of the mirror image: yaw, roll and x change sign."""
        return replace(self, yaw_rad=-self.yaw_rad, roll_rad=-self.roll_rad, x_cm=-self.x_cm)


@dataclass(frozen=True, slots=True)
class Gaze:
    """Direction of each eye in the head, radians; yaw > 0 to the performer's left, pitch > 0 down.

    Frozen at its last value while the lids are nearly closed.
    """

    left_yaw_rad: float = 0.0
    left_pitch_rad: float = 0.0
    right_yaw_rad: float = 0.0
    right_pitch_rad: float = 0.0

    def mirrored(self) -> Gaze:
        """Eyes exchanged and yaw negated."""
        return Gaze(
            -self.right_yaw_rad, self.right_pitch_rad, -self.left_yaw_rad, self.left_pitch_rad
        )


def _read_only(values: F32) -> F32:
    values.setflags(write=False)
    return values


@dataclass(frozen=True, slots=True)
class ActionUnits:
    """Action Unit intensities of one frame.

    Attributes
    ----------
    intensity : (n,) float32
        Filtered. 0 is the person's neutral, 1 the calibrated maximum; may exceed 1. NaN: unknown.
    raw : (n,) float32
        The same before the temporal filter.
    confidence : (n,) float32, 0..1
    channels : tuple of str
        ``vocab.facs.AU_CHANNELS``, in its order, then the actions that the performer taught
        (``X_tongue_out``); the same object in every frame of a session.
    """

    intensity: F32
    raw: F32
    confidence: F32
    channels: tuple[str, ...] = AU_CHANNELS

    @classmethod
    def neutral(cls, channels: tuple[str, ...] = AU_CHANNELS) -> ActionUnits:
        """All zero, with no confidence."""
        zeros = _read_only(np.zeros(len(channels), np.float32))
        return cls(zeros, zeros, zeros, channels)

    @property
    def taught(self) -> tuple[str, ...]:
        """Channels that the performer taught."""
        return self.channels[N_AU:]

    def mirrored(self) -> ActionUnits:
        """Left and right exchanged, head turns, tilts and gaze directions with them."""
        order = _mirror_index(self.channels)
        return ActionUnits(
            self.intensity[order], self.raw[order], self.confidence[order], self.channels
        )


@lru_cache(maxsize=16)
def _mirror_index(channels: tuple[str, ...]) -> I64:
    """``mirrored = intensity[index]``; a taught action without a partner stays as it is."""
    order = list(MIRROR_ORDER)
    for row, name in enumerate(channels[N_AU:], N_AU):
        partner = name[:-1] + {"L": "R", "R": "L"}.get(name[-1], "")
        has_partner = name[-2:] in ("_L", "_R") and partner in channels
        order.append(channels.index(partner) if has_partner else row)
    return np.array(order, np.int64)


@dataclass(frozen=True, slots=True)
class RigFrame:
    """Control values of one rig for one frame.

    Attributes
    ----------
    rig : str
        Name of the map.
    controls : tuple of str
        Control names, the same object in every frame of a program.
    values : (N_CONTROLS,) float32, in each control's own range
    """

    rig: str
    controls: tuple[str, ...]
    values: F32


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """Everything known of one frame; what sinks and the recorder are handed.

    ``landmarks`` is None where no face was found. ``rigs`` holds one ``RigFrame`` for each rig
    that was asked for, by rig name; ``rigs_mirrored`` those that were retargeted from the mirrored
    units. ``stage_ns`` holds the nanoseconds each stage took. ``image`` is the frame's RGB image
    where a consumer (mirror, video recording) asked the engine to keep it, else None. ``others``
    are the further performers of a session that tracks several, in the order of their numbers,
    each at the same time and frame; none in a session that tracks one.
    """

    i_frame: int
    t_ns: int
    health: Health
    image_size: tuple[int, int]
    landmarks: Landmarks | None
    head: HeadPose
    gaze: Gaze
    units: ActionUnits
    rigs: Mapping[str, RigFrame] = field(default_factory=dict)
    rigs_mirrored: Mapping[str, RigFrame] = field(default_factory=dict)
    stage_ns: Mapping[str, int] = field(default_factory=dict)
    image: U8 | None = None
    others: tuple[TrackedFrame, ...] = ()

    def of_face(self, face: int) -> TrackedFrame:
        """The performer with a number, from 1, alone; the last one where there are fewer."""
        everyone = (self, *self.others)
        chosen = everyone[min(face, len(everyone)) - 1]
        return replace(chosen, others=()) if chosen.others else chosen

    @property
    def n_faces(self) -> int:
        """Faces seen; 0 where there was none. Another tracker's face counts without a mesh."""
        if self.landmarks is not None:
            return self.landmarks.n_faces
        return 0 if Health.NO_FACE in self.health else 1

    def pose_values(self) -> tuple[float, ...]:
        """Ten floats: head yaw, pitch, roll, x, y, z, then left and right gaze yaw and pitch."""
        head, gaze = self.head, self.gaze
        return (
            head.yaw_rad,
            head.pitch_rad,
            head.roll_rad,
            head.x_cm,
            head.y_cm,
            head.z_cm,
            gaze.left_yaw_rad,
            gaze.left_pitch_rad,
            gaze.right_yaw_rad,
            gaze.right_pitch_rad,
        )

    def mirrored(self) -> TrackedFrame:
        """The mirror image: sides, turns and gaze exchanged; landmarks stay as seen."""
        return replace(
            self,
            units=self.units.mirrored(),
            head=self.head.mirrored(),
            gaze=self.gaze.mirrored(),
            rigs=self.rigs_mirrored,
            rigs_mirrored=self.rigs,
            others=tuple(other.mirrored() for other in self.others),
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the estimator makes of one mesh."""

    units: ActionUnits
    head: HeadPose
    gaze: Gaze
    health: Health


@dataclass(slots=True)
class SinkCounters:
    """What an output did so far. Written by one thread, read by any.

    Attributes
    ----------
    failure : BaseException or None
        What ended the output's own thread; the session that it belongs to ends with it.
    """

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    refused: int = 0
    last_error: str = ""
    failure: BaseException | None = None

    def fail(self, failure: BaseException) -> None:
        """Note that the output's own thread has ended."""
        self.last_error = f"{type(failure).__name__}: {failure}"
        self.failure = failure

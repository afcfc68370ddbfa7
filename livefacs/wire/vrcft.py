"""VRChat avatar parameters in VRCFaceTracking's Unified Expressions v2, and native eye tracking.

Source: VRCFaceTracking and VRChat's OSC documentation, see ``docs/protocols.md``. Addresses are
``/avatar/parameters/<prefix>v2/<Shape>``; values -1..1. A shape goes out as one float, or as
bits: booleans ``<Shape>1 2 4 8`` … and ``<Shape>Negative``; all alike, or as an avatar has them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from livefacs.arrays import F32
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX
from livefacs.wire.avatar import Avatar, AvatarShape
from livefacs.wire.axes import AxisSigns
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from livefacs.wire.rigvalues import zeros_for_unknown
from livefacs.wire.unified import UnifiedShapes

_ROOT: Final = "/avatar/parameters/"
_ACTIVE: Final = ("EyeTrackingActive", "ExpressionTrackingActive", "LipTrackingActive")
_NATIVE_GAZE: Final = "/tracking/eye/LeftRightPitchYaw"
_NATIVE_LIDS: Final = "/tracking/eye/EyesClosedAmount"
_TRUE, _FALSE = np.frombuffer(b",T\0\0,F\0\0", np.uint32)
_DEGREES: Final = 180.0 / math.pi
_FULL: Final = 0.99999  # from here on all bits are set
_LIDS: Final = np.array(
    [[CHANNEL_INDEX[f"AU{code}_{side}"] for code in (43, 45)] for side in "LR"], np.intp
)
_pack_gaze: Final = struct.Struct(">4f").pack_into
_pack_float: Final = struct.Struct(">f").pack_into


@dataclass(frozen=True, slots=True)
class _BitGroup:
    """The shapes that go out as so many bits: their indexes, and the words of their messages."""

    n_bits: int
    shapes: npt.NDArray[np.intp]
    is_signed: npt.NDArray[np.bool_]
    words: npt.NDArray[np.intp]
    negative_words: npt.NDArray[np.intp]
    table: npt.NDArray[np.uint32]


EyeRoute = Literal["parameters", "native", "off"]


class VrcftEncoder:
    """Encodes tracked frames as VRChat OSC.

    Parameters
    ----------
    rig : str
        Rig with Unified Expressions base shapes (``vrcft2``).
    prefix : str
        What the avatar's creator put before ``v2/``: ``FT/``, or empty.
    combined : bool
        Compute and send the combined shapes too.
    n_bits : int
        0 sends floats; otherwise so many bits a shape.
    eyes : str
        ``parameters`` (avatar parameters), ``native`` (VRChat's own eye tracking, no avatar
        set-up) or ``off``. An avatar wants one of them.
    signs : AxisSigns
    avatar : Avatar or None
        Send what it takes, in place of ``prefix`` and ``n_bits``.
    """

    def __init__(
        self,
        rig: str,
        *,
        prefix: str = "FT/",
        combined: bool = True,
        n_bits: int = 0,
        eyes: EyeRoute = "parameters",
        signs: AxisSigns | None = None,
        avatar: Avatar | None = None,
    ) -> None:
        self._rig = rig
        self._stem = f"{_ROOT}{prefix if avatar is None else avatar.prefix}v2/"
        self._combined = combined
        self._n_bits = n_bits
        self._avatar = avatar
        self._eyes = eyes
        self._signs = signs or AxisSigns()
        self._controls: tuple[str, ...] | None = None
        self._learn(())

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """The datagrams of one frame; views of one buffer, valid until the next call."""
        rig = tracked.rigs.get(self._rig)
        if rig is not None:
            if rig.controls is not self._controls:
                self._learn(rig.controls)
            values = self._shapes.fill(zeros_for_unknown(rig.values))
            if self._sign_vector is not None:
                values = values * self._sign_vector
            self._template.floats[self._float_words] = values[self._floats]
            for group in self._bit_groups:
                self._fill_bits(group, values)
        has_face = Health.NO_FACE not in tracked.health
        self._template.words[self._active_words] = _TRUE if has_face else _FALSE
        if self._eyes == "native":
            self._fill_native(tracked)
        return self._template.datagrams

    def _fill_bits(self, group: _BitGroup, values: F32) -> None:
        words, some = self._template.words, values[group.shapes]
        magnitude = np.where(group.is_signed, np.abs(some), np.maximum(some, 0.0))
        full = (1 << group.n_bits) - 1
        whole = np.where(
            magnitude > _FULL, full, np.minimum((magnitude * (full + 1)).astype(np.int32), full)
        )
        words[group.words] = group.table[whole]
        words[group.negative_words] = np.where(some[group.is_signed] < 0.0, _TRUE, _FALSE)

    def _fill_native(self, tracked: TrackedFrame) -> None:
        gaze, turn = tracked.gaze, -self._signs.gaze * _DEGREES
        _pack_gaze(
            self._template.buffer,
            self._gaze_at,
            gaze.left_pitch_rad * _DEGREES,
            gaze.left_yaw_rad * turn,
            gaze.right_pitch_rad * _DEGREES,
            gaze.right_yaw_rad * turn,
        )
        lids = zeros_for_unknown(tracked.units.intensity)[_LIDS].max(axis=1)
        _pack_float(self._template.buffer, self._lids_at, min(max(float(lids.mean()), 0.0), 1.0))

    def _learn(self, controls: tuple[str, ...]) -> None:
        self._controls = controls
        self._shapes = UnifiedShapes(controls)
        names = self._shapes.names
        signs = np.array([self._sign(name) for name in names], np.float32)
        self._sign_vector = signs if (signs < 0.0).any() else None
        self._build(self._sent(names if self._combined else controls), names)

    def _sent(self, names: Sequence[str]) -> list[AvatarShape]:
        """What goes out, of the shapes that there are."""
        kept = [name for name in names if self._eyes == "parameters" or not _is_eye(name)]
        if self._avatar is not None:
            return [shape for shape in self._avatar.shapes if shape.name in set(kept)]
        signed = dict(zip(self._shapes.names, self._shapes.signed, strict=True))
        return [AvatarShape(name, self._n_bits, signed[name]) for name in kept]

    def _build(self, shapes: Sequence[AvatarShape], names: Sequence[str]) -> None:
        at = {name: index for index, name in enumerate(names)}
        values = [message for shape in shapes for message in self._messages(shape)]
        active = [OscMessage(_ROOT + name, "T", (True,)) for name in _ACTIVE]
        is_native = self._eyes == "native"
        native = [_zeros(_NATIVE_GAZE, 4), _zeros(_NATIVE_LIDS, 1)] if is_native else []
        template = OscTemplate([*active, *native, *values])
        self._template = template
        self._active_words = _tag_words(template, [message.address for message in active])
        if is_native:
            self._gaze_at = template.offsets(_NATIVE_GAZE)[0]
            self._lids_at = template.offsets(_NATIVE_LIDS)[0]
        floats = [shape.name for shape in shapes if not shape.n_bits]
        self._floats = np.array([at[name] for name in floats], np.intp)
        self._float_words = template.word_indexes([self._stem + name for name in floats])
        self._bit_groups = [
            self._bit_group([shape for shape in shapes if shape.n_bits == n_bits], n_bits, at)
            for n_bits in sorted({shape.n_bits for shape in shapes} - {0})
        ]

    def _messages(self, shape: AvatarShape) -> list[OscMessage]:
        address = self._stem + shape.name
        if not shape.n_bits:
            return [OscMessage(address, "f", (0.0,))]
        ends = [str(1 << bit) for bit in range(shape.n_bits)]
        ends += ["Negative"] if shape.has_negative else []
        return [OscMessage(address + end, "F", (False,)) for end in ends]

    def _bit_group(
        self, shapes: Sequence[AvatarShape], n_bits: int, at: Mapping[str, int]
    ) -> _BitGroup:
        stem, template = self._stem, self._template
        bits = [f"{stem}{shape.name}{1 << bit}" for shape in shapes for bit in range(n_bits)]
        negative = [f"{stem}{shape.name}Negative" for shape in shapes if shape.has_negative]
        codes = np.arange(1 << n_bits)[:, None]
        return _BitGroup(
            n_bits,
            shapes=np.array([at[shape.name] for shape in shapes], np.intp),
            is_signed=np.array([shape.has_negative for shape in shapes], np.bool_),
            words=_tag_words(template, bits).reshape(len(shapes), n_bits),
            negative_words=_tag_words(template, negative),
            table=np.where((codes >> np.arange(n_bits)) & 1, _TRUE, _FALSE),
        )

    def _sign(self, name: str) -> float:
        if name.startswith("Head/"):
            return float(getattr(self._signs, name.removeprefix("Head/").lower(), 1.0))
        return self._signs.gaze if name in ("EyeLeftX", "EyeRightX", "EyeX") else 1.0


def _is_eye(name: str) -> bool:
    """Gaze and lid parameters; squint and widening are expressions and stay."""
    return name in ("EyeX", "EyeY", "EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY") or (
        name.startswith(("EyeOpen", "EyeClosed", "EyeLid"))
    )


def _zeros(address: str, n_values: int) -> OscMessage:
    return OscMessage(address, "f" * n_values, (0.0,) * n_values)


def _tag_words(
    template: OscTemplate, addresses: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Word index of the type tags of messages whose only argument is a boolean."""
    return np.array([template.offsets(address)[0] // 4 - 1 for address in addresses], np.intp)

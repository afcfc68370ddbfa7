"""VRChat avatar parameters in VRCFaceTracking's Unified Expressions v2, and native eye tracking.

Source: VRCFaceTracking and VRChat's OSC documentation, see ``docs/protocols.md``. Addresses are
``/avatar/parameters/<prefix>v2/<Shape>``; values -1..1. A shape goes out as one float, or as
bits: booleans ``<Shape>1 2 4 8`` … and ``<Shape>Negative``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from livefacs.arrays import F32
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX
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
    ) -> None:
        self._rig = rig
        self._stem = f"{_ROOT}{prefix}v2/"
        self._combined = combined
        self._n_bits = n_bits
        codes = np.arange(1 << n_bits)[:, None]
        self._bit_table = np.where((codes >> np.arange(n_bits)) & 1, _TRUE, _FALSE)
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
            values = self._shapes.fill(zeros_for_unknown(rig.values))[self._kept]
            if self._sign_vector is not None:
                values = values * self._sign_vector
            if self._n_bits:
                self._fill_bits(values)
            else:
                self._template.floats[self._words] = values
        has_face = Health.NO_FACE not in tracked.health
        self._template.words[self._active_words] = _TRUE if has_face else _FALSE
        if self._eyes == "native":
            self._fill_native(tracked)
        return self._template.datagrams

    def _fill_bits(self, values: F32) -> None:
        magnitude = np.abs(values)
        full = (1 << self._n_bits) - 1
        whole = np.where(
            magnitude > _FULL, full, np.minimum((magnitude * (full + 1)).astype(np.int32), full)
        )
        words = self._template.words
        words[self._bit_words] = self._bit_table[whole]
        words[self._negative_words] = np.where(values[self._signed] < 0.0, _TRUE, _FALSE)

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
        self._kept: slice | npt.NDArray[np.intp]
        self._shapes = UnifiedShapes(controls)
        names = self._shapes.names if self._combined else controls
        keep_eyes = self._eyes == "parameters"
        kept = [i for i, name in enumerate(names) if keep_eyes or not _is_eye(name)]
        is_whole = len(kept) == len(names)
        self._kept = slice(0, len(names)) if is_whole else np.array(kept, np.intp)
        shapes = [names[index] for index in kept]
        is_signed = [self._shapes.signed[index] for index in kept]
        signs = np.array([self._sign(name) for name in shapes], np.float32)
        self._sign_vector = signs if (signs < 0.0).any() else None
        self._signed = np.array(is_signed, np.bool_)
        self._build([self._stem + name for name in shapes], is_signed)

    def _build(self, addresses: Sequence[str], is_signed: Sequence[bool]) -> None:
        n_bits = self._n_bits
        if n_bits:
            values = _bit_messages(addresses, is_signed, n_bits)
        else:
            values = [OscMessage(address, "f", (0.0,)) for address in addresses]
        active = [OscMessage(_ROOT + name, "T", (True,)) for name in _ACTIVE]
        is_native = self._eyes == "native"
        native = [_zeros(_NATIVE_GAZE, 4), _zeros(_NATIVE_LIDS, 1)] if is_native else []
        template = OscTemplate([*active, *native, *values])
        self._template = template
        self._active_words = _tag_words(template, [message.address for message in active])
        if is_native:
            self._gaze_at = template.offsets(_NATIVE_GAZE)[0]
            self._lids_at = template.offsets(_NATIVE_LIDS)[0]
        if not n_bits:
            self._words = template.word_indexes(addresses)
            return
        bits = [f"{address}{1 << bit}" for address in addresses for bit in range(n_bits)]
        self._bit_words = _tag_words(template, bits).reshape(len(addresses), n_bits)
        signed = [name for name, sign in zip(addresses, is_signed, strict=True) if sign]
        self._negative_words = _tag_words(template, [f"{name}Negative" for name in signed])

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


def _bit_messages(
    addresses: Sequence[str], is_signed: Sequence[bool], n_bits: int
) -> list[OscMessage]:
    messages = []
    for address, sign in zip(addresses, is_signed, strict=True):
        suffixes = [str(1 << bit) for bit in range(n_bits)] + (["Negative"] if sign else [])
        messages += [OscMessage(f"{address}{suffix}", "F", (False,)) for suffix in suffixes]
    return messages


def _tag_words(
    template: OscTemplate, addresses: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Word index of the type tags of messages whose only argument is a boolean."""
    return np.array([template.offsets(address)[0] // 4 - 1 for address in addresses], np.intp)

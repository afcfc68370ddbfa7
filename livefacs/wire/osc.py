"""The project's own OSC scheme: one address a value, one bundle a frame.

Addresses under the prefix (``/livefacs``), values as big-endian float32:

- ``frame i``; ``time ii`` (capture, Unix seconds and nanoseconds, UTC); ``health i`` (flags of
  ``types.Health``). These three stand first in every datagram of a frame.
- ``head ffffff``: yaw, pitch, roll in degrees, x, y, z in centimetres, as ``types.HeadPose``.
- ``gaze ffff``: left yaw, left pitch, right yaw, right pitch in degrees, as ``types.Gaze``.
- ``au/AU12_L f`` …: intensities, those of taught actions (``au/X_tongue_out``) last;
  ``letter/AU12_L s`` …: A–E letters, empty below trace, for channels of FACS alone.
- ``<rig>/<control> f`` …: the controls of a rig.

A value that is unknown (NaN) is left out of that frame; in an array it is sent as 0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, I64, Bool
from livefacs.au.letters_a_to_e import LetterScale
from livefacs.clock import NS_PER_S, ClockMap
from livefacs.types import RigFrame, TrackedFrame
from livefacs.vocab.facs import N_AU
from livefacs.wire.osctemplate import Argument, OscMessage, OscTemplate, address_part
from livefacs.wire.rigvalues import finite_mask, zeros_for_unknown

_DEGREES: Final = 180.0 / math.pi
_MAX_LAYOUTS: Final = 32  # sets of unknown channels that are kept prebuilt
_pack_int: Final = struct.Struct(">I").pack_into
_pack_time: Final = struct.Struct(">II").pack_into
_pack_head: Final = struct.Struct(">6f").pack_into
_pack_gaze: Final = struct.Struct(">4f").pack_into

_LETTER_WORDS: Final = np.frombuffer(
    b"".join(letter.encode().ljust(4, b"\0") for letter in ("", "A", "B", "C", "D", "E")), np.uint32
)
"""The OSC string of each level of ``LetterScale``."""


_ABOUT: Final[dict[str, dict[str, Any]]] = {
    "frame": {"DESCRIPTION": "number of the frame"},
    "time": {"DESCRIPTION": "of capture: Unix seconds and nanoseconds, UTC"},
    "health": {"DESCRIPTION": "flags of the frame, a bit each"},
    "head": {"DESCRIPTION": "yaw, pitch, roll in degrees; x, y, z in centimetres"},
    "gaze": {"DESCRIPTION": "left yaw, left pitch, right yaw, right pitch in degrees"},
    "au": {
        "DESCRIPTION": "intensity: 1 is the performer's own maximum, which may be exceeded",
        "RANGE": [{"MIN": 0.0}],
    },
    "letter": {
        "DESCRIPTION": "A–E letter, empty below trace",
        "RANGE": [{"VALS": ["", "A", "B", "C", "D", "E"]}],
    },
}


def about(address: str, prefix: str) -> Mapping[str, Any]:
    """What OSCQuery tells of an address: its range and what it is."""
    parts = address.removeprefix(prefix).strip("/").split("/")
    kind = parts[1] if parts[0].isdigit() and len(parts) > 1 else parts[0]
    return _ABOUT.get(kind, {"DESCRIPTION": "a control of the rig"})


class _Layout:
    """A template with the places of what changes."""

    def __init__(self, template: OscTemplate, prefix: str) -> None:
        self.template = template
        self.frame_at = template.offsets(f"{prefix}/frame")
        self.time_at = template.offsets(f"{prefix}/time")
        self.health_at = template.offsets(f"{prefix}/health")
        self.head_at = template.offsets(f"{prefix}/head")[0]
        self.gaze_at = template.offsets(f"{prefix}/gaze")[0]


class OscEncoder:
    """Encodes tracked frames in the project's own scheme.

    Parameters
    ----------
    clock : ClockMap
        Turns capture times into Unix time.
    prefix : str
        Start of every address, ``/livefacs``; empty for none.
    bundle : bool
        One bundle a datagram (at most 1400 bytes); otherwise one message a datagram.
    array : bool
        One message with all intensities in channel order (and one with all controls of the rig),
        instead of one message a value.
    letters : bool
        A–E letters besides the intensities, steady at the borders; provisional while ``health``
        says uncalibrated.
    units : bool
        False leaves the Action Units out, where only a rig is wanted.
    rig : str or None
        Rig whose controls are sent too.
    """

    def __init__(
        self,
        clock: ClockMap,
        *,
        prefix: str = "/livefacs",
        bundle: bool = True,
        array: bool = False,
        letters: bool = False,
        units: bool = True,
        rig: str | None = None,
    ) -> None:
        self._clock = clock
        self._prefix = prefix.rstrip("/")
        self._bundle = bundle
        self._array = array
        self._letters = letters and not array
        self._scale = LetterScale()
        self._units = units
        self._rig = rig
        self._layouts: dict[tuple[object, ...], _ScalarLayout | _ArrayLayout] = {}

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """The datagrams of one frame; views of one buffer, valid until the next call."""
        rig = tracked.rigs.get(self._rig) if self._rig is not None else None
        intensity, channels = tracked.units.intensity, tracked.units.channels
        layout = self._layout(intensity, channels, rig)
        levels = self._scale.step(intensity[:N_AU]) if self._letters else self._scale.levels
        layout.fill(intensity, levels, rig)
        self._fill_common(layout, tracked)
        return layout.template.datagrams

    def _fill_common(self, layout: _Layout, tracked: TrackedFrame) -> None:
        buffer = layout.template.buffer
        seconds, rest_ns = divmod(self._clock.unix_ns_from_session(tracked.t_ns), NS_PER_S)
        for offset in layout.frame_at:
            _pack_int(buffer, offset, tracked.i_frame & 0x7FFFFFFF)
        for offset in layout.time_at:
            _pack_time(buffer, offset, seconds & 0xFFFFFFFF, rest_ns)
        for offset in layout.health_at:
            _pack_int(buffer, offset, tracked.health)
        head, gaze = tracked.head, tracked.gaze
        _pack_head(
            buffer,
            layout.head_at,
            head.yaw_rad * _DEGREES,
            head.pitch_rad * _DEGREES,
            head.roll_rad * _DEGREES,
            head.x_cm,
            head.y_cm,
            head.z_cm,
        )
        _pack_gaze(
            buffer,
            layout.gaze_at,
            gaze.left_yaw_rad * _DEGREES,
            gaze.left_pitch_rad * _DEGREES,
            gaze.right_yaw_rad * _DEGREES,
            gaze.right_pitch_rad * _DEGREES,
        )

    def _layout(
        self, intensity: F32, channels: tuple[str, ...], rig: RigFrame | None
    ) -> _ScalarLayout | _ArrayLayout:
        known = None if self._array else finite_mask(intensity)
        known_controls = None if self._array or rig is None else finite_mask(rig.values)
        key = (
            id(channels),
            None if known is None else known.tobytes(),
            None if rig is None else id(rig.controls),
            None if known_controls is None else known_controls.tobytes(),
        )
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            layout = self._build(channels, known, rig, known_controls)
            self._layouts[key] = layout
        return layout

    def _build(
        self,
        channels: tuple[str, ...],
        known: Bool | None,
        rig: RigFrame | None,
        known_controls: Bool | None,
    ) -> _ScalarLayout | _ArrayLayout:
        common = self._prefix, self._bundle, self._units, channels
        if self._array:
            return _ArrayLayout(*common, rig)
        return _ScalarLayout(*common, self._letters, known, rig, known_controls)


class _ScalarLayout(_Layout):
    """One message a value."""

    def __init__(
        self,
        prefix: str,
        bundle: bool,
        units: bool,
        channels: tuple[str, ...],
        letters: bool,
        known: Bool | None,
        rig: RigFrame | None,
        known_controls: Bool | None,
    ) -> None:
        self._known = known
        self._channels = channels  # keeps the cache key's id alive, as the controls do
        self._known_controls = known_controls
        self._controls = None if rig is None else rig.controls  # keeps the cache key's id alive
        self._known_letters = None if known is None else known[:N_AU]
        lettered = _kept(channels[:N_AU], self._known_letters) if units and letters else []
        values = [f"{prefix}/au/{name}" for name in _kept(channels, known)] if units else []
        texts = [f"{prefix}/letter/{name}" for name in lettered]
        controls = [] if rig is None else _control_addresses(prefix, rig, known_controls)
        messages = [
            *_pose_messages(prefix),
            *(OscMessage(address, "f", (0.0,)) for address in values),
            *(OscMessage(address, "s", ("",)) for address in texts),
            *(OscMessage(address, "f", (0.0,)) for address in controls),
        ]
        template = OscTemplate(messages, header=_header(prefix), bundle=bundle)
        super().__init__(template, prefix)
        self._value_words = template.word_indexes(values) if values else None
        self._letter_words = template.word_indexes(texts) if texts else None
        self._control_words = template.word_indexes(controls) if controls else None

    def fill(self, intensity: F32, levels: I64, rig: RigFrame | None) -> None:
        """Write the values of one frame."""
        if self._value_words is not None:
            known = self._known
            self.template.floats[self._value_words] = (
                intensity if known is None else intensity[known]
            )
        if self._letter_words is not None:
            shown = levels if self._known_letters is None else levels[self._known_letters]
            self.template.words[self._letter_words] = _LETTER_WORDS[shown]
        if self._control_words is not None and rig is not None:
            known = self._known_controls
            self.template.floats[self._control_words] = (
                rig.values if known is None else rig.values[known]
            )


class _ArrayLayout(_Layout):
    """All values of a kind in one message."""

    def __init__(
        self,
        prefix: str,
        bundle: bool,
        units: bool,
        channels: tuple[str, ...],
        rig: RigFrame | None,
    ) -> None:
        self._channels = channels
        self._controls = None if rig is None else rig.controls
        unit_address = f"{prefix}/au"
        messages = list(_pose_messages(prefix))
        if units:
            messages.append(_array_message(unit_address, len(channels)))
        rig_address = "" if rig is None else f"{prefix}/{address_part(rig.rig)}"
        if rig is not None:
            messages.append(_array_message(rig_address, len(rig.controls)))
        template = OscTemplate(messages, header=_header(prefix), bundle=bundle)
        super().__init__(template, prefix)
        self._units = _span(template, unit_address, len(channels)) if units else None
        self._rig = None if rig is None else _span(template, rig_address, len(rig.controls))

    def fill(self, intensity: F32, levels: I64, rig: RigFrame | None) -> None:
        """Write the values of one frame; unknown ones as 0."""
        if self._units is not None:
            self._units[:] = zeros_for_unknown(intensity)
        if self._rig is not None and rig is not None:
            self._rig[:] = zeros_for_unknown(rig.values)


def _header(prefix: str) -> tuple[OscMessage, ...]:
    return (
        OscMessage(f"{prefix}/frame", "i", (0,)),
        OscMessage(f"{prefix}/time", "ii", (0, 0)),
        OscMessage(f"{prefix}/health", "i", (0,)),
    )


def _pose_messages(prefix: str) -> tuple[OscMessage, ...]:
    return (_array_message(f"{prefix}/head", 6), _array_message(f"{prefix}/gaze", 4))


def _array_message(address: str, n_values: int) -> OscMessage:
    zeros: tuple[Argument, ...] = (0.0,) * n_values
    return OscMessage(address, "f" * n_values, zeros)


def _span(template: OscTemplate, address: str, n_values: int) -> F32:
    if n_values == 0:
        return template.floats[:0]
    start = template.offsets(address)[0] // 4
    return template.floats[start : start + n_values]


def _kept(names: Sequence[str], known: Bool | None) -> list[str]:
    if known is None:
        return list(names)
    return [name for name, is_known in zip(names, known, strict=True) if is_known]


def _control_addresses(prefix: str, rig: RigFrame, known: Bool | None) -> list[str]:
    stem = f"{prefix}/{address_part(rig.rig)}"
    return [f"{stem}/{address_part(name)}" for name in _kept(rig.controls, known)]

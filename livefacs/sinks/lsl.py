"""Lab Streaming Layer: Action Units, pose, gaze and a rig's controls as one stream.

Needs the optional package pylsl (``pip install "livefacs[lsl]"``).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import now_ns, s_from_ns
from livefacs.errors import SinkError
from livefacs.types import RigFrame, SinkCounters, TrackedFrame

_QUIET: Final = "[log]\nlevel = -2\n"  # errors only, on the user's terminal
_SCOPES: Final = {
    "machine": _QUIET + "[ports]\nIPv6 = disable\n[multicast]\nResolveScope = machine\n"
    "ListenAddress = 127.0.0.1\n",
    "network": _QUIET + "[multicast]\nResolveScope = site\n",
}
_POSE: Final = (
    *(("head_" + name, "rad") for name in ("yaw", "pitch", "roll")),
    *(("head_" + name, "cm") for name in "xyz"),
    *((f"gaze_{side}_{name}", "rad") for side in ("left", "right") for name in ("yaw", "pitch")),
)
_TYPE: Final = "Expression"


def import_pylsl(url: str, scope: str) -> Any:
    """The library, set to a scope (which holds for the process, from the first stream on).

    Raises
    ------
    SinkError
        pylsl is not installed, or its native library cannot be loaded.
    """
    try:
        import pylsl
    except (ImportError, RuntimeError, OSError) as error:
        raise SinkError(
            f"output {url!r}: Lab Streaming Layer is not available ({error}); "
            'expected the package pylsl: pip install "livefacs[lsl]"'
        ) from None
    pylsl.set_config_content(_SCOPES[scope])
    return pylsl


class LslSink:
    """Pushes one sample a frame: health, Action Units, head, gaze, then the rig's controls.

    Samples carry LSL's clock at the moment of capture. Values that are unknown are sent as 0, as
    the stream has no place to leave one out. The stream opens with the first frame, when the
    rig's controls are known. The scope (this machine, or the network) holds for the whole process.

    Parameters
    ----------
    url : str
    name : str
        Name of the stream.
    rig : str or None
    scope : "machine" or "network"
        Where the stream can be found. The library's data port is open on every interface.
    performers : int
        With several, each has a sample a frame, and the first channel, ``face``, says whose it is.

    Raises
    ------
    SinkError
        pylsl is not installed, or its native library cannot be loaded.
    """

    def __init__(
        self, url: str, name: str, rig: str | None, scope: str, performers: int = 1
    ) -> None:
        pylsl = import_pylsl(url, scope)
        self.url = url
        self.counters = SinkCounters()
        self._pylsl = pylsl
        self._name = name
        self._rig = rig
        self._lead: tuple[str, ...] = ("face", "health") if performers > 1 else ("health",)
        self._controls: tuple[str, ...] | None = None
        self._outlet: Any = None
        self._sample: F32 = np.zeros(0, np.float32)
        self._lsl_minus_session_s = pylsl.local_clock() - s_from_ns(now_ns())

    def send(self, tracked: TrackedFrame) -> None:
        """Push a sample a performer; the library buffers for slow readers in its own threads."""
        self.counters.frames += 1
        for face, each in enumerate((tracked, *tracked.others), 1):
            self._push(each, face)

    def _push(self, tracked: TrackedFrame, face: int) -> None:
        rig = tracked.rigs.get(self._rig) if self._rig is not None else None
        controls = () if rig is None else rig.controls
        if self._outlet is None or (controls is not self._controls and controls != self._controls):
            self._open(tracked.units.channels, controls)
        self._controls = controls
        self._fill(tracked, rig, face)
        self._outlet.push_sample(self._sample, s_from_ns(tracked.t_ns) + self._lsl_minus_session_s)
        counters = self.counters
        counters.packets += 1
        counters.bytes += self._sample.nbytes

    def close(self) -> None:
        """End the stream."""
        self._outlet = None

    def _fill(self, tracked: TrackedFrame, rig: RigFrame | None, face: int) -> None:
        sample, n_lead = self._sample, len(self._lead)
        n_units, n_pose = len(tracked.units.channels), len(_POSE)
        sample[:n_lead] = (face, int(tracked.health))[-n_lead:]
        sample[n_lead : n_lead + n_units] = tracked.units.intensity
        sample[n_lead + n_units : n_lead + n_units + n_pose] = tracked.pose_values()
        if rig is not None:
            sample[n_lead + n_units + n_pose :] = rig.values
        np.nan_to_num(sample, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def _open(self, units: tuple[str, ...], controls: tuple[str, ...]) -> None:
        channels = [
            *((name, {"face": "number", "health": "flags"}[name]) for name in self._lead),
            *((name, "normalized") for name in units),
            *_POSE,
            *((name, "rig") for name in controls),
        ]
        lsl = self._pylsl
        info = lsl.StreamInfo(
            self._name,
            _TYPE,
            len(channels),
            lsl.IRREGULAR_RATE,
            "float32",
            f"livefacs-{self._name}",
        )
        described = info.desc().append_child("channels")
        for label, unit in channels:
            channel = described.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", unit)
            channel.append_child_value("type", _TYPE)
        self._sample = np.zeros(len(channels), np.float32)
        self._outlet = lsl.StreamOutlet(info)

"""A sink that can be swept while a session runs: each control in its turn, not the face."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from livefacs.protocols import Sink
from livefacs.sinks.probe_frames import Step, SweptRig, sweep_frames, sweep_steps
from livefacs.types import TrackedFrame

_STEP_S: Final = 0.6
_RATE_HZ: Final = 30.0


class Sweeping:
    """Passes frames on, or those of a sweep while one runs. ``send`` has one caller.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.url = sink.url
        self.counters = sink.counters
        self._frames: Iterator[tuple[Step, TrackedFrame]] | None = None
        self._on_step: Callable[[str], None] = lambda _name: None
        self._told = ""

    def toggle(
        self, rigs: Mapping[str, SweptRig], *, units: bool, on_step: Callable[[str], None]
    ) -> None:
        """Begin a sweep, or end the one that runs.

        ``on_step`` is told the name of what moves, and an empty one at the end.
        """
        if self._frames is not None:
            self.stop()
            return
        self._on_step, self._told = on_step, ""
        self._frames = _all_frames(rigs, units)

    def stop(self) -> None:
        """End a sweep."""
        if self._frames is not None:
            self._frames = None
            self._on_step("")

    def send(self, tracked: TrackedFrame) -> None:
        """Send the frame, or the next of the sweep at its time."""
        frames = self._frames
        found = None if frames is None else next(frames, None)
        if found is None:
            if frames is not None:
                self.stop()
            self.sink.send(tracked)
            return
        step, frame = found
        if step.name != self._told:
            self._told = step.name
            self._on_step(step.name)
        self.sink.send(replace(frame, t_ns=tracked.t_ns, i_frame=tracked.i_frame))

    def close(self) -> None:
        """Close the sink."""
        self.sink.close()


def _all_frames(rigs: Mapping[str, SweptRig], units: bool) -> Iterator[tuple[Step, TrackedFrame]]:
    for step in sweep_steps(rigs, units=units):
        for frame in sweep_frames(step, rigs, seconds=_STEP_S, rate_hz=_RATE_HZ, i_first=0):
            yield step, frame

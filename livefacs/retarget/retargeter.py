"""Runs a compiled map frame by frame, and takes up an edited one while it runs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.errors import RigMapError
from livefacs.kernels import retarget
from livefacs.retarget.compiler import RigProgram
from livefacs.retarget.inputs import (
    MEAN_PAIRS,
    N_SIGNALS,
    Performance,
    read_signals,
    read_taught,
)
from livefacs.retarget.library import load_rig, map_files
from livefacs.types import RigFrame, TrackedFrame

_log = logging.getLogger(__name__)

_LONGEST_GAP_NS: Final = 1_000_000_000
"""After a longer gap, or a step back in time, smoothing starts anew."""
_ABSENT: Final = (0, 0)
"""Stamp of a file that an editor has moved away for a moment, to write it anew."""


class Retargeter:
    """Turns tracked frames into the controls of one rig; keeps the smoothing state.

    A mirrored performance needs its own ``Retargeter``: the state belongs to the sides.

    Parameters
    ----------
    program : RigProgram
    """

    def __init__(self, program: RigProgram) -> None:
        self._run = _Run(program)

    @property
    def rig(self) -> str:
        """Name of the map."""
        return self._run.program.rig

    @property
    def program(self) -> RigProgram:
        """What runs now."""
        return self._run.program

    @property
    def signals(self) -> F64:
        """(N_SIGNALS,) float64: what was read of the last frame, means and zeros filled in."""
        return self._run.signals[:N_SIGNALS].copy()

    @property
    def drives(self) -> F64:
        """(n_controls,) float64: what drove each control in the last frame, before its shape."""
        return self._run.state[:, retarget.DRIVE].copy()

    def replace_program(self, program: RigProgram) -> None:
        """Run another program from the next frame on; smoothing starts anew. From any thread."""
        self._run = _Run(program)

    def retarget(self, tracked: TrackedFrame) -> RigFrame:
        """Control values from the units, head and gaze of a frame; unknown values count as 0."""
        run = self._run  # another thread may exchange it
        read_signals(tracked, run.signals)
        units = tracked.units
        read_taught(units.intensity, units.channels, run.program.taught, run.signals)
        values = run.values(tracked.t_ns)
        return RigFrame(run.program.rig, run.program.controls, values)

    def run(self, performance: Performance) -> F32:
        """Control values of many frames, the same as one after the other.

        Returns
        -------
        (T, n_controls) float32
        """
        run, times_ns = self._run, performance.t_ns.tolist()
        values = np.empty((len(times_ns), len(run.program.controls)), np.float32)
        for index, (row, t_ns) in enumerate(zip(performance.signals, times_ns, strict=True)):
            run.signals[:N_SIGNALS] = row[:N_SIGNALS]  # the kernel writes into what it reads
            read_taught(row[N_SIGNALS:], performance.taught, run.program.taught, run.signals)
            values[index] = run.values(t_ns)
        return values


class _Run:
    """A program with its state, exchanged as one."""

    __slots__ = ("program", "signals", "state", "t_ns")

    def __init__(self, program: RigProgram) -> None:
        self.program = program
        self.signals: F64 = np.zeros(N_SIGNALS + len(program.taught))
        self.state: F64 = np.zeros((len(program.controls), retarget.N_STATE))
        self.t_ns: int | None = None

    def values(self, t_ns: int) -> F32:
        """(n_controls,) float32 of the next frame, of ``signals``, whose means are completed."""
        program = self.program
        values = np.empty(len(program.controls), np.float32)
        retarget.retarget(
            self.signals,
            MEAN_PAIRS,
            program.numbers,
            program.spans,
            program.entry_signal,
            program.entry_weight,
            program.combinations,
            program.combination_weight,
            program.curves,
            self.state,
            self.seconds_since(t_ns),
            values,
        )
        return values

    def seconds_since(self, t_ns: int) -> float:
        """Seconds since the frame before; negative where smoothing starts anew."""
        before, self.t_ns = self.t_ns, t_ns
        if before is None or not 0 <= t_ns - before <= _LONGEST_GAP_NS:
            return -1.0
        return (t_ns - before) * 1e-9


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of an edited map: taken up, or its errors."""

    rig: str
    errors: tuple[str, ...] = ()

    @property
    def is_taken(self) -> bool:
        """True where the edited map runs now."""
        return not self.errors


class RigWatch:
    """Looks whether the files of a running map changed. Opens no thread: it is polled, from any.

    Parameters
    ----------
    retargeters : Retargeter
        All that run this map, plain and mirrored.
    """

    def __init__(self, *retargeters: Retargeter) -> None:
        self._retargeters = retargeters
        self._files = retargeters[0].program.files
        self._stamps = file_stamps(self._files)

    def reload_if_changed(self) -> Reload | None:
        """Take an edited map up; None where nothing changed since the last look.

        A map with errors leaves the old one running. Never raises for a bad map.
        """
        stamps = file_stamps(self._files)
        if stamps == self._stamps or _ABSENT in stamps:
            return None
        self._stamps = stamps
        rig = self._retargeters[0].rig
        try:
            files = map_files(self._files[0])
            if files != self._files:
                self._files, self._stamps = files, file_stamps(files)
            program = load_rig(files[0])
        except RigMapError as error:
            return Reload(rig, error.errors or (str(error),))
        except Exception as error:  # whatever an editor leaves behind, the rig runs on
            _log.exception("map of rig %s", rig)
            return Reload(rig, (f"{self._files[0]}: {type(error).__name__}: {error}",))
        for retargeter in self._retargeters:
            retargeter.replace_program(program)
        return Reload(rig)


def file_stamps(files: tuple[Path, ...]) -> tuple[tuple[int, int], ...]:
    """Time and size of each file; zeros where it is not there."""
    stamps = []
    for file in files:
        try:
            status = file.stat()
            stamps.append((status.st_mtime_ns, status.st_size))
        except OSError:
            stamps.append(_ABSENT)
    return tuple(stamps)

"""Takes one after the other, under one folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from livefacs.clock import ClockMap
from livefacs.errors import TakeError
from livefacs.protocols import TakeRequest
from livefacs.sinks.performers_recorder import PerformersRecorder
from livefacs.sinks.recorder import RecorderSink
from livefacs.sinks.take_sound import OpenSound
from livefacs.sinks.take_summary import TakeSummary
from livefacs.take.layout import TakeInfo, TimecodeStart, make_take_folder
from livefacs.take.performers import performer_folder
from livefacs.take.writer import CountFrames

TakeTimecode: TypeAlias = Callable[[int], tuple[TimecodeStart, CountFrames] | None]
"""Timecode of a take that begins at a session time; None where the wire is silent."""


class TakeFactory:
    """Opens takes one after the other under one folder; the session's recording factory.

    Parameters
    ----------
    parent : Path
        Where the takes go, each as ``SLATE_NNN``.
    infos : sequence of TakeInfo
        What is common to all of them, for each performer.
    timecode : TakeTimecode or None
        Where each take stands on the wire; None: as the infos say.
    video, sound, on_warning : as of ``RecorderSink``; the latter is told of each take's end, too
    exact : bool
        ``parent`` is to be the first take itself, whose end is not told; others stand beside it.
    """

    def __init__(
        self,
        parent: Path,
        infos: Sequence[TakeInfo],
        *,
        video: bool = False,
        sound: OpenSound | None = None,
        timecode: TakeTimecode | None = None,
        on_warning: Callable[[str], None] | None = None,
        exact: bool = False,
    ) -> None:
        self.parent = parent
        self.infos = tuple(infos)
        self._video = video
        self._sound = sound
        self._timecode = timecode
        self._on_warning = on_warning
        self._exact = exact
        self._newest: RecorderSink | PerformersRecorder | None = None

    @property
    def failure(self) -> str:
        """Why the newest take ended early; empty where it did not."""
        return "" if self._newest is None else self._newest.failure

    def note_clap(self, t_ns: int) -> None:
        """Mark a clap that was heard at a session time, in the newest take; any thread."""
        if self._newest is not None:
            self._newest.mark("clap", "clap", t_ns=t_ns)

    def __call__(self, request: TakeRequest) -> RecorderSink | PerformersRecorder:
        """A new take. A number that is taken moves on to the next free one.

        Raises
        ------
        TakeError
            It cannot be made.
        """
        common, number = self.infos[0], request.number
        slate = common.slate if request.slate is None else request.slate
        notes = common.notes if request.notes is None else request.notes
        on_end = None if self._exact else self._tell_of
        if self._exact:
            folder, number = self.parent, common.number if number is None else number
            self._exact, self.parent = False, self.parent.parent
        else:
            folder, number = make_take_folder(self.parent, slate, number)
        infos = [replace(info, slate=slate, number=number, notes=notes) for info in self.infos]
        clock = ClockMap.read()
        if request.since_ns is not None:
            clock = ClockMap(request.since_ns, clock.unix_ns_from_session(request.since_ns))
        try:
            info, count = self._labelled(infos[0], clock)
            first = RecorderSink(
                folder,
                info,
                count=count,
                video=self._video,
                sound=self._sound,
                on_warning=self._on_warning,
                on_end=on_end,
                clock=clock,
            )
            self._newest = first if len(infos) == 1 else self._with_others(first, infos, clock)
        except TakeError:
            with contextlib.suppress(OSError):  # only where it is empty
                folder.rmdir()
            raise
        return self._newest

    def _with_others(
        self, first: RecorderSink, infos: Sequence[TakeInfo], clock: ClockMap
    ) -> PerformersRecorder:
        """The recorders of all performers; none stays open where one cannot be made."""
        recorders = [first]
        try:
            for info in infos[1:]:
                folder = performer_folder(first.folder, info.performer)
                labelled, count = self._labelled(info, clock)
                recorders.append(
                    RecorderSink(
                        folder, labelled, count=count, on_warning=self._on_warning, clock=clock
                    )
                )
        except TakeError:
            for recorder in recorders:
                recorder.close()
            raise
        return PerformersRecorder(recorders)

    def _labelled(self, info: TakeInfo, clock: ClockMap) -> tuple[TakeInfo, CountFrames | None]:
        """With the timecode of the wire, where there is one and it is heard."""
        heard = None if self._timecode is None else self._timecode(clock.session_ns)
        return (info, None) if heard is None else (replace(info, timecode=heard[0]), heard[1])

    def _tell_of(self, take: TakeSummary) -> None:
        if self._on_warning is None:
            return
        counts = {"dropped": take.dropped, "late": take.late}
        more = "".join(f", {count} {what}" for what, count in counts.items() if count)
        failure = f"; {take.failure}" if take.failure else ""
        self._on_warning(f"{take.folder}: {take.rows} frames{more}{failure}")

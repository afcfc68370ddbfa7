"""Records several performers: a take each, the first at the top, the others in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from livefacs.sinks.recorder import RecorderSink
from livefacs.types import TrackedFrame
from livefacs.workers import close_all


class PerformersRecorder:
    """The recorders of one take (``session.takes.Recording``).

    Row ``n`` of every performer's take is the same frame. What ends one of them early ends none of
    the others, and is told.

    Parameters
    ----------
    recorders : sequence of RecorderSink
        By number of the performer.
    """

    def __init__(self, recorders: Sequence[RecorderSink]) -> None:
        self.recorders = tuple(recorders)

    @property
    def timecode(self) -> str:
        """Timecode label at which the take starts."""
        return self.recorders[0].timecode

    @property
    def late(self) -> bool:
        """True while a writer is behind by half its queue."""
        return any(recorder.late for recorder in self.recorders)

    @property
    def failure(self) -> str:
        """Why something more is not recorded; empty while all is well."""
        return next((each.failure for each in self.recorders if each.failure), "")

    def send(self, tracked: TrackedFrame) -> None:
        """Queue one frame of each performer for the writers."""
        everyone = (replace(tracked, others=()), *tracked.others)
        for recorder, frame in zip(self.recorders, everyone, strict=True):
            recorder.send(frame)

    def mark(
        self,
        label: str,
        kind: str = "mark",
        face: int | None = None,
        t_ns: int | None = None,
    ) -> None:
        """Put a marker in the take of one performer, or of all."""
        for number, recorder in enumerate(self.recorders, 1):
            if face in (None, number):
                recorder.mark(label, kind, t_ns=t_ns)

    def finish(self) -> tuple[str, str, str]:
        """Close; end timecode, folder of the take, path of the video (empty without one)."""
        close_all((str(each.folder), each.finish) for each in self.recorders[1:])
        return self.recorders[0].finish()

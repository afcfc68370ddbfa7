"""Takes one after the other, under one folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from livefacs.errors import TakeError
from livefacs.sinks.recorder import RecorderSink, TakeSummary
from livefacs.take.model import TakeInfo, make_take_folder


class TakeFactory:
    """Opens takes one after the other under one folder; the session's recording factory.

    Parameters
    ----------
    parent : Path
        Where the takes go, each as ``SLATE_NNN``.
    info : TakeInfo
        What is common to all of them.
    video, on_warning : as of ``RecorderSink``; the latter is told of each take's end, too
    exact : bool
        ``parent`` is to be the first take itself, whose end is not told; others stand beside it.
    """

    def __init__(
        self,
        parent: Path,
        info: TakeInfo,
        *,
        video: bool = False,
        on_warning: Callable[[str], None] | None = None,
        exact: bool = False,
    ) -> None:
        self.parent = parent
        self.info = info
        self._video = video
        self._on_warning = on_warning
        self._exact = exact
        self._newest: RecorderSink | None = None

    @property
    def failure(self) -> str:
        """Why the newest take ended early; empty where it did not."""
        return "" if self._newest is None else self._newest.failure

    def __call__(self, slate: str | None = None, number: int | None = None) -> RecorderSink:
        """A new take. A number that is taken moves on to the next free one.

        Raises
        ------
        TakeError
            It cannot be made.
        """
        slate = self.info.slate if slate is None else slate
        on_end = None if self._exact else self._tell_of
        if self._exact:
            folder, number = self.parent, self.info.number if number is None else number
            self._exact, self.parent = False, self.parent.parent
        else:
            folder, number = make_take_folder(self.parent, slate, number)
        info = replace(self.info, slate=slate, number=number)
        try:
            self._newest = RecorderSink(
                folder, info, video=self._video, on_warning=self._on_warning, on_end=on_end
            )
        except TakeError:
            with contextlib.suppress(OSError):  # only where it is empty
                folder.rmdir()
            raise
        return self._newest

    def _tell_of(self, take: TakeSummary) -> None:
        if self._on_warning is None:
            return
        counts = {"dropped": take.dropped, "late": take.late}
        more = "".join(f", {count} {what}" for what, count in counts.items() if count)
        failure = f"; {take.failure}" if take.failure else ""
        self._on_warning(f"{take.folder}: {take.rows} frames{more}{failure}")

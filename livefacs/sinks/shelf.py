"""Takes one after the other, under one folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from livefacs.errors import TakeError
from livefacs.sinks.recorder import RecorderSink
from livefacs.take.model import TakeInfo, make_take_folder


class TakeShelf:
    """Opens takes one after the other under one folder; the session's recording factory.

    Parameters
    ----------
    parent : Path
        Where the takes go, each as ``SLATE_NNN``.
    info : TakeInfo
        What is common to all of them.
    video, on_warning : as of ``RecorderSink``
    exact : bool
        ``parent`` is to be the first take itself; later ones stand beside it.
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

    def __call__(self, slate: str | None = None, number: int | None = None) -> RecorderSink:
        """A new take. A number that is taken moves on to the next free one.

        Raises
        ------
        TakeError
            It cannot be made.
        """
        slate = self.info.slate if slate is None else slate
        if self._exact:
            folder, number = self.parent, self.info.number if number is None else number
            self._exact, self.parent = False, self.parent.parent
        else:
            folder, number = make_take_folder(self.parent, slate, number)
        info = replace(self.info, slate=slate, number=number)
        try:
            return RecorderSink(folder, info, video=self._video, on_warning=self._on_warning)
        except TakeError:
            with contextlib.suppress(OSError):  # only where it is empty
                folder.rmdir()
            raise

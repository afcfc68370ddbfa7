"""What outputs have to say while a session runs: new errors for the log, and what ended one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from livefacs.types import SinkCounters

_log = logging.getLogger(__name__)


class OutputWatch:
    """Looked at now and then by the session's thread."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def failure(self, outputs: Iterable[tuple[str, SinkCounters]]) -> BaseException | None:
        """Log errors that are new; what ended an output's own thread, where one has ended.

        Parameters
        ----------
        outputs : pairs of URL and counters
        """
        failure = None
        for url, counters in outputs:
            if counters.last_error != self._told.get(url, ""):
                self._told[url] = counters.last_error
                _log.warning("%s: %s", url, counters.last_error or "well again")
            failure = failure or counters.failure
        return failure


def outputs_document(counters_by_url: Mapping[str, SinkCounters]) -> list[dict[str, Any]]:
    """What each output did, as plain values."""
    return [
        {
            "url": url,
            "packets": counters.packets,
            "bytes": counters.bytes,
            "refused": counters.refused,
            "last_error": counters.last_error,
        }
        for url, counters in counters_by_url.items()
    ]

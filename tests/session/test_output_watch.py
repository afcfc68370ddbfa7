"""Errors of outputs reach the log once each, and the session what ended one."""

from __future__ import annotations

import logging

import pytest

from livefacs.session.output_watch import OutputWatch
from livefacs.types import SinkCounters


def test_an_error_is_logged_when_it_comes_and_when_it_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, counters = OutputWatch(), SinkCounters()
    with caplog.at_level(logging.INFO, logger="livefacs"):
        for error in ("", "refused", "refused", "", ""):
            counters.last_error = error
            assert watch.failure([("osc://a:1", counters)]) is None
    assert [record.getMessage() for record in caplog.records] == [
        "osc://a:1: refused",
        "osc://a:1: well again",
    ]


def test_what_ended_an_output_is_handed_on() -> None:
    well, ended = SinkCounters(), SinkCounters()
    ended.fail(ZeroDivisionError("in its thread"))
    assert ended.last_error == "ZeroDivisionError: in its thread"
    assert OutputWatch().failure([("a", well), ("b", ended)]) is ended.failure

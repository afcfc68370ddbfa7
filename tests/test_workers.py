"""Threads whose errors are kept, and parts that are closed whatever one of them does."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from livefacs.workers import Closing, Worker, close_all, side_by_side
from tests.support.waiting import PATIENCE_S


def test_what_ends_a_worker_is_kept_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[BaseException] = []

    def fail() -> None:
        raise ValueError("of a worker")

    worker = Worker(fail, "livefacs-test", told.append)
    worker.start()
    worker.join(PATIENCE_S)
    assert isinstance(worker.failure, ValueError)
    assert told == [worker.failure]
    assert "livefacs-test ended" in caplog.text
    assert "of a worker" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
def test_a_worker_that_gives_way_lowers_its_own_priority_alone() -> None:
    def level() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    levels: list[int] = []
    for gives_way in (True, False):
        worker = Worker(lambda: levels.append(level()), "livefacs-test", gives_way=gives_way)
        worker.start()
        worker.join(PATIENCE_S)
        assert worker.failure is None
    assert levels[0] > level()
    assert levels[1] == level()


def test_parts_are_closed_in_reverse_order_once_each() -> None:
    closed: list[int] = []
    closing = Closing()
    for part in range(5):
        closing.add(str(part), lambda part=part: closed.append(part))
    closing.close()
    closing.close()
    assert closed == [4, 3, 2, 1, 0]
    assert (closing.hung, closing.failures) == ([], [])


def test_neither_a_hanging_nor_a_failing_part_keeps_another_from_being_closed() -> None:
    closed: list[str] = []
    for_ever = threading.Event()

    def fail() -> None:
        raise OSError("device gone")

    closing = Closing(limit_s=1.0)
    closing.add("last", lambda: closed.append("last"))
    closing.add("failing", fail)
    closing.add("hanging", for_ever.wait)
    closing.add("first", lambda: closed.append("first"))
    began = time.monotonic()
    closing.close()
    assert 0.9 < time.monotonic() - began < 5.0
    assert closed == ["first", "last"]
    assert closing.hung == ["hanging"]
    assert [str(failure) for failure in closing.failures] == ["device gone"]
    for_ever.set()


def test_close_all_raises_the_first_failure_when_all_is_closed() -> None:
    closed: list[str] = []

    def fail() -> None:
        raise OSError("port gone")

    with pytest.raises(OSError, match="port gone"):
        close_all([("a", fail), ("b", lambda: closed.append("b"))])
    assert closed == ["b"]


def test_jobs_run_side_by_side_the_first_of_them_here() -> None:
    meeting = threading.Barrier(3)

    def job(number: int) -> tuple[int, int]:
        meeting.wait(PATIENCE_S)  # passed only where all three are under way
        return number, threading.get_ident()

    with ThreadPoolExecutor(2) as pool:
        found = side_by_side([partial(job, number) for number in range(3)], pool)
    assert [number for number, _ in found] == [0, 1, 2]
    assert found[0][1] == threading.get_ident()
    assert len({thread for _, thread in found}) == 3


def test_jobs_without_a_pool_run_here_in_their_order() -> None:
    order: list[int] = []
    jobs = [partial(order.append, number) for number in range(3)]
    assert side_by_side(jobs, None) == [None] * 3
    assert order == [0, 1, 2]
    assert side_by_side([], None) == []


def test_a_job_that_fails_is_told_when_the_others_have_ended() -> None:
    first_failed, ended = threading.Event(), threading.Event()

    def fail() -> None:
        first_failed.set()
        raise ValueError("of a job")

    def end_later() -> None:
        first_failed.wait(PATIENCE_S)
        ended.set()

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="of a job"):
            side_by_side([fail, end_later], pool)
        assert ended.is_set()
        with pytest.raises(ValueError, match="of a job"):
            side_by_side([ended.clear, fail], pool)

"""Rate limits, mirror switch, no NaN on the wire."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.clock import NS_PER_S
from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.hub import Hub, Outlet, RateLimit
from livefacs.sinks.sink_from_destination import open_hub
from livefacs.types import Gaze, HeadPose
from tests.sinks.doubles import FakeSession, free_port
from tests.support.keeping import Keeper
from tests.support.waiting import wait_until
from tests.wire.making import ARKIT, CLOCK, make_frame, make_rig


@pytest.mark.parametrize(("camera_hz", "limit_hz"), [(30, 15), (30, 24), (60, 30), (30, 7.5)])
def test_a_limit_thins_evenly(camera_hz: float, limit_hz: float) -> None:
    limit = RateLimit(limit_hz)
    times = [round(i * NS_PER_S / camera_hz) for i in range(int(camera_hz) * 10)]
    sent = [t_ns for t_ns in times if limit.admits(t_ns)]
    assert len(sent) == pytest.approx(10 * limit_hz, abs=2)
    gaps = np.diff(sent) / NS_PER_S
    assert gaps.max() <= 1 / limit_hz + 1.01 / camera_hz


@settings(deadline=None)  # a busy machine is no error
@given(st.lists(st.floats(-0.12, 0.12), min_size=60, max_size=60))
def test_jitter_of_the_camera_loses_no_frame_at_its_own_rate(jitter: list[float]) -> None:
    limit = RateLimit(30)
    period = NS_PER_S / 30
    assert all(limit.admits(round((i + shift) * period)) for i, shift in enumerate(jitter))


def test_a_pause_or_a_jump_back_does_not_silence_a_destination() -> None:
    limit = RateLimit(10)
    assert limit.admits(0)
    assert limit.admits(50 * NS_PER_S)
    assert not limit.admits(50 * NS_PER_S + 1_000_000)
    assert limit.admits(0)


def test_mirrored_frames_are_made_once_and_rigs_follow() -> None:
    mirrored_rig = make_rig("arkit52", ARKIT.controls, np.zeros(52))
    frame = make_frame(rigs=(ARKIT,), mirrored=(mirrored_rig,))
    straight, one, two = Keeper(), Keeper(), Keeper()
    hub = Hub([Outlet(straight), Outlet(one, mirror=True), Outlet(two, mirror=True)])
    hub.send(frame)
    assert straight.frames == [frame]
    assert one.frames[0] is two.frames[0]
    assert one.frames[0].rigs["arkit52"] is mirrored_rig
    assert one.frames[0].head.yaw_rad == -frame.head.yaw_rad


def test_force_passes_the_limit_and_closing_reaches_all() -> None:
    sinks = [Keeper(), Keeper()]
    hub = Hub([Outlet(sinks[0], limit=RateLimit(1)), Outlet(sinks[1])])
    for i in range(3):
        hub.send(make_frame(t_ns=i))
    hub.send(make_frame(t_ns=4), force=True)
    assert [len(sink.frames) for sink in sinks] == [2, 4]
    hub.close()
    assert all(sink.closed for sink in sinks)


def test_a_pose_that_is_not_finite_becomes_straight_ahead() -> None:
    sink = Keeper()
    hub = Hub([Outlet(sink)])
    frame = make_frame()
    hub.send(replace(frame, head=replace(frame.head, x_cm=float("nan"))))
    hub.send(replace(frame, gaze=replace(frame.gaze, left_yaw_rad=float("inf"))))
    assert sink.frames[0].head == HeadPose()
    assert sink.frames[0].gaze == frame.gaze
    assert sink.frames[1].gaze == Gaze()


def test_one_broken_destination_closes_those_before_it() -> None:
    port = free_port()
    urls = [f"zmq://127.0.0.1:{port}?control=off", "osc://no.such.host.invalid:9000"]
    with pytest.raises(SinkError, match=r"cannot resolve"):
        open_hub([parse_destination(url) for url in urls], CLOCK)

    def is_free() -> bool:
        try:
            open_hub([parse_destination(urls[0])], CLOCK).close()
        except SinkError:
            return False
        return True

    wait_until(is_free, "the port of the closed publisher")


def test_a_destination_that_stands_twice_is_refused() -> None:
    one = parse_destination("osc://127.0.0.1:9")
    with pytest.raises(SinkError, match=r"stands twice"):
        open_hub([one, one], CLOCK)


def test_counters_by_url() -> None:
    urls = [f"osc://127.0.0.1:{free_port()}", f"osc://127.0.0.1:{free_port()}?rate=1"]
    hub = open_hub([parse_destination(url) for url in urls], CLOCK, FakeSession())
    hub.send(make_frame(t_ns=0))
    hub.send(make_frame(t_ns=1_000_000))
    assert [hub.counters[url].frames for url in urls] == [2, 1]
    hub.close()

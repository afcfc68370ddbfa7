"""The mirror's server: who may come in, live frames, hostile messages, coding and self-test."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from livefacs.errors import SinkError
from livefacs.mirror.core import MirrorOptions
from livefacs.mirror.packets import HEADER_BYTES, MAGIC, Hint, hints_from_tracked
from livefacs.mirror.schema import message_from_text
from livefacs.mirror.server import Mirror
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from tests.mirror.conftest import make_frame, without_face
from tests.support.waiting import PATIENCE_S, wait_until


def base(mirror: Mirror) -> str:
    return f"http://127.0.0.1:{mirror.port}"


@pytest.fixture
def http(mirror: Mirror) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base(mirror), headers={"Origin": base(mirror)}) as client:
        yield client


@contextmanager
def live(mirror: Mirror, path: str = "/live", **headers: str) -> Iterator[ClientConnection]:
    origin = headers.pop("Origin", base(mirror))
    url = f"ws://127.0.0.1:{mirror.port}{path}"
    with connect(
        url,
        origin=Origin(origin),
        additional_headers=headers,
        max_size=None,
    ) as socket:
        yield socket


def next_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next text of a kind."""
    while True:
        received = socket.recv(timeout=PATIENCE_S)
        if isinstance(received, str) and json.loads(received)["type"] == kind:
            return dict(json.loads(received))


def next_frame(socket: ClientConnection) -> bytes:
    """The next binary message."""
    while True:
        received = socket.recv(timeout=PATIENCE_S)
        if isinstance(received, bytes):
            return received


def ack(socket: ClientConnection, i_frame: int = 0) -> None:
    socket.send(json.dumps({"type": "ack", "i_frame": i_frame}))


# Who may come in


def test_page_has_a_strict_policy_and_asks_nobody_else(http: httpx.Client) -> None:
    answer = http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in answer.text.replace("http-equiv", "")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_foreign_host_is_refused(mirror: Mirror, name: str) -> None:
    assert httpx.get(base(mirror), headers={"Host": name}).status_code in {400, 403}


def test_foreign_origin_is_refused(mirror: Mirror) -> None:
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{mirror.port + 1}"):
        assert httpx.get(base(mirror), headers={"Origin": origin}).status_code == 403
        with pytest.raises(InvalidStatus), live(mirror, Origin=origin):
            pass


def test_changes_need_an_origin(mirror: Mirror) -> None:
    path = f"{base(mirror)}/api/progress/delete"
    assert httpx.post(path, json={"confirm": "delete"}).status_code == 403
    own = {"Origin": base(mirror)}
    assert httpx.post(path, json={"confirm": "delete"}, headers=own).status_code == 200
    assert httpx.post(path, content='{"confirm": "delete"}', headers=own).status_code == 400


def test_network_visitors_need_the_token(start_mirror: Callable[..., Mirror]) -> None:
    mirror = start_mirror(host="0.0.0.0")
    token = str(mirror.token)
    assert f"?token={token}" in mirror.url
    assert httpx.get(base(mirror)).status_code == 403
    assert httpx.get(f"{base(mirror)}/?token=wrong").status_code == 403
    with pytest.raises(InvalidStatus), live(mirror):
        pass
    with httpx.Client(base_url=base(mirror), follow_redirects=True) as client:
        answer = client.get(f"/?token={token}")
        assert answer.status_code == 200
        assert "token" not in str(answer.url)
        assert client.get("/api/drills").status_code == 200
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with live(mirror, Cookie=cookie) as socket:
        next_of(socket, "state")


def test_loopback_listens_on_loopback_only(mirror: Mirror) -> None:
    assert mirror._socket.getsockname()[0] == "127.0.0.1"
    assert mirror.token is None


def test_static_files_stay_in_their_folder(http: httpx.Client) -> None:
    assert http.get("/static/style.css").status_code == 200
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py"):
        assert http.get(path).status_code == 404


# Live frames


def test_packet_says_what_the_frame_says(mirror: Mirror) -> None:
    with live(mirror) as socket:
        next_of(socket, "state")
        wait_until(lambda: mirror.feed.n_pages == 1)
        mirror.feed.send(make_frame(7, AU12_L=0.5, AU4_R=0.25))
        packet = next_frame(socket)
    assert packet[:4] == MAGIC
    i_frame, _, _, width, height, n, n_points, n_controls = struct.unpack_from(
        "<IIIHHIII", packet, 4
    )
    assert (i_frame, width, height, n, n_points, n_controls) == (7, 640, 480, N_AU, 478, 0)
    intensity = np.frombuffer(packet, np.float32, n, HEADER_BYTES)
    assert intensity[CHANNEL_INDEX["AU12_L"]] == 0.5
    assert intensity[CHANNEL_INDEX["AU4_R"]] == 0.25
    (n_jpeg,) = struct.unpack_from("<I", packet, 76)
    image = cv2.imdecode(np.frombuffer(packet[-n_jpeg:], np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (480, 640, 3)


def test_a_stalled_page_delays_nobody(mirror: Mirror) -> None:
    with live(mirror) as stalled, live(mirror) as quick:
        wait_until(lambda: mirror.feed.n_pages == 2)
        seen = []
        for i in range(60):
            mirror.feed.send(make_frame(i))
            packet = next_frame(quick)
            ack(quick, i)
            seen.append(struct.unpack_from("<I", packet, 4)[0])
        assert seen == list(range(60))
        unread = 0
        while True:
            try:
                unread += isinstance(stalled.recv(timeout=0.2), bytes)
            except TimeoutError:
                break
        assert unread == 2  # what may be under way; the other 58 were overwritten, not queued
        ack(stalled)
        assert struct.unpack_from("<I", next_frame(stalled), 4)[0] == 59  # the newest, at once


def test_sending_takes_microseconds(mirror: Mirror) -> None:
    frame = make_frame()
    with live(mirror):
        wait_until(lambda: mirror.feed.n_pages == 1)
        began = time.perf_counter()
        for _ in range(200):
            mirror.feed.send(frame)
        assert (time.perf_counter() - began) / 200 < 0.001


def test_hints_for_dark_far_turned_and_border() -> None:
    from dataclasses import replace

    good = make_frame()
    assert hints_from_tracked(good) == Hint(0)
    assert good.image is not None
    assert Hint.DARK in hints_from_tracked(replace(good, image=good.image // 8))
    turned = replace(good, head=replace(good.head, yaw_rad=0.6))
    assert Hint.TURNED in hints_from_tracked(turned)
    assert good.landmarks is not None
    small = replace(good.landmarks, points_px=good.landmarks.points_px * 0.3)
    assert Hint.FAR in hints_from_tracked(replace(good, landmarks=small))
    shifted = replace(good.landmarks, points_px=good.landmarks.points_px + np.float32([210, 0, 0]))
    assert Hint.AT_BORDER in hints_from_tracked(replace(good, landmarks=shifted))
    assert hints_from_tracked(without_face(good)) == Hint(0)


# What a page may say


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(json.dumps),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["ack", "clock", "drill-start", "guidance-look", "neutral"])},
            optional={
                "i_frame": st.integers() | st.text(),
                "page_ms": st.floats(),
                "name": st.text(),
                "drill": st.dictionaries(st.text(), st.text()),
                "action": st.text(),
            },
        ).map(json.dumps),
    )
)
def test_any_text_is_a_message_or_nothing(text: str) -> None:
    message_from_text(text)


def test_hostile_messages_are_counted_and_ignored(mirror: Mirror) -> None:
    hostile: list[str | bytes] = [
        "", "{", "null", "[]", '"ack"', '{"type":"ack"}', '{"type":"ack","i_frame":-1}',
        '{"type":"ack","i_frame":1e99}', '{"type":"drill-start"}', "[" * 5000, b"\x00\xff" * 100,
        '{"type":"drill-start","drill":{"name":"x","title":"x","kind":"hold","actions":["12"],"hold_s":1e999}}',
        '{"type":"clock","page_ms":NaN}', '{"type":"__proto__"}', "\u0000" * 50,
    ]  # fmt: skip
    with live(mirror) as socket:
        wait_until(lambda: mirror.feed.n_pages == 1)
        for message in hostile:
            socket.send(message)
        socket.send('{"type":"clock","page_ms":5}')
        assert next_of(socket, "clock")["page_ms"] == 5
        assert mirror.refused_messages == len(hostile)
        mirror.feed.send(make_frame(3))
        assert next_frame(socket)[:4] == MAGIC


def test_a_message_too_large_closes_that_page_only(mirror: Mirror) -> None:
    with live(mirror) as quiet:
        with live(mirror) as loud:
            wait_until(lambda: mirror.feed.n_pages == 2)
            loud.send("x" * 100_000)
            wait_until(lambda: mirror.feed.n_pages == 1)
        mirror.feed.send(make_frame(1))
        assert next_frame(quiet)[:4] == MAGIC


def test_unknown_drills_and_takes_are_told(mirror: Mirror) -> None:
    with live(mirror) as socket:
        socket.send('{"type":"drill-start","name":"nothing"}')
        assert "no drill" in next_of(socket, "trouble")["text"]
        own = {"name": "a", "title": "A", "kind": "follow", "actions": ["12"], "take": "/etc"}
        socket.send(json.dumps({"type": "drill-start", "drill": own}))
        assert "not from a page" in next_of(socket, "trouble")["text"]


def run_drill(mirror: Mirror, socket: ClientConnection, level: float) -> dict[str, Any]:
    """Feed frames until the drill is done; its last state."""
    wait_until(lambda: mirror.feed.n_pages == 1)
    done: list[dict[str, Any]] = []

    def listen() -> None:
        while not done:
            received = socket.recv(timeout=PATIENCE_S)
            if isinstance(received, bytes):
                ack(socket)
            elif (
                json.loads(received)["type"] == "drill" and json.loads(received)["phase"] == "done"
            ):
                done.append(json.loads(received))

    listener = threading.Thread(target=listen)
    listener.start()
    for i in range(900):
        up = level if i > 60 else 0.0
        mirror.feed.send(make_frame(i, AU12_L=up, AU12_R=up))
        wait_until(lambda i=i: mirror.feed.newest is not None and mirror.feed.newest.i_frame == i)
        if done:
            break
    listener.join(timeout=PATIENCE_S)
    return done[0]


def test_a_drill_over_the_wire_is_scored_and_kept(mirror: Mirror, http: httpx.Client) -> None:
    with live(mirror) as socket:
        socket.send('{"type":"drill-start","name":"smile-c"}')
        state = run_drill(mirror, socket, 0.45)
    assert state["result"]["passed"]
    wait_until(lambda: bool(http.get("/api/progress").json()["actions"]))
    row = http.get("/api/progress").json()["actions"][0]
    assert (row["action"], row["passes"]) == ("12", 1)


def test_a_progress_file_that_fails_stops_nothing(mirror: Mirror) -> None:
    mirror.progress._db.execute("DROP TABLE attempt")
    with live(mirror) as socket:
        socket.send('{"type":"drill-start","name":"smile-c"}')
        assert run_drill(mirror, socket, 0.45)["result"]["passed"]
        mirror.feed.send(make_frame(1000))
        assert next_of(socket, "trouble")["text"].startswith("the progress file")
        mirror.feed.send(make_frame(1001))
        assert next_frame(socket)[:4] == MAGIC


# Trouble


def test_busy_port_and_second_instance_are_told_apart(start_mirror: Callable[..., Mirror]) -> None:
    import socket

    first = start_mirror()
    with pytest.raises(SinkError, match="a livefacs mirror runs already"):
        Mirror(MirrorOptions(port=first.port))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SinkError, match="taken by another program"):
            Mirror(MirrorOptions(port=taken.getsockname()[1]))


def test_foreign_address_is_told() -> None:
    with pytest.raises(SinkError, match=r"cannot listen on 192\.0\.2\.1"):
        Mirror(MirrorOptions(host="192.0.2.1", port=0))


def test_trouble_reaches_the_page_and_goes(mirror: Mirror) -> None:
    mirror.report_trouble("camera 0 cannot be opened")
    with live(mirror) as socket:
        assert next_of(socket, "state")["trouble"] == "camera 0 cannot be opened"
        wait_until(lambda: mirror.feed.n_pages == 1)
        mirror.attach(None, "demo")
        assert next_of(socket, "state")["trouble"] == ""


def test_stopping_leaves_no_thread(tmp_path: Path) -> None:
    mirror = Mirror(MirrorOptions(port=0, progress_path=tmp_path / "p.sqlite"))
    mirror.start()
    with live(mirror):
        mirror.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("livefacs-mirror")]


# Cards, coding, self-test


def test_cards_cover_every_measured_channel(http: httpx.Client) -> None:
    basics = http.get("/api/basics").json()
    assert tuple(basics["channels"]) == AU_CHANNELS
    covered = {channel for card in basics["cards"] for channel in card["channels"]}
    assert covered == set(AU_CHANNELS)
    twelve = next(card for card in basics["cards"] if card["code"] == "12")
    for part in ("name", "muscles", "appearance", "how_to_perform", "observability", "confidence"):
        assert twelve[part]


def test_notation_is_checked_while_it_is_typed(http: httpx.Client) -> None:
    def check(line: str) -> dict[str, Any]:
        return dict(http.post("/api/packs/performer/check", json={"line": line}).json())

    assert check("12d + 6+L14")["codes"] == ["6", "12D", "L14"]
    assert "no code 99" in check("1+99")["error"]
    assert not check("1+")["ok"]
    assert "exclude" in check("51+52")["doubts"][0]
    assert http.post("/api/packs/performer/check", json={"line": 5}).status_code == 400
    assert http.post("/api/packs/nothing/check", json={"line": "1"}).status_code == 404


def test_clip_frames_are_exact(http: httpx.Client) -> None:
    info = http.get("/api/packs/performer/brows").json()
    assert (info["frames"], info["apex"], info["rate_hz"]) == (37, 20, 30.0)
    first = http.get("/api/packs/performer/brows/frames/0")
    assert first.headers["content-type"] == "image/jpeg"
    assert http.get("/api/packs/performer/brows/frames/36").status_code == 200
    assert http.get("/api/packs/performer/brows/frames/37").status_code == 404


def test_coding_is_scored_and_kept(http: httpx.Client) -> None:
    found = http.post("/api/packs/performer/cheeks/score", json={"answer": "6+10+12+25+51"}).json()
    assert found["index"] == pytest.approx(6 / 7, abs=1e-4)  # 25 and 51 are optional there
    assert found["missed"] == ["26"]
    assert found["passed"]
    assert http.get("/api/progress").json()["codings"][0]["item"] == "cheeks"


def test_self_test_hides_keys_until_the_end(http: httpx.Client, mirror: Mirror) -> None:
    packs = http.get("/api/packs").text
    assert "18E" not in packs
    test = http.post("/api/tests", json={"pack": "performer", "items": 3, "minutes": 5}).json()
    assert test["items"] == 3
    name = test["test"]
    order = mirror.tests[name].order
    shown = [http.get(f"/api/tests/{name}/items/{n}") for n in (1, 2, 3)]
    assert not any(item in each.text for each in shown for item in order)  # names give keys away
    assert all(each.json()["note"] == "" for each in shown)
    first = http.get(f"/api/tests/{name}/items/1/frames/0")
    assert first.headers["content-type"] == "image/jpeg"
    assert http.get(f"/api/tests/{name}/items/4").status_code == 404
    assert http.get(f"/api/tests/{name}/report.csv").status_code == 400
    pack = mirror.packs.packs["performer"]
    for n, item in enumerate(order[:2], 1):
        body = {"item": n, "answer": pack.items[item].key_text}
        assert "index" not in http.post(f"/api/tests/{name}/answer", json=body).text
    assert http.get(f"/api/tests/{name}").json()["answered"] == 2  # a loaded page goes on there
    wrong = {"item": 9, "answer": "1"}
    assert http.post(f"/api/tests/{name}/answer", json=wrong).status_code == 400
    report = http.post(f"/api/tests/{name}/end", json={}).json()
    assert report["mean_index"] == pytest.approx(2 / 3, abs=1e-3)
    assert not report["passed"]
    page = http.get(f"/api/tests/{name}/report.html").text
    assert "not the official FACS test" in page
    assert "0.67" in page
    assert "mean_index,0.6667" in http.get(f"/api/tests/{name}/report.csv").text
    late = {"item": 3, "answer": "1"}
    assert "time" in http.post(f"/api/tests/{name}/answer", json=late).json()["error"]


def test_self_test_ends_with_its_time(tmp_path: Path) -> None:
    from livefacs.errors import ConfigError
    from livefacs.mirror.packs import load_packs
    from livefacs.mirror.selftest import SelfTest

    test = SelfTest.begin(load_packs().packs["performer"], 1, 1.0, now_ns=0)
    test.answer(1, "1", now_ns=59_000_000_000)
    with pytest.raises(ConfigError, match="time"):
        test.answer(1, "1", now_ns=64_000_000_000)


def test_answers_cannot_become_formulas_or_markup(http: httpx.Client) -> None:
    from livefacs.mirror.self_test_report import csv_from_report, html_from_report

    test = http.post("/api/tests", json={"pack": "performer", "items": 1, "minutes": None}).json()
    report = http.post(f"/api/tests/{test['test']}/end", json={}).json()
    report["items"][0]["answer"] = "=1+1"
    assert "'=1+1" in csv_from_report(report)
    report["items"][0]["answer"] = "<script>"
    assert "<script>" not in html_from_report(report)


def test_export_and_delete(http: httpx.Client) -> None:
    http.post("/api/packs/performer/brows/score", json={"answer": "1+2"})
    answer = http.get("/api/progress/export.json")
    assert "attachment" in answer.headers["content-disposition"]
    assert len(answer.json()["coding"]) == 1
    assert http.post("/api/progress/delete", json={"confirm": "no"}).status_code == 400
    assert http.post("/api/progress/delete", json={"confirm": "delete"}).status_code == 200
    assert http.get("/api/progress/export.json").json()["coding"] == []


def test_a_page_stays_connected_longer_than_a_request_may_take(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound on unfinished requests does not cut a WebSocket off."""
    monkeypatch.setattr("livefacs.mirror.http.HEAD_S", 0.2)
    with live(mirror) as page:
        wait_until(lambda: mirror.feed.n_pages == 1)
        began = time.monotonic()
        i = 0
        while time.monotonic() - began < 0.8:
            mirror.feed.send(make_frame(i))
            assert next_frame(page)
            ack(page, i)
            i += 1

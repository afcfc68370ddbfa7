"""Calibration, teaching and checks over the mirror's calls: one engine with the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

import livefacs.cli.calibrate as terminal
from livefacs.au.profile import load_profile, profile_path, save_profile
from livefacs.cli.main import main
from livefacs.mirror.server import Mirror
from livefacs.types import Frame, Landmarks
from tests.au.scripted import OTHER
from tests.mirror.conftest import make_frame
from tests.mirror.following import Following, client, performing
from tests.support.waiting import PATIENCE_S, wait_until


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Mirror, Following, httpx.Client]]:
    with (
        performing(progress_path=tmp_path / "progress.sqlite") as (mirror, performer),
        client(mirror) as http,
    ):
        yield mirror, performer, http


def begin(http: httpx.Client, **changes: Any) -> httpx.Response:
    body = {"profile": "anna", "round": "full", "only": ["14", "24"], "add": False, **changes}
    return http.post("/api/guidance/calibrate", json=body)


def ended(http: httpx.Client, *phases: str) -> dict[str, Any]:
    """The round when it has come to one of some phases."""

    def now() -> dict[str, Any]:
        return dict(http.get("/api/guidance").json())

    wait_until(lambda: now()["phase"] in phases, " or ".join(phases))
    return now()


def step_of(http: httpx.Client) -> str:
    return str(http.get("/api/guidance").json()["state"]["step"])


def body_of(name: str) -> dict[str, Any]:
    body = dict(json.loads(profile_path(name).read_text(encoding="utf-8")))
    return {key: body[key] for key in body if key not in ("name", "created", "sha256")}


class Fed:
    """The frames of a round once more, as source and landmarker of the terminal."""

    name = "facemesh"

    def __init__(self, fed: list[tuple[Landmarks | None, int]]) -> None:
        self._fed = iter(fed)

    def read(self) -> Frame | None:
        given = next(self._fed, None)
        if given is None:
            return None
        self._face, t_ns = given
        return Frame(make_frame().image, t_ns, 0)  # type: ignore[arg-type]  # it has one

    def detect(self, _frame: Frame) -> Landmarks | None:
        return self._face


def by_terminal(monkeypatch: pytest.MonkeyPatch, fed: Fed, *words: str) -> None:
    @contextmanager
    def opened(*_a: object, **_k: object) -> Iterator[tuple[Fed, Fed]]:
        yield fed, fed

    monkeypatch.setattr(terminal, "opened", opened)
    with pytest.raises(SystemExit) as end:
        main(["calibrate", *words])
    assert not end.value.code


def test_a_round_makes_the_profile_that_the_terminal_makes(stage, monkeypatch) -> None:
    _, performer, http = stage
    assert begin(http).json()["phase"] == "running"
    done = ended(http, "done", "unsaved", "ended")
    assert done["phase"] == "done", done["text"]
    assert [line.partition(",")[0] for line in done["said"]] == ["AU14: learned", "AU24: learned"]
    assert "× clearer than before" in done["said"][0]
    by_terminal(monkeypatch, Fed(performer.fed), "berta", "--only", "14,24")
    assert body_of("anna") == body_of("berta")
    assert profile_path("anna").stat().st_mode & 0o777 == 0o600


def test_what_was_not_seen_is_told_and_taught_again(stage, monkeypatch) -> None:
    _, performer, http = stage
    performer.unable = {"AU24"}
    begin(http)
    done = ended(http, "done", "ended")
    assert "AU24: not seen, kept as shipped" in done["said"]
    assert done["again"] == ["AU24"]
    performer.unable.clear()
    performer.fed.clear()
    assert begin(http, only=done["again"], add=True).status_code == 200
    again = ended(http, "done", "ended")
    assert again["said"] == [line for line in again["said"] if line.startswith("AU24: learned")]
    learned = load_profile("anna").personal.learned
    assert {"AU14_L", "AU24_L"} <= set(learned)


def test_only_one_round_at_a_time(stage) -> None:
    _, performer, http = stage
    performer.is_there = False
    begin(http)
    for refused in (
        begin(http, profile="berta"),
        http.post("/api/guidance/check", json={"profile": "anna"}),
        http.post("/api/profiles/forget", json={"profile": "anna", "channel": "X_a"}),
    ):
        assert refused.status_code == 400
        assert "a round runs already" in refused.json()["error"]
    wait_until(lambda: http.get("/api/guidance").json()["state"]["hint"] == "no face")
    assert http.post("/api/guidance/finish", json={}).status_code == 400  # no rest was seen
    assert http.post("/api/guidance/stop", json={}).json()["phase"] == "idle"
    assert http.post("/api/guidance/skip", json={}).status_code == 400
    assert not profile_path("anna").exists()


def test_a_face_that_is_lost_and_found(stage) -> None:
    _, performer, http = stage
    performer.absent_at = "prompt"
    begin(http)
    wait_until(lambda: step_of(http) == "prompt")
    wait_until(lambda: http.get("/api/guidance").json()["state"]["hint"] == "no face")
    performer.absent_at = ""
    assert ended(http, "done", "ended")["phase"] == "done"


def test_skip_retry_and_finish(stage) -> None:
    _, performer, http = stage
    performer.absent_at = "prompt"
    begin(http)
    wait_until(lambda: step_of(http) == "prompt")
    first = http.get("/api/guidance").json()["state"]["number"]
    assert http.post("/api/guidance/skip", json={}).json()["state"]["number"] == first + 1
    assert http.post("/api/guidance/retry", json={}).json()["state"]["number"] == first
    assert http.post("/api/guidance/finish", json={}).status_code == 200
    assert ended(http, "done", "ended")["said"] == ["the resting face is kept, nothing was learned"]


@contextmanager
def page(mirror: Mirror) -> Iterator[ClientConnection]:
    origin = f"http://127.0.0.1:{mirror.port}"
    address = f"ws://127.0.0.1:{mirror.port}/live"
    with connect(address, origin=Origin(origin), max_size=None) as socket:
        socket.send('{"type": "guidance-look"}')
        yield socket


def test_a_round_waits_while_no_page_looks(stage) -> None:
    """Two pages look; when both are gone it waits, and its step begins anew with the next."""
    mirror, performer, http = stage
    performer.absent_at = "prompt"
    with page(mirror):
        with page(mirror):
            wait_until(lambda: len(mirror.guidance._viewers) == 2)
            begin(http)
            wait_until(lambda: step_of(http) == "prompt")
        wait_until(lambda: len(mirror.guidance._viewers) == 1)
        assert http.get("/api/guidance").json()["phase"] == "running"
    waiting = ended(http, "waiting")
    assert "No page shows the round" in waiting["text"]
    performer.absent_at = ""
    with page(mirror) as socket:
        while True:  # a page that was loaded again is told where the round stands
            received = socket.recv(timeout=PATIENCE_S)
            if isinstance(received, str) and json.loads(received)["type"] == "guidance":
                break
        assert json.loads(received)["state"]["step"] == "prompt"
        assert ended(http, "done", "ended")["phase"] == "done"
    assert len(load_profile("anna").personal.learned) == 4


def test_a_page_that_shows_something_else_lets_it_wait(stage) -> None:
    mirror, performer, http = stage
    performer.is_there = False
    with page(mirror) as socket:
        wait_until(lambda: mirror.guidance._viewers)
        begin(http)
        socket.send('{"type": "guidance-away"}')
        assert ended(http, "waiting")["phase"] == "waiting"
        socket.send('{"type": "guidance-look"}')
        assert ended(http, "running")["phase"] == "running"


def test_a_session_that_ends_lets_it_wait_and_another_camera_ends_it(stage) -> None:
    from dataclasses import replace

    mirror, performer, http = stage
    performer.is_there = False
    with page(mirror):
        wait_until(lambda: mirror.guidance._viewers)
        begin(http)
        subject = mirror.guidance.subject
        mirror.report_trouble("the camera is gone")
        assert "no picture" in ended(http, "waiting")["text"]
        mirror.guidance.attach(subject)
        assert ended(http, "running")["phase"] == "running"
        mirror.guidance.attach(replace(subject, source="another camera"))
        assert "begin anew" in ended(http, "ended")["text"]


def test_what_cannot_be_saved_is_kept_until_it_can(stage) -> None:
    _, performer, http = stage
    performer.absent_at = "prompt"
    begin(http)
    wait_until(lambda: step_of(http) == "prompt")
    folder = profile_path("anna").parent
    profile_path("anna").mkdir(parents=True)  # something stands in the way now
    performer.absent_at = ""
    unsaved = ended(http, "unsaved", "done")
    assert unsaved["phase"] == "unsaved"
    assert "cannot be written" in unsaved["text"]
    assert unsaved["said"][0].startswith("AU14: learned")
    assert http.post("/api/guidance/save", json={"profile": ""}).status_code == 400
    assert begin(http).json()["error"].startswith("the last round is not saved yet")
    assert http.post("/api/guidance/save", json={"profile": "../x"}).status_code == 400
    assert ended(http, "unsaved")["said"] == unsaved["said"]
    saved = http.post("/api/guidance/save", json={"profile": "anna two"}).json()
    assert (saved["phase"], saved["profile"]) == ("done", "anna two")
    assert load_profile("anna two").name == "anna two"
    assert sorted(path.name for path in folder.iterdir()) == ["anna two.json", "anna.json"]


def test_an_unsaved_profile_outlives_the_mirror(tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        performing(progress_path=tmp_path / "progress.sqlite") as (mirror, performer),
        client(mirror) as http,
    ):
        performer.absent_at = "prompt"
        begin(http, only=["14"])
        wait_until(lambda: step_of(http) == "prompt")
        profile_path("anna").mkdir(parents=True)
        performer.absent_at = ""
        ended(http, "unsaved")
    kept = next(tmp_path.glob("livefacs-*/anna.json"))
    assert load_profile(str(kept)).personal.learned
    assert str(kept) in caplog.text


def test_another_person_is_refused_when_the_rest_was_seen(stage) -> None:
    _, performer, http = stage
    begin(http)
    ended(http, "done")
    before = profile_path("anna").read_bytes()
    performer.person = OTHER
    begin(http, add=True)
    assert "the neutrals differ by" in ended(http, "ended", "done")["text"]
    assert profile_path("anna").read_bytes() == before


def test_an_action_is_taught_measured_and_deleted(stage) -> None:
    _, _, http = stage
    begin(http)
    ended(http, "done")
    lesson = {"profile": "anna", "action": "tongue-out", "code": "", "side": "", "replace": False}
    assert http.post("/api/guidance/teach", json=lesson).status_code == 200
    done = ended(http, "done", "ended")
    assert done["phase"] == "done", done["text"]
    assert done["said"][0].startswith("tongue-out: taught as X_tongue_out, reliability ")
    assert "it fires on none of the 2 other prompts" in done["said"][1]
    again = http.post("/api/guidance/teach", json=lesson)
    assert "already" in again.json()["error"]
    taken = {**lesson, "action": "AU12"}
    assert "channel of FACS" in http.post("/api/guidance/teach", json=taken).json()["error"]
    assert http.post("/api/guidance/teach", json={**lesson, "replace": True}).status_code == 200
    assert ended(http, "done", "ended")["phase"] == "done"
    known = http.get("/api/profiles").json()["profiles"][0]
    assert known["taught"] == [{"name": "tongue-out", "channel": "X_tongue_out"}]
    assert any(line.startswith("AU14: learned") for line in known["details"])
    gone = {"profile": "anna", "channel": "X_tongue_out"}
    answer = http.post("/api/profiles/forget", json=gone).json()
    assert answer["profiles"][0]["taught"] == []
    assert http.post("/api/profiles/forget", json=gone).status_code == 400


def test_check_says_whether_it_still_holds(stage) -> None:
    _, performer, http = stage
    begin(http)
    ended(http, "done")
    assert http.post("/api/guidance/check", json={"profile": "anna"}).status_code == 200
    assert ended(http, "done", "ended")["said"][-1] == "the profile still holds"
    performer.person = OTHER
    http.post("/api/guidance/check", json={"profile": "anna"})
    said = ended(http, "done", "ended")["said"][-1]
    assert said == "face has changed so far that calibration should be renewed"


def test_a_saved_profile_is_taken_into_use_where_the_session_can(tmp_path) -> None:
    chosen: list[tuple[str, str]] = []
    with (
        performing(
            progress_path=tmp_path / "progress.sqlite",
            choose=lambda kind, name: chosen.append((kind, name)),
        ) as (mirror, _),
        client(mirror) as http,
    ):
        begin(http, only=["14"])
        assert ended(http, "done")["is_used"]
        assert chosen == [("profile", "anna")]
        assert http.post("/api/profiles/use", json={"profile": "none"}).status_code == 200
        assert chosen[-1] == ("profile", "none")
        assert http.post("/api/profiles/use", json={"profile": "/etc/x.json"}).status_code == 400


def test_a_session_that_keeps_its_profile_says_how_to_use_another(stage) -> None:
    _, _, http = stage
    answer = http.post("/api/profiles/use", json={"profile": "anna"})
    assert "--profile NAME" in answer.json()["error"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"profile": ""}, "no profile name"),
        ({"profile": "../../etc/passwd"}, "no profile name"),
        ({"profile": "/tmp/anna.json"}, "no profile name"),
        ({"profile": "none"}, "no profile name"),
        ({"profile": "x" * 200}, "no profile name"),
        ({"profile": 5}, "profile: missing or of the wrong kind"),
        ({"round": "29", "only": []}, "expected short (8), full (28), or how many"),
        ({"only": ["AU99"]}, "no movement shows AU99"),
        ({"only": [5]}, "expected at most"),
        ({"only": ["14"] * 99}, "expected at most"),
        ({"add": "yes"}, "add: missing or of the wrong kind"),
        ({"add": True}, "no profile at"),
        ({"more": 1}, "expected an object with"),
    ],
)
def test_what_cannot_be_begun(mirror: Mirror, changes: dict[str, Any], said: str) -> None:
    from livefacs.au.estimator_model import load_model
    from livefacs.mirror.guided_rounds import Subject

    mirror.guidance.attach(Subject(load_model(), "facemesh", "test"))
    with client(mirror) as http:
        refused = begin(http, **changes)
    assert refused.status_code == 400
    assert said in refused.json()["error"]
    assert mirror.guidance.document()["phase"] == "idle"


def test_without_a_picture_nothing_begins(mirror: Mirror) -> None:
    with client(mirror) as http:
        assert "the camera has to run first" in begin(http).json()["error"]
        assert http.post("/api/guidance/fly", json={}).status_code == 400
        assert http.post("/api/guidance/save", json={"profile": ""}).status_code == 400
        other = {"Origin": "http://example.org"}
        asked = http.post("/api/guidance/stop", json={}, headers=other)
        assert asked.status_code == 403


def test_damaged_and_foreign_profiles_are_listed_with_their_fault(mirror: Mirror) -> None:
    from tests.au.test_profile import made

    save_profile(made("bob", AU12_L=0.5), profile_path("bob"))
    profile_path("carl").write_text("{")
    with client(mirror) as http:
        rows = {row["name"]: row for row in http.get("/api/profiles").json()["profiles"]}
    assert rows["bob"]["details"] == ["AU12_L: maximum 0.50"]
    assert "damaged" in rows["carl"]["fault"]


def test_frames_beyond_what_may_wait_are_counted(mirror: Mirror) -> None:
    from livefacs.au.estimator_model import load_model
    from livefacs.mirror.guided_rounds import Subject

    guidance = mirror.guidance
    guidance.attach(Subject(load_model(), "facemesh", "test"))
    guidance.send(make_frame(0))
    assert guidance.n_waiting == 0  # no round: nothing is kept
    with guidance._lock:
        guidance.calibrate("anna", "short", (), add=False)
        for i in range(1200):
            guidance.send(make_frame(i))
        assert guidance.counters.refused > 200
    guidance.stop()

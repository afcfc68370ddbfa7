"""Two performers through the real chain: streams, takes, solving, each with a number."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
import pytest

from livefacs.cli.main import main
from livefacs.clock import ClockMap
from livefacs.config import TrackingOptions, load_options
from livefacs.errors import ConfigError, SinkError
from livefacs.session.composition import open_session
from livefacs.session.parts import has_places, tracking_of_performers
from livefacs.session.rigs import for_performers
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.hub import Hub, Outlet
from livefacs.sinks.sink_from_destination import open_hub
from livefacs.take.performers import folder_of_face
from livefacs.take.reader import Take
from livefacs.types import TrackedFrame
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.packed import packed_for_performers
from tests.support.composed import FACEBENCH, Tile, composed, write_clip
from tests.support.keeping import Keeper
from tests.take.synthetic import tracked_frame

has_facebench = pytest.mark.skipif(
    not (FACEBENCH / "rom").is_dir(), reason="no clips at ../shared/facebench"
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The performer at the left, a rendered person at the right."""
    folder = FACEBENCH / "clips"
    tiles = [
        Tile(folder / "performer.mp4", lambda _: (200.0, 240.0)),
        Tile(FACEBENCH / "rom" / "id03_mix.mp4", lambda _: (600.0, 240.0), first=60),
    ]
    return write_clip(tmp_path_factory.mktemp("two") / "two.mp4", composed(tiles, 4.0))


@pytest.fixture(scope="module")
def take(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keeper]:
    """A take of both, and the frames as a watcher saw them."""
    folder = tmp_path_factory.mktemp("takes") / "both"
    options = load_options(
        None,
        {
            "source": {"spec": str(clip), "realtime": False},
            "tracking": {"faces": 2},
            "stream": {"to": ("vmc://127.0.0.1:9?face=2", "osc://127.0.0.1:9?rig=vrm1")},
            "record": {"folder": folder, "exact": True},
        },
    )
    keeper = Keeper()
    with open_session(options) as session:
        session.watchers.append(keeper)
        session.run()
        status = session.status()
    assert len(status["performers"]) == 2
    return folder, keeper


def run(*arguments: str) -> None:
    """A command that succeeds."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


@has_facebench
def test_each_performer_has_units_rigs_and_health(take: tuple[Path, Keeper]) -> None:
    _, keeper = take
    assert len(keeper.frames) == 120
    last = keeper.frames[-1]
    (other,) = last.others
    assert last.landmarks is not None
    assert other.landmarks is not None
    assert last.landmarks.points_px[:, 0].mean() < 400 < other.landmarks.points_px[:, 0].mean()
    assert set(last.rigs) == set(other.rigs) == {"arkit52", "vrm1"}
    assert not np.array_equal(last.units.intensity, other.units.intensity)
    assert other.t_ns == last.t_ns


@has_facebench
def test_a_take_holds_every_performer_and_solves_to_the_same_numbers(
    take: tuple[Path, Keeper], tmp_path: Path
) -> None:
    folder, keeper = take
    first, second = Take(folder), Take(folder_of_face(folder, 2))
    assert first.n_rows == second.n_rows == len(keeper.frames)
    assert first.document["performers"] == second.document["performers"] == 2
    assert second.document["performer"] == 2
    for take_of_one, face in ((first, 1), (second, 2)):
        kept = np.stack([frame.of_face(face).units.intensity for frame in keeper.frames])
        assert np.array_equal(take_of_one.intensity, kept)
    exported, solved = tmp_path / "exported.csv", tmp_path / "solved.csv"
    run("export", str(folder), "--face", "2", "-o", str(exported))
    run("solve", str(folder), "--face", "2", "-o", str(solved))
    assert exported.read_bytes() == solved.read_bytes()


@has_facebench
def test_solving_a_clip_gives_a_file_each(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "curves.csv"
    run("solve", str(clip), "--faces", "2", "-o", str(target))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["curves.csv", "curves.face_2.csv"]
    one, two = (Path(tmp_path / name).read_text().splitlines() for name in files)
    assert len(one) == len(two) == 121
    assert one[0] == two[0]
    assert one[60] != two[60]


def test_osc_has_a_prefix_for_each_and_the_plain_one_for_the_first() -> None:
    frame = both()
    addresses = dict(osc_messages(frame, 2))
    assert addresses["/livefacs/au/AU12_L"] == addresses["/livefacs/1/au/AU12_L"]
    assert addresses["/livefacs/2/au/AU12_L"] == pytest.approx(
        [frame.others[0].units.intensity[frame.units.channels.index("AU12_L")]]
    )
    assert not any(address.startswith("/livefacs/1/") for address, _ in osc_messages(frame, 1))


def osc_messages(frame: TrackedFrame, n: int) -> list[tuple[str, list[object]]]:
    """What an OSC destination sends, read by python-osc."""
    destination = for_performers(parse_destination("osc://127.0.0.1:9"), n)
    sent: list[bytes] = []
    hub = open_hub([destination], ClockMap(0, 0))
    encoder = hub.outlets[0].sink.encoder  # type: ignore[attr-defined]  # of UdpSink
    sent = [bytes(datagram) for datagram in encoder.encode(frame)]
    hub.close()
    return [message for packet in sent for message in messages_from_osc(packet)]


def both() -> TrackedFrame:
    """Two performers in one frame."""
    return replace(tracked_frame(5), others=(tracked_frame(40),))


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_maps_name_the_face_where_there_are_several_alone(form: str) -> None:
    read = json.loads if form == "json" else msgpack.unpackb
    frame = both()
    several = packed_for_performers(2, ClockMap(0, 0), form=form)  # type: ignore[arg-type]  # one of the two
    maps = [read(bytes(message)) for message in several.encode(frame)]
    assert [each["face"] for each in maps] == [1, 2]
    alone = packed_for_performers(1, ClockMap(0, 0), form=form)  # type: ignore[arg-type]
    (plain,) = alone.encode(replace(frame, others=()))
    assert read(bytes(plain)) == {key: value for key, value in maps[0].items() if key != "face"}
    unknown = replace(frame.others[0], head=replace(frame.head, yaw_rad=0.5))
    (_, last) = several.encode(replace(frame, others=(unknown,)))
    assert read(bytes(last))["head"]["yaw_rad"] == pytest.approx(0.5)


def test_a_destination_of_one_face_gets_that_one() -> None:
    first, second, everyone = Keeper(), Keeper(), Keeper()
    hub = Hub([Outlet(first, face=1), Outlet(second, face=2, mirror=True), Outlet(everyone)])
    frame = both()
    hub.send(frame)
    assert first.frames[0].i_frame == 5
    assert not first.frames[0].others
    mirrored = frame.others[0].mirrored().units.intensity
    assert np.array_equal(second.frames[0].units.intensity, mirrored, equal_nan=True)
    assert everyone.frames[0].others == frame.others


def test_faces_of_destinations_are_checked() -> None:
    assert for_performers(parse_destination("vmc://127.0.0.1?face=2"), 2).face == 2
    assert for_performers(parse_destination("vmc://127.0.0.1"), 2).face == 1
    assert for_performers(parse_destination("ws://127.0.0.1"), 2).performers == 2
    with pytest.raises(SinkError, match=r"face=3.*tracks 2"):
        for_performers(parse_destination("vmc://127.0.0.1?face=3"), 2)
    with pytest.raises(SinkError, match="whole number from 1 to 8"):
        parse_destination("vmc://127.0.0.1?face=0")


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, (None, None)),
        ("anna", ("anna", None)),
        (("anna", "ben"), ("anna", "ben")),
        (("right=ben", "left=anna"), ("anna", "ben")),
        (("2=ben",), (None, "ben")),
        (("none", "ben"), (None, "ben")),
    ],
)
def test_profiles_go_to_performers(
    asked: str | tuple[str, ...] | None, names: tuple[str | None, ...]
) -> None:
    options = TrackingOptions(faces=2, profile=asked)
    assert tuple(each.profile for each in tracking_of_performers(options)) == names
    assert has_places(options) == ("left=anna" in (asked or ()))


@pytest.mark.parametrize("asked", [("a", "b", "c"), ("up=a",), ("left=a", "1=b"), ("0=a",)])
def test_profiles_that_fit_nobody_are_refused(asked: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="one profile for each of 2 performers"):
        tracking_of_performers(TrackingOptions(faces=2, profile=asked))

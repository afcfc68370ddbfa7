"""The AU table and the event formats."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import opentimelineio as otio
import pytest
from lxml import etree

from livefacs.errors import ConfigError, TakeError
from livefacs.formats.au_csv import header
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.formats.facs_events import events_from_take
from livefacs.take.layout import Marker
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.types import Estimate, Health, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.formats.plain_csv import write_au_csv
from tests.take.synthetic import CLOCK, START_NS, clip_info, make_take, tracked_frame

Export = Callable[..., Path]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def moving(i_frame: int, **intensities: float) -> TrackedFrame:
    frame = tracked_frame(i_frame)
    values = np.zeros(N_AU, np.float32)
    for channel, value in intensities.items():
        values[CHANNEL_INDEX[channel]] = value
    return replace(frame, units=replace(frame.units, intensity=values))


@pytest.fixture
def acted(tmp_path: Path) -> Take:
    """Two seconds: both corners up in 0.5 to 1 s, left stronger; a left wink at 1.5 s."""
    frames = []
    for i in range(120):
        smiling = 30 <= i < 60
        peak = 0.7 if 40 <= i < 50 else 0.4
        parts = {"AU12_L": peak, "AU12_R": peak / 2} if smiling else {}
        if 90 <= i < 100:
            parts["AU45_L"] = 1.0
        frames.append(moving(i, **parts))
    return make_take(tmp_path / "acted", frames, clip_info())


def test_table_of_a_clip_cell_by_cell(tmp_path: Path) -> None:
    frames = [tracked_frame(i, face=i != 7) for i in range(20)]
    clip = make_take(tmp_path / "clip", frames, clip_info(is_live=False))
    export_take(clip, find_format("csv"), tmp_path / "out.csv", ExportOptions())
    rows = read_rows(tmp_path / "out.csv")
    assert list(rows[0]) == [*header(), "health"]
    assert [row["frame"] for row in rows] == [str(i) for i in range(20)]
    assert rows[6]["timestamp_s"] == "5.100000"  # presentation time, as the clip has it
    assert (rows[6]["face"], rows[6]["confidence"]) == ("1", "1.000")
    assert (rows[6]["head_yaw_deg"], rows[6]["head_z_cm"]) == ("3.438", "60.60")
    assert rows[6]["gaze_right_pitch_deg"] == "-2.292"
    assert (rows[6]["AU12"], rows[6]["AU12_L"], rows[6]["AU12_R"]) == ("0.4500", "0.6000", "0.3000")
    assert rows[6]["AU26"] == "0.0060"
    assert rows[7].pop("health") == str(int(Health.NO_FACE | Health.HELD))
    assert set(rows[7].values()) == {"7", "5.116667", "0", ""}


def test_the_table_agrees_with_its_plain_twin(tmp_path: Path) -> None:
    frames = [tracked_frame(i, face=i != 7) for i in range(20)]
    clip = make_take(tmp_path / "clip", frames, clip_info(is_live=False))
    export_take(clip, find_format("csv"), tmp_path / "out.csv", ExportOptions())
    rows = [(f.i_frame, f.t_ns, Estimate(f.units, f.head, f.gaze, f.health)) for f in clip]
    write_au_csv(tmp_path / "plain.csv", rows)
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "plain.csv").read_text()


def test_table_columns_on_request(exported: Export) -> None:
    rows = read_rows(exported("csv", timecode=True, confidence=True))
    assert list(rows[0])[:5] == ["frame", "timestamp_s", "timecode", "face", "confidence"]
    assert rows[10]["timecode"] == "01:00:00:10"
    assert rows[10]["timestamp_s"] == "0.166667"
    assert (rows[10]["AU12"], rows[10]["AU12_L"], rows[10]["AU12_R"]) == (
        "0.7500",
        "1.0000",
        "0.5000",
    )
    assert rows[10]["AU12_L_confidence"] == "1.000"
    assert rows[10]["AU9_L"] == rows[10]["AU9"] == ""
    assert rows[10]["AU11"] == ""  # not measured at all
    assert rows[40]["face"] == "0"
    assert rows[40]["AU12_L"] == rows[40]["head_yaw_deg"] == rows[40]["AU12_L_confidence"] == ""


def test_table_resampled(exported: Export) -> None:
    rows = read_rows(exported("csv", fps="30"))
    assert len(rows) == 31
    assert [row["frame"] for row in rows[:3]] == ["0", "1", "2"]
    assert rows[5]["AU12_L"] == "1.0000"
    assert rows[20]["face"] == "0"
    assert rows[21]["face"] == "1"


def test_table_of_a_rig(exported: Export) -> None:
    rows = read_rows(exported("csv", rig="arkit52"))
    assert list(rows[0])[-4:] == ["jawOpen", "mouthSmileLeft", "mouthSmileRight", "health"]
    assert rows[30]["mouthSmileLeft"] == "0.500000"


def test_flags_of_frames_are_told_where_the_format_has_room(tmp_path: Path) -> None:
    flags = [Health.NO_NEUTRAL | Health.UNCALIBRATED if i % 2 else Health.OK for i in range(6)]
    frames = [replace(tracked_frame(i), health=flag) for i, flag in enumerate(flags)]
    take = make_take(tmp_path / "held", frames)
    expected = [int(flag) for flag in flags]
    for rig in ("", "arkit52"):
        path = tmp_path / f"{rig}.csv"
        export_take(take, find_format("csv"), path, ExportOptions(rig=rig, confidence=True))
        assert [int(row["health"]) for row in read_rows(path)] == expected
    export_take(take, find_format("jsonl"), tmp_path / "out.jsonl", ExportOptions())
    _, *lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["health"] for line in lines] == expected


def test_events(acted: Take) -> None:
    smile, wink = events_from_take(acted)
    assert (smile.action, smile.side, smile.letter, smile.notation) == ("AU12", "B", "D", "12D")
    assert smile.peak == pytest.approx(0.7)
    assert smile.onset_ns == pytest.approx(START_NS + 0.5e9, abs=1e6)
    assert smile.apex_ns == pytest.approx(START_NS + 40 / 60 * 1e9, abs=1e6)
    assert smile.offset_ns == pytest.approx(START_NS + 59 / 60 * 1e9, abs=1e6)
    assert (wink.action, wink.side, wink.notation) == ("AU45", "L", "L45E")


def test_event_list(acted: Take, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    export_take(acted, find_format("events"), path, ExportOptions())
    smile, wink = read_rows(path)
    assert (smile["notation"], smile["onset_s"], smile["apex_s"]) == ("12D", "0.500", "0.667")
    assert smile["onset_timecode"] == "01:00:00:30"
    assert (wink["notation"], wink["onset_timecode"]) == ("L45E", "01:00:01:30")


def test_elan_by_pympi(acted: Take, tmp_path: Path) -> None:
    pympi = pytest.importorskip("pympi")
    path = tmp_path / "out.eaf"
    export_take(acted, find_format("eaf"), path, ExportOptions())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pympi leaves the file to the collector and speaks of 2.8
        eaf = pympi.Elan.Eaf(str(path))
    assert set(eaf.get_tier_names()) == {"AU12", "AU45_L"}
    (smile,) = eaf.get_annotation_data_for_tier("AU12")
    assert smile[:3] == (500, 983, "12D apex 0.667")


def test_elan_shows_the_markers(exported: Export, take: Take) -> None:
    document = etree.parse(str(exported("eaf")))
    (marker,) = document.xpath("//TIER[@TIER_ID='markers']//ALIGNABLE_ANNOTATION")
    assert marker.findtext("ANNOTATION_VALUE") == "big smile"
    slot = marker.get("TIME_SLOT_REF1")
    assert document.xpath(f"//TIME_SLOT[@TIME_SLOT_ID='{slot}']/@TIME_VALUE") == ["500"]
    order = [child.tag for child in document.getroot()]
    assert order.index("TIME_ORDER") < order.index("TIER") < order.index("LINGUISTIC_TYPE")


def test_elan_markers_do_not_overlap(tmp_path: Path) -> None:
    """At one moment, a third of a frame apart, and alone: ELAN drops what overlaps in a tier."""
    pympi = pytest.importorskip("pympi")
    folder = tmp_path / "t"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info("25"), CLOCK)
    writer.append([moving(i) for i in range(30)])
    for label, at_ms in (("a", 100), ("b", 100), ("c", 113), ("d", 300)):
        t_ns = START_NS + at_ms * 10**6
        writer.mark(Marker(3, 3, t_ns, writer.timecode_frame(t_ns), "mark", label))
    writer.close()
    path = tmp_path / "out.eaf"
    export_take(Take(folder), find_format("eaf"), path, ExportOptions())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pympi leaves the file to the collector and speaks of 2.8
        found = pympi.Elan.Eaf(str(path)).get_annotation_data_for_tier("markers")
    assert sorted(found) == [(100, 113, "a; b"), (113, 153, "c"), (300, 340, "d")]


def media_links(path: Path) -> list[dict[str, str]]:
    return [dict(link.attrib) for link in etree.parse(str(path)).iter("MEDIA_DESCRIPTOR")]


def clip_take(folder: Path, clip: Path, start_ns: int = 0, **source: object) -> Take:
    config = {"source": {"spec": str(clip), "realtime": False, "loop": False, **source}}
    frames = [moving(i, AU12_L=0.7, AU12_R=0.7) for i in range(30)]
    words = "scene 4.mov, 640×480, 60 fps"
    info = clip_info(is_live=False, source=words, start_ns=start_ns, config=config)
    return make_take(folder, frames, info)


def test_elan_opens_the_clip_beside_the_events(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "scene 4.mov"
    clip.parent.mkdir()
    clip.write_bytes(b"")
    path = tmp_path / "out" / "scene.eaf"
    export_take(clip_take(tmp_path / "t", clip), find_format("eaf"), path, ExportOptions())
    (link,) = media_links(path)
    assert Path(unquote(urlsplit(link["MEDIA_URL"]).path)) == clip
    assert (path.parent / link["RELATIVE_MEDIA_URL"]).resolve() == clip
    assert link["MIME_TYPE"] == "video/quicktime"
    assert "TIME_ORIGIN" not in link
    times = [int(slot.get("TIME_VALUE", -1)) for slot in etree.parse(str(path)).iter("TIME_SLOT")]
    assert min(times) >= 5_000  # the take begins five seconds into the clip


def event_times_ms(path: Path) -> list[tuple[int, int]]:
    """Begin and end of every annotation, as the file has them."""
    tree = etree.parse(str(path))
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE", -1)) for s in tree.iter("TIME_SLOT")}
    references = [
        (each.get("TIME_SLOT_REF1"), each.get("TIME_SLOT_REF2"))
        for each in tree.iter("ALIGNABLE_ANNOTATION")
    ]
    assert references
    return sorted((slots[begin], slots[end]) for begin, end in references)


def test_annotations_stand_in_the_linked_files_time(tmp_path: Path) -> None:
    """The picture starts 1.8 s after the sound; without the file, times are the take's own."""
    clip = tmp_path / "scene 4.mov"
    clip.write_bytes(b"")
    path = tmp_path / "out.eaf"
    at_once = clip_take(tmp_path / "t", clip)
    export_take(at_once, find_format("eaf"), path, ExportOptions())
    together = event_times_ms(path)
    late = clip_take(tmp_path / "late", clip, start_ns=1_800_000_000)
    export_take(late, find_format("eaf"), path, ExportOptions())
    assert event_times_ms(path) == [(begin + 1_800, end + 1_800) for begin, end in together]
    clip.unlink()
    export_take(late, find_format("eaf"), path, ExportOptions())
    assert event_times_ms(path) == [(begin - 5_000, end - 5_000) for begin, end in together]


def test_otio_names_the_clip(tmp_path: Path) -> None:
    clip = tmp_path / "scene 4.mov"
    clip.write_bytes(b"")
    path = tmp_path / "out.otio"
    export_take(clip_take(tmp_path / "t", clip), find_format("otio"), path, ExportOptions())
    (found,) = otio.adapters.read_from_file(str(path)).find_clips()
    assert Path(unquote(urlsplit(found.media_reference.target_url).path)) == clip
    late = clip_take(tmp_path / "late", clip, start_ns=1_800_000_000)
    export_take(late, find_format("otio"), path, ExportOptions())
    (moved,) = otio.adapters.read_from_file(str(path)).find_clips()
    offsets_s = [
        (
            each.source_range.start_time - each.media_reference.available_range.start_time
        ).to_seconds()
        for each in (found, moved)
    ]
    assert offsets_s == pytest.approx([5.0, 6.8])  # the take begins five seconds into the clip


def test_elan_links_no_clip_that_does_not_fit(tmp_path: Path) -> None:
    clip = tmp_path / "scene 4.mov"
    path = tmp_path / "out.eaf"
    export_take(clip_take(tmp_path / "gone", clip), find_format("eaf"), path, ExportOptions())
    assert media_links(path) == []
    clip.write_bytes(b"")
    live = clip_take(tmp_path / "live", clip, realtime=True)
    export_take(live, find_format("eaf"), path, ExportOptions())
    assert media_links(path) == []
    other = tmp_path / "other.mov"
    other.write_bytes(b"")
    export_take(clip_take(tmp_path / "o", other), find_format("eaf"), path, ExportOptions())
    assert media_links(path) == []


@pytest.mark.parametrize("name", ["events", "eaf", "edl", "otio"])
def test_lists_refuse_what_they_would_not_heed(exported: Export, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is made of .*: leave out --fps and --smooth"):
        exported(name, fps="24", smooth_hz=6.0)


def test_formats_by_name_and_ending(tmp_path: Path) -> None:
    assert find_format("", Path("x.glb")).name == "gltf"
    assert find_format("", Path("x.csv")).name == "csv"
    assert find_format("USD").name == "usd"
    assert find_format("GLB").name == "gltf"
    with pytest.raises(ConfigError, match="no format 'anim'"):  # Maya's and Unity's
        find_format("anim")
    with pytest.raises(ConfigError, match="no format 'fbx': expected one of csv, jsonl"):
        find_format("fbx")
    with pytest.raises(ConfigError, match="the ending does not tell"):
        find_format("", Path("x.xyz"))


def test_what_cannot_be_written_is_said(take: Take, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TakeError, match="cannot write"):
        export_take(take, find_format("csv"), tmp_path / "file/out.csv", ExportOptions())
    empty = make_take(tmp_path / "empty", [])
    with pytest.raises(TakeError, match="has no frames"):
        export_take(empty, find_format("gltf"), tmp_path / "out.glb", ExportOptions())
    assert not (tmp_path / "out.glb").exists()

"""Clips and takes solved into any format; awkward clips; nothing left behind."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import tracemalloc
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pygltflib
import pytest

from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import canonical_neutral
from livefacs.au.profile import Profile, save_profile
from livefacs.clock import ClockMap
from livefacs.config import TrackingOptions, load_options
from livefacs.errors import ConfigError, SourceError, TakeError
from livefacs.files.locks import Lock
from livefacs.formats.curves import ExportOptions
from livefacs.offline import SolveOptions, checked_mark, solve_clip
from livefacs.resources import data_path
from livefacs.session.composition import open_session
from livefacs.session.parts import profile_entry
from livefacs.take.layout import TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import RATES
from livefacs.types import TrackedFrame
from tests.take.synthetic import clip_info, make_take, tracked_frame

N_FRAMES = 24


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    """The performer's first frames, 640 x 480 RGB."""
    found = []
    with av.open(str(data_path("performer.mp4"))) as container:
        for frame in container.decode(video=0):
            found.append(frame.to_ndarray(format="rgb24"))
            if len(found) == N_FRAMES:
                break
    return found


def write_clip(
    path: Path, images: list[np.ndarray], *, codec: str = "libx264", pix_fmt: str = "yuv420p"
) -> Path:
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_clip_as_table_and_nothing_beside(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", images)
    seen: list[int | None] = []
    ticks: list[None] = []
    report = solve_clip(
        str(clip),
        tmp_path / "out" / "clip.csv",
        SolveOptions(),
        on_frame=lambda: ticks.append(None),
        on_open=seen.append,
    )
    assert (report.n_frames, report.n_with_face, report.n_faces_at_once) == (24, 24, 1)
    assert (seen, len(ticks)) == ([24], 24)
    (notice,) = report.notices
    assert notice.startswith("the face does the same throughout")
    rows = rows_of(tmp_path / "out" / "clip.csv")
    assert [row["frame"] for row in rows] == [str(i) for i in range(24)]
    assert rows[12]["timestamp_s"] == "0.400000"
    assert all(row["AU12_L"] for row in rows)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.csv"]


def test_resampled_smoothed_and_retargeted(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", images)
    export = ExportOptions(rig="arkit52", fps="24", smooth_hz=5.0)
    solve_clip(str(clip), tmp_path / "clip.glb", SolveOptions(format="gltf", export=export))
    gltf = pygltflib.GLTF2().load_binary(str(tmp_path / "clip.glb"))
    times = gltf.accessors[gltf.animations[0].samplers[0].input]
    assert times.count == 19  # 23/30 s on whole frames of 24
    assert times.max[0] == pytest.approx(18 / 24)
    assert "mouthSmileLeft" in gltf.meshes[0].extras["targetNames"]


def test_options_that_do_not_fit_are_refused_before_the_work(tmp_path: Path) -> None:
    options = SolveOptions(format="edl", export=ExportOptions(fps="24"))
    with pytest.raises(ConfigError, match="leave out --fps"):
        solve_clip(str(tmp_path / "not there.mp4"), tmp_path / "out.edl", options)


def test_a_timeline_carries_the_clips_name(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "scene 4.mp4", images)
    solve_clip(str(clip), tmp_path / "out.edl", SolveOptions(format="edl"))
    assert (tmp_path / "out.edl").read_text().startswith("TITLE: scene-4\n")


def test_solved_events_open_beside_the_clip(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "scene 4.mp4", images)
    solve_clip(str(clip), tmp_path / "out.eaf", SolveOptions(format="eaf"))
    assert 'RELATIVE_MEDIA_URL="./scene 4.mp4"' in (tmp_path / "out.eaf").read_text()


def test_a_take_solved_with_another_filter(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", images)
    solve_clip(str(clip), tmp_path / "first", SolveOptions(format="take", as_live=True))
    first = Take(tmp_path / "first")
    solve_clip(str(first.folder), tmp_path / "again", SolveOptions(format="take"))
    again = Take(tmp_path / "again")
    assert again.intensity.tobytes() == first.intensity.tobytes()
    other = SolveOptions(TrackingOptions(filter_cutoff_hz=0.2, filter_beta=0.0), format="take")
    solve_clip(str(first.folder), tmp_path / "other", other)
    slow = Take(tmp_path / "other")
    assert slow.raw.tobytes() == first.raw.tobytes()
    assert slow.intensity.tobytes() != first.intensity.tobytes()
    assert slow.document["landmarker"] == "facemesh-litert"
    with pytest.raises(TakeError, match="never goes over"):
        solve_clip(str(first.folder), tmp_path / "other", other)


def test_two_faces_the_largest_is_followed(tmp_path: Path, images: list[np.ndarray]) -> None:
    pairs = []
    for image in images:
        canvas = np.zeros((480, 960, 3), np.uint8)
        canvas[:, 320:] = image
        canvas[120:360, :320] = image[::2, ::2]
        pairs.append(canvas)
    clip = write_clip(tmp_path / "pair.mp4", pairs)
    report = solve_clip(str(clip), tmp_path / "pair", SolveOptions(format="take"))
    assert report.n_faces_at_once == 2
    assert report.notices == ("2 faces at once: the largest was followed",)
    points = Take(tmp_path / "pair").points_px
    assert (np.nanmean(points[:, :, 0], axis=1) > 400).all()


def test_a_larger_face_that_comes_later_is_followed_from_the_next_look_on(
    tmp_path: Path, images: list[np.ndarray]
) -> None:
    pictures = []
    for i in range(100):
        image = images[i % len(images)]
        canvas = np.zeros((480, 960, 3), np.uint8)
        canvas[120:360, :320] = image[::2, ::2]
        if i >= 40:
            canvas[:, 320:] = image
        pictures.append(canvas)
    clip = write_clip(tmp_path / "joined.mp4", pictures)
    report = solve_clip(str(clip), tmp_path / "joined", SolveOptions(format="take"))
    assert report.n_faces_at_once == 2
    x_mean = np.nanmean(Take(tmp_path / "joined").points_px[:, :, 0], axis=1)
    assert (x_mean[:40] < 320).all()
    assert (x_mean[55:] > 400).all()  # looked for in every fifteenth frame


def test_frames_without_a_face_are_empty(tmp_path: Path, images: list[np.ndarray]) -> None:
    mixed = [*images[:8], *[np.zeros_like(images[0])] * 8, *images[16:]]
    clip = write_clip(tmp_path / "mixed.mp4", mixed)
    report = solve_clip(str(clip), tmp_path / "mixed.csv", SolveOptions())
    assert "no face in" in report.notices[0]
    rows = rows_of(tmp_path / "mixed.csv")
    assert rows[12]["face"] == "0"
    assert rows[12]["AU12_L"] == rows[12]["head_yaw_deg"] == ""
    assert rows[3]["AU12_L"] != ""


def test_a_clip_without_any_face(tmp_path: Path, images: list[np.ndarray]) -> None:
    clip = write_clip(tmp_path / "empty.mp4", [np.full_like(images[0], 90)] * 10)
    with pytest.raises(SourceError, match=r"empty\.mp4: no face in the clip"):
        solve_clip(str(clip), tmp_path / "out.csv", SolveOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["empty.mp4"]


def test_odd_sizes_and_ten_bits(tmp_path: Path, images: list[np.ndarray]) -> None:
    odd = write_clip(tmp_path / "odd.mkv", [image[:-1, :-1] for image in images], pix_fmt="yuv444p")
    deep = write_clip(tmp_path / "deep.mkv", images, codec="ffv1", pix_fmt="yuv422p10le")
    for clip in (odd, deep):
        report = solve_clip(str(clip), tmp_path / "out.csv", SolveOptions())
        assert report.n_with_face == N_FRAMES


@pytest.mark.parametrize("contents", [b"", b"not a clip"])
def test_what_is_no_clip(tmp_path: Path, contents: bytes) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(contents)
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        solve_clip(str(clip), tmp_path / "out.csv", SolveOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_an_empty_take_and_a_bad_target(tmp_path: Path) -> None:
    make_take(tmp_path / "take", [])
    with pytest.raises(TakeError, match="has no frames"):
        solve_clip(str(tmp_path / "take"), tmp_path / "out.csv", SolveOptions())
    (tmp_path / "file").write_text("")
    with pytest.raises(TakeError, match="cannot write"):
        solve_clip(str(tmp_path / "take"), tmp_path / "file/out.csv", SolveOptions())


def test_a_recording_is_solved_as_it_was_recorded(tmp_path: Path) -> None:
    """The recording's filter counts, unless another is asked for."""
    session = load_options(
        None,
        {
            "source": {"spec": "demo", "realtime": False},
            "tracking": {"filter_cutoff_hz": 0.3, "filter_beta": 0.0},
            "record": {"folder": tmp_path / "live", "exact": True},
            "seconds": 1.5,
        },
    )
    with open_session(session) as running:
        running.run()
    live = Take(tmp_path / "live")
    for name, options in {
        "same": SolveOptions(format="take"),
        "whole": SolveOptions(format="take", as_live=False),
        "faster": SolveOptions(TrackingOptions(filter_cutoff_hz=5.0), format="take"),
    }.items():
        report = solve_clip(str(live.folder), tmp_path / name, options)
        assert report.notices == ()
    for column in ("intensity", "raw", "confidence", "head", "gaze", "health", "t_ns", "timecode"):
        same = Take(tmp_path / "same").frames[column]
        assert same.tobytes() == live.frames[column].tobytes(), column
    faster = Take(tmp_path / "faster")
    assert faster.raw.tobytes() == live.raw.tobytes()
    assert faster.intensity.tobytes() != live.intensity.tobytes()
    assert Take(tmp_path / "whole").raw.tobytes() != live.raw.tobytes()


def test_a_solved_take_keeps_the_recordings_clock_and_its_own_filter(tmp_path: Path) -> None:
    """Another filter's take can be solved again, and its times still lead to the wall clock."""
    clock = ClockMap(123_456_789_012_345, 1_700_000_000_000_000_000)
    (tmp_path / "live").mkdir()
    start = TimecodeStart(RATES["30"], "time of day", "10:00:00:07", clock.session_ns + 16_000_000)
    writer = TakeWriter(tmp_path / "live", clip_info(timecode=start, is_live=True), clock)
    frames = [tracked_frame(i) for i in range(30)]
    writer.append([at_session_time(frame, clock.session_ns) for frame in frames])
    writer.close()
    live = Take(tmp_path / "live")
    slower = SolveOptions(TrackingOptions(filter_cutoff_hz=0.2, filter_beta=0.0), format="take")
    solve_clip(str(live.folder), tmp_path / "slow", slower)
    solve_clip(str(tmp_path / "slow"), tmp_path / "again", SolveOptions(format="take"))
    for name in ("slow", "again"):
        solved = Take(tmp_path / name)
        assert solved.clock == clock
        assert solved.document["timecode"] == live.document["timecode"]
        assert solved.frames["timecode"].tobytes() == live.frames["timecode"].tobytes()
        assert solved.document["estimator"]["cutoff_hz"] == 0.2
    again = Take(tmp_path / "again").intensity
    assert again.tobytes() == Take(tmp_path / "slow").intensity.tobytes()


def at_session_time(frame: TrackedFrame, session_ns: int) -> TrackedFrame:
    assert frame.landmarks is not None
    t_ns = session_ns + frame.t_ns
    return replace(frame, t_ns=t_ns, landmarks=replace(frame.landmarks, t_ns=t_ns))


def test_other_weights_than_the_recordings_are_named(tmp_path: Path) -> None:
    take = make_take(
        tmp_path / "take",
        [tracked_frame(i) for i in range(5)],
        clip_info(weights={"file": "shipped", "sha256": "0123456789ab"}),
    )
    report = solve_clip(str(take.folder), tmp_path / "out.csv", SolveOptions())
    assert "other weights than the recording's" in report.notices[0]


def test_a_profile_that_was_calibrated_anew_since_is_named(tmp_path: Path) -> None:
    path = tmp_path / "anna.json"
    neutral = canonical_neutral(load_model())
    then = Profile("anna", "facemesh", neutral, {"AU12_L": 0.5}, "2026")
    save_profile(then, path)
    take = make_take(
        tmp_path / "take",
        [tracked_frame(i) for i in range(5)],
        clip_info(landmarker="facemesh", profile=profile_entry(then)),
    )
    options = SolveOptions(TrackingOptions(profile=str(path)))

    def said() -> list[str]:
        notices = solve_clip(str(take.folder), tmp_path / "out.csv", options).notices
        return [notice for notice in notices if "another profile than" in notice]

    assert said() == []
    save_profile(replace(then, maxima={"AU12_L": 0.9}), path)
    (notice,) = said()
    assert "another profile than the recording's" in notice
    assert then.digest in notice


def test_a_failure_tells_of_the_damage_too(tmp_path: Path) -> None:
    """Noise, of which the clip's end is gone: it has no face, and is not whole either."""
    clip = tmp_path / "noise.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(clip), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = 64, 48
        for _ in range(40):
            noise = rng.integers(0, 256, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode())
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"no face in the clip.*only \d+ of 40 frames were there"):
        solve_clip(str(clip), tmp_path / "x.csv", SolveOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["noise.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are no text: Linux")
def test_a_clip_whose_name_is_no_text(tmp_path: Path) -> None:
    clip = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    clip.write_bytes(data_path("performer.mp4").read_bytes())
    options = SolveOptions(format="jsonl")
    report = solve_clip(str(clip), tmp_path / os.fsdecode(b"caf\xe9.jsonl"), options)
    assert report.n_with_face == 420
    assert Path(report.target).read_text(encoding="utf-8").count("\n") == 421


@pytest.mark.parametrize("options", [{"rate_hz": 0.0}, {"rate_hz": np.nan}, {"focal_px": -5.0}])
def test_numbers_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a number greater than 0"):
        checked_mark(SolveOptions(**options))  # type: ignore[arg-type]  # names are the options'


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    """A mesh in double precision is 11 kB: were they kept, 1800 more frames would be 20 MB."""

    def peak_mb(n_frames: int) -> float:
        folder = tmp_path / f"take{n_frames}"
        folder.mkdir()
        writer = TakeWriter(folder, clip_info())
        for begin in range(0, n_frames, 100):
            writer.append([tracked_frame(i) for i in range(begin, begin + 100)])
        writer.close()
        tracemalloc.start()
        try:
            solve_clip(str(folder), tmp_path / "out.csv", SolveOptions(as_live=False))
            return tracemalloc.get_traced_memory()[1] / 1e6
        finally:
            tracemalloc.stop()

    peak_mb(100)  # imports
    short, long = peak_mb(900), peak_mb(2700)  # both have 900 frames looked at for the neutral
    assert len(rows_of(tmp_path / "out.csv")) == 2700
    assert long < short + 6.0


def test_a_killed_runs_working_folder_is_taken_away_and_a_live_ones_stays(
    tmp_path: Path, images: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    left, live = place / "livefacs-solving-left", place / "livefacs-solving-live"
    for folder in (left, live):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
    clip = write_clip(tmp_path / "clip.mp4", images)
    with closing(Lock(live / "lock")):
        solve_clip(str(clip), tmp_path / "clip.csv", SolveOptions())
        assert [path.name for path in place.iterdir()] == [live.name]


def test_no_room_for_the_working_take_is_told(
    tmp_path: Path, images: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    clip = write_clip(tmp_path / "clip.mp4", images)
    with pytest.raises(TakeError, match=r"cannot work in .*absent.*TMPDIR"):
        solve_clip(str(clip), tmp_path / "clip.csv", SolveOptions())

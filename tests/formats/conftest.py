"""One take with known numbers for every format's test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.take.layout import Marker
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from tests.take.synthetic import CLOCK, clip_info, tracked_frame

N_FRAMES = 61


@pytest.fixture(scope="session")
def take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    """61 frames at 60 fps; AU12_L is 1 at frames 10, 30, 50; frame 40 has no face."""
    folder = tmp_path_factory.mktemp("takes") / "smile_003"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info(), CLOCK)
    writer.append([tracked_frame(i, face=i != 40) for i in range(N_FRAMES)])
    t_ns = tracked_frame(30).t_ns
    writer.mark(Marker(30, 30, t_ns, writer.timecode_frame(t_ns), "mark", "big smile"))
    writer.close()
    return Take(folder)


@pytest.fixture
def exported(take: Take, tmp_path: Path) -> Callable[..., Path]:
    """Write the take in a format and give the path."""

    def export(name: str, suffix: str = "", **options: object) -> Path:
        file_format = find_format(name)
        path = tmp_path / f"out{suffix or file_format.suffixes[0]}"
        export_take(take, file_format, path, ExportOptions(**options))  # type: ignore[arg-type]
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
        return path

    return export

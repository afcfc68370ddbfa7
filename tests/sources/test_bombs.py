"""Pictures and clips that state more than anybody films: refused by their header."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from livefacs.errors import SourceError
from livefacs.sources import open_source
from tests.sources.clips import write_clip

SIDE = 43_200  # squared, at three bytes: 5.6 GB


def png(path: Path, width: int, height: int) -> Path:
    """Black, row by row through the packer: megabytes that unpack to gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    packed = b"".join(packer.compress(row) for _ in range(64)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


OPEN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from livefacs.errors import SourceError
from livefacs.sources import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    open_source(sys.argv[1])
except SourceError as error:
    print(error)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
assert grown < 300, grown
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of memory to set there")
def test_a_picture_of_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    path = png(tmp_path / "bomb.png", SIDE, SIDE)
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "million pixels" in done.stdout


def test_a_clip_without_a_decoder_says_so(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", times_ms=range(0, 400, 40), codec="libx264")
    path = tmp_path / "b.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(SourceError, match="no decoder"):
        open_source(str(path))


def test_a_picture_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(SourceError):
        open_source(str(tmp_path / "a.png"))

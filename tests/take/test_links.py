"""Takes that others prepared: nothing goes through a link, nothing sparse is filled."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from livefacs.errors import TakeError
from livefacs.take.catalog import find_takes, repair
from livefacs.take.layout import frames_dtype
from livefacs.take.reader import Take
from tests.take.synthetic import make_take, tracked_frame

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and holes are POSIX's")
N_ROWS = 12
FILES = ("take.json", "frames.rec", "landmarks.rec", "rig_arkit52.rec", "markers.jsonl")


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return make_take(tmp_path / "shot_001", [tracked_frame(i) for i in range(N_ROWS)]).folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("target", ["a file elsewhere", "/dev/zero", "a pipe"])
def test_a_file_that_is_a_link_or_no_file_is_refused(
    take: Path, tmp_path: Path, name: str, target: str
) -> None:
    path = take / name
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    if target == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if target.startswith("/") else elsewhere)
    with pytest.raises(TakeError, match=name):
        _ = Take(take).markers
    before = elsewhere.read_bytes()
    with pytest.raises(TakeError):
        repair(take)
    assert elsewhere.read_bytes() == before


def test_repair_writes_through_no_link(take: Path, tmp_path: Path) -> None:
    """Each name that repairing writes, led to a file of somebody else's."""
    victims = {}
    torn = 5 * frames_dtype().itemsize
    (take / "torn").mkdir()
    for link in ("take.json.new", f"torn/frames.rec.{torn}", ".recording.lock"):
        victims[link] = tmp_path / f"victim-{link.replace('/', '-')}"
        victims[link].write_text("mine")
        (take / link).symlink_to(victims[link])
    with (take / "frames.rec").open("r+b") as file:
        file.seek(torn)
        file.write(b"\xff" * (7 * frames_dtype().itemsize))
    done = repair(take)
    assert done.n_rows == 5
    assert all(victim.read_text() == "mine" for victim in victims.values())
    kept = take / "torn" / f"frames.rec.{torn}-2"
    assert kept.stat().st_size == 7 * frames_dtype().itemsize
    assert not kept.is_symlink()


def test_a_torn_folder_that_leads_elsewhere_is_refused(take: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (take / "torn").symlink_to(tmp_path / "elsewhere")
    with (take / "frames.rec").open("ab") as file:
        file.write(b"half a record")
    before = (take / "frames.rec").read_bytes()
    with pytest.raises(TakeError, match="torn"):
        repair(take)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert (take / "frames.rec").read_bytes() == before  # nothing is cut that is not kept


SPARSE = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (400 * 2**30, 400 * 2**30))
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import FORMATS, export_take
from livefacs.take.catalog import repair
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
folder = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
take = Take(folder)
assert take.n_rows == 12, take.n_rows
errors_of(take)
export_take(take, FORMATS["chan"], folder.parent / "a.chan", ExportOptions())
del take
print(repair(folder).torn)
assert Take(folder).n_rows == 12
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
assert grown < 200, grown
"""


@pytest.mark.parametrize("stream", ["frames.rec", "landmarks.rec", "rig_arkit52.rec"])
def test_a_sparse_stream_costs_what_lies_on_the_disk(take: Path, stream: str) -> None:
    size = 200 << 30
    with (take / stream).open("r+b") as file:
        whole = os.fstat(file.fileno()).st_size
        file.truncate(size)
        file.seek(size - 8)
        file.write(b"the end!")
    if (take / stream).stat().st_blocks * 512 > 1 << 30:
        pytest.skip("this file system has no sparse files")
    done = subprocess.run(
        [sys.executable, "-c", SPARSE, str(take)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{size - whole}" in done.stdout
    (kept,) = (take / "torn").iterdir()
    assert kept.stat().st_size == size - whole
    assert kept.stat().st_blocks * 512 < 1 << 20


def test_a_document_beyond_all_measure_is_refused(take: Path) -> None:
    with (take / "take.json").open("r+b") as file:
        file.truncate(10 << 30)
    with pytest.raises(TakeError, match="larger than"):
        Take(take)
    takes, errors = find_takes(take.parent)
    assert (takes, len(errors)) == ([], 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20  # kilobytes

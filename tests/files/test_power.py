"""Power loss: nobody is told of a file before the disk has its bytes and its name.

Each writer runs in a process of its own under ``strace``; the order of its system calls is what is
checked. A new writer is one more line in ``WRITERS``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.take.synthetic import make_take, tracked_frame

TOLD = "TOLD"
_CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,ftruncate,copy_file_range,sendfile,"
    "fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat"
)
_WRITES = {
    "write", "pwrite64", "writev", "pwritev", "ftruncate", "copy_file_range", "sendfile",
}  # fmt: skip


@dataclass
class Disk:
    """What would be lost if the power went now."""

    root: Path
    bytes_at_risk: set[str] = field(default_factory=set)
    names_at_risk: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def call(self, name: str, words: str) -> None:
        """Take one system call that succeeded over."""
        paths = [path for path in re.findall(r'"([^"]*)"', words) if path.startswith("/")]
        opened = re.match(r"\d+<([^>]*)>", words)
        if name in _WRITES and opened and self._is_ours(opened[1]):
            self.bytes_at_risk.add(opened[1])
        elif name in {"fsync", "fdatasync"} and opened:
            self.bytes_at_risk.discard(opened[1])
            self.names_at_risk = {p for p in self.names_at_risk if str(Path(p).parent) != opened[1]}
        elif name.startswith(("mkdir", "creat")) or (
            name.startswith("open") and "O_CREAT" in words
        ):
            self.names_at_risk |= {p for p in paths if self._is_ours(p)}
        elif name.startswith("unlink"):
            self._forget(paths[0] if paths else "")
        elif name.startswith("rename") and len(paths) == 2:
            self._rename(*paths)

    def _rename(self, old: str, new: str) -> None:
        inside = {p for p in self.bytes_at_risk if p == old or p.startswith(f"{old}/")}
        is_unfinished = Path(new).name.startswith(".livefacs-")  # a library's own way of writing
        if inside and self._is_ours(new) and not is_unfinished:
            self.errors.append(f"{new} was renamed before its bytes were on the disk")
        for at_risk in (self.bytes_at_risk, self.names_at_risk):
            moved = {p for p in at_risk if p == old or p.startswith(f"{old}/")}
            at_risk -= moved
            at_risk |= {new + p.removeprefix(old) for p in moved}
        if self._is_ours(new):
            self.names_at_risk.add(new)

    def _forget(self, path: str) -> None:
        self.bytes_at_risk.discard(path)
        self.names_at_risk.discard(path)

    def _is_ours(self, path: str) -> bool:
        return path.startswith(f"{self.root}/") and not path.endswith((".lock", ".reserve"))


def calls_of(log: str) -> Iterator[tuple[str, str]]:
    """Name and arguments of each call that succeeded, in the order in which they ended."""
    begun: dict[str, tuple[str, str]] = {}
    for line in log.splitlines():
        thread, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            name, _, words = rest.removesuffix("<unfinished ...>").partition("(")
            begun[thread] = name, words
            if name in _WRITES:  # what is being written is at risk from now on
                yield name, words
            continue
        if rest.startswith("<..."):
            name, words = begun.pop(thread, ("", ""))
            if name not in _WRITES and not re.search(r"= -1 E", rest):
                yield name, words
            continue
        name, _, words = rest.partition("(")
        if not re.search(r"= -1 E", rest):
            yield name, words


EXPORT = """
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import FORMATS, export_take
from livefacs.take.reader import Take
for name, kind in FORMATS.items():
    if kind.of_sound:
        continue
    place = folder / name / ("a" + kind.suffixes[0])
    export_take(Take(folder.parent / "take"), kind, place, ExportOptions())
    tell(name)
"""

RECORD = """
import numpy as np
from dataclasses import replace
from livefacs.sinks.recorder import RecorderSink
from tests.take.synthetic import clip_info, tracked_frame
sink = RecorderSink(folder / "t", clip_info(), video=True)
for i in range(6):
    sink.send(replace(tracked_frame(i), image=np.full((48, 64, 3), 90, np.uint8)))
sink.mark("here")
sink.close()
"""

BATCH = """
from livefacs.batch import Job, Manifest, Outcome
from livefacs.cli.batch import write_report
manifest = Manifest(folder / "out")
outcome = Outcome(Job("/c.mp4", str(folder / "out" / "c.csv"), "key"), "done", {"n": 1})
manifest.note(outcome)
write_report(folder / "out" / "report.csv", [outcome])
"""

SOLVE = """
from livefacs.offline import SolveOptions, solve_clip
solve_clip(str(folder.parent / "take"), folder / "solved", SolveOptions(format="take"))
"""

REPAIR = """
import shutil
from livefacs.take.catalog import repair
from livefacs.files.atomic import move_folder
shutil.copytree(folder.parent / "take", folder / "copy")
with (folder / "copy" / "frames.rec").open("ab") as file:
    file.write(b"half a record")
move_folder(folder / "copy", folder / "cut off")
assert repair(folder / "cut off").torn
"""

WRITERS = {
    "export": EXPORT,
    "record": RECORD,
    "batch": BATCH,
    "solve to a take": SOLVE,
    "repair": REPAIR,
    "profile": """
import numpy as np
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile, save_profile
for _ in range(2):
    save_profile(Profile("a", "facemesh", Neutral(np.zeros((468, 3)), np.zeros(3))),
                 folder / "p" / "a.json")
""",
    "tokens": """
from livefacs.sinks.tokens import TokenStore
assert TokenStore(folder / "t" / "tokens.json").put("127.0.0.1:8001", "secret")
""",
    "progress": """
from livefacs.mirror.progress import Progress
progress = Progress(folder / "p" / "progress.sqlite", "test")
progress.note_coding("pack", "item", "12", {"index": 0.5})
""",
    "device id": """
from livefacs.sinks.device_id import device_id
device_id(folder / "d" / "device_id.txt")
""",
    "weights": """
from livefacs.au.estimator_model import load_model, save_model
save_model(load_model(), folder / "w" / "a.npz")
""",
    "sound": """
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import FORMATS, export_take
from livefacs.sinks.trimming import trim_take
from tests.support.claps import clap_take
take = clap_take(folder / "s" / "clap")
tell("take")
for name in ("wav", "mp4"):
    export_take(take, FORMATS[name], folder / name / f"a.{name}", ExportOptions())
    tell(name)
trim_take(take, range(10, 40), folder)
""",
    "linear timecode": """
from livefacs.cli.ltc import write
write(folder / "l" / "a.wav", "25", "00:00:00:00", 1.0, 48000, -12.0, "0")
""",
    "solve to a file": """
from livefacs.offline import SolveOptions, solve_clip
solve_clip(str(folder.parent / "take"), folder / "new" / "a.csv", SolveOptions(format="csv"))
""",
    "a tuned map": """
from livefacs.retarget.tuning import TunedMap, new_map
path = new_map("mine", "arkit52", folder / "rigs")
tell("a map of its own")
TunedMap(str(path)).change({"jawOpen": {"gain": 1.3}})
""",
    "certificate": """
os.environ["LIVEFACS_HOME"] = str(folder / "home")
from livefacs.sources.certificate import own_certificate
own_certificate(["localhost"])
""",
    "a pack": """
from livefacs.mirror.pack_making import PackMaker
from livefacs.resources import data_path
maker = PackMaker(folder / "packs")
data = data_path("performer.mp4").read_bytes()
target = maker.place("mine", "clip.mp4")
maker.take_piece(target, 0, len(data), data[:100_000])
maker.take_piece(target, 100_000, len(data), data[100_000:])
tell("clip")
item = {"name": "a", "clip": "clip.mp4", "start": 3, "apex": 12, "end": 20, "key": "12C"}
maker.save("mine", {"title": "Mine", "rights": "own", "source": "here"}, [item])
""",
    "a rig's map": """
from livefacs.cli.rigs import _write_map
_write_map(folder / "a.toml", "rig = 'a'")
""",
}


PREAMBLE = f"""
import os, sys
from pathlib import Path
folder = Path(sys.argv[1])
def tell(name):
    os.write(1, b"{TOLD}" + name.encode() + b"\\n")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("writer", WRITERS)
def test_success_is_told_when_the_disk_has_it(writer: str, tmp_path: Path) -> None:
    root = tmp_path / "out"
    root.mkdir()
    make_take(tmp_path / "take", [tracked_frame(i) for i in range(5)])
    code = f"{PREAMBLE}\n{WRITERS[writer]}\ntell('the end')\n"
    log = tmp_path / "calls"
    command = ["strace", "-f", "-y", "-s", "4096", "-e", f"trace={_CALLS}", "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-c", code, str(root)],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    if "ptrace" in done.stderr.lower() and not done.stdout:
        pytest.skip("this system lets no process be traced")
    assert done.stdout.endswith(f"{TOLD}the end\n"), done.stderr[-2000:]
    disk = Disk(root)
    n_written = n_told = 0
    for name, words in calls_of(log.read_text(errors="replace")):
        disk.call(name, words)
        n_written += name in _WRITES and str(root) in words
        if name == "write" and f'"{TOLD}' in words:
            n_told += 1
            assert n_written, f"nothing was seen to be written before {words}"
            assert disk.errors == [], words
            assert sorted(disk.bytes_at_risk) == [], words
            assert sorted(p for p in disk.names_at_risk if Path(p).exists()) == [], words
    assert n_told == done.stdout.count(TOLD)

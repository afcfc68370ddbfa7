"""Files appear whole or not at all, wherever a user wants them."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from livefacs.files import atomic
from livefacs.files.hashes import content_hash, hash_bytes, hash_file
from livefacs.files.locks import Lock, is_locked
from livefacs.files.output import STANDARD_OUTPUT, output
from livefacs.files.private import close_to_others, is_own_folder, make_private_folder

POSIX = pytest.mark.skipif(os.name == "nt", reason="modes, links and pipes are POSIX's")


def fill(path: Path, text: str) -> None:
    """As an exporter does it."""
    with output(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")

    def half() -> None:
        with atomic.replaced(target) as unfinished:
            unfinished.write_text("half")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_text(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@POSIX
def test_modes_stay_and_private_is_private(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    target.chmod(0o640)
    atomic.write_text(target, "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    atomic.write_text(target, "new", private=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@POSIX
def test_our_own_files_never_go_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "take.json"
    link.symlink_to(victim)
    atomic.write_text(link, "{}")
    assert victim.read_text() == "mine"
    assert not link.is_symlink()
    dangling = tmp_path / "new"
    dangling.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        atomic.create(dangling)


def test_a_moved_folder_is_whole(tmp_path: Path) -> None:
    (tmp_path / "work" / "inner").mkdir(parents=True)
    (tmp_path / "work" / "inner" / "a").write_text("a")
    atomic.move_folder(tmp_path / "work", tmp_path / "target")
    assert (tmp_path / "target" / "inner" / "a").read_text() == "a"
    assert not (tmp_path / "work").exists()


@POSIX
def test_a_result_goes_through_links_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    for target in (tmp_path / "disk" / "there.csv", tmp_path / "disk" / "new.csv"):
        link = tmp_path / f"link-{target.name}"
        link.symlink_to(target)
        if target.name == "there.csv":
            target.write_text("old")
        fill(link, "new")
        assert link.is_symlink()
        assert target.read_text() == "new"
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match="symbolic links"):
        fill(circle, "new")


@POSIX
def test_a_result_goes_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    fill(pipe, "through")
    reader.join()
    assert heard == [b"through"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@POSIX
@pytest.mark.parametrize("name", ["/dev/null", "/dev/full"])
def test_a_device_is_written_and_stays(name: str) -> None:
    before = Path(name).stat().st_mode
    if name == "/dev/full":
        if not Path(name).exists():
            pytest.skip("this system has no /dev/full")
        with pytest.raises(OSError, match="No space"):
            fill(Path(name), "x" * 100_000)
    else:
        fill(Path(name), "x")
    assert Path(name).stat().st_mode == before
    assert stat.S_ISCHR(before)


def test_standard_output_is_a_dash(tmp_path: Path) -> None:
    code = (
        "from livefacs.files.output import *\n"
        "print('before')\n"
        "with output(STANDARD_OUTPUT) as file: file.write_bytes(b'a,b\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path)
    assert done.stdout.splitlines() == [b"before", b"a,b"]
    assert not list(tmp_path.iterdir())
    assert str(STANDARD_OUTPUT) == "-"


@POSIX
def test_dev_stdout_that_is_a_file_is_written_through(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom livefacs.files.output import output\n"
        "with output(Path('/dev/stdout')) as file: file.write_bytes(b'a,b\\n')\n"
    )
    with (tmp_path / "out.csv").open("wb") as file:
        inode = os.fstat(file.fileno()).st_ino
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert (tmp_path / "out.csv").read_bytes() == b"a,b\n"
    assert (tmp_path / "out.csv").stat().st_ino == inode


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        fill(tmp_path, "x")


def test_a_lock_is_held_by_one_and_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert not is_locked(path)
    lock = Lock(path)
    assert is_locked(path)
    with pytest.raises(BlockingIOError):
        Lock(path)
    lock.close()
    assert not is_locked(path)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom livefacs.files.locks import Lock\n"
        "lock = Lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read(); os._exit(9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"held"
        assert is_locked(path)
        child.kill()
    assert not is_locked(path)
    Lock(path).close(remove=True)
    assert not path.exists()


@POSIX
def test_a_private_folder_is_nobody_elses(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    make_private_folder(tmp_path / "a" / "b")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    for folder in ("open", "link"):
        assert not is_own_folder(tmp_path / folder)
        with pytest.raises(PermissionError):
            make_private_folder(tmp_path / folder)


@POSIX
def test_a_file_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    close_to_others(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    close_to_others(tmp_path / "absent")


def test_contents_are_known_again(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_bytes(b"ab")
    assert hash_file(tmp_path / "one" / "a") == hash_bytes(b"a", b"b")
    assert content_hash(tmp_path / "one" / "a") == hash_bytes(b"ab")
    whole = content_hash(tmp_path / "one")
    (tmp_path / "one" / "a").rename(tmp_path / "one" / "b")
    assert content_hash(tmp_path / "one") != whole


@POSIX
def test_what_never_ends_is_not_hashed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for hasher in (hash_file, content_hash):
        with pytest.raises(OSError, match=r"not a file|neither a file"):
            hasher(tmp_path / "pipe")


@POSIX
def test_what_a_killed_writer_left_goes_with_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom livefacs.files.atomic import replaced\n"
        "with replaced(Path(sys.argv[1])) as unfinished: os._exit(9)"
    )
    target = tmp_path / "a.json"
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".livefacs-")
    other = tmp_path / "b.json"
    atomic.write_text(other, "b")
    assert left.exists()  # another file's: not ours to judge
    with atomic.replaced(target) as unfinished:  # one that is being written stays
        atomic.write_text(target, "a")
        assert unfinished.exists()
    assert sorted(tmp_path.iterdir()) == [target, other]

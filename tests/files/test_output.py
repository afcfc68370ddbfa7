"""Where results go: files, links to them, pipes, devices, standard output."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from livefacs.files.output import output

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and nodes of POSIX file systems")


def write(path: Path, text: str) -> None:
    with output(path) as unfinished:
        unfinished.write_text(text)


def write_half(path: Path) -> None:
    with output(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError


def fail(path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_half(path)


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "disk" / "real.csv"
    target.parent.mkdir()
    target.write_text("old")
    link, link_to_link = tmp_path / "link.csv", tmp_path / "second.csv"
    link.symlink_to(target)
    link_to_link.symlink_to(link.name)
    write(link_to_link, "new")
    assert link.is_symlink()
    assert link_to_link.is_symlink()
    assert target.read_text() == "new"
    fail(link)
    assert target.read_text() == "new"
    assert sorted(path.name for path in target.parent.iterdir()) == ["real.csv"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "later.csv")
    write(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "later.csv").read_text() == "new"


def received(path: Path) -> tuple[threading.Thread, list[str]]:
    came: list[str] = []
    reader = threading.Thread(target=lambda: came.append(path.read_text()))
    reader.start()
    return reader, came


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_pipe_is_written_through(tmp_path: Path, is_linked: bool) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    name = pipe
    if is_linked:
        name = tmp_path / "link.csv"
        name.symlink_to(pipe)
    reader, came = received(pipe)
    write(name, "x" * 200_000)
    reader.join()
    assert came == ["x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {pipe.name, name.name}


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, Path("/dev/null").stat().st_rdev)
        null.open("w").close()
    except OSError:
        pytest.skip("this user may not make devices")
    write(null, "gone")
    assert stat.S_ISCHR(null.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["null"]


def test_a_name_of_what_is_open_is_written_through(tmp_path: Path) -> None:
    """/dev/stdout and /dev/fd/N are links to what the shell opened, be it a regular file."""
    target = tmp_path / "out.csv"
    with target.open("w") as file:
        number = file.fileno()
        if not Path(f"/dev/fd/{number}").exists():
            pytest.skip("no /dev/fd here")
        inode = target.stat().st_ino
        write(Path(f"/dev/fd/{number}"), "through")
        assert target.stat().st_ino == inode
    assert target.read_text() == "through"


def test_a_dash_is_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("-"), "table\n")
    assert capfdbinary.readouterr().out == b"table\n"
    fail(Path("-"))
    assert capfdbinary.readouterr().out == b""  # whole or not at all
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_that_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write(tmp_path, "no")

"""Everything that the command line prints goes through one filter."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import pytest

import livefacs.cli
from livefacs.cli.main import main
from livefacs.cli.terminal import make_console, say
from tests.take.synthetic import clip_info, make_take, tracked_frame

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
FOLDER = Path(livefacs.cli.__file__).parent


def names_of(path: Path) -> set[str]:
    """Names that a module calls or hands on, with what they are of; those of type hints not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    used = [part for call in calls for part in (call.func, *call.args)]
    return {ast.unparse(part) for part in used if isinstance(part, (ast.Name, ast.Attribute))}


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.py")))
def test_no_command_writes_past_the_filter(module: str) -> None:
    past = {"print", "typer.echo", "typer.secho", "click.echo", "Console", "sys.stdout.write"}
    allowed = {"typer.echo"} if module == "terminal.py" else set()
    assert not names_of(FOLDER / module) & (past - allowed)


def test_both_ways_escape(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    say(f"a {ESCAPE}")
    assert capsys.readouterr().out == "a \\x1b]0;owned\\x07\\x1b[2J\n"
    out = io.StringIO()
    console = make_console(file=out, width=80)
    table = Table("name")
    table.add_row(f"b {ESCAPE}")
    console.print(table)
    console.print(f"c {ESCAPE}", markup=False)
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("x1b]0;owne") == 2


def test_our_own_colours_stay() -> None:
    out = io.StringIO()
    make_console(file=out, force_terminal=True).print("[bold]b[/bold]")
    assert "\x1b[1m" in out.getvalue()


def run(*words: str | Path) -> None:
    with pytest.raises(SystemExit):
        main([str(word) for word in words])


@pytest.mark.parametrize("command", ["list", "show", "repair"])
def test_texts_of_a_take_are_shown_not_obeyed(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    info = clip_info(slate=f"s{ESCAPE}", notes=f"n{ESCAPE}", source=f"c{ESCAPE}", landmarker=ESCAPE)
    folder = make_take(tmp_path / "t", [tracked_frame(0)], info).folder
    mark = {"row": 0, "i_frame": 0, "t_ns": 0, "timecode": 0, "kind": ESCAPE, "label": ESCAPE}
    (folder / "markers.jsonl").write_text(json.dumps(mark) + "\n")
    run("takes", command, tmp_path if command == "list" else folder)
    (folder / "markers.jsonl").write_text(ESCAPE + "\n")
    run("takes", command, folder)
    document = json.loads((folder / "take.json").read_text())
    document["version"] = ESCAPE
    (folder / "take.json").write_text(json.dumps(document))
    run("takes", command, folder)
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "x1b" in shown.out + shown.err


def test_errors_name_files_and_options_without_obeying_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("export", f"nowhere{ESCAPE}", "-o", "x.csv")
    run("live", "--source", f"absent{ESCAPE}.mp4")
    run("live", "--source", "demo", "--to", f"osc://{ESCAPE}:1")
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err

"""``livefacs rigs``: list, show, make, check, fit and preview retargeting maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livefacs.cli.terminal import make_console, say
from livefacs.errors import ConfigError, RigMapError
from livefacs.resources import rigs_folder, user_rigs_folder

if TYPE_CHECKING:
    from livefacs.retarget.coverage import Coverage
    from livefacs.retarget.fitting import Fit
    from livefacs.retarget.inputs import Performance
    from livefacs.retarget.rules import ControlRule, RigMap

app = typer.Typer()

_Rig = Annotated[str, typer.Argument(help="Name of a map, or path of a TOML file.")]
_Along = Annotated[
    Path | None,
    typer.Option("--along", help="A take (folder) or a CSV of Action Units (livefacs solve)."),
]


@app.command("list")
def list_rigs() -> None:
    """Names, targets and number of controls of every map."""
    from livefacs.retarget.library import load_map, rig_names

    table = Table("rig", "what it is", "controls", "driven", "for", box=None)
    errors = []
    for name in rig_names():
        try:
            rig = load_map(name)
        except RigMapError as error:
            table.add_row(name, "[red]has errors[/red]", "", "", "")
            errors.append(error)
            continue
        driven = sum(not rule.undriven for rule in rig.rules)
        table.add_row(name, rig.title, str(len(rig.rules)), str(driven), rig.audience)
    make_console().print(table)
    for found in errors:
        say(f"livefacs: {found}", err=True)
    if errors:
        raise typer.Exit(RigMapError.exit_code)


@app.command()
def show(rig: _Rig) -> None:
    """A map in words: header, then what drives each control."""
    from livefacs.retarget.library import load_map
    from livefacs.retarget.words import map_words
    from livefacs.vocab.schemes import load_scheme

    rig_map = load_map(rig)
    console = make_console()
    _print_header(console, rig_map)
    scheme = load_scheme(rig_map.scheme)
    codes = {rule.name: scheme.codes_of_control(_stem(rule)) for rule in rig_map.rules}
    has_codes = rig_map.scheme != "facs" and any(codes.values())
    table = Table(box=None, padding=(0, 1))
    table.add_column("control", overflow="fold")
    table.add_column("driven by")
    table.add_column("shape; 0 … 1 unless said")
    if has_codes:
        table.add_column(scheme.title)
    for line in map_words(rig_map):
        source = escape(line.source) + (f"\n[dim]{escape(line.note)}[/dim]" if line.note else "")
        limits = "" if line.limits == "0 … 1" else line.limits
        shape = ", ".join(filter(None, (line.shape, limits)))
        cells = [escape(line.control), source, shape]
        if has_codes:
            cells.append(escape(", ".join(codes[line.rules[0].name])))
        table.add_row(*cells, style="dim" if line.rules[0].undriven else None)
    console.print(table)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the new map.")],
    extends: Annotated[
        str, typer.Option("--extends", help="The map that it starts from.")
    ] = "arkit52",
    to: Annotated[
        Path | None, typer.Option("--to", help="Another folder than your rigs folder.")
    ] = None,
) -> None:
    """Write a starting map of your own, which extends another."""
    from livefacs.retarget.library import load_map
    from livefacs.retarget.tuning import new_map

    path = new_map(name, extends, to)
    rig = load_map(path)
    say(f"{path}: {len(rig.rules)} controls, all as in {extends}")
    say(f"edit it, or tune it in the browser: livefacs stage --rig {name if to is None else path}")


@app.command()
def check(rig: _Rig, along: _Along = None) -> None:
    """Errors and coverage: controls never driven, actions never used, limits hit."""
    from livefacs.retarget.coverage import coverage_from_map
    from livefacs.retarget.library import load_map

    rig_map = load_map(rig)
    performance = None if along is None else _performance(along)
    coverage = coverage_from_map(rig_map, performance)
    console = make_console()
    driven = len(rig_map.rules) - len(coverage.undriven)
    console.print(
        f"{rig_map.rig}: no errors; {driven} of {len(rig_map.rules)} controls are driven",
        highlight=False,
    )
    _print_coverage(console, coverage, "a synthetic sweep" if along is None else str(along))


@app.command()
def fit(
    pairs: Annotated[
        Path, typer.Argument(help="CSV: a frame or seconds column, then one column a control.")
    ],
    along: Annotated[
        Path, typer.Option("--along", help="The take or Action Unit CSV they are of.")
    ],
    to: Annotated[Path, typer.Option("--to", help="The new map, a TOML file.")],
    base: Annotated[
        str | None, typer.Option("--base", help="A map that the new one extends.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the new map.")] = False,
) -> None:
    """Solve a map's weights from frames that an animator set by hand."""
    from livefacs.retarget import fitting
    from livefacs.retarget.library import load_map

    if to.suffix != ".toml":
        raise ConfigError(f"--to {to}: expected a file name that ends in .toml")
    if to.exists() and not overwrite:
        raise ConfigError(f"{to} exists; say --overwrite to replace it, or another name")
    rig_map = None if base is None else load_map(base)
    if rig_map is not None:
        _expect_reachable(rig_map.files[0], to)
    performance = _performance(along)
    known = rig_map.controls if rig_map else ()
    examples = fitting.examples_from_csv(pairs, performance, known)
    fits = fitting.fit_controls(performance, examples, rig_map)
    console = make_console()
    _print_fits(console, fits)
    kept = [name for name in examples.values if name not in {fit.control for fit in fits}]
    if kept:
        console.print(f"at rest in every pair, left as in {base}: {', '.join(kept)}")
    if not fits:
        raise ConfigError("every control is at rest in every pair; there is nothing to fit")
    text = fitting.toml_from_fits(fits, f"Fitted map {to.stem}", rig_map, len(examples.labels))
    _write_map(to, text)
    console.print(f"{to}: {len(load_map(to).rules)} controls", highlight=False)


@app.command()
def preview(
    rig: _Rig,
    along: Annotated[Path, typer.Option("--along", help="A take or a CSV of Action Units.")],
    to: Annotated[Path, typer.Option("--to", help="PNG, SVG or PDF file.")] = Path("preview.png"),
) -> None:
    """Draw every control of a map along a take, as a contact sheet."""
    from livefacs.formats.contact_sheet import write_contact_sheet
    from livefacs.retarget.library import load_rig
    from livefacs.retarget.retargeter import Retargeter

    program = load_rig(rig)
    performance = _performance(along)
    values = Retargeter(program).run(performance)
    title = f"{program.rig} along {along.name}"
    write_contact_sheet(to, title, performance.t_s, program.controls, values, program.limits)
    say(f"{to}: {len(program.controls)} controls, {len(values)} frames")


def _performance(path: Path) -> Performance:
    if path.is_dir():
        from livefacs.formats.curves import performance_from_take
        from livefacs.take.reader import Take

        take = Take(path)
        if not take.n_rows:
            raise ConfigError(f"{path}: the take has no frames")
        return performance_from_take(take)
    from livefacs.formats.au_csv import performance_from_csv

    if not path.exists():
        raise ConfigError(f"{path} does not exist; expected a take folder or an Action Unit CSV")
    return performance_from_csv(path)


def _stem(rule: ControlRule) -> str:
    """The control's name without its side, as scheme files write it."""
    return rule.name.removesuffix("_left").removesuffix("_right") if rule.side else rule.name


def _write_map(path: Path, text: str) -> None:
    from livefacs.files.output import output

    try:
        with output(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from None


def _expect_reachable(base: Path, new: Path) -> None:
    """A map names what it extends; that is looked for beside it and in the rig folders."""
    folders = (new.parent, user_rigs_folder(), rigs_folder())
    if not any(base.parent.resolve() == folder.resolve() for folder in folders):
        raise ConfigError(
            f"--to {new}: the new map could not find {base.name} from there; "
            f"write it into {base.parent}, or put the base into {user_rigs_folder()}"
        )


def _print_header(console: Console, rig_map: RigMap) -> None:
    console.print(f"[bold]{escape(rig_map.title)}[/bold]  ({rig_map.rig})", highlight=False)
    for label, text in (
        ("for", rig_map.audience),
        ("names from", rig_map.names_from),
        ("scheme", rig_map.scheme),
        ("extends", ", ".join(path.stem for path in rig_map.files[1:])),
    ):
        if text:
            console.print(f"{label}: {escape(text)}", highlight=False)
    for sentence in rig_map.approximations:
        console.print(f"  ~ {escape(sentence)}", highlight=False)
    console.print()


def _print_coverage(console: Console, coverage: Coverage, along: str) -> None:
    if coverage.undriven:
        console.print("never driven, as the map says:")
        for control, reason in coverage.undriven:
            console.print(f"  {control}: {reason}", highlight=False, markup=False)
    if coverage.dead:
        console.print(f"[red]driven, but nothing moves them:[/red] {', '.join(coverage.dead)}")
    for signal in coverage.taught:
        console.print(_taught_sentence(signal), highlight=False, markup=False)
    if coverage.unused_actions:
        actions = ", ".join(coverage.unused_actions)
        console.print(f"actions never used: {actions}", highlight=False)
    if coverage.absent:
        console.print(f"known controls left out: {len(coverage.absent)}", highlight=False)
        console.print(f"  {', '.join(coverage.absent)}", highlight=False, style="dim")
    if not coverage.limits:
        console.print(f"no limit is hit along {along}", highlight=False)
        return
    table = Table("control", "limit", "wanted", "share of frames", box=None)
    for hit in coverage.limits:
        table.add_row(hit.control, f"{hit.limit:g}", f"{hit.wanted:.3g}", f"{hit.share:.1%}")
    console.print(f"limits hit along {along}:", highlight=False)
    console.print(table)


def _taught_sentence(signal: str) -> str:
    """Who has taught a signal that FACS does not know; without anybody it counts as 0."""
    from livefacs.au.profile import load_profile, profile_names

    teachers = []
    for name in profile_names():
        try:
            channels = [action.channel for action in load_profile(name).taught]
        except ConfigError:
            continue  # `livefacs profiles list` tells of damaged ones
        if {signal, f"{signal}_L", f"{signal}_R"} & set(channels):
            teachers.append(name)
    if teachers:
        return f"{signal}: taught in profile {', '.join(teachers)}; counts as 0 in any other"
    return f"{signal}: taught in none of your profiles, counts as 0 (`livefacs teach` teaches it)"


def _print_fits(console: Console, fits: tuple[Fit, ...]) -> None:
    table = Table("control", "pairs", "rms", "left out", "largest residual", "weights", box=None)
    for fit in fits:
        weights = ", ".join(f"{name} {weight:.3g}" for name, weight in fit.weights.items())
        table.add_row(
            escape(fit.control),
            str(fit.n_examples),
            f"{fit.residual_rms:.3f}",
            f"{fit.left_out_rms:.3f}",
            f"{fit.worst_residual:+.3f} at {fit.worst}",
            weights or "[dim]none[/dim]",
        )
    console.print(table)

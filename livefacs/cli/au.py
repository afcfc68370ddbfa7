"""``livefacs au``: the FACS card of an action, or the table of a coding scheme."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from livefacs.cli.terminal import make_console
from livefacs.errors import ConfigError
from livefacs.vocab.facs import CHANNEL_INDEX, LETTER_FLOORS, FacsCode, code_table, find_code

if TYPE_CHECKING:
    from livefacs.vocab.schemes import Movement, Scheme

app = typer.Typer()

_SOURCE_NUMBERS: Final = re.compile(r"\s*(\((per )?S\d+(,\s*S\d+)*\)|per S\d+)")
"""Of the code table's own list of sources, which the card does not print."""
_OBSERVABILITY_STYLES: Final = {"good": "green", "partial": "yellow", "poor": "red"}


@app.command()
def au(
    code: Annotated[
        str | None, typer.Argument(help="12, AU12, AD29, M59 …; without one, the whole table.")
    ] = None,
    scheme: Annotated[
        str, typer.Option("--scheme", help="Coding scheme: facs, callifacs, maqfacs …")
    ] = "facs",
) -> None:
    """The FACS card of an action; without a code, the table of the scheme."""
    console = make_console()
    if scheme == "facs":
        if code is None:
            console.print(_code_list())
        else:
            console.print(_card(find_code(code)))
        return
    from livefacs.vocab.schemes import load_scheme

    coding = load_scheme(scheme)
    if code is None:
        _print_scheme(console, coding)
    else:
        console.print(_movement_card(coding, _find_movement(coding, code)))


def _code_list() -> Table:
    table = Table("code", "name", "kind", "muscles", "seen in landmarks", "channels", box=None)
    for entry in code_table().values():
        style = _OBSERVABILITY_STYLES.get(entry.observability, "dim")
        cells = (entry.code, entry.name, entry.kind, entry.muscles)
        table.add_row(
            *map(escape, cells),
            f"[{style}]{entry.observability}[/{style}]",
            ", ".join(entry.channels),
        )
    return table


def _card(entry: FacsCode) -> Panel:
    rows = _Rows()
    rows.add("kind", entry.kind)
    rows.add("region", entry.region)
    rows.add("muscles", entry.muscles)
    rows.add("appearance", entry.appearance)
    rows.add("how to perform", entry.how_to_perform)
    rows.add("difficulty", entry.details.get("voluntary_difficulty"))
    rows.add("sides", entry.details.get("side_able"))
    rows.add("top, bottom", entry.details.get("top_bottom"))
    rows.add("intensity", _intensity_words(entry))
    rows.add("antagonists", entry.details.get("antagonists"))
    rows.add("confused with", entry.confused_with)
    rows.add("notes", entry.notes)
    rows.add("ARKit name", entry.details.get("mediapipe_blendshapes"))
    seen = entry.details["landmark_observability"]
    rows.add("in landmarks", f"{entry.observability}: {entry.observability_reason}")
    rows.add("movement", seen.get("motion"))
    rows.add("measured as", ", ".join(entry.channels) or "not measured")
    rows.add("reliability", _reliability_words(entry.channels))
    rows.add("this entry", f"confidence {entry.confidence}")
    title = entry.channel_stem if entry.kind in ("AU", "AD") else entry.code
    return Panel(
        rows.table, title=f"[bold]{title}  {escape(entry.name)}[/bold]", title_align="left"
    )


class _Rows:
    """Label and text, empty ones left out."""

    def __init__(self) -> None:
        self.table = Table.grid(padding=(0, 2))
        self.table.add_column(style="dim", no_wrap=True)
        self.table.add_column()

    def add(self, label: str, text: Any) -> None:
        words = ", ".join(map(str, text)) if isinstance(text, list | tuple) else str(text or "")
        words = _SOURCE_NUMBERS.sub("", words)
        if words and words != "n/a":
            self.table.add_row(label, escape(words))


def _intensity_words(entry: FacsCode) -> str:
    if not entry.details.get("takes_A_E_intensity"):
        return "no A–E letters"
    floors = ", ".join(f"{letter} from {floor:g}" for letter, floor in reversed(LETTER_FLOORS))
    return f"A–E; on the 0..1 scale here: {floors}"


def _reliability_words(channels: tuple[str, ...]) -> str:
    """Agreement with known truth on people that were not trained on, where it was measured."""
    if not channels:
        return ""
    from livefacs.au.estimator_model import load_model

    reliability = load_model().reliability
    measured = [(name, float(reliability[CHANNEL_INDEX[name]])) for name in channels]
    values = ", ".join(f"{name} {value:.2f}" for name, value in measured if not math.isnan(value))
    if not values:
        return "not measured on known truth"
    return f"Pearson r against known truth, on people not trained on: {values}"


def _print_scheme(console: Console, scheme: Scheme) -> None:
    console.print(f"[bold]{escape(scheme.title)}[/bold]: {escape(scheme.species)}")
    console.print(f"source: {escape(scheme.source)}", highlight=False)
    console.print(f"status: {escape(scheme.status)}", highlight=False)
    if scheme.counts:
        counts = ", ".join(f"{count} {kind}" for kind, count in scheme.counts.items())
        console.print(f"published: {counts}", highlight=False)
    if not scheme.movements:
        return
    table = Table("code", "name", "muscle", "human FACS", box=None)
    table.add_column("controls", overflow="fold")
    table.add_column("confirmed")
    for row in scheme.movements:
        muscle = "" if row.muscle == row.name else row.muscle
        cells = (row.code or "–", row.name, muscle, ", ".join(row.human))
        confirmed = "yes" if row.confirmed else "no"
        table.add_row(*map(escape, cells), ", ".join(row.controls), confirmed)
    console.print(table)


def _find_movement(scheme: Scheme, text: str) -> Movement:
    folded = text.casefold()
    for row in scheme.movements:
        if folded in (row.code.casefold(), row.name.casefold()):
            return row
    known = ", ".join(row.code or row.name for row in scheme.movements) or "none that is public"
    raise ConfigError(f"no movement {text!r} in {scheme.title}: expected one of {known}")


def _movement_card(scheme: Scheme, row: Movement) -> Panel:
    rows = _Rows()
    rows.add("kind", row.kind)
    rows.add("muscle", row.muscle)
    rows.add("description", row.description)
    rows.add("human FACS", row.human)
    rows.add("controls", row.controls)
    rows.add("notes", row.note)
    rows.add("confirmed", "yes" if row.confirmed else "no")
    rows.add("scheme", f"{scheme.title}, {scheme.species}; {scheme.status}")
    title = f"{row.code}  {row.name}".strip()
    return Panel(rows.table, title=f"[bold]{escape(title)}[/bold]", title_align="left")

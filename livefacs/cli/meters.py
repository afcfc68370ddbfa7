"""Live meters in the terminal: a bar and a letter for every action and side, health, outputs."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from livefacs.slot import Slot
from livefacs.types import Health, SinkCounters, TrackedFrame, format_health
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    EYE_CHANNELS,
    HEAD_CHANNELS,
    channels_of,
    code_table,
    letter_from_intensity,
)
from livefacs.workers import Worker

_BAR_CELLS: Final = 10
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_REDRAWS_HZ: Final = 10.0
_LETTER_STYLES: Final = {
    "": "dim",
    "A": "cyan",
    "B": "green",
    "C": "yellow",
    "D": "dark_orange",
    "E": "bold red",
}
_TWO_WAYS: Final = {"AD30": ("AD30_L", "AD30_R")}
_FACE_ACTIONS: Final = sorted(
    {
        action.removesuffix("_L").removesuffix("_R")
        for action in ACTIONS
        if action not in (*HEAD_CHANNELS, *EYE_CHANNELS)
    },
    key=lambda action: int(action[2:]),
)
_NAME_CELLS: Final = 24
_SHORTEST_NAME: Final = 10  # cells below which names are left out
_BARE_CELLS: Final = 65  # both columns without names


class Meters:
    """A watcher that draws the newest frame ten times a second in a thread of its own.

    Parameters
    ----------
    status : callable that gives ``Session.status()``
    console : where to draw
    """

    url = "meters:"

    def __init__(self, status: Callable[[], dict[str, Any]], console: Console) -> None:
        self.counters = SinkCounters()
        self._status = status
        self._console = console
        self._slot: Slot[TrackedFrame] = Slot()
        self._ended = threading.Event()
        self._thread = Worker(self._draw_all, "livefacs-meters", self.counters.fail)
        self._thread.start()

    def send(self, tracked: TrackedFrame) -> None:
        """Show this frame at the next redraw."""
        self._slot.put(tracked)

    def close(self) -> None:
        """Draw no more and give the terminal back."""
        self._ended.set()
        self._slot.close()
        self._thread.join(timeout=2.0)

    def _draw_all(self) -> None:
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while (tracked := self._slot.get()) is not None:
                shown = picture(tracked, self._status(), self._console.width)
                live.update(shown, refresh=True)
                self._ended.wait(1 / _REDRAWS_HZ)


def picture(tracked: TrackedFrame, status: dict[str, Any], width: int) -> RenderableType:
    """The meters of one frame; names give way where the terminal has no room for them."""
    n_name = min((width - _BARE_CELLS) // 2, _NAME_CELLS)
    n_name = n_name if n_name >= _SHORTEST_NAME else 0
    half = (len(_FACE_ACTIONS) + 1) // 2
    columns = Table.grid(padding=(0, 3))
    columns.add_row(
        _bars(_FACE_ACTIONS[:half], tracked, n_name), _bars(_FACE_ACTIONS[half:], tracked, n_name)
    )
    return Group(columns, Text(), _head_line(tracked), *_status_lines(tracked, status))


def _bars(actions: Sequence[str], tracked: TrackedFrame, n_name: int) -> Table:
    table = Table.grid(padding=(0, 1))
    names = code_table()
    table.add_row("", "", *(Text(side.ljust(_BAR_CELLS + 2), "dim") for side in ("left", "right")))
    for action in actions:
        number = action[2:]
        sides = _TWO_WAYS.get(action) or channels_of(action)
        cells = [_bar(float(tracked.units.intensity[CHANNEL_INDEX[side]])) for side in sides]
        if len(cells) == 1:
            cells.append(Text())
        table.add_row(Text(action, "bold"), _name(names[number].name, n_name), *cells)
    return table


def _name(name: str, n_cells: int) -> Text:
    text = Text(name if n_cells else "", "dim")
    text.truncate(n_cells, overflow="ellipsis")
    return text


def _bar(intensity: float) -> Text:
    if math.isnan(intensity):
        return Text("not measured".ljust(_BAR_CELLS + 2), "dim italic")
    eighths = round(min(max(intensity, 0.0), 1.0) * _BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    letter = letter_from_intensity(intensity)
    style = _LETTER_STYLES[letter]
    return Text.assemble(
        (drawn, style),
        ("·" * (_BAR_CELLS - len(drawn)), "bright_black"),
        " ",
        (letter or " ", style),
    )


def _head_line(tracked: TrackedFrame) -> Text:
    head, gaze = tracked.head, tracked.gaze
    angles = (head.yaw_rad, head.pitch_rad, head.roll_rad)
    yaw, pitch, roll = (math.degrees(angle) for angle in angles)
    eyes = math.degrees((gaze.left_yaw_rad + gaze.right_yaw_rad) / 2)
    lids = math.degrees((gaze.left_pitch_rad + gaze.right_pitch_rad) / 2)
    return Text(
        f"head  yaw {yaw:+6.1f}°  pitch {pitch:+6.1f}°  roll {roll:+6.1f}°   "
        f"gaze  yaw {eyes:+6.1f}°  pitch {lids:+6.1f}°"
    )


def _status_lines(tracked: TrackedFrame, status: dict[str, Any]) -> list[Text]:
    total = status["latency_ms"].get("total", {"p50": 0.0, "p95": 0.0})
    provisional = ", letters provisional" if tracked.health & Health.UNCALIBRATED else ""
    lines = [
        Text(
            f"frame {tracked.i_frame:6d}  {status['rate_hz']:5.1f} fps  "
            f"latency {total['p50']:.1f} ms (p95 {total['p95']:.1f})  "
            f"dropped {status['dropped']}  {format_health(tracked.health)}{provisional}",
            "bold",
        )
    ]
    lines.extend(
        Text(f"→ {out['url']}  {out['packets']} packets  refused {out['refused']}", "dim")
        for out in status["outputs"]
    )
    return lines


def summary_lines(status: dict[str, Any]) -> list[str]:
    """What a session did, in lines for people and scripts."""
    lines = [
        f"frames {status['frames']}, with a face {status['faces']}, dropped {status['dropped']}, "
        f"{status['rate_hz']:.1f} fps"
    ]
    lines.append("latency, ms         p50      p95      p99")
    lines.extend(
        f"  {stage:<14}{value['p50']:9.3f}{value['p95']:9.3f}{value['p99']:9.3f}"
        for stage, value in status["latency_ms"].items()
    )
    for out in status["outputs"]:
        note = f", last error: {out['last_error']}" if out["last_error"] else ""
        lines.append(
            f"{out['url']}: {out['packets']} packets, {out['bytes']} bytes, "
            f"refused {out['refused']}{note}"
        )
    return lines

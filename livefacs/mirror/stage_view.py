"""The map on the stage as plain values for its pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from livefacs.errors import LivefacsError
from livefacs.mirror.stage import Stage
from livefacs.retarget.diagnosis import COMPLAINTS
from livefacs.retarget.inputs import SIGNALS
from livefacs.retarget.library import rig_names
from livefacs.retarget.rules import ControlRule
from livefacs.retarget.schema import NAMED_CURVES, PLACEHOLDER
from livefacs.retarget.words import source_words
from livefacs.sinks.destination import SCHEMES

_SECTION: Final = re.compile(r"^# (\S.{0,40})$")
_CONTROL: Final = re.compile(r'^\[controls\."?([^"\]]+)"?\]')
_REST_OF_MAP: Final = "Controls"


def stage_document(stage: Stage) -> dict[str, Any]:
    """Everything that a page draws its rows from."""
    tuned, rig_map = stage.tuned, stage.map
    written = tuned.written_keys()
    groups = groups_of(rig_map.files, rig_map.controls)
    return {
        "rig": tuned.rig,
        "title": rig_map.title,
        "rigs": list(rig_names()),
        "path": str(tuned.path),
        "is_written": tuned.path.is_file(),
        "extends": [path.stem for path in rig_map.files[1:]],
        "revision": stage.revision,
        "errors": list(stage.errors),
        "can_undo": tuned.can_undo,
        "can_redo": tuned.can_redo,
        "showing_saved": stage.showing_saved,
        "signals": list(SIGNALS),
        "named_curves": ["linear", *NAMED_CURVES],
        "complaints": COMPLAINTS,
        "controls": [
            _control(rule, groups[rule.name], written.get(rule.name, ())) for rule in rig_map.rules
        ],
        "poses": [{"values": values} for _, values in stage.poses],
    }


def _control(rule: ControlRule, group: str, changed: Sequence[str]) -> dict[str, Any]:
    smoothing = rule.smoothing
    return {
        "name": rule.name,
        "side": rule.side,
        "partner": rule.partner,
        "group": group,
        "terms": dict(rule.terms),
        "combine": [
            {
                "kind": part.kind,
                "signals": dict(zip(part.signals, part.factors, strict=True)),
                "weight": part.weight,
            }
            for part in rule.combine
        ],
        "suppress": dict(rule.suppress),
        "gain": rule.gain,
        "offset": rule.offset,
        "limits": list(rule.limits),
        "curve": [list(point) for point in rule.curve],
        "curve_name": rule.curve_name or ("" if rule.curve else "linear"),
        "dead_zone": rule.dead_zone,
        "asymmetry": rule.asymmetry,
        "time_constant_ms": smoothing.time_constant_ms if smoothing else None,
        "min_cutoff_hz": smoothing.min_cutoff_hz if smoothing else None,
        "beta": smoothing.beta if smoothing else None,
        "undriven": rule.undriven,
        "note": rule.note,
        "source": source_words(rule),
        "changed": list(changed),
    }


def groups_of(files: Sequence[Path], controls: Sequence[str]) -> dict[str, str]:
    """For each control the section of the map that it stands in, as its comment lines name them.

    A comment line alone between empty lines heads a section.
    """
    found: dict[str, str] = {}
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        section = ""
        for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
            head = _SECTION.match(line)
            if head and not before.strip() and not after.strip():
                section = head.group(1)
            elif section and (control := _CONTROL.match(line)):
                _note(found, control.group(1), section, controls)
    return {name: found.get(name, _REST_OF_MAP) for name in controls}


def _note(found: dict[str, str], written: str, section: str, controls: Sequence[str]) -> None:
    if PLACEHOLDER not in written:
        found.setdefault(written, section)
        return
    head, _, tail = written.partition(PLACEHOLDER)
    for name in controls:
        fits = name.startswith(head) and name.endswith(tail)
        if fits and len(name) - len(head) - len(tail) in range(1, 6):
            found.setdefault(name, section)


def schemes_document() -> list[dict[str, Any]]:
    """Kinds of destinations with their usual ports, for the list to add from."""
    return [
        {
            "scheme": name,
            "summary": scheme.summary,
            "port": scheme.port,
            "rig": scheme.rig or "",
            "url": _usual_url(name, scheme.port),
        }
        for name, scheme in SCHEMES.items()
    ]


def _usual_url(name: str, port: int) -> str:
    if name == "lsl":
        return "lsl://livefacs?scope=machine"
    return f"{name}://127.0.0.1:{port}"


def session_document(stage: Stage) -> dict[str, Any]:
    """What the driving bar shows."""
    host, control = stage.host, stage.control
    if host is None or control is None:
        return {"running": False}
    folder = host.take_folder()
    status = control.status()
    try:
        smoothing: Mapping[str, float] | None = host.filter()
        destinations = host.destinations()
    except LivefacsError:
        smoothing, destinations = None, []
    return {
        "running": True,
        "clock_ms": stage.clock_ms,
        "source": status["source"],
        "is_demo": "performer.mp4" in str(status["source"]),
        "streaming": status["streaming"],
        "recording": status["recording"],
        "recording_failure": status["recording_failure"],
        "slate": status["slate"],
        "take": status["take"],
        "health": status["health"],
        "rate_hz": status["rate_hz"],
        "filter": smoothing,
        "destinations": destinations,
        "take_folder": None if folder is None else str(folder),
    }

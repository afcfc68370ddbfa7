"""Where maps are found, how one extends another, and how an edited one is taken up again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from livefacs.errors import RigMapError
from livefacs.files.toml import near, raise_problems, read_toml
from livefacs.resources import rigs_folder, user_rigs_folder
from livefacs.retarget.compiler import RigProgram, program_from_map
from livefacs.retarget.inverse import PREFIX
from livefacs.retarget.rules import Combination, ControlRule, RigMap, Smoothing
from livefacs.retarget.schema import FileControl, MapFile, curve_points, read_map_file

_MAX_DEPTH: Final = 8
_DRIVES: Final = ("terms", "combine", "suppress")


def rig_names() -> tuple[str, ...]:
    """Names of all maps: the shipped ones and the user's own, sorted."""
    folders = (rigs_folder(), user_rigs_folder())
    names = {path.stem for folder in folders for path in folder.glob("*.toml")}
    return tuple(sorted(name for name in names if not name.startswith(PREFIX)))


def find_rig(name_or_path: str | Path) -> Path:
    """Path of a map by name (the user's folder first) or by path.

    Raises
    ------
    RigMapError
        There is no such map; the message names close ones.
    """
    text = str(name_or_path)
    path = Path(text)
    if path.suffix == ".toml" or len(path.parts) > 1:
        if not path.is_file():
            raise RigMapError(f"no rig map at {text}: expected a TOML file")
        return path
    for folder in (user_rigs_folder(), rigs_folder()):
        candidate = folder / f"{text}.toml"
        if candidate.is_file():
            return candidate
    known = rig_names()
    hint = near(text, known) or f"; there are {', '.join(known)}"
    raise RigMapError(f"no rig {text!r}: expected a name from 'livefacs rigs list' or a path{hint}")


def load_map(name_or_path: str | Path) -> RigMap:
    """Read a map with everything it extends.

    Raises
    ------
    RigMapError
        Unknown map, or one with errors; holds all of them.
    """
    return _map_from_files(_read_chain(find_rig(name_or_path)))


def load_rig(name_or_path: str | Path) -> RigProgram:
    """Read and compile a map.

    Raises
    ------
    RigMapError
        Unknown map, or one with errors; holds all of them.
    """
    return program_from_map(load_map(name_or_path))


def map_files(path: Path) -> tuple[Path, ...]:
    """The file of a map and all that it extends, sound or not."""
    return tuple(file.path for file in _read_chain(path))


def _read_file(path: Path) -> MapFile:
    source = read_toml(path)
    return MapFile(source) if source.problems else read_map_file(source)


def _read_chain(path: Path) -> list[MapFile]:
    """The file, the one it extends, and so on, with the problems of all."""
    files = [_read_file(path)]
    while (header := files[-1].header) is not None and header.extends:
        child, where = files[-1], ("rig", "extends")
        parent = _find_parent(child.path, header.extends)
        if parent is None:
            hint = near(header.extends, rig_names())
            child.source.add(where, f"there is no rig {header.extends!r}{hint}")
            break
        if any(parent.resolve() == file.path.resolve() for file in files):
            child.source.add(where, f"{parent.stem!r} extends itself in a circle")
            break
        if len(files) == _MAX_DEPTH:
            child.source.add(where, f"more than {_MAX_DEPTH} maps deep")
            break
        files.append(_read_file(parent))
    return files


def _find_parent(child: Path, name: str) -> Path | None:
    """Beside the child first, then the user's folder, then the shipped maps."""
    for folder in (child.parent, user_rigs_folder(), rigs_folder()):
        candidate = folder / f"{name}.toml"
        if candidate.is_file() and candidate.resolve() != child.resolve():
            return candidate
    return child if child.stem == name else None


def _map_from_files(files: list[MapFile]) -> RigMap:
    _raise_problems(files)
    controls: dict[str, FileControl] = {}
    defaults: dict[str, Any] = {}
    for file in reversed(files):
        defaults |= file.defaults
        controls = _inherited(file, controls)
    rules = []
    for control in controls.values():
        rule = _rule_from_control(control, defaults)
        rules.append(rule)
        for problem in filter(None, (_undriven_problem(rule), _asymmetry_problem(control))):
            control.file.add(control.place, problem)
    if not rules:
        files[0].source.add(("controls",), "none; expected at least one [controls.NAME]")
    _raise_problems(files)
    header = files[0].header
    assert header is not None  # without one there was a problem
    return RigMap(
        rig=files[0].path.stem,
        title=header.title,
        audience=header.audience,
        names_from=header.names_from,
        approximations=tuple(header.approximations),
        scheme=header.scheme,
        vocabulary=header.vocabulary,
        files=tuple(file.path for file in files),
        rules=tuple(rules),
    )


def _raise_problems(files: list[MapFile]) -> None:
    problems = [problem for file in files for problem in file.source.problems]
    raise_problems(f"rig map {files[0].path}", problems, RigMapError)


def _inherited(file: MapFile, parents: dict[str, FileControl]) -> dict[str, FileControl]:
    """The parent's controls under the child's: a key that the child sets replaces the parent's."""
    header = file.header
    if header is None:
        return parents
    merged = _renamed(parents, _capitalized) if header.capitalize_inherited else dict(parents)
    for name in header.remove:
        if merged.pop(name, None) is None:
            hint = near(name, tuple(merged))
            file.source.add(("rig", "remove"), f"{name!r} is not inherited{hint}")
    for name, control in file.controls.items():
        parent = merged.get(name)
        if parent is None:
            merged[name] = control
            continue
        keys = dict(parent.keys)
        if control.keys.keys() & {"terms", "combine"}:
            keys.pop("undriven", None)
        if control.keys.get("undriven"):
            keys = {key: value for key, value in keys.items() if key not in _DRIVES}
        keys |= control.keys
        merged[name] = dataclasses.replace(
            control,
            keys=keys,
            side=control.side or parent.side,
            partner=control.partner or parent.partner,
        )
    return merged


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]


def _renamed(
    controls: dict[str, FileControl], rename: Callable[[str], str]
) -> dict[str, FileControl]:
    return {
        rename(name): dataclasses.replace(
            control, name=rename(name), partner=rename(control.partner)
        )
        for name, control in controls.items()
    }


def _rule_from_control(control: FileControl, defaults: dict[str, Any]) -> ControlRule:
    keys = {**defaults, **control.keys}
    curve = keys.get("curve", "linear")
    smoothing = keys.get("smoothing")
    low, high = keys.get("limits", (0.0, 1.0))
    return ControlRule(
        name=control.name,
        side=control.side,
        partner=control.partner,
        terms=keys.get("terms", {}),
        combine=tuple(_combination(part) for part in keys.get("combine", [])),
        suppress=keys.get("suppress", {}),
        gain=keys.get("gain", 1.0),
        offset=keys.get("offset", 0.0),
        limits=(low, high),
        curve=curve_points(curve),
        curve_name=curve if isinstance(curve, str) and curve != "linear" else "",
        dead_zone=keys.get("dead_zone", 0.0),
        asymmetry=keys.get("asymmetry", 1.0),
        smoothing=Smoothing(**smoothing) if smoothing else None,
        undriven=keys.get("undriven", ""),
        note=keys.get("note", ""),
    )


def _combination(part: dict[str, Any]) -> Combination:
    weight = part["weight"]
    if part["product"]:
        names = tuple(part["product"])
        return Combination("product", names, (1.0,) * len(names), weight)
    return Combination("largest", tuple(part["largest"]), tuple(part["largest"].values()), weight)


def _undriven_problem(rule: ControlRule) -> str:
    drives = bool(rule.terms or rule.combine)
    if not drives and not rule.undriven:
        return 'nothing drives it; expected terms or combine, or undriven = "why"'
    if drives and rule.undriven:
        return "is called undriven, but has terms or combine"
    return ""


def _asymmetry_problem(control: FileControl) -> str:
    if control.keys.get("asymmetry", 1.0) != 1.0 and not control.partner:
        return "asymmetry needs both sides; write the rule with {side} in its name"
    return ""

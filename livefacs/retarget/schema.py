"""The schema of a retargeting map: TOML in, validated tables out, every error reported at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from livefacs.files.toml import TomlFile, near
from livefacs.retarget.inputs import INTENSITY_SIGNALS, SIGNALS, is_taught
from livefacs.vocab.controls import CONTROL_SETS, control_names

SIDES: Final = ("L", "R")
PLACEHOLDER: Final = "{side}"
NAMED_CURVES: Final[dict[str, Callable[[float], float]]] = {
    "ease_in": lambda x: x * x,
    "ease_out": lambda x: 1.0 - (1.0 - x) * (1.0 - x),
    "ease_in_out": lambda x: x * x * (3.0 - 2.0 * x),
}
"""Response curves by name; they act on the size of a drive of 0..1 and keep its sign."""

_LARGEST: Final = 1e6
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_TableT = TypeVar("_TableT", bound=_Table)


class SmoothingTable(_Table):
    """``{ time_constant_ms = 40 }`` (exponential) or ``{ min_cutoff_hz = 1.5, beta = 0.3 }``."""

    time_constant_ms: Annotated[float, Field(gt=0, le=10_000)] | None = None
    min_cutoff_hz: Annotated[float, Field(gt=0, le=1000)] | None = None
    beta: Annotated[float, Field(ge=0, le=1000)] = 0.0
    speed_cutoff_hz: Annotated[float, Field(gt=0, le=1000)] = 1.0

    @model_validator(mode="after")
    def _one_kind(self) -> SmoothingTable:
        if (self.time_constant_ms is None) == (self.min_cutoff_hz is None):
            raise ValueError(
                "expected either time_constant_ms (exponential) or min_cutoff_hz (One Euro)"
            )
        return self


class CombinationTable(_Table):
    """``{ product = [signals], weight = 0.5 }`` or ``{ largest = { signal = weight, … } }``."""

    product: Annotated[list[str], Field(min_length=2)] | None = None
    largest: Annotated[dict[str, Finite], Field(min_length=2)] | None = None
    weight: Finite = 1.0

    @model_validator(mode="after")
    def _one_kind(self) -> CombinationTable:
        if (self.product is None) == (self.largest is None):
            raise ValueError("expected either product = [signals] or largest = { signal = weight }")
        return self


class ShapeTable(_Table):
    """What ``[defaults]`` may hold: the shape of a control without what drives it."""

    gain: Finite = 1.0
    offset: Finite = 0.0
    limits: Annotated[list[Finite], Field(min_length=2, max_length=2)] = [0.0, 1.0]
    curve: Any = "linear"  # checked below: a union would report each error once per member
    dead_zone: Annotated[float, Field(ge=0, lt=1)] = 0.0
    asymmetry: Annotated[float, Field(ge=0, le=10)] = 1.0
    smoothing: SmoothingTable | None = None

    @field_validator("limits")
    @classmethod
    def _rising_limits(cls, limits: list[float]) -> list[float]:
        if limits[0] >= limits[1]:
            raise ValueError(f"expected [lowest, highest], got {limits}")
        return limits

    @field_validator("curve")
    @classmethod
    def _known_curve(cls, curve: Any) -> Any:
        if isinstance(curve, str):
            _expect_one_of(curve, ("linear", *NAMED_CURVES), "a curve")
            return curve
        if not isinstance(curve, list) or len(curve) < 2 or not all(map(_is_point, curve)):
            raise ValueError("expected a curve's name or two or more points [drive, response]")
        if any(b[0] <= a[0] for a, b in pairwise(curve)):
            raise ValueError("expected points [drive, response] in order of rising drive")
        return curve

    @field_validator("smoothing", mode="before")
    @classmethod
    def _no_smoothing(cls, smoothing: Any) -> Any:
        if isinstance(smoothing, str):
            _expect_one_of(smoothing, ("none",), "a table of a filter or the word")
            return None
        return smoothing


class ControlTable(ShapeTable):
    """One ``[controls.NAME]`` table."""

    terms: dict[str, Finite] = {}
    combine: list[CombinationTable] = []
    suppress: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    side_names: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    undriven: str = ""
    note: str = ""


class HeaderTable(_Table):
    """The ``[rig]`` table."""

    title: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)]
    names_from: Annotated[str, Field(min_length=1)]
    approximations: list[str] = []
    scheme: str = "facs"
    extends: str = ""
    remove: list[str] = []
    capitalize_inherited: bool = False
    side_names: Annotated[list[str], Field(min_length=2, max_length=2)] = ["Left", "Right"]
    vocabulary: str = ""

    @field_validator("vocabulary")
    @classmethod
    def _known_vocabulary(cls, vocabulary: str) -> str:
        if vocabulary:
            _expect_one_of(vocabulary, tuple(CONTROL_SETS), "a control set")
        return vocabulary


_NESTED: Final[dict[str, type[BaseModel]]] = {
    "smoothing": SmoothingTable,
    "combine": CombinationTable,
}


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(x, int | float) and abs(x) <= _LARGEST for x in point)
    )


def _expect_one_of(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise ValueError(f"expected {what} ({', '.join(known)}), got {name!r}{near(name, known)}")


@dataclass(slots=True)
class FileControl:
    """One control of one file, sides expanded; only the keys that the file sets."""

    name: str
    side: str
    partner: str
    keys: dict[str, Any]
    file: TomlFile
    place: tuple[str, ...]


@dataclass(slots=True)
class MapFile:
    """One file, checked by itself; its problems stand in ``source``."""

    source: TomlFile
    header: HeaderTable | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    controls: dict[str, FileControl] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.source.path


class _FileReader:
    """Checks the tables of one document and collects every problem on the way."""

    def __init__(self, source: TomlFile) -> None:
        self._source = source
        self._document = source.document
        self.file = MapFile(source)

    def read(self) -> MapFile:
        self._check_top()
        self.file.header = self._table(HeaderTable, ("rig",))
        defaults = self._table(ShapeTable, ("defaults",))
        if defaults is not None:
            self.file.defaults = _set_keys(defaults)
        controls = self._document.get("controls", {})
        if not isinstance(controls, dict):
            self._source.add(("controls",), "expected tables such as [controls.jawOpen]")
            return self.file
        for key in controls:
            self._read_control(key)
        return self.file

    def _check_top(self) -> None:
        known = ("rig", "defaults", "controls")
        for key in self._document:
            if key not in known:
                problem = "unknown table; expected [rig], [defaults] and [controls.NAME]"
                self._source.add((key,), problem + near(key, known))
        if "rig" not in self._document:
            self._source.add((), "no [rig] table; expected one with title, audience and names_from")

    def _table(self, model: type[_TableT], path: tuple[str, ...]) -> _TableT | None:
        data: Any = self._document
        for part in path:
            data = data.get(part, {})
        if path == ("rig",) and "rig" not in self._document:
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            known = {"": tuple(model.model_fields)}
            known |= {name: tuple(table.model_fields) for name, table in _NESTED.items()}
            self._source.add_all(error.errors(), path, known)
            return None

    def _read_control(self, key: str) -> None:
        path = ("controls", key)
        sided = PLACEHOLDER in key
        self._check_signals(path, self._document["controls"][key], sided)
        table = self._table(ControlTable, path)
        keys = {} if table is None else _set_keys(table)
        keys.pop("side_names", None)
        if not sided:
            self._add(key, "", "", keys, path)
            return
        header_sides = self.file.header.side_names if self.file.header else ["Left", "Right"]
        own_sides = table.side_names if table else None
        names = [key.replace(PLACEHOLDER, side) for side in own_sides or header_sides]
        for side, name, partner in zip(SIDES, names, names[::-1], strict=True):
            self._add(name, side, partner, with_side(keys, side), path)

    def _add(
        self, name: str, side: str, partner: str, keys: dict[str, Any], path: tuple[str, str]
    ) -> None:
        if name in self.file.controls:
            other = self._source.line_of(self.file.controls[name].place)
            self._source.add(path, f"control {name!r} is already written by line {other}")
            return
        rig = self._document.get("rig")
        vocabulary = rig.get("vocabulary") if isinstance(rig, dict) else None
        if isinstance(vocabulary, str) and vocabulary in CONTROL_SETS:
            known = control_names(vocabulary)
            if name not in known:
                problem = f"{name!r} is not a control of {vocabulary}{near(name, known)}"
                self._source.add(path, problem)
        self.file.controls[name] = FileControl(name, side, partner, keys, self._source, path)

    def _check_signals(self, path: tuple[str, str], table: Any, sided: bool) -> None:
        """Names in the table as written, so that an error in its values hides none of them."""
        for kind, index, signal in _signals_in(table):
            place = (*path, kind) if index is None else (*path, kind, index)
            if PLACEHOLDER in signal and not sided:
                problem = f"{signal!r} has {PLACEHOLDER}, but the control's name has not"
                self._source.add((*place, signal), problem)
                continue
            name = signal.replace(PLACEHOLDER, "L")
            if is_taught(name):
                continue
            if name not in SIGNALS:
                problem = f"expected a channel such as AU12_L or head_yaw_deg, got {signal!r}"
                self._source.add((*place, signal), problem + near(name, SIGNALS))
            elif kind == "suppress" and name not in INTENSITY_SIGNALS:
                problem = f"expected an action on the 0..1 scale, such as AU12_L, got {signal!r}"
                self._source.add((*place, signal), problem)


def _signals_in(table: Any) -> Iterator[tuple[str, int | None, str]]:
    """Signal names of a control table that may have any other error: key, index in it, name."""
    if not isinstance(table, dict):
        return
    for kind in ("terms", "suppress"):
        if isinstance(table.get(kind), dict):
            yield from ((kind, None, signal) for signal in table[kind])
    combine = table.get("combine")
    for index, part in enumerate(combine if isinstance(combine, list) else []):
        for key in ("product", "largest"):
            names = part.get(key) if isinstance(part, dict) else None
            if isinstance(names, list | dict):
                yield from (("combine", index, name) for name in names if isinstance(name, str))


def _set_keys(table: BaseModel) -> dict[str, Any]:
    """Only what the file says, as plain values."""
    plain = table.model_dump()
    return {key: plain[key] for key in table.model_fields_set}


def with_side(value: Any, side: str) -> Any:
    """Signal names with the placeholder replaced, all the way down."""
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, side)
    if isinstance(value, dict):
        return {with_side(key, side): with_side(item, side) for key, item in value.items()}
    if isinstance(value, list):
        return [with_side(item, side) for item in value]
    return value


def read_map_file(source: TomlFile) -> MapFile:
    """Check one document by itself; what is wrong goes to its other problems."""
    return _FileReader(source).read()


def curve_points(curve: str | Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    """Points of a named or written curve; none for ``linear``."""
    if not isinstance(curve, str):
        return tuple((float(x), float(y)) for x, y in curve)
    if curve == "linear":
        return ()
    shape = NAMED_CURVES[curve]
    return tuple((step / 16, shape(step / 16)) for step in range(17))

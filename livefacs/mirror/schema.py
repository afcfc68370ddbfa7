"""What drill files, pack files and the page's messages may say; every error reported at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from livefacs.files.toml import TomlFile, read_toml

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Letter = Literal["A", "B", "C", "D", "E"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Point = Annotated[list[Finite], Field(min_length=2, max_length=2)]

CURVE_KINDS: Final = ("ramp", "follow")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DrillTable(_Table):
    """One ``[[drill]]``: see ``docs/mirror.md`` for what each key means."""

    name: Name
    title: Line
    kind: Literal[
        "hold",
        "isolate",
        "one-side",
        "symmetry",
        "combine",
        "ramp",
        "follow",
        "alternate",
        "letters",
    ]
    actions: Annotated[list[str], Field(min_length=1, max_length=6)]
    side: Literal["both", "left", "right"] = "both"
    level: Letter = "C"
    hold_s: Annotated[float, Field(ge=0.2, le=30)] = 1.5
    time_limit_s: Annotated[float, Field(ge=2, le=120)] = 20.0
    pass_score: Annotated[int, Field(ge=1, le=100)] = 60
    curve: Annotated[list[Point], Field(min_length=2, max_length=600)] | None = None
    take: str | None = None
    cycles: Annotated[int, Field(ge=2, le=30)] = 4
    allow: list[str] = []
    after: list[Name] = []
    note: Annotated[str, Field(max_length=400)] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> DrillTable:
        if self.kind == "ramp" and self.curve is None:
            raise ValueError("a ramp needs curve = [[seconds, intensity], …]")
        if self.kind == "follow" and (self.curve is None) == (self.take is None):
            raise ValueError(
                "a follow drill needs either curve = [[seconds, intensity], …] or take"
            )
        if self.kind == "one-side" and self.side == "both":
            raise ValueError('a one-side drill needs side = "left" or "right"')
        if self.kind == "combine" and len(self.actions) < 2:
            raise ValueError("a combination needs at least two actions")
        if self.kind == "alternate" and len(self.actions) > 2:
            raise ValueError("an alternation has one or two actions")
        if self.curve is not None:
            _check_curve(self.curve)
        return self


def _check_curve(curve: list[list[float]]) -> None:
    times = [point[0] for point in curve]
    if times[0] != 0 or any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError("curve times must start at 0 and rise")
    if times[-1] > 120:
        raise ValueError(f"a curve lasts at most 120 s, this one {times[-1]:g} s")
    if any(not 0 <= point[1] <= 1 for point in curve):
        raise ValueError("curve intensities must lie between 0 and 1")


class DrillFile(_Table):
    """A file of drills."""

    schema_version: Literal[1] = Field(alias="schema")
    title: Line
    drill: Annotated[list[DrillTable], Field(min_length=1)]


class ItemTable(_Table):
    """One ``[[item]]`` of a pack: a stretch of a clip and its true codes."""

    name: Name
    clip: Line
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]
    apex: Annotated[int, Field(ge=0)]
    key: Line
    optional: str = ""
    note: Annotated[str, Field(max_length=400)] = ""

    @model_validator(mode="after")
    def _in_order(self) -> ItemTable:
        if not self.start <= self.apex <= self.end or self.start == self.end:
            raise ValueError(
                f"frames must be start <= apex <= end, got {self.start}, {self.apex}, {self.end}"
            )
        if self.end - self.start > 1800:
            raise ValueError(f"an item has at most 1800 frames, this one {self.end - self.start}")
        return self


class PackFile(_Table):
    """``pack.toml``: clips to code, their keys, rights and sources."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    title: Line
    rights: Line
    source: Line
    pass_line: Annotated[float, Field(gt=0, le=1)] = 0.70
    minutes: Annotated[float, Field(gt=0, le=240)] = 10.0
    scheme: Annotated[str, Field(min_length=1, max_length=60)] = "facs"
    codes: dict[str, Line] = {}
    optional: str = ""
    note: Annotated[str, Field(max_length=1000)] = ""
    item: Annotated[list[ItemTable], Field(min_length=1)]


class Ack(_Table):
    """The page has drawn a frame."""

    type: Literal["ack"]
    i_frame: Annotated[int, Field(ge=0, le=2**32 - 1)]


class ClockAsk(_Table):
    """The page asks for the server's clock, to measure latency."""

    type: Literal["clock"]
    page_ms: Finite


class DrillStart(_Table):
    """Begin a drill by name, or one that was made in the page; from a face at rest, where asked."""

    type: Literal["drill-start"]
    name: str | None = None
    drill: DrillTable | None = None
    from_rest: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> DrillStart:
        if (self.name is None) == (self.drill is None):
            raise ValueError("expected either name or drill")
        return self


class DrillStop(_Table):
    """Leave the running drill without a score."""

    type: Literal["drill-stop"]


class LessonStart(_Table):
    """Begin a session of so many minutes; with a drill's name, one of that drill alone."""

    type: Literal["lesson-start"]
    minutes: Literal[5, 10, 20]
    drill: str | None = None


class LessonStep(_Table):
    """Begin the next drill now (or leave the running one), or end the session."""

    type: Literal["lesson-next", "lesson-stop"]


class GuidanceLook(_Table):
    """The page shows the round that the performer is led through, or something else again."""

    type: Literal["guidance-look", "guidance-away"]


class Neutral(_Table):
    """Take the next second as the person's neutral."""

    type: Literal["neutral"]


Message = (
    Ack | ClockAsk | DrillStart | DrillStop | LessonStart | LessonStep | GuidanceLook | Neutral
)
_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="type")])

_TableT = TypeVar("_TableT", bound=_Table)


def message_from_text(text: str) -> Message | None:
    """A message of the page, or None where it is not one (hostile or from another version)."""
    try:
        return _MESSAGE.validate_json(text, strict=True)
    except (ValidationError, RecursionError):
        return None


def checked_file(path: Path, model: type[_TableT], what: str) -> tuple[TomlFile, _TableT]:
    """Read and check one file; further problems may be added to it.

    Raises
    ------
    ConfigError
        The file cannot be read or says what it may not; holds every error with its line.
    """
    file = read_toml(path)
    file.raise_problems(what)
    try:
        return file, model.model_validate(file.document)
    except ValidationError as error:
        known = {"": tuple(model.model_fields)}
        known |= {"drill": tuple(DrillTable.model_fields), "item": tuple(ItemTable.model_fields)}
        file.add_all(error.errors(), known=known)
    file.raise_problems(what)
    raise AssertionError("a file that does not fit has problems")

"""People coded by eye: frames of clips in which actions are clearly there or clearly not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.files.bounded_reading import read_text
from livefacs.offline import Meshes
from livefacs.vocab.facs import ACTIONS

CODES_FILE: Final = "codes.json"
_MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """One action in one frame, as a coder saw it."""

    action: str
    i_frame: int
    is_present: bool


@dataclass(frozen=True)
class CodedClip:
    """A clip with the frames that were coded.

    Attributes
    ----------
    name, person : str
        Clips of the same person are never split between training and scoring.
    meshes : Meshes
        Of every frame, with their readings.
    judgements : tuple of Judgement
    sides : tuple of (frame, action, side)
        Where one side, ``L`` or ``R``, is clearly the stronger.
    rests : tuple of int
        Frames that rest.
    """

    name: str
    person: str
    meshes: Meshes
    judgements: tuple[Judgement, ...]
    sides: tuple[tuple[int, str, str], ...] = ()
    rests: tuple[int, ...] = ()


def read_codes(path: Path) -> dict[str, Any]:
    """``codes.json``: what was seen in which frames.

    ``clips`` maps a clip to ``frames`` (frame number to ``+`` and ``-``, lists of action
    numbers, and ``stronger``, action number to side), ``neutral`` (frames at rest), ``person``;
    ``neutral_absent`` lists the actions that resting frames do without.

    Raises
    ------
    ConfigError
        The file cannot be read or does not say that.
    """
    try:
        codes = json.loads(read_text(path, _MOST_BYTES, follow=True))
        for clip in codes["clips"].values():
            for marks in clip["frames"].values():
                _actions(marks["+"] + marks["-"])
            [int(frame) for frame in clip["neutral"]]
        _actions(codes["neutral_absent"])
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path} does not code clips as expected: {error}") from None
    return dict(codes)


def _actions(numbers: Many[str]) -> None:
    unknown = [number for number in numbers if f"AU{number}" not in ACTIONS]
    if unknown:
        raise ValueError(f"no action AU{unknown[0]}")


def judgements_of(codes: Mapping[str, Any], clip: str) -> Iterator[Judgement]:
    """What was judged in a clip; resting frames count as absences."""
    entry = codes["clips"][clip]
    for frame in entry["neutral"]:
        for number in codes["neutral_absent"]:
            yield Judgement(f"AU{number}", int(frame), is_present=False)
    for frame, marks in entry["frames"].items():
        for sign in "+-":
            for number in marks[sign]:
                yield Judgement(f"AU{number}", int(frame), is_present=sign == "+")


def coded_clip(codes: Mapping[str, Any], clip: str, meshes: Meshes) -> CodedClip:
    """A clip's codes beside its meshes; frames beyond its end or without a face are left out."""
    entry = codes["clips"][clip]

    def is_seen(frame: int) -> bool:
        return frame < len(meshes) and meshes[frame].landmarks is not None

    sides = [
        (int(frame), f"AU{number}", side)
        for frame, marks in entry["frames"].items()
        for number, side in marks.get("stronger", {}).items()
    ]
    return CodedClip(
        clip,
        str(entry.get("person", clip)),
        meshes,
        tuple(j for j in judgements_of(codes, clip) if is_seen(j.i_frame)),
        tuple(each for each in sides if is_seen(each[0])),
        tuple(int(frame) for frame in entry["neutral"] if is_seen(int(frame))),
    )


def without_rests(clip: CodedClip) -> CodedClip:
    """The clip without the judgements of its resting frames."""
    kept = tuple(each for each in clip.judgements if each.i_frame not in clip.rests)
    return replace(clip, judgements=kept)

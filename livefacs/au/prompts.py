"""What a performer is asked for in a recorded range of motion, and when: a JSON file.

``neutral`` and ``head`` are ``[start, end]`` in seconds: the resting face, still and turning
slowly. ``prompts`` is a list of ``{"actions": ["AU12"], "start_s": 8.0, "end_s": 10.6}``; in each
the movement is made twice. ``AU45_L`` asks for one side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from livefacs.au.features import REGIONS
from livefacs.errors import ConfigError
from livefacs.files.bounded_reading import read_text
from livefacs.vocab.facs import AU_CHANNELS, channels_of

SHORTEST_S: Final = 0.8
"""A movement made twice, and its rest, take longer."""
LEARNABLE: Final = frozenset({*REGIONS, "AU25"})
_KEYS: Final = frozenset({"neutral", "head", "prompts"})
_PROMPT_KEYS: Final = frozenset({"actions", "start_s", "end_s"})
_MOST_BYTES: Final = 16 << 20
_MOST_S: Final = 1e6


@dataclass(frozen=True, slots=True)
class Prompt:
    """A movement that was asked for.

    Attributes
    ----------
    actions : tuple of str
        ``AU12``, or one channel of it, ``AU45_L``.
    start_s, end_s : float
        Seconds of the clip.
    """

    actions: tuple[str, ...]
    start_s: float
    end_s: float

    @property
    def name(self) -> str:
        """``AU6+AU12``."""
        return "+".join(self.actions)


@dataclass(frozen=True, slots=True)
class Prompts:
    """A recorded range of motion.

    Attributes
    ----------
    neutral : (start, end) in seconds
    head : (start, end) or None
        The resting face turning slowly.
    prompts : tuple of Prompt, by time
    """

    neutral: tuple[float, float]
    head: tuple[float, float] | None
    prompts: tuple[Prompt, ...]


def load_prompts(path: Path, duration_s: float | None = None) -> Prompts:
    """Read and check a prompts file.

    Parameters
    ----------
    path : Path
    duration_s : float or None
        Of the clip, where it is known; prompts outside it are errors.

    Raises
    ------
    ConfigError
        It cannot be read or says what it may not; holds every error.
    """
    try:
        document = json.loads(read_text(path, _MOST_BYTES, follow=True))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read prompts {path}: {reason}") from None
    errors = [*_errors_of(document), *_time_errors(list(_stretches_of(document)), duration_s)]
    if errors:
        raise ConfigError(f"prompts {path} have {len(errors)} error(s):", errors)
    return _prompts_from(document)


def _stretches_of(document: Any) -> Iterator[tuple[str, float, float]]:
    """What a document calls a stretch of the clip, its start and its end; sound ones only."""
    if not isinstance(document, dict):
        return
    for key in ("neutral", "head"):
        if span := _span(document.get(key)):
            yield key, *span
    prompts = document.get("prompts")
    for i, prompt in enumerate(prompts if isinstance(prompts, list) else ()):
        if isinstance(prompt, dict) and (span := _span(_times_of(prompt))):
            actions = prompt.get("actions")
            names = "+".join(map(str, actions))[:60] if isinstance(actions, list) else ""
            yield f"prompts[{i + 1}] {names}".rstrip(), *span


def _time_errors(
    stretches: Sequence[tuple[str, float, float]], duration_s: float | None
) -> Iterator[str]:
    """Stretches that are too short, overlap, or lie outside the clip."""
    for name, start, end in stretches:
        if start < 0.0 or (duration_s is not None and end > duration_s + 0.05):
            clip = "" if duration_s is None else f", the clip 0 to {duration_s:.2f} s"
            yield f"{name}: {start:g} to {end:g} s lies outside the clip{clip}"
        elif end - start < SHORTEST_S:
            yield f"{name}: {start:g} to {end:g} s, expected at least {SHORTEST_S:g} s"
    in_time = sorted(stretches, key=lambda each: each[1])
    for (name, _, end), (later, start, _) in pairwise(in_time):
        if start < end - 1e-6:
            yield f"{later} begins at {start:g} s, before {name} ends at {end:g} s"


def _errors_of(document: Any) -> Iterator[str]:
    """What is wrong with the shape of a document."""
    if not isinstance(document, dict):
        yield "expected an object with neutral, head and prompts"
        return
    for key in sorted(set(document) - _KEYS):
        yield f"{key}: no such key; expected {', '.join(sorted(_KEYS))}"
    for key in ("neutral", "head"):
        if key in document and _span(document[key]) is None:
            yield f"{key}: expected [start, end] in seconds, got {_shown(document[key])}"
    if "neutral" not in document:
        yield "neutral: missing, expected [start, end] in seconds of the resting face"
    prompts = document.get("prompts")
    if not isinstance(prompts, list) or not prompts:
        yield f"prompts: expected a list of at least one prompt, got {_shown(prompts)}"
        return
    for i, prompt in enumerate(prompts):
        yield from _prompt_errors(f"prompts[{i + 1}]", prompt)


def _prompt_errors(where: str, prompt: Any) -> Iterator[str]:
    if not isinstance(prompt, dict):
        yield f"{where}: expected an object with actions, start_s, end_s, got {_shown(prompt)}"
        return
    for key in sorted(set(prompt) - _PROMPT_KEYS):
        yield f"{where}.{key}: no such key; expected {', '.join(sorted(_PROMPT_KEYS))}"
    if _span(times := _times_of(prompt)) is None:
        yield f"{where}: expected start_s before end_s in seconds, got {_shown(times)}"
    actions = prompt.get("actions")
    if not isinstance(actions, list) or not actions:
        yield f"{where}.actions: expected a list such as ['AU12'], got {_shown(actions)}"
        return
    for name in actions:
        if reason := action_error(name):
            yield f"{where}.actions: {reason}"


def action_error(name: Any) -> str:
    """Why a name cannot be asked for; empty where it can."""
    if not isinstance(name, str):
        return f"expected a name such as AU12, got {_shown(name)}"
    action = name.removesuffix("_L").removesuffix("_R")
    is_measured = name in AU_CHANNELS or bool(channels_of(name))
    if is_measured and (name in LEARNABLE or action in LEARNABLE):
        return ""
    known = ", ".join(sorted(LEARNABLE, key=lambda each: (each[:2] != "AU", len(each), each)))
    return f"{name!r} is no action that can be learned; expected one of {known}, or one side of it"


def _times_of(prompt: dict[str, Any]) -> list[Any]:
    return [prompt.get("start_s"), prompt.get("end_s")]


def _span(value: Any) -> tuple[float, float] | None:
    """Start and end in seconds; None where it is not that."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    numbers = [v for v in value if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) < 2 or not all(abs(number) <= _MOST_S for number in numbers):
        return None  # no number, infinite, or a whole one that is too large for a float
    start, end = numbers
    return (float(start), float(end)) if start < end else None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _prompts_from(document: dict[str, Any]) -> Prompts:
    neutral, head = document["neutral"], document.get("head")
    prompts = [
        Prompt(tuple(each["actions"]), float(each["start_s"]), float(each["end_s"]))
        for each in document["prompts"]
    ]
    return Prompts(
        (float(neutral[0]), float(neutral[1])),
        None if head is None else (float(head[0]), float(head[1])),
        tuple(sorted(prompts, key=lambda each: each.start_s)),
    )

"""The coding school: combinations drawn by chance for a face that shows them, with known truth."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.errors import ConfigError
from livefacs.mirror.coding import PASS_LINE
from livefacs.mirror.drills import COMPANIONS
from livefacs.mirror.packs import Item, Pack, SchemeParser
from livefacs.mirror.puppet_pose import controls_from_levels
from livefacs.mirror.texts import text
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, LETTER_FLOORS, N_AU, find_code
from livefacs.vocab.notation import Score, exclusion_errors, parse_notation, print_notation
from livefacs.vocab.schemes import load_scheme

RATE_HZ: Final = 25.0
_ONSET_S: Final = (0.5, 1.1)
_HOLD_S: Final = 1.2
_OFFSET_S: Final = 0.6
_MOST_STAGGER_S: Final = 0.4

HUMAN_ACTIONS: Final = (
    "1", "2", "4", "5", "6", "7", "9", "10", "12", "14", "15", "16",
    "17", "18", "20", "22", "24", "25", "26", "28", "29", "34", "43",
)  # fmt: skip
"""What the head shows one by one."""
_NOT_TOGETHER: Final = {
    "5": "43", "7": "43", "9": "10", "10": "24 28", "12": "15 18 20 22", "14": "18 20 22 28",
    "15": "18 20 22", "16": "24 28", "17": "26 28", "18": "20 22 24 28", "20": "22",
    "22": "24 28", "24": "25 26 28", "25": "28", "26": "28 29", "34": "18 22 25 26 28",
}  # fmt: skip
"""What one mouth or eye cannot show at once, or not so that a coder could tell."""

MARMOSET: Final[dict[str, str]] = {
    "1": "frontalis",
    "4": "procerus_depressor_supercilii",
    "6": "orbicularis_oculi_orbital",
    "7": "orbicularis_oculi_palpebral",
    "10": "levator_labii_superioris",
    "12": "zygomaticus_major",
    "15": "depressor_anguli_oris",
    "16": "depressor_labii_inferioris",
    "18": "orbicularis_oris_pucker",
    "24": "orbicularis_oris_press",
    "25": "lips_part",
    "26": "jaw_drop",
    "43": "orbicularis_oculi_closure",
}
"""Human action that drives it, and the control of the marmoset's map that it moves."""


@dataclass(frozen=True, slots=True)
class Class:
    """How hard the school is: how many actions, which letters, how often one side alone."""

    n_actions: tuple[int, int]
    letters: str
    one_sided: float
    stagger: bool
    face: str = "head"


CLASSES: Final[dict[str, Class]] = {
    "school-easy": Class((1, 2), "CDE", 0.0, stagger=False),
    "school-medium": Class((2, 3), "BCDE", 0.2, stagger=False),
    "school-hard": Class((3, 5), "ABCDE", 0.3, stagger=True),
    "school-marmoset": Class((1, 3), "DE", 0.0, stagger=False, face="marmoset"),
}
MOST_ITEMS: Final = 100


def school_pack(name: str, n_items: int, rng: random.Random | None = None) -> Pack:
    """A pack of fresh items of one class, in the form of packs of clips.

    Raises
    ------
    ConfigError
        There is no such class.
    """
    if name not in CLASSES:
        raise ConfigError(f"no class {name!r}: expected one of {', '.join(CLASSES)}")
    drawn = rng or random.Random()
    is_monkey = CLASSES[name].face == "marmoset"
    codes = marmoset_codes() if is_monkey else {}
    labels = dict(zip(MARMOSET, codes, strict=True)) if is_monkey else {}
    items = [_item(f"face-{i + 1}", CLASSES[name], drawn, labels) for i in range(n_items)]
    return Pack(
        name=name,
        title=text(f"school.{name}"),
        rights="–",
        source="–",
        note=text("school.marmoset_note" if is_monkey else "school.note"),
        pass_line=PASS_LINE,
        minutes=10.0,
        scheme="CalliFACS" if is_monkey else "FACS",
        codes=codes,
        items={item.name: item for item in items},
        parse=SchemeParser("this list", codes) if is_monkey else parse_notation,
        face=CLASSES[name].face,
    )


def school_documents() -> list[dict[str, Any]]:
    """What the page lists: classes, without items, which are drawn when one begins."""
    found = []
    for name in CLASSES:
        about = school_pack(name, 0).document()
        found.append({**about, "items": [], "draws": MOST_ITEMS})
    return found


def marmoset_codes() -> dict[str, str]:
    """Codes of the marmoset's movements by name, in the order of ``MARMOSET``.

    The user's own table gives the code where it has one for a control; else the human number of
    the shared muscle stands for it.
    """
    scheme = load_scheme("callifacs")
    codes: dict[str, str] = {}
    for human, control in MARMOSET.items():
        own = [code for code in scheme.codes_of_control(control) if code not in codes]
        muscle = control.replace("_", " ")
        code = own[0] if own else human
        codes[code] = muscle if own else text("school.shared", muscle=muscle, human=human)
    return codes


def item_of_action(code: str, letter: str, rng: random.Random) -> Item:
    """One action at a letter that is given, anywhere in its span."""
    return _item_of("face", [Score(code, letter)], {}, CLASSES["school-easy"], rng)


def _item(name: str, of: Class, rng: random.Random, labels: dict[str, str]) -> Item:
    codes = _draw_codes(of, rng, tuple(MARMOSET) if labels else HUMAN_ACTIONS)
    return _item_of(name, [_draw_score(code, of, rng) for code in codes], labels, of, rng)


def _item_of(
    name: str, scores: list[Score], labels: dict[str, str], of: Class, rng: random.Random
) -> Item:
    codes = [score.code for score in scores]
    strength = {score.code: _draw_level(score.letter, rng) for score in scores}
    levels, apex = _levels(scores, strength, of, rng)
    free = {near for code in codes for near in COMPANIONS.get(code, ()) if near not in codes}
    if labels:  # presence alone: human letters say nothing of a marmoset's face
        scores = [Score(labels[score.code]) for score in scores]
        free = {labels[code] for code in free if code in labels}
    key_text = "+".join(map(str, scores)) if labels else print_notation(scores)
    optional = tuple(Score(code) for code in sorted(free))
    return Item(name, Path(), 0, len(levels), apex, tuple(scores), key_text, optional, "", levels)


def _draw_codes(of: Class, rng: random.Random, pool: Iterable[str]) -> tuple[str, ...]:
    """Actions that go together, by number."""
    n = rng.randint(*of.n_actions)
    chosen: list[str] = []
    for code in rng.sample(list(pool), len(list(pool))):
        if all(_go_together(code, other) for other in chosen):
            chosen.append(code)
        if len(chosen) == n:
            break
    return tuple(sorted(chosen, key=int))


def _go_together(one: str, other: str) -> bool:
    known = (
        other in _NOT_TOGETHER.get(one, "").split() or one in _NOT_TOGETHER.get(other, "").split()
    )
    return not known and not exclusion_errors((Score(one), Score(other)))


def _draw_score(code: str, of: Class, rng: random.Random) -> Score:
    has_sides = len(find_code(code).channels) == 2
    side = rng.choice("LR") if has_sides and rng.random() < of.one_sided else ""
    return Score(code, rng.choice(of.letters), side)


def _draw_level(letter: str, rng: random.Random) -> float:
    """Anywhere in the letter's span."""
    floors = [*reversed(LETTER_FLOORS), ("", 1.0)]
    at = [name for name, _ in floors].index(letter)
    return rng.uniform(floors[at][1], floors[at + 1][1])


def _levels(
    scores: list[Score], strength: dict[str, float], of: Class, rng: random.Random
) -> tuple[F32, int]:
    """(T, N_AU) intensities from rest over the apex to rest, and the frame of the apex."""
    onset_s = rng.uniform(*_ONSET_S)
    delays = {s.code: rng.uniform(0, _MOST_STAGGER_S) if of.stagger else 0.0 for s in scores}
    up_s = 0.2 + max(delays.values(), default=0.0) + onset_s
    t_s = np.arange(0.0, up_s + _HOLD_S + _OFFSET_S + 0.2, 1 / RATE_HZ)
    levels = np.zeros((len(t_s), N_AU), np.float32)
    for score in scores:
        begins_s = 0.2 + delays[score.code]
        corners = (begins_s, begins_s + onset_s, up_s + _HOLD_S, up_s + _HOLD_S + _OFFSET_S)
        share = np.interp(t_s, corners, (0, 1, 1, 0))
        share = share * share * (3 - 2 * share)
        for channel in find_code(score.code).channels:
            if not score.side or channel.endswith(f"_{score.side}"):
                levels[:, CHANNEL_INDEX[channel]] = strength[score.code] * share
    return levels, round((up_s + _HOLD_S / 2) * RATE_HZ)


def poses_document(item: Item, rig: str) -> dict[str, Any]:
    """An item as a face shows it: names that move and their values, a row a frame.

    Parameters
    ----------
    item : Item with ``levels``
    rig : ``head`` (Action Unit channels) or the name of a puppet's map
    """
    if item.levels is None:
        raise ConfigError("this item is a clip")
    if rig == "head":
        names, values = tuple(AU_CHANNELS), item.levels
    else:
        names, values = controls_from_levels(rig, item.levels, RATE_HZ)
    moving = [k for k in range(len(names)) if bool(np.any(values[:, k]))]
    return {
        "frames": len(values),
        "rate_hz": RATE_HZ,
        "apex": item.apex - item.start,
        "note": item.note,
        "names": [names[k] for k in moving],
        "values": [[round(float(v), 4) for v in row] for row in values[:, moving]],
    }

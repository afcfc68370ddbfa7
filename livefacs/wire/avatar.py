"""What an avatar of VRChat has of Unified Expressions v2, by the addresses of its parameters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PARAMETER: Final = re.compile(
    r"/avatar/parameters/(?P<prefix>[^ #*,?\[\]{}]*?)v2/"
    r"(?P<name>[A-Za-z/]+?)(?P<end>\d{1,3}|Negative)?"
)
_MOST_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class AvatarShape:
    """One shape as an avatar takes it.

    Attributes
    ----------
    name : str
    n_bits : int
        0: one float.
    has_negative : bool
        There is a boolean for its sign beside the bits.
    """

    name: str
    n_bits: int = 0
    has_negative: bool = False


@dataclass(frozen=True, slots=True)
class Avatar:
    """What an avatar takes.

    Attributes
    ----------
    prefix : str
        What stands before ``v2/``: ``FT/``, or empty.
    shapes : tuple of AvatarShape
        By name; one that is there as a float and as bits stands twice.
    """

    prefix: str
    shapes: tuple[AvatarShape, ...]

    def __str__(self) -> str:
        n_floats = sum(not shape.n_bits for shape in self.shapes)
        bits = sorted({shape.n_bits for shape in self.shapes if shape.n_bits})
        words = [f"{n_floats} floats"] if n_floats else []
        if bits:
            low, high = bits[0], bits[-1]
            some = str(low) if low == high else f"{low} to {high}"
            words.append(f"{len(self.shapes) - n_floats} of {some} bits")
        return f"{' and '.join(words)} under {self.prefix}v2/"


def avatar_from_parameters(types: Mapping[str, str]) -> Avatar | None:
    """The avatar's shapes; None where it has none.

    Parameters
    ----------
    types : mapping of address to OSC type tag
        Of parameters that may be written. Where several prefixes are in use, the one with most
        shapes counts.
    """
    floats: defaultdict[str, set[str]] = defaultdict(set)
    bits: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    negative: defaultdict[str, set[str]] = defaultdict(set)
    for address, tag in types.items():
        found = _PARAMETER.fullmatch(address)
        if found is None:
            continue
        prefix, name, end = found.group("prefix", "name", "end")
        if end is None and tag == "f":
            floats[prefix].add(name)
        elif end == "Negative":
            negative[prefix].add(name)
        elif end is not None and tag in ("T", "F"):
            bits[prefix][name].add(int(end))
    counts = {prefix: len(floats[prefix]) + len(bits[prefix]) for prefix in {*floats, *bits}}
    if not any(counts.values()):
        return None
    prefix = max(sorted(counts), key=lambda each: counts[each])
    shapes = [AvatarShape(name) for name in floats[prefix]]
    for name, there in bits[prefix].items():
        n_bits = 0
        while n_bits < _MOST_BITS and 1 << n_bits in there:
            n_bits += 1
        if n_bits:
            shapes.append(AvatarShape(name, n_bits, name in negative[prefix]))
    return Avatar(prefix, tuple(sorted(shapes, key=lambda shape: (shape.name, shape.n_bits))))

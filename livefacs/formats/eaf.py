"""ELAN annotations (.eaf 3.0): a tier an action and side, an annotation an event.

Coders open it beside the video. The file links the take's video, or the clip that it was tracked
from, and times are milliseconds from that file's beginning; without one, from the first frame.
ELAN shows each annotation from onset to offset; its text is the notation and the apex, as in
``12C apex 1.233``.
"""

from __future__ import annotations

import contextlib
import mimetypes
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from livefacs.formats.curves import ExportOptions
from livefacs.formats.facs_events import events_from_take
from livefacs.formats.media import media_of, sound_media_of
from livefacs.take.reader import Take

_NS_A_MS: Final = 1_000_000
_TYPE: Final = "facs-event"
_MARKERS: Final = "markers"
_MIME_TYPES: Final = {".wav": "audio/x-wav"}  # as ELAN itself writes it, on every system


Span = tuple[int, int, str]
"""Begin and end in milliseconds, and what stands there."""


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file."""
    media = media_of(take)
    created = datetime.fromisoformat(take.document["created_utc"])
    sound = sound_media_of(take)
    origin_ns = _origin_ns(take, media or sound)
    tiers = _tiers_of(take, origin_ns)
    linked = () if sound is None else ((sound[0], round((origin_ns - sound[1]) / _NS_A_MS)),)
    write_tiers(path, tiers, created, None if media is None else media[0], linked)


def write_tiers(
    path: Path,
    tiers: Mapping[str, Sequence[Span]],
    created: datetime,
    media: Path | None = None,
    sounds: Sequence[tuple[Path, int]] = (),
) -> None:
    """Write annotations by tier; those of one tier may not overlap.

    Parameters
    ----------
    path : Path
    tiers : mapping of name to (begin_ms, end_ms, text)
    created : datetime
    media : Path or None
        The video that the times are of.
    sounds : sequence of (Path, offset_ms)
        Sound beside it, and the time in it at which the video begins.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "livefacs",
            "DATE": created.isoformat(),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = ElementTree.SubElement(
        root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    )
    if media is not None:
        _link_media(header, media, path.resolve().parent)
    for sound, offset_ms in sounds:
        _link_media(header, sound, path.resolve().parent, offset_ms)
    _Tiers(root).write(tiers)
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"},
    )
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _origin_ns(take: Take, media: tuple[Path, int] | None) -> int:
    """The session time that stands at 0."""
    if media is not None:
        return media[1]
    return int(take.t_ns[0]) if take.n_rows else 0


def _link_media(header: ElementTree.Element, media: Path, folder: Path, offset_ms: int = 0) -> None:
    """Name a file, absolute and from the file's folder, so that both may move together."""
    link = {
        "MEDIA_URL": media.as_uri(),
        "MIME_TYPE": _MIME_TYPES.get(media.suffix)
        or mimetypes.guess_type(media.name)[0]
        or "video/mp4",
    }
    with contextlib.suppress(ValueError):  # another drive on Windows
        relative = Path(os.path.relpath(media, folder)).as_posix()
        link["RELATIVE_MEDIA_URL"] = relative if relative.startswith(".") else f"./{relative}"
    if offset_ms:
        link["TIME_ORIGIN"] = str(offset_ms)
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", link)


def _tiers_of(take: Take, origin_ns: int) -> dict[str, list[Span]]:
    """All events, a tier for each action and side, then the markers."""

    def ms(t_ns: int) -> int:
        return round((t_ns - origin_ns) / _NS_A_MS)

    tiers: dict[str, list[Span]] = {}
    for event in events_from_take(take):
        apex_s = (event.apex_ns - origin_ns) / 1e9
        name = event.action + (f"_{event.side}" if event.side in ("L", "R") else "")
        tiers.setdefault(name, []).append(
            (ms(event.onset_ns), ms(event.offset_ns), f"{event.notation} apex {apex_s:.3f}")
        )
    if take.markers:
        tiers[_MARKERS] = _markers(take, ms)
    return tiers


def _markers(take: Take, ms: Callable[[int], int]) -> list[Span]:
    """A frame each, or up to the next one: annotations of a tier may not overlap."""
    labels: dict[int, list[str]] = {}
    for marker in sorted(take.markers, key=lambda marker: marker.t_ns):
        labels.setdefault(max(0, ms(marker.t_ns)), []).append(marker.label or marker.kind)
    frame_ms = round(take.rate.ns_from_frames(1) / _NS_A_MS)
    begins = list(labels)
    ends = [min(begin + frame_ms, *begins[i:]) for i, begin in enumerate(begins[:-1], 1)]
    ends += [begin + frame_ms for begin in begins[-1:]]
    words = ["; ".join(at_once) for at_once in labels.values()]
    return list(zip(begins, ends, words, strict=True))


class _Tiers:
    """Collects time slots, which stand before the tiers that use them."""

    def __init__(self, root: ElementTree.Element) -> None:
        self._root = root
        self._slots = ElementTree.SubElement(root, "TIME_ORDER")
        self._n_annotations = 0

    def write(self, tiers: Mapping[str, Sequence[Span]]) -> None:
        """All tiers, in their order."""
        for name, spans in tiers.items():
            tier = ElementTree.SubElement(
                self._root, "TIER", {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": name}
            )
            for span in spans:
                self._annotate(tier, *span)

    def _annotate(self, tier: ElementTree.Element, begin_ms: int, end_ms: int, text: str) -> None:
        self._n_annotations += 1
        begin_ms = max(0, begin_ms)
        end_ms = max(begin_ms + 1, end_ms)
        slots = [self._slot(begin_ms), self._slot(end_ms)]
        holder = ElementTree.SubElement(tier, "ANNOTATION")
        annotation = ElementTree.SubElement(
            holder,
            "ALIGNABLE_ANNOTATION",
            {
                "ANNOTATION_ID": f"a{self._n_annotations}",
                "TIME_SLOT_REF1": slots[0],
                "TIME_SLOT_REF2": slots[1],
            },
        )
        ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = text

    def _slot(self, time_ms: int) -> str:
        name = f"ts{len(self._slots) + 1}"
        ElementTree.SubElement(
            self._slots, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(time_ms)}
        )
        return name

"""JSON Lines: the first line describes the take, every other one is a frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from livefacs.formats.curves import (
    ExportOptions,
    curves_from_take,
    faces_seen,
    nearest_rows,
    recorded_confidence,
)
from livefacs.formats.text import number_lines
from livefacs.take.layout import GAZE_FIELDS, HEAD_FIELDS
from livefacs.take.reader import Take


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file. Unknown values are ``null``; without a face they are held.

    Confidences are an object more, where asked.
    """
    curves = curves_from_take(take, options)
    nearest = nearest_rows(take, curves)
    has_face = faces_seen(take, curves, nearest)
    head = {
        "format": "livefacs-jsonl",
        "version": 1,
        "take": take.name,
        "slate": take.slate,
        "number": take.number,
        "rig": options.rig or None,
        "timecode_rate": curves.rate.name,
        "landmarker": take.document["landmarker"],
        "weights": take.document["weights"],
    }
    names = [json.dumps(name) for name in (*HEAD_FIELDS, *GAZE_FIELDS, *curves.names)]
    pairs = [f"{name.replace('%', '%%')}: %.7g" for name in names]
    n_head, n_gaze = len(HEAD_FIELDS), len(GAZE_FIELDS)
    template = (
        "{" + ", ".join(pairs[:n_head]) + '}, "gaze": {'
        + ", ".join(pairs[n_head : n_head + n_gaze])
        + '}, "values": {' + ", ".join(pairs[n_head + n_gaze :]) + "}"
    )  # fmt: skip
    numbers = np.hstack([curves.head, curves.gaze, curves.values])
    if options.confidence and not options.rig:
        parts = [f"{json.dumps(name)}: %.4g" for name in curves.names]
        template += ', "confidence": {' + ", ".join(parts) + "}"
        confidence = recorded_confidence(take, curves, nearest)
        numbers = np.hstack([numbers, confidence])
    template += "}\n"
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False, default=str) + "\n")
        frames = range(len(curves)) if curves.is_even else take.frames["i_frame"].tolist()
        lines = number_lines(numbers, template, ('": nan', '": null'))
        flags = take.frames["health"][nearest].tolist()
        for index, (frame, line, health) in enumerate(zip(frames, lines, flags, strict=True)):
            file.write(
                f'{{"frame": {frame}, "t_ns": {curves.times_ns[index]}, '
                f'"timecode": "{curves.label(index)}", '
                f'"face": {"true" if has_face[index] else "false"}, "health": {health}, '
                f'"head": {line}'
            )

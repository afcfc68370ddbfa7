"""The faces that a source shows for some seconds, for whoever needs no session around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from livefacs.au.model import load_model
from livefacs.clock import s_from_ns
from livefacs.config import SourceOptions, TrackingOptions
from livefacs.errors import SourceError
from livefacs.landmarkers.reading import with_readers
from livefacs.protocols import Landmarker, Source
from livefacs.session.parts import landmarker_for_source, open_source_from_options
from livefacs.types import Landmarks


@contextmanager
def opened(
    spec: str, tracking: TrackingOptions, notify: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[Source, Landmarker]]:
    """A source and the landmarker with its readers; a file is read frame by frame.

    Raises
    ------
    SourceError, LandmarkerError, ConfigError
        They cannot be had.
    """
    is_file = Path(spec).exists() and not spec.startswith("/dev/")
    with ExitStack() as stack:
        finder = stack.enter_context(closing(landmarker_for_source(spec, tracking, notify)))
        reading = with_readers(finder, tracking.reader, load_model(tracking.weights))
        options = SourceOptions(spec=spec, realtime=not is_file)
        source = stack.enter_context(closing(open_source_from_options(options)))
        for notice in source.notices:
            notify(notice)
        yield source, reading


def faces_of_source(
    spec: str, tracking: TrackingOptions, seconds: float
) -> tuple[list[Landmarks], str]:
    """Faces of the first seconds of a source, and the name of the landmark backend.

    Raises
    ------
    SourceError
        No face was seen.
    """
    faces: list[Landmarks] = []
    with opened(spec, tracking) as (source, finder):
        start_ns: int | None = None
        while (frame := source.read()) is not None:
            start_ns = frame.t_ns if start_ns is None else start_ns
            if s_from_ns(frame.t_ns - start_ns) >= seconds:
                break
            face = finder.detect(frame)
            if face is not None:  # a later frame may reuse the landmarker's buffer
                faces.append(replace(face, points_px=face.points_px.copy()))
        if not faces:
            raise SourceError(f"{spec}: no face in {seconds:g} seconds: sit in front of the camera")
        return faces, finder.name

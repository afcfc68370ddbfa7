"""A source and its landmarker, for whoever needs no session around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from livefacs.au.estimator_model import load_model
from livefacs.config import TrackingOptions, load_options
from livefacs.landmarkers.face_readers import with_readers
from livefacs.protocols import Landmarker, Source
from livefacs.session.parts import landmarker_for_source, open_source_from_options
from livefacs.sources.sequence import is_image_spec


def is_recorded(spec: str) -> bool:
    """True for a clip, images or a take: what can be worked through, and has an end."""
    return is_image_spec(spec) or (Path(spec).exists() and not spec.startswith("/dev/"))


@contextmanager
def opened(
    spec: str,
    tracking: TrackingOptions,
    notify: Callable[[str], None] = lambda _: None,
    *,
    rotate: int = 0,
) -> Iterator[tuple[Source, Landmarker]]:
    """A source and the landmarker with its readers; a file is read frame by frame.

    Raises
    ------
    SourceError, LandmarkerError, ConfigError
        They cannot be had.
    """
    with ExitStack() as stack:
        finder = stack.enter_context(closing(landmarker_for_source(spec, tracking, notify)))
        reading = with_readers(finder, tracking.reader, load_model(tracking.weights))
        given = {"spec": spec, "realtime": not is_recorded(spec), "rotate": rotate}
        options = load_options(None, {"source": given})
        source = stack.enter_context(closing(open_source_from_options(options.source, notify)))
        for notice in source.notices:
            notify(notice)
        yield source, reading

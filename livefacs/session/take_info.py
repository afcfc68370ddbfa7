"""What a take of a session says of itself: source, estimator, profile, timecode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from livefacs.au.estimator import Estimator
from livefacs.au.from_shapes import ShapeEstimator
from livefacs.config import SessionOptions
from livefacs.protocols import Source
from livefacs.session.parts import (
    make_smoothing,
    plain,
    profile_entry,
    tracking_of_performers,
)
from livefacs.session.take_timecode import timecode_start
from livefacs.session.tracker import Tracker
from livefacs.take.layout import TakeInfo


def estimator_of(tracker: Tracker) -> Estimator | ShapeEstimator:
    """The estimator that ``estimator_for_source`` made for it."""
    estimator = tracker.estimator
    assert isinstance(estimator, (Estimator, ShapeEstimator))  # the composition root put it there
    return estimator


def take_info(
    options: SessionOptions,
    source: Source,
    tracker: Tracker,
    notify: Callable[[str], None] = lambda _sentence: None,
) -> TakeInfo:
    """What is common to all takes of a session; ``notify`` is told what the timecode is worth.

    Raises
    ------
    ConfigError
        The timecode that was asked for cannot be.
    """
    record, tracking = options.record, options.tracking
    start = timecode_start(options, source, notify)
    estimator = estimator_of(tracker)
    return TakeInfo(
        slate=record.slate,
        number=record.take,
        notes=record.notes,
        source=source.description,
        rate_hz=source.rate_hz,
        is_live=source.is_live,
        start_ns=source.start_ns,
        landmarker=tracker.landmarker.name,
        weights={
            "file": str(tracking.weights) if tracking.weights else "shipped",
            "sha256": estimator.model.digest,
        },
        profile=profile_entry(estimator.profile),
        estimator=asdict(make_smoothing(tracking)),
        config=plain(asdict(options)),
        timecode=start,
        channels=estimator.channels,
    )


def performers_info(
    options: SessionOptions,
    source: Source,
    tracker: Tracker,
    notify: Callable[[str], None] = lambda _sentence: None,
) -> tuple[TakeInfo, ...]:
    """The same for each performer's take, each with a profile of their own.

    Raises
    ------
    ConfigError
        The timecode that was asked for cannot be.
    """
    info = take_info(options, source, tracker, notify)
    n = len(tracker.performers)
    if n == 1:
        return (info,)
    infos = []
    owns = tracking_of_performers(options.tracking)
    for number, (performer, own) in enumerate(zip(tracker.performers, owns, strict=True), 1):
        estimator = estimator_of(performer)
        infos.append(
            replace(
                info,
                profile=profile_entry(estimator.profile),
                channels=estimator.channels,
                config={**info.config, "tracking": plain(asdict(own))},
                performer=number,
                n_performers=n,
            )
        )
    return tuple(infos)

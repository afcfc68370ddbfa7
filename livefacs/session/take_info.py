"""What a take of a session says of itself: source, estimator, profile, timecode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, cast

from livefacs.au.estimator import Estimator
from livefacs.au.from_shapes import ShapeEstimator
from livefacs.clock import NS_PER_S
from livefacs.config import RecordOptions, SessionOptions
from livefacs.errors import ConfigError
from livefacs.protocols import Source
from livefacs.session.parts import (
    make_smoothing,
    plain,
    profile_entry,
    tracking_of_performers,
)
from livefacs.session.tracker import Tracker
from livefacs.sources.audio_timecode import timecode_in_sound
from livefacs.take.model import TakeInfo, TimecodeSource, TimecodeStart, first_label
from livefacs.timecode import (
    TimecodeRate,
    find_rate,
    nearest_rate,
    rate_for_label,
    with_frames_of,
)

_IN_SOUND: Final = "ltc:"


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
    if record.timecode_source.startswith(_IN_SOUND) and source.is_live:
        day = replace(record, timecode_source="time of day")  # what a silent wire leaves
        start = _timecode_start(day, source, options.source.rate_hz)
    elif record.timecode_source.startswith(_IN_SOUND):
        start = _timecode_in_sound(options, source, notify)
    else:
        start = _timecode_start(record, source, options.source.rate_hz)
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


def _timecode_in_sound(
    options: SessionOptions, source: Source, notify: Callable[[str], None]
) -> TimecodeStart:
    """Where the linear timecode in a clip's sound stands at its first frame."""
    path = Path(options.source.spec)
    channel = int(options.record.timecode_source.removeprefix(_IN_SOUND))
    heard = timecode_in_sound(path, channel, source.start_ns / NS_PER_S, source.rate_hz)
    for notice in heard.notices:
        notify(f"{path.name}: {notice}")
    return TimecodeStart(heard.rate, "ltc", heard.label)


def _timecode_start(record: RecordOptions, source: Source, asked_hz: float) -> TimecodeStart:
    """As asked; else the clip's own timecode where it has one, a clip's time, the time of day.

    Where no rate is asked for, a label decides between drop-frame and not, as it is written.
    """
    if record.timecode_source == "auto":
        chosen: TimecodeSource = "time of day" if source.is_live else "clip"
    else:
        chosen = cast("TimecodeSource", record.timecode_source)  # checked with the options
    if chosen == "clip" and source.is_live:
        raise ConfigError(
            f"timecode source 'clip': {source.description} is live and brings no timecode;"
            " expected 'time of day' or 'free run'"
        )
    own = source.timecode if chosen == "clip" and not record.timecode_start else None
    label = record.timecode_start or own or ""
    if record.timecode_rate == "auto" and own:
        return TimecodeStart.of_clip(source.rate_hz or asked_hz, own)  # as where it is solved
    if record.timecode_rate == "auto":
        rate = rate_for_label(nearest_rate(source.rate_hz or asked_hz), label)
    else:
        rate = find_rate(record.timecode_rate)
    if label:
        _check_label(label, rate, own is not None)
    if not source.is_live:
        rate = with_frames_of(rate, nearest_rate(source.rate_hz or asked_hz))
    return TimecodeStart(rate, chosen, label or "00:00:00:00")


def _check_label(label: str, rate: TimecodeRate, is_own: bool) -> None:
    """Raises ``ConfigError`` where a first label is none at the rate."""
    try:
        if is_own and rate_for_label(rate, label) is not rate:
            raise ConfigError(f"timecode {label!r} does not count as the rate {rate.name} does")
        rate.frame_from_label(first_label(label, rate))
    except ConfigError as error:
        whose = "the clip's own " if is_own else ""
        raise ConfigError(
            f"{whose}{error}; choose with --timecode-rate and --timecode-start"
        ) from None

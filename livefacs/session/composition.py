"""Composition root: from checked options to a session that is ready to run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel, load_model
from livefacs.au.from_shapes import ShapeEstimator
from livefacs.clock import ClockMap, now_ns
from livefacs.config import RecordOptions, SessionOptions, StreamOptions, TrackingOptions
from livefacs.errors import ConfigError
from livefacs.landmarkers.face_readers import with_readers
from livefacs.protocols import Landmarker, PerformersLandmarker, Source
from livefacs.session.parts import (
    estimator_for_source,
    first_run_notice,
    landmarker_for_source,
    make_estimator,
    open_source_from_options,
    performers_from_options,
    tracking_of_performers,
)
from livefacs.session.performers import PerformersTracker
from livefacs.session.rigs import Retargeting, RigReloader
from livefacs.session.runner import Session
from livefacs.session.sound_of_takes import ClapListener, open_microphone, sound_of_takes
from livefacs.session.take_info import estimator_of, performers_info
from livefacs.session.take_timecode import open_wire, sound_channel, timecode_from_wire
from livefacs.session.timecode_start import KEPT_S, TakesByTimecode
from livefacs.session.tracker import Tracker
from livefacs.sinks.sink_from_destination import open_hub
from livefacs.sources.recorded_take import is_take
from livefacs.sources.source_from_words import gives_shapes

if TYPE_CHECKING:
    from livefacs.sinks.take_factory import TakeFactory
    from livefacs.sources.microphone import Microphone
    from livefacs.sources.wire_timecode import WireTimecode

_log = logging.getLogger(__name__)

Notify: TypeAlias = Callable[[str], None]


def _say_nothing(_sentence: str) -> None:
    pass


def open_session(
    options: SessionOptions, notify: Notify = _say_nothing, *, keep_image: bool = False
) -> Session:
    """Open everything that the options ask for; the session owns it and closes it.

    What only reads files (maps, weights, profile, destinations' syntax) comes first, so that a
    mistyped option is told before a camera lights up.

    Parameters
    ----------
    options : SessionOptions
    notify : callable(str)
        Takes plain sentences for the user: what was chosen, and what comes up while it runs (an
        edited map, a full disk). Called from any thread.
    keep_image : bool
        Leave the images in the tracked frames.

    Raises
    ------
    LivefacsError
        Whatever cannot be had, in one plain sentence.
    """
    retargeting = Retargeting(options.stream, options.tracking.faces)
    with ExitStack() as undo:
        tracker, source = _open_chain(options, retargeting, notify, undo, keep_image)
        microphone = open_microphone(options.record, notify)
        if microphone is not None:
            undo.callback(microphone.close)
        wire = open_wire(options.record, source, microphone, notify)
        if wire is not None:
            undo.callback(wire.close)
        session = _assemble(options, source, tracker, microphone, wire, notify)
        undo.pop_all()  # the session owns them now
    try:
        _open_outputs(session, options, retargeting, notify)
        _start_takes(session, options.record, wire, notify)
    except BaseException:
        session.close()
        raise
    return session


def _open_chain(
    options: SessionOptions,
    retargeting: Retargeting,
    notify: Notify,
    undo: ExitStack,
    keep_image: bool,
) -> tuple[Tracker, Source]:
    """Landmarker, source, and for each performer an estimator and retargeters of their own."""
    tracking, model = options.tracking, load_model(options.tracking.weights)
    if notice := first_run_notice():
        notify(notice)
    open_tracking = _open_performers if tracking.faces > 1 else _open_performer
    landmarker, estimators = open_tracking(options.source.spec, tracking, model, notify, undo)
    for estimator in estimators:
        estimator.warm_up()
    source = open_source_from_options(options.source, notify)
    undo.callback(source.close)
    first, *others = (
        Tracker(
            landmarker,
            estimator,
            retargeters=straight,
            mirrored_retargeters=mirrored,
            stopwatch_ns=now_ns,
            keep_image=keep_image or options.record.video,
        )
        for estimator, straight, mirrored in zip(
            estimators, retargeting.straight, retargeting.mirrored, strict=True
        )
    )
    tracker = (
        PerformersTracker(landmarker, first, others)
        if isinstance(landmarker, PerformersLandmarker)
        else first
    )
    names = landmarker.name, model.digest, tracking.faces
    _log.info("%s; landmarks by %s, weights %s; performers: %d", source.description, *names)
    tracker.neutral(0, 0)  # compiles the rigs' kernel now rather than in the first frame
    return tracker, source


def _open_performer(
    spec: str, tracking: TrackingOptions, model: EstimatorModel, notify: Notify, undo: ExitStack
) -> tuple[Landmarker, list[Estimator | ShapeEstimator]]:
    landmarker = landmarker_for_source(spec, tracking, notify)
    undo.callback(landmarker.close)
    estimator = estimator_for_source(spec, tracking, model, landmarker.name)
    return with_readers(landmarker, tracking.reader, model), [estimator]


def _open_performers(
    spec: str, tracking: TrackingOptions, model: EstimatorModel, notify: Notify, undo: ExitStack
) -> tuple[Landmarker, list[Estimator | ShapeEstimator]]:
    if gives_shapes(spec) or is_take(spec):
        raise ConfigError(
            f"--faces {tracking.faces}: {spec} brings the face of one performer; expected a camera,"
            " a clip or pictures"
        )
    each_tracking = tracking_of_performers(tracking)
    landmarker = performers_from_options(tracking, model, notify)
    undo.callback(landmarker.close)
    return landmarker, [make_estimator(own, model, landmarker.name) for own in each_tracking]


def _assemble(
    options: SessionOptions,
    source: Source,
    tracker: Tracker,
    microphone: Microphone | None,
    wire: WireTimecode | None,
    notify: Notify,
) -> Session:
    for notice in source.notices:
        notify(notice)
    take_factory = _take_factory(options, source, tracker, microphone, wire, notify)

    def end_without_take() -> None:
        """Where nothing but the take was asked for, there is nothing to go on for without it."""
        if options.record.exact and take_factory is not None and take_factory.failure:
            session.stop()

    session = Session(
        source,
        tracker,
        recording_factory=take_factory,
        time_limit_s=options.seconds,
        between_frames=[end_without_take],
        about=estimator_of(tracker).model.description(),
        notify=notify,
    )
    if microphone is not None:
        session.on_close("microphone", microphone.close)
    if wire is not None:
        session.on_close("timecode", wire.close)
    return session


def _open_outputs(
    session: Session, options: SessionOptions, retargeting: Retargeting, notify: Notify
) -> None:
    session.outputs = open_hub(retargeting.destinations, ClockMap.read(), session)
    session.on_close("reading of edited maps", RigReloader(retargeting.watches, notify).close)
    if options.stream.control_port is not None:
        _open_control(session, options.stream, notify)


def _start_takes(
    session: Session, record: RecordOptions, wire: WireTimecode | None, notify: Notify
) -> None:
    """Let the first take start by what it is to start with."""
    if record.folder is None or record.start_with == "command":
        return
    if record.start_with == "session":
        timecode = session.record_start(record.slate, record.take)
        notify(f"recording into {record.folder} from {timecode}")
        return
    assert wire is not None  # or it would have been refused
    session.takes.keep(KEPT_S, images=record.video)
    session.set_slate(record.slate)
    session.set_take(record.take)
    on_end = session.stop if record.exact else None
    starter = TakesByTimecode(wire, session.takes, notify, on_end)
    starter.start(session.fail)
    session.on_close("start by timecode", starter.close)
    notify(f"waiting for timecode: a take starts when it runs ({wire.description})")


def _open_control(session: Session, options: StreamOptions, notify: Notify) -> None:
    from livefacs.sinks.control import OscControl

    control = OscControl(session, options.listen, options.control_port or 0, session.fail)
    session.on_close("control port", control.close)
    notify(f"OSC commands on {options.listen}:{control.port}")


def _take_factory(
    options: SessionOptions,
    source: Source,
    tracker: Tracker,
    microphone: Microphone | None,
    wire: WireTimecode | None,
    notify: Notify,
) -> TakeFactory | None:
    if options.record.folder is None:
        return None
    from livefacs.sinks.take_factory import TakeFactory

    factory = TakeFactory(
        options.record.folder,
        performers_info(options, source, tracker, notify),
        video=options.record.video,
        sound=sound_of_takes(options, source, microphone),
        timecode=timecode_from_wire(wire, options.record, source, notify) if wire else None,
        on_warning=notify,
        exact=options.record.exact,
    )
    if microphone is not None and options.record.mark_claps:
        ClapListener(microphone, factory.note_clap, sound_channel(options.record))
    return factory

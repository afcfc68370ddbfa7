"""Composition root: from checked options to a session that is ready to run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from livefacs.au.estimator import Estimator
from livefacs.au.model import EstimatorModel, load_model
from livefacs.au.profile import Profile, load_profile
from livefacs.au.smoothing import Smoothing
from livefacs.clock import ClockMap, now_ns
from livefacs.config import (
    RecordOptions,
    SessionOptions,
    SourceOptions,
    StreamOptions,
    TrackingOptions,
)
from livefacs.errors import ConfigError
from livefacs.kernels._jit import is_compiled
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.largest_face import MOST_FACES, LargestFace
from livefacs.protocols import Landmarker, Source
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter, RigWatch
from livefacs.session.runner import Session
from livefacs.session.tracker import Tracker
from livefacs.sinks.destination import SCHEMES, Destination, parse_destination
from livefacs.sinks.opening import open_hub
from livefacs.sources import open_source
from livefacs.take.model import TakeInfo, TimecodeSource, TimecodeStart, first_label
from livefacs.timecode import TimecodeRate, find_rate, nearest_rate, rate_for_label

if TYPE_CHECKING:
    from livefacs.sinks.take_factory import TakeFactory

_CARRIES_ANY_RIG: Final = frozenset(name for name, scheme in SCHEMES.items() if scheme.rig is None)

Notify: TypeAlias = Callable[[str], None]


def _say_nothing(_sentence: str) -> None:
    pass


def first_run_notice() -> str:
    """What a user should be told before kernels are compiled; empty where they are."""
    return "" if is_compiled() else "compiling for this machine, this once: up to half a minute"


@dataclass(slots=True)
class OpenSession:
    """A session with what was opened around it; closes that when it is left."""

    session: Session
    _around: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> OpenSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._around.close()

    def on_exit(self, close: Callable[[], object]) -> None:
        """Call this when the session is left."""
        self._around.callback(close)


def open_session(
    options: SessionOptions, notify: Notify = _say_nothing, *, keep_image: bool = False
) -> OpenSession:
    """Open everything that the options ask for.

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
    retargeting = _Retargeting(options.stream)
    model = load_model(options.tracking.weights)
    with ExitStack() as undo:
        tracking = options.tracking
        landmarker = open_landmarker(
            tracking.landmarker, model=tracking.model, max_faces=tracking.max_faces
        )
        undo.callback(landmarker.close)
        estimator = make_estimator(options.tracking, model, landmarker.name)
        if notice := first_run_notice():
            notify(notice)
        estimator.warm_up()
        source = open_source_from_options(options.source)
        undo.callback(source.close)
        if options.record.exact and not source.is_live and tracking.max_faces is None:
            landmarker = following_largest(landmarker, tracking)  # as where a clip is solved
            undo.callback(landmarker.close)
        tracker = Tracker(
            landmarker,
            estimator,
            retargeters=retargeting.straight,
            mirrored_retargeters=retargeting.mirrored,
            stopwatch_ns=now_ns,
            keep_image=keep_image or options.record.video,
        )
        tracker.neutral(0, 0)  # compiles the rigs' kernel now rather than in the first frame
        opened = _assemble(options, source, tracker, retargeting, notify)
        undo.pop_all()
    return opened


def _assemble(
    options: SessionOptions,
    source: Source,
    tracker: Tracker,
    retargeting: _Retargeting,
    notify: Notify,
) -> OpenSession:
    for notice in source.notices:
        notify(notice)
    take_factory = _take_factory(options, source, tracker, notify)

    def end_without_take() -> None:
        """Where nothing but the take was asked for, there is nothing to go on for without it."""
        if options.record.exact and take_factory is not None and take_factory.failure:
            session.stop()

    session = Session(
        source,
        tracker,
        recording_factory=take_factory,
        time_limit_s=options.seconds,
        between_frames=[*retargeting.periodic_tasks(notify), end_without_take],
        about=_estimator_of(tracker).model.description(),
    )
    opened = OpenSession(session)
    session.outputs = open_hub(retargeting.destinations, ClockMap.read(), session)
    if options.stream.control_port is not None:
        _open_control(opened, options.stream, notify)
    if take_factory is not None and options.record.start:
        timecode = session.record_start(options.record.slate, options.record.take)
        notify(f"recording into {options.record.folder} from {timecode}")
    return opened


def open_source_from_options(options: SourceOptions) -> Source:
    """The frame source of these options; ``SourceError`` where it cannot be had."""
    return open_source(
        options.spec,
        width=options.width,
        height=options.height,
        rate_hz=options.rate_hz,
        pixel_format=options.pixel_format,
        realtime=options.realtime,
        loop=options.loop,
    )


def following_largest(finder: Landmarker, tracking: TrackingOptions) -> LargestFace:
    """A clip's landmarker for one face, with a second one beside it that looks for more."""
    looker = open_landmarker(tracking.landmarker, model=tracking.model, max_faces=MOST_FACES)
    return LargestFace(finder, looker)


def make_estimator(options: TrackingOptions, model: EstimatorModel, backend: str) -> Estimator:
    """The estimator of these options: profile and filter."""
    profile = None if options.profile is None else load_profile(options.profile, backend)
    return Estimator(model, profile, make_smoothing(options))


def make_smoothing(options: TrackingOptions) -> Smoothing:
    """The temporal filter of these options."""
    smoothing = Smoothing()
    if options.filter_cutoff_hz is not None:
        smoothing = replace(smoothing, cutoff_hz=options.filter_cutoff_hz)
    if options.filter_beta is not None:
        smoothing = replace(smoothing, beta=options.filter_beta)
    return smoothing


class _Retargeting:
    """The rigs that the destinations carry, each compiled once, mirrored ones apart."""

    def __init__(self, options: StreamOptions) -> None:
        wanted = [parse_destination(url) for url in options.to]
        wanted = [_with_default_rig(each, options.rig) for each in wanted]
        names = dict.fromkeys(each.rig for each in wanted if each.rig is not None)
        programs = {name: load_rig(name) for name in names}
        self.destinations = [
            each if each.rig is None else replace(each, rig=programs[each.rig].rig)
            for each in wanted
        ]
        self.straight: list[Retargeter] = []
        self.mirrored: list[Retargeter] = []
        self._watches: list[RigWatch] = []
        for name, program in programs.items():
            running = []
            for mirror, among in ((False, self.straight), (True, self.mirrored)):
                if any(each.rig == name and each.mirror == mirror for each in wanted):
                    running.append(Retargeter(program))
                    among.append(running[-1])
            self._watches.append(RigWatch(*running))

    def periodic_tasks(self, notify: Notify) -> list[Callable[[], None]]:
        """What takes up edited maps between frames."""

        def look(watch: RigWatch) -> None:
            reload = watch.reload_if_changed()
            if reload is None:
                return
            if reload.is_taken:
                notify(f"rig {reload.rig}: the edited map runs now")
            else:
                notify(f"rig {reload.rig}: the edited map has faults, the old one runs on")
                for fault in reload.faults:
                    notify(f"  {fault}")

        return [lambda watch=watch: look(watch) for watch in self._watches]  # type: ignore[misc]  # binds each watch


def _with_default_rig(destination: Destination, rig: str | None) -> Destination:
    if destination.rig is None and rig is not None and destination.scheme in _CARRIES_ANY_RIG:
        return replace(destination, rig=rig)
    return destination


def _open_control(opened: OpenSession, options: StreamOptions, notify: Notify) -> None:
    from livefacs.sinks.control import OscControl

    control = OscControl(opened.session, options.listen, options.control_port or 0)
    opened.on_exit(control.close)
    notify(f"OSC commands on {options.listen}:{control.port}")


def _take_factory(
    options: SessionOptions, source: Source, tracker: Tracker, notify: Notify
) -> TakeFactory | None:
    if options.record.folder is None:
        return None
    from livefacs.sinks.take_factory import TakeFactory

    info = _take_info(options, source, tracker)
    return TakeFactory(
        options.record.folder,
        info,
        video=options.record.video,
        on_warning=notify,
        exact=options.record.exact,
    )


def _estimator_of(tracker: Tracker) -> Estimator:
    estimator = tracker.estimator
    assert isinstance(estimator, Estimator)  # this module put it there
    return estimator


def _take_info(options: SessionOptions, source: Source, tracker: Tracker) -> TakeInfo:
    record, tracking = options.record, options.tracking
    start = _timecode_start(record, source, options.source.rate_hz)
    estimator = _estimator_of(tracker)
    return TakeInfo(
        slate=record.slate,
        number=record.take,
        notes=record.notes,
        source=source.description,
        rate_hz=source.rate_hz,
        is_live=source.is_live,
        landmarker=tracker.landmarker.name,
        weights={
            "file": str(tracking.weights) if tracking.weights else "shipped",
            "sha256": estimator.model.digest,
        },
        profile=profile_entry(estimator.profile),
        estimator=asdict(make_smoothing(tracking)),
        config=plain(asdict(options)),
        timecode=start,
    )


def profile_entry(profile: Profile | None) -> dict[str, str] | None:
    """What a take keeps of a profile: enough to tell it from a later one of the same name."""
    if profile is None:
        return None
    return {"name": profile.name, "created": profile.created, "sha256": profile.digest}


def _timecode_start(record: RecordOptions, source: Source, asked_hz: float) -> TimecodeStart:
    """As asked; else the clip's own timecode where it has one, a clip's time, the time of day.

    Where no rate is asked for, a label decides between drop-frame and not, as it is written.
    """
    if record.timecode_source == "auto":
        chosen: TimecodeSource = "time of day" if source.is_live else "clip"
    else:
        chosen = record.timecode_source
    if chosen == "clip" and source.is_live:
        raise ConfigError(
            f"timecode source 'clip': {source.description} is live and brings no timecode;"
            " expected 'time of day' or 'free run'"
        )
    own = source.timecode if chosen == "clip" and not record.timecode_start else None
    label = record.timecode_start or own or ""
    if record.timecode_rate == "auto":
        rate = rate_for_label(nearest_rate(source.rate_hz or asked_hz), label)
    else:
        rate = find_rate(record.timecode_rate)
    if label:
        _check_label(label, rate, own is not None)
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


def plain(value: Any) -> Any:
    """JSON values: paths become text, tuples lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)

"""Options of a session: TOML files and the command line become one frozen, checked value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from livefacs.errors import ConfigError
from livefacs.files.toml import (
    Place,
    Problem,
    TomlFile,
    format_place,
    format_validation_error,
    near,
    read_toml,
)
from livefacs.resources import configs_folder

_STRICT: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class SourceOptions:
    """Where frames come from.

    Attributes
    ----------
    spec : str
        ``auto``, ``demo``, a camera (index, path or name), a clip, a folder or pattern of images,
        a network camera's address, or ``browser``.
    width, height, rate_hz
        Asked of a camera, which may give others; ``rate_hz`` is also the rate of an image folder.
    pixel_format : str
        FourCC asked of a camera; MJPG gives high rates over USB 2.
    realtime : bool
        Play a clip at its own pace; otherwise as fast as it goes, every frame.
    loop : bool
        Begin a clip again at its end.
    rotate : int
        Degrees clockwise by which pictures are turned before anything else.
    """

    spec: str = "auto"
    width: Annotated[int, Field(ge=16, le=16384)] = 640
    height: Annotated[int, Field(ge=16, le=16384)] = 480
    rate_hz: Annotated[float, Field(gt=0, le=1000)] = 30.0
    pixel_format: Annotated[str, Field(min_length=4, max_length=4)] = "MJPG"
    realtime: bool = True
    loop: bool = False
    rotate: Literal[0, 90, 180, 270] = 0


@dataclass(frozen=True, config=_STRICT)
class TrackingOptions:
    """How landmarks and Action Units are made.

    Attributes
    ----------
    landmarker : str
        ``facemesh``, ``tasks``, or ``auto`` for what is installed.
    model : Path or None
        Landmark model of the Tasks backend; None looks in the user's model folder.
    max_faces : int or None
        Faces tracked at once, of which the largest is followed; None: four.
    threads : int
        Threads of FaceMesh's networks; they are small, so more than one seldom pays.
    reader : str
        ``all``: mesh, image and blendshape net are read together; ``geometry``: the mesh alone.
    weights : Path or None
        Estimator weights; None for those that ship.
    profile : str, tuple of str, or None
        Name of a calibrated profile, or a path; for several performers one each, in order from the
        left, or with a place before it: ``left=anna``, ``right=ben``, ``2=ben``.
    faces : int
        Performers tracked at once, each with a number.
    filter_cutoff_hz, filter_beta : float or None
        One Euro filter: cutoff at rest, and how much faster it follows a fast change.
    """

    landmarker: Literal["auto", "facemesh", "tasks"] = "auto"
    model: Path | None = None
    max_faces: Annotated[int | None, Field(ge=1, le=20)] = None
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    reader: Literal["all", "geometry"] = "all"
    weights: Path | None = None
    profile: str | tuple[str, ...] | None = None
    faces: Annotated[int, Field(ge=1, le=8)] = 1
    filter_cutoff_hz: Annotated[float | None, Field(gt=0, le=1000)] = None
    filter_beta: Annotated[float | None, Field(ge=0, le=1000)] = None


@dataclass(frozen=True, config=_STRICT)
class StreamOptions:
    """Where values go.

    Attributes
    ----------
    to : tuple of str
        Destination URLs; each may name its own rig: ``vmc://127.0.0.1:39539?rig=arkit52``.
    rig : str or None
        Rig of the destinations that name none and can carry one.
    control_port : int or None
        UDP port that takes OSC commands; None: no control port.
    listen : str
        Address that control ports listen on; anything but loopback is the user's decision.
    """

    to: tuple[str, ...] = ()
    rig: str | None = None
    control_port: Annotated[int | None, Field(ge=0, le=65535)] = None
    listen: str = "127.0.0.1"


@dataclass(frozen=True, config=_STRICT)
class RecordOptions:
    """What is kept.

    Attributes
    ----------
    folder : Path or None
        Folder that takes are written into; None: nothing is recorded.
    start_with : str
        What starts a take: ``session``, its beginning; ``timecode``, which also ends it, where it
        runs on the wire of ``timecode_source``; ``command``, a key or a control port alone.
    video : bool
        Keep the images too.
    slate : str
    take : int
        Number of the first take.
    timecode_rate : str
        ``auto`` takes the nearest standard rate of the source; else ``24``, ``29.97DF`` …
    timecode_source : str
        ``auto``: the clip's own where it has one, else the time of day; ``ltc:2``: the linear
        timecode in the second channel of the clip's sound, or of the microphone; ``mtc:NAME``: the
        MIDI timecode of a port, by its name or a part of it.
    timecode_start : str
        First label of a clip or of a free run; empty: the clip's own, or 00:00:00:00.
    notes : str
        Operator's notes.
    audio : str
        Microphone: ``auto``, a number, a name or a part of one; ``none``: no sound at all; empty:
        the sound of a clip, where it has some.
    audio_channels : int or None
        Channels of the microphone; None: two, or the one that there is.
    mark_claps : bool
        Set a marker at each clap that the microphone hears.
    exact : bool
        ``folder`` is to be the take itself, not a folder of takes.
    """

    folder: Path | None = None
    start_with: Literal["session", "timecode", "command"] = "session"
    video: bool = False
    slate: str = "livefacs"
    take: Annotated[int, Field(ge=0)] = 1
    timecode_rate: str = "auto"
    timecode_source: Annotated[
        str, Field(pattern=r"^(auto|time of day|clip|free run|ltc:[1-9][0-9]?|mtc:.{0,200})$")
    ] = "auto"
    timecode_start: str = ""
    notes: str = ""
    audio: str = ""
    audio_channels: Annotated[int | None, Field(ge=1, le=64)] = None
    mark_claps: bool = False
    exact: bool = False


@dataclass(frozen=True, config=_STRICT)
class SessionOptions:
    """Everything a session needs to know before it starts."""

    source: SourceOptions = field(default_factory=SourceOptions)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    record: RecordOptions = field(default_factory=RecordOptions)
    seconds: Annotated[float | None, Field(gt=0)] = None


_ADAPTER: Final = TypeAdapter(SessionOptions)


def load_options(config: str | None, overrides: Mapping[str, Any]) -> SessionOptions:
    """Options from a configuration file, with the command line's on top.

    Parameters
    ----------
    config : str or None
        Name of a shipped configuration (``unreal``) or a path to a TOML file.
    overrides : mapping
        ``{"source": {"spec": …}, …}``; entries that are None say nothing.

    Raises
    ------
    ConfigError
        No such file, not TOML, or keys and values that are wrong: all of them at once.
    """
    file = None if config is None else read_toml(find_config(config))
    if file is not None:
        file.raise_problems("configuration")
    try:
        return _ADAPTER.validate_python(_merged(file.document if file else {}, overrides))
    except ValidationError as error:
        found = [_told(item, file, overrides) for item in error.errors()]
    what = "the options" if file is None else f"configuration {file.path}"
    count = "1 error" if len(found) == 1 else f"{len(found)} errors"
    raise ConfigError(f"{what}: {count}", found)


def _told(error: Any, file: TomlFile | None, overrides: Mapping[str, Any]) -> str:
    """A finding in words, with its line where it is the file's."""
    place, words = error["loc"], format_validation_error(error, _known_keys())
    where = format_place(place)
    if file is None or _is_given(overrides, place):
        return f"{where}: {words}"
    return str(Problem(file.path, file.line_of(place), where, words))


def _is_given(overrides: Mapping[str, Any], place: Place) -> bool:
    """True for what the command line says, whatever stands in the file."""
    value: Any = overrides
    for key in place:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value is not None


def list_configs() -> list[str]:
    """Names of the configurations that ship with livefacs."""
    return sorted(path.stem for path in configs_folder().glob("*.toml"))


def find_config(name: str) -> Path:
    """Path of a configuration by name or path; ``ConfigError`` where there is none."""
    shipped = configs_folder() / f"{name}.toml"
    if name in list_configs():
        return shipped
    path = Path(name)
    if path.is_file():
        return path
    raise ConfigError(
        f"no configuration {name!r}: expected a TOML file or one of "
        f"{', '.join(list_configs())}{near(name, list_configs())}"
    )


def _merged(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in above.items():
        if isinstance(value, Mapping):
            below = merged.get(key, {})
            merged[key] = _merged(below if isinstance(below, Mapping) else {}, value)
        elif value is not None:
            merged[key] = value
    return merged


def _known_keys() -> dict[str, tuple[str, ...]]:
    """Keys by section; those of the top under an empty name."""
    kinds = get_type_hints(SessionOptions)
    known = {"": tuple(item.name for item in fields(SessionOptions))}
    for name, kind in kinds.items():
        if is_dataclass(kind):
            known[name] = tuple(item.name for item in fields(kind))
    return known

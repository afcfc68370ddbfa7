"""What ``import livefacs`` offers: clips solved, takes read, live sessions, rigs.

Everything here can be had from the package itself, ``livefacs.solve`` for instance; these names
change only as the changelog says.
"""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.au.profile import Profile
from livefacs.clock import NS_PER_S
from livefacs.config import load_options
from livefacs.errors import ConfigError, TakeError
from livefacs.formats.curves import ExportOptions, values_from_take
from livefacs.formats.export import check_export, export_take, find_format
from livefacs.formats.facs_events import FacsEvent, events_from_take
from livefacs.offline import SolveOptions, checked_mark, working_take
from livefacs.retarget import library
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.composition import open_session as open_from_options
from livefacs.session.runner import Session
from livefacs.take import reader
from livefacs.take.layout import GAZE_FIELDS, HEAD_FIELDS

PathLike: TypeAlias = str | os.PathLike[str]
Columns: TypeAlias = dict[str, np.ndarray[Any, Any]]

__all__ = [
    "Profile",
    "Retargeter",
    "RigCurves",
    "Session",
    "Take",
    "load_rig",
    "open_session",
    "solve",
]


@dataclass(frozen=True, slots=True)
class RigCurves:
    """Control values of a rig along a take.

    Attributes
    ----------
    rig : str
    t_ns : (n,) int64
    controls : tuple of str
    values : (n, n_controls) float32
        In each control's own range; NaN where a recorded control was not there.
    """

    rig: str
    t_ns: I64
    controls: tuple[str, ...]
    values: F32

    def to_dict(self) -> Columns:
        """Columns by name: ``t_s`` (seconds), then each control."""
        return {"t_s": self.t_ns / NS_PER_S, **dict(zip(self.controls, self.values.T, strict=True))}


class Take(reader.Take):
    """A recorded or solved performance, a row a frame.

    Opens at once and reads what is asked for. Closes as a context manager, by ``close``, or with
    its last reference. Iterating gives a ``TrackedFrame`` a row; ``take["AU12_L"]`` a column.

    Parameters
    ----------
    folder : path
        A take, as ``livefacs record``, ``livefacs live --record`` and ``save`` write it.

    Raises
    ------
    TakeError
        Not a take, of an unknown version, or damaged; the message says which.
    """

    notices: tuple[str, ...] = ()
    """What solving had to say: damaged frames, several faces, frames without one."""

    def __init__(self, folder: PathLike) -> None:
        super().__init__(Path(folder))
        self._let_go: Callable[[], object] = lambda: None

    @property
    def values(self) -> F32:
        """(n, channels) float32 intensities: 0 neutral, 1 the person's maximum, NaN not measured.

        Columns in the order of ``channels``; filtered, see ``raw`` for the values before.
        """
        return self.intensity

    @property
    def head(self) -> F64:
        """(n, 6) float64: yaw, pitch, roll in radians, then x, y, z in centimetres."""
        return np.array(self.frames["head"])

    @property
    def gaze(self) -> F64:
        """(n, 4) float64 radians: left yaw, left pitch, right yaw, right pitch, in the head."""
        return np.array(self.frames["gaze"])

    @property
    def health(self) -> I64:
        """(n,) int64, bits of ``livefacs.types.Health``; 0 where all is well."""
        return self.frames["health"].astype(np.int64)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """A column by name: a channel such as ``AU12_L``, or one that ``to_dict`` has.

        Raises
        ------
        ConfigError
            There is no such column.
        """
        if name in self.channels:
            return np.asarray(self.values[:, self.channels.index(name)])
        columns = self.to_dict()
        if name not in columns:
            raise ConfigError(f"no column {name!r}: expected one of {', '.join(columns)}")
        return columns[name]

    def events(self) -> tuple[FacsEvent, ...]:
        """Every occurrence of every action, by onset: side, onset, apex, offset, letter, peak."""
        return events_from_take(self)

    def retarget(self, rig: PathLike) -> RigCurves:
        """Controls of a rig along the take: the recorded ones where it was recorded, else anew.

        Parameters
        ----------
        rig : str or path
            Name of a map (``livefacs rigs list``), or a TOML file.

        Raises
        ------
        RigMapError
        """
        controls, values = values_from_take(self, ExportOptions(rig=os.fspath(rig)))
        return RigCurves(os.fspath(rig), np.array(self.t_ns), controls, np.asarray(values))

    def to_dict(self) -> Columns:
        """Columns by name, each (n,), as pandas and Polars take them.

        ``frame`` (number in the source), ``t_s`` (seconds), ``face`` (bool), the channels, a
        ``…_confidence`` for each, ``head_…`` and ``gaze_…``, ``health`` (bits).
        """
        columns: Columns = {
            "frame": np.array(self.frames["i_frame"]),
            "t_s": self.t_ns / NS_PER_S,
            "face": np.array(self.frames["n_faces"] > 0),
        }
        columns |= dict(zip(self.channels, np.array(self.values).T, strict=True))
        confidences = (f"{name}_confidence" for name in self.channels)
        columns |= dict(zip(confidences, np.array(self.confidence).T, strict=True))
        columns |= dict(zip((f"head_{name}" for name in HEAD_FIELDS), self.head.T, strict=True))
        columns |= dict(zip((f"gaze_{name}" for name in GAZE_FIELDS), self.gaze.T, strict=True))
        return {**columns, "health": self.health}

    def to_csv(self, path: PathLike, **options: Any) -> None:
        """Write the CSV of ``livefacs solve``; ``options`` as of ``export``."""
        self.export(path, "csv", **options)

    def export(self, path: PathLike, format: str = "", **options: Any) -> None:
        """Write a file in any format of ``livefacs export --formats``.

        Parameters
        ----------
        path : path
        format : str
            Empty: the file's ending tells.
        options
            Fields of ``livefacs.formats.curves.ExportOptions``: ``rig="arkit52"``, ``fps="25"``,
            ``smooth_hz=6.0``, ``confidence=True`` …

        Raises
        ------
        ConfigError
            No such format or option, or its library is not installed.
        TakeError
            It cannot be written.
        """
        chosen = find_format(format, Path(path))
        try:
            wanted = ExportOptions(**options)
        except TypeError as error:
            known = ", ".join(item.name for item in fields(ExportOptions))
            raise ConfigError(f"export: {error}; known options: {known}") from None
        check_export(chosen, wanted)
        export_take(self, chosen, Path(path), wanted)

    def save(self, folder: PathLike) -> None:
        """Keep the take in a folder of its own; what ``solve`` gives goes with its last reference.

        Raises
        ------
        TakeError
            It is there already, or cannot be written.
        """
        try:
            shutil.copytree(self.folder, folder)
        except OSError as error:
            raise TakeError(f"cannot write {folder}: {error.strerror or error}") from error

    def close(self) -> None:
        """Let the files go, as far as no column of them is kept."""
        super().close()
        self._let_go()


def solve(
    clip: PathLike,
    *,
    profile: str | Profile | None = None,
    neutral: tuple[float, float] | None = None,
    as_live: bool | None = None,
    landmarker: str = "auto",
    model: PathLike | None = None,
    weights: PathLike | None = None,
    filter_cutoff_hz: float | None = None,
    filter_beta: float | None = None,
    rate_hz: float = 30.0,
    rotate: int = 0,
    focal_px: float | None = None,
    on_progress: Callable[[int, int | None], object] | None = None,
) -> Take:
    """Action Units of a clip, an image folder or a take: every frame, in order.

    The same numbers as ``livefacs solve``. The result stands in the temporary folder until it is
    closed or its last reference goes; ``save`` keeps it.

    Parameters
    ----------
    clip : path
        A video file, a folder or pattern of images, or a take.
    profile : str, Profile or None
        A calibrated person, by name or path, or as it is.
    neutral : (start, end) or None
        Seconds in which the face rests; None: the profile's, else the whole clip says.
    as_live : bool or None
        Find the neutral as a live run does. None: for takes.
    landmarker : str
        ``facemesh``, ``tasks``, or ``auto`` for what is installed.
    model : path or None
        Landmark model of the Tasks backend.
    weights : path or None
        Estimator weights; None for those that ship.
    filter_cutoff_hz, filter_beta : float or None
        One Euro filter.
    rate_hz : float
        Of image folders.
    rotate : int
        Degrees clockwise by which the pictures are turned: 0, 90, 180 or 270.
    focal_px : float or None
        Focal length of the camera, where it is known.
    on_progress : callable or None
        Called after each frame with the number of frames done and of all, None where the clip
        does not say.

    Raises
    ------
    LivefacsError
        The clip cannot be read, shows no face, or something that was named is not there.
    """
    tracking = {
        "landmarker": landmarker,
        "model": None if model is None else Path(model),
        "weights": None if weights is None else Path(weights),
        "profile": profile if isinstance(profile, str) else None,
        "filter_cutoff_hz": filter_cutoff_hz,
        "filter_beta": filter_beta,
    }
    options = SolveOptions(
        tracking=load_options(None, {"tracking": tracking}).tracking,
        rate_hz=rate_hz,
        rotate=rotate,
        focal_px=focal_px,
        neutral_s=neutral,
        as_live=as_live,
    )
    checked_mark(options)
    n_all: int | None = None
    numbers = count(1)

    def begin(n_frames: int | None) -> None:
        nonlocal n_all
        n_all = n_frames

    def step() -> None:
        if on_progress is not None:
            on_progress(next(numbers), n_all)

    person = profile if isinstance(profile, Profile) else None
    with ExitStack() as stack:
        working = stack.enter_context(
            working_take(os.fspath(clip), options, person, on_frame=step, on_open=begin)
        )
        working.estimate()
        take = Take(working.take.folder)
        take.notices = working.notices
        take._let_go = weakref.finalize(take, stack.pop_all().close)
        return take


def open_session(
    source: PathLike = "auto",
    to: Iterable[str] = (),
    *,
    rig: str | None = None,
    profile: str | None = None,
    record: PathLike | None = None,
    seconds: float | None = None,
    realtime: bool = True,
    keep_image: bool = False,
    config: PathLike | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Session:
    """A live session: source, landmarks, Action Units, destinations. Close it, or use ``with``.

    ``for frame in session:`` gives every ``TrackedFrame`` in the loop's own pace;
    ``session.run(on_frame)`` calls back with each. Both end with the source, the time limit or
    ``session.stop()``, which any thread may call.

    Parameters
    ----------
    source : str or path
        ``auto``, ``demo``, a camera (index, path or name), a clip, images, a take, or the address
        of a network camera.
    to : iterable of str
        Destinations, such as ``vmc://127.0.0.1:39539?rig=vrm1``; see docs/destinations.
    rig : str or None
        Map for destinations that name none.
    profile : str or None
        A calibrated person, by name or path.
    record : path or None
        Folder of takes; recording starts at once.
    seconds : float or None
        End after so much of the source's time.
    realtime : bool
        Play a clip at its own pace; otherwise every frame, as fast as it goes.
    keep_image : bool
        Leave the RGB image in each frame's ``image``.
    config : str or path or None
        A configuration by name, or a TOML file; what is given here goes before it.
    options : mapping of sections
        Anything else that a configuration may say: ``{"tracking": {"filter_beta": 1.0}}``.
    notify : callable(str)
        Takes sentences for the user, from any thread.

    Raises
    ------
    LivefacsError
        Whatever cannot be had, in a plain sentence.
    """
    given: dict[str, Any] = {section: dict(values) for section, values in (options or {}).items()}
    named: dict[str, dict[str, Any]] = {
        "source": {"spec": os.fspath(source), "realtime": realtime},
        "tracking": {"profile": profile},
        "stream": {"to": tuple(to) or None, "rig": rig},
        "record": {"folder": None if record is None else Path(record)},
    }
    for section, values in named.items():
        given.setdefault(section, {}).update({k: v for k, v in values.items() if v is not None})
    given["seconds"] = seconds
    checked = load_options(None if config is None else os.fspath(config), given)
    return open_from_options(checked, notify, keep_image=keep_image)


def load_rig(rig: PathLike) -> Retargeter:
    """A rig's map, ready to turn frames into controls: ``load_rig("arkit52").retarget(frame)``.

    Smoothing lives in it: one for each performer.

    Parameters
    ----------
    rig : str or path
        Name of a map (``livefacs rigs list``), or a TOML file.

    Raises
    ------
    RigMapError
        Unknown map, or one with errors; holds all of them.
    """
    return Retargeter(library.load_rig(os.fspath(rig)))

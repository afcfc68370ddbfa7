"""A recorded take as the leader of a follow drill."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from livefacs.errors import ConfigError, TakeError
from livefacs.take.reader import Take

_STEP_S: Final = 0.1
_LONGEST_S: Final = 120.0


def curve_from_take(
    name: str, channels: tuple[str, ...], folder: Path | None
) -> tuple[tuple[float, float], ...]:
    """Mean of the channels over a take's first two minutes, a point every tenth of a second.

    Parameters
    ----------
    name : str
        Folder of the take; a relative one stands beside the drill file.
    channels : tuple of str
    folder : Path or None
        Folder of the drill file.

    Raises
    ------
    ConfigError
        The take cannot be read, is too short, or was recorded without these channels.
    """
    path = Path(name) if folder is None else folder / name
    try:
        take = Take(path)
        missing = [channel for channel in channels if channel not in take.channels]
        if missing:
            raise ConfigError(f"take {name!r} has no {', '.join(missing)}")
        columns = [take.channels.index(channel) for channel in channels]
        t_s = np.asarray(take.time_s, np.float64)
        level = np.nan_to_num(np.asarray(take.intensity[:, columns], np.float64)).mean(axis=1)
    except TakeError as error:
        raise ConfigError(f"take {name!r} cannot be followed: {error}") from None
    if len(t_s) < 2 or t_s[-1] - t_s[0] < 1.0:
        raise ConfigError(f"take {name!r} is shorter than a second")
    wanted_s = np.arange(0.0, min(t_s[-1] - t_s[0], _LONGEST_S), _STEP_S)
    followed = np.clip(np.interp(wanted_s + t_s[0], t_s, level), 0.0, 1.0)
    return tuple(zip(wanted_s.round(3).tolist(), followed.round(4).tolist(), strict=True))

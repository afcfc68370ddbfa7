"""Stretches of a take in which no face was seen, told where a format has no place to say so."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats.resampling import LONGEST_BRIDGE_S
from livefacs.take.reader import Take

_MOST_LISTED: Final = 4


def unseen_stretches_s(take: Take) -> list[tuple[float, float]]:
    """Stretches without a face, or without frames, that are longer than curves bridge.

    Returns
    -------
    list of (begin, end)
        Seconds from the take's first frame; from the last frame with a face to the next.
    """
    times_ns = np.array(take.t_ns)
    if not len(times_ns):
        return []
    seen_ns = times_ns[np.array(take.frames["n_faces"]) > 0]
    bounds_ns = np.unique(np.concatenate((times_ns[:1], seen_ns, times_ns[-1:])))
    bounds_s = (bounds_ns - times_ns[0]) / NS_PER_S
    usual_s = float(np.median(np.diff(times_ns))) / NS_PER_S if len(times_ns) > 1 else 0.0
    is_long = np.diff(bounds_s) > max(LONGEST_BRIDGE_S, 2 * usual_s)
    return list(zip(bounds_s[:-1][is_long].tolist(), bounds_s[1:][is_long].tolist(), strict=True))


def unseen_notice(take: Take, becomes: str) -> str:
    """One sentence on them; empty where there are none.

    Parameters
    ----------
    becomes : str
        What the format makes of such a stretch.
    """
    stretches = unseen_stretches_s(take)
    if not stretches:
        return ""
    listed = ", ".join(f"{begin:.2f} to {end:.2f} s" for begin, end in stretches[:_MOST_LISTED])
    n_more = len(stretches) - _MOST_LISTED
    more = f" and {n_more} more" if n_more > 0 else ""
    return f"no face from {listed}{more}: {becomes}"

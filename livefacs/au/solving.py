"""Offline solving: every mesh of a clip, with the neutral of the whole clip."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

from livefacs.au.clip_neutral import neutral_of_clip, neutral_of_seconds
from livefacs.au.estimator import Estimator
from livefacs.au.model import EstimatorModel
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile
from livefacs.au.smoothing import Smoothing
from livefacs.types import Estimate, Landmarks


@dataclass(frozen=True, slots=True)
class Mesh:
    """One frame of a clip: its mesh, or None where no face was found."""

    i_frame: int
    t_ns: int
    landmarks: Landmarks | None


def solve(
    meshes: Many[Mesh],
    model: EstimatorModel,
    *,
    profile: Profile | None = None,
    smoothing: Smoothing | None = None,
    neutral_s: tuple[float, float] | None = None,
    focal_px: float | None = None,
) -> list[tuple[int, int, Estimate | None]]:
    """Frame number, time and estimate of every frame; None where there is no face.

    Parameters
    ----------
    profile : Profile or None
        Its neutral and range are used.
    neutral_s : (start, end) or None
        Seconds in which the face rests; None takes the profile's neutral, else the whole clip's.

    Raises
    ------
    SourceError
        There is no face in the clip, or none in the seconds that were named.
    """
    faces = [mesh.landmarks for mesh in meshes if mesh.landmarks is not None]
    neutral: Neutral | None = None
    if neutral_s is not None:
        neutral = neutral_of_seconds(model, faces, *neutral_s)
    elif profile is None:
        neutral = neutral_of_clip(model, faces)
    estimator = Estimator(model, profile, smoothing, focal_px=focal_px, neutral=neutral)
    rows: list[tuple[int, int, Estimate | None]] = []
    for mesh in meshes:
        if mesh.landmarks is None:
            estimator.hold(mesh.t_ns)
            rows.append((mesh.i_frame, mesh.t_ns, None))
        else:
            rows.append((mesh.i_frame, mesh.t_ns, estimator.estimate(mesh.landmarks)))
    return rows

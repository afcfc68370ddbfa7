"""What the user is told of a profile: in one line, and action by action."""

from __future__ import annotations

from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.personal import LEARNED
from livefacs.au.profile import Profile
from livefacs.au.teaching import sentences


def summary(profile: Profile) -> str:
    """When it was made, by which landmarks, and what it knows."""
    parts = [profile.created or "date unknown", profile.backend]
    if profile.personal is not None:
        learned = sum(each.outcome == LEARNED for each in profile.personal.lessons)
        parts.append(f"{learned} actions learned")
        if profile.personal.lacks_image:
            parts.append("without the image")
    else:
        parts.append(f"neutral and {len(profile.maxima)} maxima")
    if profile.taught:
        parts.append(f"{len(profile.taught)} taught")
    return ", ".join(parts)


def details(profile: Profile, model: EstimatorModel) -> tuple[str, ...]:
    """What it knows, action by action, and what is missing in it."""
    told = []
    if profile.weights not in ("", model.digest):
        told.append("learned over other estimator weights than those in use: calibrate again")
    if profile.personal is None:
        told += [f"{name}: maximum {value:.2f}" for name, value in sorted(profile.maxima.items())]
    else:
        told += [lesson.sentence for lesson in profile.personal.lessons]
        if profile.personal.lacks_image:
            told.append("the image had no part in it: calibrate with --reader all to learn from it")
    for action in profile.taught:
        told += sentences(profile, action)
    return tuple(told)

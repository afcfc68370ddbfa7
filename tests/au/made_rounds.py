"""Made-up rounds of prompts: movements as directions in texture and mesh, with noise."""

from __future__ import annotations

import zlib

import numpy as np

from livefacs.au.estimator_model import N_FEATURES
from livefacs.au.examples import Frames
from livefacs.au.learning import Asked, Round
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU, channels_of
from livefacs.vocab.readings import N_TEXTURE

FPS = 30
REST_S, TURN_S, PROMPT_S = 3.0, 5.0, 2.6
BASE = 0.4
"""Resting texture."""


def direction(name: str, size: int, active: slice | None = None) -> np.ndarray:
    """The movement of an action: the same for the same name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = np.zeros(size)
    where = active or slice(0, size)
    values[where] = rng.normal(size=len(range(*where.indices(size))))
    return values / np.linalg.norm(values)


def made_round(
    prompts: list[str],
    *,
    unperformed: tuple[str, ...] = (),
    instead: dict[str, str] | None = None,
    seen_by_mesh: dict[str, float] | None = None,
    has_image: bool = True,
    noise: float = 0.004,
    seed: int = 0,
) -> Round:
    """Rest, head turns, then prompts of two repetitions each.

    Parameters
    ----------
    unperformed : prompts in which the face rests
    instead : what was performed where a prompt asked for something else
    seen_by_mesh : how much of an action the shipped estimate sees, by action; 0.2 by default
    """
    rng = np.random.default_rng(seed)
    n = round(FPS * (REST_S + TURN_S + PROMPT_S * len(prompts)))
    t = np.arange(n) / FPS
    texture = BASE + noise * rng.normal(size=(n, N_TEXTURE))
    features = 0.0005 * rng.normal(size=(n, N_FEATURES))
    values = np.zeros((n, N_AU))
    turning = (t >= REST_S) & (t < REST_S + TURN_S)
    swing = np.sin(2 * np.pi * (t - REST_S) / TURN_S) * turning
    texture += 0.3 * np.outer(swing, direction("turn", N_TEXTURE))
    asked = []
    for i, action in enumerate(prompts):
        start = REST_S + TURN_S + i * PROMPT_S
        rows = np.flatnonzero((t >= start) & (t < start + PROMPT_S))
        done = (instead or {}).get(action, action)
        asked.append(Asked((action,), rows))
        if action in unperformed:
            continue
        course = np.sin(2 * np.pi * (t[rows] - start) / PROMPT_S) ** 2
        texture[rows] += 1.2 * np.outer(course, direction(done, N_TEXTURE))
        features[rows] += 0.05 * np.outer(course, direction(done, N_FEATURES, slice(0, 300)))
        share = (seen_by_mesh or {}).get(done, 0.2)
        for channel in channels_of(done):
            values[rows, CHANNEL_INDEX[channel]] += share * course
    frames = Frames(
        t,
        features.astype(np.float32),
        np.clip(texture, 0, 1).astype(np.float32) if has_image else None,
        values.astype(np.float32),
    )
    rest = frames.between(0.3, REST_S)
    return Round(frames, rest, np.flatnonzero(turning), asked)

"""Learn personal maps from examples: ridge on what the shipped estimate leaves over.

The shipped estimate is the prior: weights are drawn to zero, which is to it. The loss is one-sided
where an action was not asked for (anything at or below a small negative margin is right), and a
resting face that turns weighs forty-fold. Maps are found in the space of the examples, of which
there are some two hundred, so that the whole fit is a matter of a few small matrices. How strongly
an action is drawn to the prior, and whether it is learned at all, the other repetition decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, Bool
from livefacs.au.estimator_model import MEASURE_START, N_FEATURES
from livefacs.au.examples import TURN, Examples
from livefacs.au.features import POSE_START, REGIONS, region_mask
from livefacs.au.image_reader import TOP_LEFT
from livefacs.au.personal import PersonalMaps
from livefacs.kernels.image import CELL_PX, PIXELS_PER_EYES
from livefacs.vocab.facs import action_of
from livefacs.vocab.readings import N_ORIENTATIONS, TEXTURE_COLUMNS, TEXTURE_ROWS

BANDS: Final[dict[str, tuple[float, float]]] = {
    "brows": (-0.55, 0.15),
    "eyes": (-0.30, 0.40),
    "cheeks": (-0.35, 0.80),
    "mouth": (0.20, 1.45),
    "face": (-0.55, 1.45),
}
"""Rows of the upright face that actions are learned from, eye distances below the eye line."""

_BAND_OF: Final[dict[str, str]] = {
    **dict.fromkeys(("AU1", "AU2", "AU4"), "brows"),
    **dict.fromkeys(("AU5", "AU7", "AU45", "AU61", "AU62", "AU63", "AU64"), "eyes"),
    **dict.fromkeys(("AU6", "AU9"), "cheeks"),
}
_HALF_WIDTH: Final = 0.7
"""Beyond it lie ears and background."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What decides how much is learned.

    Attributes
    ----------
    texture, geometry, pose, constant : float
        Share of each kind of feature in the likeness of two examples; 0 leaves it out.
    ridges : tuple of float
        Pulls to the prior that are tried, in units of the mean likeness.
    reach : float
        What an action should come to at the peak of its prompt. The pull to the prior keeps maps
        short of what they are fitted to: on rendered people's mixtures, 1.2 brings ICC(3,1) from
        .74 to .77, 1.35 no codings nearer to the truth and more leakage.
    margin : float
        How far below zero an action that was not asked for should lie: keeps rest quiet.
    turn_weight : float
        Weight of examples of the turning face; from 20 to 80 it hardly matters.
    n_rounds : int
        Majorisation steps of the one-sided loss.
    """

    texture: float
    geometry: float
    pose: float = 0.1
    constant: float = 0.05
    ridges: tuple[float, ...] = (0.1, 0.2, 0.4)
    reach: float = 1.2
    margin: float = 0.05
    turn_weight: float = 40.0
    n_rounds: int = 8


WITH_IMAGE: Final = FitSettings(texture=1.0, geometry=0.03)
WITHOUT_IMAGE: Final = FitSettings(texture=0.0, geometry=1.0, ridges=(0.5, 1.5, 5.0))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Maps and what the left-out repetition says of them.

    Attributes
    ----------
    maps : PersonalMaps
        Of every channel that was asked for, whether it is better than the prior or not.
    values : (n, C) float64
        Out-of-fold values of each channel at each example.
    better : tuple of str
        Channels of the actions that beat the shipped estimate in the repetition that was left out.
    """

    maps: PersonalMaps
    values: F64
    better: tuple[str, ...]


def band_of(channel: str) -> str:
    """Name of the band that a channel is learned from; the whole face for taught actions."""
    action = action_of(channel)
    return _BAND_OF.get(action, "mouth" if action in REGIONS or action == "AU25" else "face")


def fit_maps(
    examples: Examples, channels: tuple[str, ...], prior: F64, canonical: F64, settings: FitSettings
) -> Fitted:
    """Maps of channels.

    Parameters
    ----------
    examples : Examples
    channels : tuple of str
        Those to be learned; each was asked for in at least one prompt.
    prior : (n, C) float64
        Shipped intensity of each at each example; 0 for an action that nothing estimates.
    canonical : (478, 3) float64
        Mean face, by which regions are told.
    settings : FitSettings
        ``WITH_IMAGE`` needs examples with texture.
    """
    n, n_channels = len(examples), len(channels)
    weight = _weights(examples, settings)
    geometry = np.zeros((n_channels, N_FEATURES), np.float32)
    texture = np.zeros((n_channels, TEXTURE_ROWS * TEXTURE_COLUMNS * N_ORIENTATIONS), np.float32)
    bias = np.zeros(n_channels, np.float32)
    held_out = np.zeros((n, n_channels))
    losses = np.zeros((n_channels, 2))
    bands = [band_of(channel) for channel in channels]
    for name in dict.fromkeys(bands):
        mine = [i for i, band in enumerate(bands) if band == name]
        design = _Design(examples, name, canonical, settings)
        asked = np.stack([examples.target(channels[i]) for i in mine], axis=1)
        target = settings.reach * asked
        system = _System(design.likeness, weight, prior[:, mine], target, settings)
        for column, i in enumerate(mine):
            ridge, held_out[:, i], losses[i] = system.choose(column, examples)
            alpha = system.dual(column, ridge)
            geometry[i], texture[i], bias[i] = design.weights(alpha)
    has_texture = settings.texture > 0.0
    rest, reach = _rest_and_reach(examples) if has_texture else (None, float("inf"))
    maps = PersonalMaps(channels, geometry, texture if has_texture else None, bias, reach, rest)
    return Fitted(maps, held_out, _better(channels, losses))


def _better(channels: tuple[str, ...], losses: F64) -> tuple[str, ...]:
    """Both sides of an action are learned, or none: halves of two scales make a crooked face."""
    actions = [action_of(channel) for channel in channels]
    total = {action: np.zeros(2) for action in actions}
    for action, pair in zip(actions, losses, strict=True):
        total[action] += pair
    return tuple(
        channel
        for channel, action in zip(channels, actions, strict=True)
        if total[action][0] < total[action][1]
    )


def _weights(examples: Examples, settings: FitSettings) -> F64:
    weight = examples.weight.astype(np.float64)
    weight = np.where(examples.prompt == TURN, settings.turn_weight * weight, weight)
    return np.asarray(weight / weight.mean())


def _rest_and_reach(examples: Examples) -> tuple[F32, float]:
    assert examples.texture is not None
    rest = examples.texture[examples.at_rest].mean(axis=0)
    away = np.sqrt(((examples.texture - rest) ** 2).sum(axis=1))
    return rest, 1.3 * float(away.max())


class _Design:
    """Examples as rows of scaled features, of which only inner products are needed."""

    def __init__(
        self, examples: Examples, band: str, canonical: F64, settings: FitSettings
    ) -> None:
        self._columns: list[tuple[str, Bool, float]] = []
        rest = examples.at_rest
        parts: list[F64] = []
        kinds = [
            ("geometry", _geometry_columns(band, canonical), settings.geometry),
            ("geometry", _pose_columns(), settings.pose),
            ("texture", _texture_columns(band), settings.texture),
        ]
        self._middles: list[F64] = []
        for source, columns, share in kinds:
            values = examples.features if source == "geometry" else examples.texture
            if share <= 0.0 or values is None:
                continue
            rows = values[:, columns].astype(np.float64)
            middle = rows[rest].mean(axis=0)
            rows -= middle
            scale = np.sqrt(share / max(float((rows**2).sum(axis=1).mean()), 1e-12))
            self._columns.append((source, columns, scale))
            self._middles.append(middle)
            parts.append(scale * rows)
        self._constant = float(np.sqrt(settings.constant))
        parts.append(np.full((len(examples), 1), self._constant))
        self._rows = np.hstack(parts)
        self.likeness: F64 = self._rows @ self._rows.T

    def weights(self, alpha: F64) -> tuple[F32, F32, float]:
        """Geometry, texture and bias of the map that dual weights stand for."""
        whole = self._rows.T @ alpha
        out = {
            "geometry": np.zeros(N_FEATURES),
            "texture": np.zeros(TEXTURE_ROWS * TEXTURE_COLUMNS * N_ORIENTATIONS),
        }
        bias = self._constant * whole[-1]
        at = 0
        for (source, columns, scale), middle in zip(self._columns, self._middles, strict=True):
            part = scale * whole[at : at + len(middle)]
            out[source][columns] += part
            bias -= float(part @ middle)
            at += len(middle)
        return out["geometry"].astype(np.float32), out["texture"].astype(np.float32), float(bias)


class _System:
    """The penalised normal equations of one band, for all its channels."""

    def __init__(
        self, likeness: F64, weight: F64, prior: F64, target: F64, settings: FitSettings
    ) -> None:
        self._likeness, self._weight = likeness, weight
        self._prior, self._target, self._settings = prior, target, settings
        self._inverses: dict[tuple[float, int], tuple[Bool, F64]] = {}

    def dual(self, column: int, ridge: float, left_out: Bool | None = None) -> F64:
        """(n,) dual weights of a channel; zero at examples that are left out."""
        n = len(self._weight)
        used = np.ones(n, bool) if left_out is None else ~left_out
        key = (ridge, -1 if left_out is None else int(np.flatnonzero(used)[0]))
        if key not in self._inverses:
            among = self._likeness[np.ix_(used, used)]
            inverse = np.linalg.inv(among + np.diag(ridge / self._weight[used]))
            self._inverses[key] = (used, inverse)
        used, inverse = self._inverses[key]
        among = self._likeness[np.ix_(used, used)]
        prior, target = self._prior[used, column], self._target[used, column]
        value = prior.copy()
        alpha = np.zeros(n)
        for _ in range(self._settings.n_rounds):
            wanted = np.where(target <= 0.0, np.minimum(value, -self._settings.margin), target)
            some = inverse @ (wanted - prior)
            value = prior + among @ some
            alpha[used] = some
        return alpha

    def choose(self, column: int, examples: Examples) -> tuple[float, F64, tuple[float, float]]:
        """The ridge that foretells the other repetition best; its values there; losses of both."""
        prior, asked = self._prior[:, column], self._target[:, column] / self._settings.reach
        best: tuple[float, float, F64] | None = None
        for ridge in self._settings.ridges:
            value = np.empty(len(asked))
            for fold in (0, 1):
                left_out = examples.repetition == fold
                alpha = self.dual(column, ridge, left_out)
                value[left_out] = (prior + self._likeness @ alpha)[left_out]
            error = loss(value, asked, self._weight)
            if best is None or error < best[0]:
                best = (error, ridge, value)
        assert best is not None
        error, ridge, value = best
        return ridge, value, (error, loss(prior, asked, self._weight))


def loss(value: F64, target: F64, weight: F64) -> float:
    """Squared error of an intensity as it shows; own prompts weigh as much as all else does."""
    shown = np.clip(value, 0.0, None)
    own = target > 0.0
    if not own.any() or own.all():
        return float("inf")
    missed = (shown - target) ** 2
    total = weight.copy()
    total[own] *= 0.5 / weight[own].sum()
    total[~own] *= 0.5 / weight[~own].sum()
    return float((total * missed).sum())


def clearness(value: F64, target: F64, weight: F64) -> float:
    """Response to the own movement over that to all else: peak mean over root mean square."""
    shown = np.clip(value, 0.0, None)
    full, other = target > 0.7, target <= 0.0
    if not full.any() or not other.any():
        return 0.0
    elsewhere = float(np.sqrt((weight[other] * shown[other] ** 2).sum() / weight[other].sum()))
    return float(shown[full].mean()) / (elsewhere + 0.02)


def reliability_of(value: F64, target: F64) -> float:
    """Pearson r of what shows with what was asked for; 0 where either stands still."""
    a = np.clip(value, 0.0, None)
    a, b = a - a.mean(), target - target.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return max(0.0, float(a @ b) / size) if size > 1e-9 else 0.0


def _texture_columns(band: str) -> Bool:
    unit = CELL_PX / PIXELS_PER_EYES
    y = TOP_LEFT[1] + (np.arange(TEXTURE_ROWS) + 0.5) * unit
    x = TOP_LEFT[0] + (np.arange(TEXTURE_COLUMNS) + 0.5) * unit
    top, bottom = BANDS[band]
    inside = ((y >= top) & (y <= bottom))[:, None] & (np.abs(x) <= _HALF_WIDTH)[None, :]
    return np.repeat(inside.ravel(), N_ORIENTATIONS)


def _geometry_columns(band: str, canonical: F64) -> Bool:
    """Displacements and measures that any action of a band may be read from, no pose terms."""
    columns = np.zeros(N_FEATURES, bool)
    for action in REGIONS:
        if band in ("face", band_of(action)):
            for side in ("_L", "_R") if action in _WITH_SIDES else ("",):
                columns |= region_mask(action + side, canonical)
    columns[POSE_START:MEASURE_START] = False
    return columns


_WITH_SIDES: Final = frozenset({"AU5", "AU6", "AU7", "AU45"})
"""Actions whose region names measures of the own side."""


def _pose_columns() -> Bool:
    columns = np.zeros(N_FEATURES, bool)
    columns[POSE_START:MEASURE_START] = True
    return columns

"""Fit how the three readers are weighed: few numbers an action, monotone, by person.

An action's row has a handful of entries out of ``kernels.fusion.gather_evidence``; all but a few
may only pull one way. People coded by eye say whether an action is there: a clear one should reach
``PRESENT``, a clear absence stay at zero, and what lies beyond costs nothing. Rendered people say
how strong it is. Each person counts alike, whatever the number of frames.

Actions that are hard to tell from their neighbours have rivals: what the mesh says of other actions
of the same and the neighbouring part of the face may only take from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import minimize

from livefacs.arrays import F64, I64, Bool
from livefacs.au import estimator_model as m
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.features import REGIONS
from livefacs.au.regions import CHANNEL_REGION, LIDS
from livefacs.au.smoothing import OFF
from livefacs.offline import clip_estimator, estimates
from livefacs.training.coded import CodedClip
from livefacs.vocab.facs import CHANNEL_INDEX, EYE_CHANNELS, N_AU, action_of, channels_of
from livefacs.vocab.readings import BLENDSHAPE_INDEX, PATCH_INDEX

PRESENT: Final = 0.45
"""What a clearly visible action should reach; 0.15 is where it counts as there."""
MESH_PRIOR: Final = 0.5
"""Weight of the mesh that the penalty draws to."""
ACTIVE: Final = 0.1
"""From this truth on a rendered action counts as there."""


@dataclass(frozen=True, slots=True)
class Stress:
    """What counts how much in the fit of an action.

    Attributes
    ----------
    rendered : float
        All frames of rendered people, against 1 for all of coded ones.
    turning : float
        A rendered frame of a neutral head that turns, against 1 for any other.
    active : float
        A rendered frame in which the action is there, the same.
    penalty : float
        On the squared distance from the prior.
    """

    rendered: float
    turning: float
    active: float
    penalty: float


PLAIN: Final = Stress(rendered=6.0, turning=8.0, active=1.0, penalty=0.01)
RIVALLED: Final = Stress(rendered=10.0, turning=16.0, active=2.0, penalty=0.003)


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One number of an action's recipe.

    Attributes
    ----------
    kind : str
        ``mesh`` against the neutral, ``mesh up`` (its positive part), ``mean`` (the mesh against
        the mean face), ``net``, ``net change`` (less that at rest), ``upright`` or ``level``
        lines, ``rival`` (the positive part of what the mesh says of another action).
    name : str
        Score of the net, patch or action; ``*`` stands for the side.
    sign : int
        1 or -1: the only way it may pull; 0: either.
    """

    kind: str
    name: str = ""
    sign: int = 1


def _net(name: str) -> tuple[Ingredient, Ingredient]:
    return Ingredient("net", name), Ingredient("net change", name)


_MESH, _UP, _MEAN = Ingredient("mesh"), Ingredient("mesh up"), Ingredient("mean")

RECIPES: Final[dict[str, tuple[Ingredient, ...]]] = {
    "AU1": (
        _UP,
        _MEAN,
        *_net("browInnerUp"),
        Ingredient("net", "browDown*", 0),
        Ingredient("upright", "glabella"),
        Ingredient("level", "forehead_*"),
    ),
    "AU2": (_MESH, _MEAN, *_net("browOuterUp*"), Ingredient("level", "forehead_*")),
    "AU4": (
        _UP,
        _MEAN,
        *_net("browDown*"),
        Ingredient("upright", "glabella"),
        Ingredient("net", "browOuterUp*", -1),
        Ingredient("level", "nose_root"),
    ),
    "AU5": (_MESH, _MEAN, *_net("eyeWide*")),
    "AU6": (
        _MESH,
        _MEAN,
        Ingredient("net change", "eyeSquint*"),
        Ingredient("level", "under_eye_*"),
        Ingredient("upright", "fold_*"),
        Ingredient("net", "mouthSmile*"),
    ),
    "AU7": (_MESH, *_net("eyeSquint*")),
    "AU9": (
        _MESH,
        Ingredient("level", "nose_side_*"),
        Ingredient("level", "under_eye_*"),
        Ingredient("net", "noseSneer*"),
    ),
    "AU10": (
        _MESH,
        _MEAN,
        *_net("mouthUpperUp*"),
        Ingredient("upright", "fold_*"),
        Ingredient("net", "mouthSmile*", -1),
        Ingredient("net", "mouthPucker", -1),
    ),
    "AU12": (_MESH, _MEAN, *_net("mouthSmile*")),
    "AU14": (_MESH, *_net("mouthDimple*")),
    "AU15": (_MESH, *_net("mouthFrown*"), Ingredient("net", "mouthSmile*", -1)),
    "AU16": (_MESH, *_net("mouthLowerDown*"), Ingredient("net", "mouthSmile*", -1)),
    "AU17": (_MESH, _MEAN, *_net("mouthShrugLower"), Ingredient("level", "chin")),
    "AU18": (_MESH, _MEAN, *_net("mouthPucker"), Ingredient("net", "mouthFunnel", -1)),
    "AU20": (_MESH, *_net("mouthStretch*"), Ingredient("net", "mouthSmile*", -1)),
    "AU22": (_MESH, *_net("mouthFunnel")),
    "AU24": (_MESH, _MEAN, *_net("mouthPress*"), Ingredient("net", "jawOpen", -1)),
    "AU25": (_MESH, _MEAN, Ingredient("net", "jawOpen"), Ingredient("upright", "mouth")),
    "AU26": (_MESH, _MEAN, *_net("jawOpen")),
    "AU28": (_MESH, Ingredient("net", "mouthRollLower"), Ingredient("net", "mouthRollUpper")),
    "AD30_L": (_MESH,),
    "AD30_R": (_MESH,),
    "AD34": (_MESH,),
}
"""What each action is read from. Cues that misled on other people (the texture of the chin, the
cheeks) are left out. Lids and gaze are the mesh's alone."""

_ALONE: Final = {"AU1", "AU2", "AU4", "AU5", "AU10", "AU12", "AU25", "AU26"}
HAS_RIVALS: Final = frozenset(RECIPES) - _ALONE
"""Not the brows, whose mesh is often measured against a doubtful rest; not those that mesh and net
tell apart well, nor those of which coded people show that they come together with their rivals."""


def recipe_of(action: str, *, with_rivals: bool = True) -> tuple[Ingredient, ...]:
    """An action's recipe; rivals are actions of the same and the neighbouring part of the face."""
    if action not in HAS_RIVALS or not with_rivals:
        return RECIPES[action]
    part = _part_of(action)
    rivals = (
        Ingredient("rival", other, -1)
        for other in REGIONS
        if other != action
        and abs(_part_of(other) - part) <= 1
        and (part == LIDS or other not in EYE_CHANNELS)
    )
    return (*RECIPES[action], *rivals)


def _part_of(action: str) -> int:
    return int(CHANNEL_REGION[CHANNEL_INDEX[channels_of(action)[0]]])


_BASES: Final = {
    "mesh": m.RELATIVE,
    "mesh up": m.POSITIVE,
    "rival": m.POSITIVE,
    "mean": m.AGAINST_MEAN,
    "net": m.SHAPES,
    "net change": m.SHAPES_RELATIVE,
    "upright": m.LINES,
    "level": m.LINES + 1,
}


def columns_of(channel: str, ingredient: Ingredient) -> tuple[int, ...]:
    """Columns of the evidence whose mean is an ingredient of a channel."""
    base = _BASES[ingredient.kind]
    if not ingredient.name:
        return (base + CHANNEL_INDEX[channel],)
    is_net = ingredient.kind.startswith("net")
    own = channel[-1] if action_of(channel) != channel else "LR"
    if ingredient.kind == "rival":
        theirs = channels_of(ingredient.name)
        mine = [name for name in theirs if len(theirs) == 1 or name[-1] in own]
        return tuple(base + CHANNEL_INDEX[name] for name in mine)
    words = [{"L": "Left", "R": "Right"}[side] if is_net else side for side in own]
    names = dict.fromkeys(ingredient.name.replace("*", word) for word in words)
    if is_net:
        return tuple(base + BLENDSHAPE_INDEX[name] for name in names)
    return tuple(base + 2 * PATCH_INDEX[name] for name in names)


def recipe_values(recipe: Many[Ingredient], channel: str, evidence: F64) -> F64:
    """(n, ingredients + 1): what a channel's recipe reads in rows of evidence; the last is 1."""
    columns = [evidence[:, columns_of(channel, each)].mean(axis=1) for each in recipe]
    return np.stack([*columns, np.ones(len(evidence))], axis=1)


@dataclass(frozen=True)
class Evidence:
    """Rows of evidence of one person.

    Attributes
    ----------
    rows : (n, N_EVIDENCE) float64
    i_frame : (n,) int64
        Of coded people: which frame each row is.
    truth : (n, N_AU) float64 or None
        Of rendered people.
    is_turning : (n,) bool
        Frames of a neutral head that turns.
    """

    rows: F64
    i_frame: I64
    truth: F64 | None
    is_turning: Bool


def coded_evidence(model: EstimatorModel, clip: CodedClip) -> Evidence:
    """Evidence of the frames of a clip that were judged, against the clip's own neutral."""
    frames = sorted({j.i_frame for j in clip.judgements})
    estimator = clip_estimator(clip.meshes, model, smoothing=OFF)
    judged = (clip.meshes[frame] for frame in frames)  # they have a face
    rows = np.array([estimator.evidence.copy() for _ in estimates(judged, estimator)])
    return Evidence(rows, np.array(frames, np.int64), None, np.zeros(len(frames), bool))


def fit_fusion(
    model: EstimatorModel,
    coded: Many[tuple[CodedClip, Evidence]],
    rendered: Many[Evidence],
) -> EstimatorModel:
    """The model with a fusion fitted on coded and rendered people together.

    Parameters
    ----------
    coded : list of (CodedClip, Evidence)
    rendered : list of Evidence
        With truth.
    """
    weights, bias = np.zeros((N_AU, m.N_EVIDENCE)), np.zeros(N_AU)
    for action in RECIPES:
        recipe = recipe_of(action, with_rivals=bool(rendered))
        fitted, offset = _fit(action, recipe, coded, rendered)
        for channel in channels_of(action):
            index = CHANNEL_INDEX[channel]
            bias[index] = offset
            for ingredient, value in zip(recipe, fitted, strict=True):
                columns = columns_of(channel, ingredient)
                for column in columns:
                    weights[index, column] += value / len(columns)
    return replace(
        model,
        fusion_weights=np.round(weights, 4).astype(np.float32),
        fusion_bias=np.round(bias, 4).astype(np.float32),
    )


def _fit(
    action: str,
    recipe: Many[Ingredient],
    coded: Many[tuple[CodedClip, Evidence]],
    rendered: Many[Evidence],
) -> tuple[F64, float]:
    stress = RIVALLED if action in HAS_RIVALS else PLAIN
    seen, is_present, weight = coded_rows(action, recipe, coded)
    drawn, truth, drawn_weight = _rendered_rows(action, recipe, stress, rendered)
    prior = np.zeros(len(recipe) + 1)
    if not len(seen) and not len(drawn):
        return prior[:-1], 0.0  # the mesh speaks alone
    prior[0] = MESH_PRIOR
    weighted, drawn_weighted = seen.T * weight, drawn.T * drawn_weight

    def loss(theta: F64) -> tuple[float, F64]:
        miss = seen @ theta
        miss = np.where(is_present, np.minimum(miss - PRESENT, 0.0), np.maximum(miss, 0.0))
        off = drawn @ theta - truth
        off = np.where((truth <= 0.0) & (off < 0.0) | (truth >= 1.0) & (off > 0.0), 0.0, off)
        pull = theta - prior
        pull[-1] = 0.0
        total = (weight * miss) @ miss + (drawn_weight * off) @ off + stress.penalty * (pull @ pull)
        slope = weighted @ miss + drawn_weighted @ off + stress.penalty * pull
        return float(total), 2.0 * slope

    bounds = [{1: (0.0, None), -1: (None, 0.0), 0: (None, None)}[each.sign] for each in recipe]
    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[*bounds, (-1.5, 1.5)])
    return found.x[:-1], float(found.x[-1])


def coded_rows(
    action: str, recipe: Many[Ingredient], coded: Many[tuple[CodedClip, Evidence]]
) -> tuple[F64, Bool, F64]:
    """Recipe values (n, ingredients + 1), mean over the sides; presence (n,); weights (n,)."""
    values, present, persons = [], [], []
    for clip, evidence in coded:
        row_of = {int(frame): row for row, frame in enumerate(evidence.i_frame)}
        mine = [j for j in clip.judgements if j.action == action]
        if not mine:
            continue
        rows = evidence.rows[[row_of[j.i_frame] for j in mine]]
        sides = [recipe_values(recipe, channel, rows) for channel in channels_of(action)]
        values.append(np.mean(sides, axis=0))
        present += [j.is_present for j in mine]
        persons += [clip.person] * len(mine)
    if not values:
        return np.zeros((0, len(recipe) + 1)), np.zeros(0, bool), np.zeros(0)
    is_present = np.array(present)
    return np.concatenate(values), is_present, _person_weights(persons, is_present)


def _person_weights(persons: list[str], is_present: Bool) -> F64:
    """The root of a person's frames counts; present and absent halves weigh alike."""
    groups = list(zip(persons, is_present.tolist(), strict=True))
    n_of = Counter(groups)
    weight = np.array([1.0 / np.sqrt(n_of[group]) for group in groups])
    for value in (True, False):
        mask = is_present == value
        if mask.any():
            weight[mask] *= 0.5 / weight[mask].sum()
    return weight


def _rendered_rows(
    action: str, recipe: Many[Ingredient], stress: Stress, rendered: Many[Evidence]
) -> tuple[F64, F64, F64]:
    values, truths, weights = [], [], []
    for evidence in rendered:
        assert evidence.truth is not None
        for channel in channels_of(action):
            truth = evidence.truth[:, CHANNEL_INDEX[channel]]
            known = ~np.isnan(truth)
            values.append(recipe_values(recipe, channel, evidence.rows[known]))
            truths.append(truth[known])
            turning = np.where(evidence.is_turning[known], stress.turning, 1.0)
            weights.append(turning * np.where(truth[known] >= ACTIVE, stress.active, 1.0))
    if not values or not sum(len(truth) for truth in truths):
        return np.zeros((0, len(recipe) + 1)), np.zeros(0), np.zeros(0)
    weight = np.concatenate(weights)
    return np.concatenate(values), np.concatenate(truths), weight * (stress.rendered / len(weight))


def with_usual_readings(model: EstimatorModel, clips: Many[CodedClip]) -> EstimatorModel:
    """The model with what resting faces show: mean over the clips that hold a resting frame."""
    shapes, patches = [], []
    for clip in clips:
        readings = [mesh.readings for i in clip.rests if (mesh := clip.meshes[i].landmarks)]
        known = [each for each in readings if each is not None]
        if known:
            shapes.append(np.mean([each.blendshapes for each in known], axis=0))
            patches.append(np.nanmean([each.patches for each in known], axis=0))
    if not shapes:
        return model
    return replace(
        model,
        usual_blendshapes=np.mean(shapes, axis=0).astype(np.float32),
        usual_patches=np.nanmean(patches, axis=0).astype(np.float32),
    )

"""One call a frame: mesh in; head pose, gaze, raw and filtered intensities, confidences out.

A call from Python into a kernel costs more than most of the arithmetic, so the whole chain stands
behind one door: perspective, robust alignment, features, linear map, derived channels, hidden
sides, One Euro filter, confidences.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from livefacs.arrays import F32, F64, I64, U8
from livefacs.kernels._jit import kernel
from livefacs.kernels.features import (
    N_POSE_TERMS,
    displacements,
    iris_offset,
    opening,
    pose_terms,
)
from livefacs.kernels.fusion import explain_away, gather_evidence, line_depths
from livefacs.kernels.geometry import (
    angles_from_rotation,
    apply_similarity,
    fit_similarity,
    undo_perspective,
)
from livefacs.kernels.intensity import floor_at_zero, linear_map
from livefacs.kernels.personal import Personal, add_personal
from livefacs.kernels.smoothing import one_euro

N_MEASURES = 7
"""Lid gap by eye width L R, iris x y of the left and of the right eye, inner-lip gap."""

# Indices into ``Model.limits``; the values and their reasons stand in ``au/model.py``.
ALIGN_ROUNDS, ALIGN_SOFTNESS, CEILING, GAZE_FREEZE, EYE_RADIUS = 0, 1, 2, 3, 4
HOLD_S, FADE_S, CLOSED_FROM, CLOSED_AFTER_S, CLOSED_RAMP_S = 5, 6, 7, 8, 9
STRETCH_FROM, HEAD_YAW, HEAD_PITCH, HEAD_ROLL, HIDE_YAW = 10, 11, 12, 13, 14
SHOW_YAW, RANGE_YAW, RANGE_PITCH, RANGE_EYES_PX, FACE_CM = 15, 16, 17, 18, 19
LID_OPEN_FLOOR, LID_SHUT, GATE_FROM, GATE_SPAN, GATE_FLOOR = 20, 21, 22, 23, 24
N_LIMITS = 25

# Indices into ``Model.roles``: first channel of each derived group, in channel order.
BLINK, CLOSURE, JAW_DROP, MOUTH_STRETCH, HEAD, EYES, CORNERS_DOWN = 0, 1, 2, 3, 4, 5, 6

# Bits of the returned flags.
FLAG_OUT_OF_RANGE, FLAG_LEFT_HIDDEN, FLAG_RIGHT_HIDDEN, FLAG_GAZE_FROZEN = 1, 2, 4, 8

# Rows of ``State.scalars``.
HIDDEN_L_S, HIDDEN_R_S, SHUT_L_S, SHUT_R_S, LAST_X, LAST_Y, IS_STARTED = 0, 1, 2, 3, 4, 5, 6
N_SCALARS = 7

# Entries of ``Result.facts``.
SCALE, RESIDUAL, GAP_RATIO_L, GAP_RATIO_R, LIP_GAP, EYES_PX, SPEED, OUTSIDE = 0, 1, 2, 3, 4, 5, 6, 7
LID_OFFSET_L, LID_OFFSET_R = 8, 9
N_FACTS = 10


class Model(NamedTuple):
    """What training decides, as arrays; the same for everyone."""

    align_ids: I64
    align_prior: F64
    point_ids: I64
    lid_pairs: I64  # (2, m, 2): left, right; upper and lower point
    lip_pairs: I64  # (m, 2)
    eyes: I64  # (2, 3): left, right; iris centre, outer corner, inner corner
    starts: I64
    columns: I64
    weights: F32
    bias: F64
    reliability: F64  # (n,) 0..1
    side: I64  # (n,) -1 left, 1 right, 0 neither
    roles: I64
    limits: F64
    canonical: F64  # (478, 3) the mean neutral face
    fusion_starts: I64
    fusion_columns: I64
    fusion_weights: F32
    fusion_bias: F64
    is_fused: I64  # (N_AU,) 1 where the fusion speaks, 0 where the mesh alone does
    explained: I64  # (2, m) targets, causes; see ``fusion.explain_away``
    shares: F64  # (m,)
    usual_patches: F64  # (n_patches, 3) people's at rest
    cheeks: I64  # (2,)


class Person(NamedTuple):
    """One person's neutral and range."""

    neutral: F64  # (478, 3) face frame, outer-eye distances
    neutral_terms: F64  # (10,) pose terms of the neutral
    neutral_angles: F64  # (3,) yaw, pitch, roll of the neutral
    neutral_measures: F64  # (7,)
    gains: F64  # (n,)
    mean_face: F64  # (n,) what the mesh says of the neutral against the mean face
    blendshapes: F64  # (52,) at rest
    patches: F64  # (n_patches, 3) at rest, NaN where unknown
    patch_evidence: F64  # (n_patches,) 0..1
    trust: F64  # (n,) 0..1, share of confidence that the neutral leaves each channel
    with_image: Personal  # maps for frames whose image was read
    without_image: Personal  # maps for frames that bring a mesh alone


class State(NamedTuple):
    """What a frame leaves for the next."""

    filter_parameters: F64  # (n, 3)
    filter: F64  # (n, 2)
    held: F64  # (n,)
    gaze: F64  # (4,)
    scalars: F64


class Result(NamedTuple):
    """What a frame gives; overwritten by the next."""

    orthographic: F64  # (478, 3)
    aligned: F64  # (478, 3)
    rotation: F64  # (3, 3)
    offset: F64  # (3,)
    features: F64
    lines: F64  # (2 n_patches,)
    evidence: F64  # what the fusion weighs
    values: F64  # (n,)
    filtered: F64  # (n,)
    raw: F32
    intensity: F32
    confidence: F32
    head: F64  # (6,) yaw, pitch, roll, x, y, z
    gaze: F64  # (4,) left yaw, pitch, right yaw, pitch
    facts: F64


@kernel
def measure(aligned: F64, model: Model, out: F64) -> None:
    """The seven measures of an aligned mesh, absolute; ``out`` (7,) float64 is written."""
    for side in range(2):
        eye = model.eyes[side]
        a, b = eye[1], eye[2]
        width = math.hypot(aligned[a, 0] - aligned[b, 0], aligned[a, 1] - aligned[b, 1])
        out[side] = opening(aligned, model.lid_pairs[side]) / max(width, 1e-6)
        x, y = iris_offset(aligned, eye[0], eye[1], eye[2])
        out[2 + 2 * side] = x
        out[3 + 2 * side] = y
    out[6] = opening(aligned, model.lip_pairs)


@kernel
def fill_features(model: Model, person: Person, result: Result) -> bool:
    """Displacements, pose terms and measures, all relative to the neutral.

    Returns
    -------
    bool
        True where both eyes are too nearly closed to read the irises.
    """
    f = result.features
    displacements(result.aligned, person.neutral, model.point_ids, f)
    start = 2 * model.point_ids.shape[0]
    pose_terms(result.head[0], result.head[1], result.head[2], f[start : start + N_POSE_TERMS])
    for k in range(N_POSE_TERMS):
        f[start + k] -= person.neutral_terms[k]
    m = f[start + N_POSE_TERMS : start + N_POSE_TERMS + N_MEASURES]
    measure(result.aligned, model, m)
    shut = model.limits[LID_SHUT]
    for side in range(2):
        neutral = person.neutral_measures[side]
        opened = max(neutral, model.limits[LID_OPEN_FLOOR])
        result.facts[GAP_RATIO_L + side] = m[side] / opened
        result.facts[LID_OFFSET_L + side] = (opened - neutral) / (opened - shut)
        # 0 at neutral, 1 where the lids meet, negative where they open wider
        m[side] = (neutral - max(m[side], shut)) / (opened - shut)
    result.facts[LIP_GAP] = m[6]
    for k in range(2, N_MEASURES):
        m[k] -= person.neutral_measures[k]
    left_shut = result.facts[GAP_RATIO_L] < model.limits[GAZE_FREEZE]
    right_shut = result.facts[GAP_RATIO_R] < model.limits[GAZE_FREEZE]
    if left_shut and not right_shut:  # eyes move together: the open one speaks for both
        m[2], m[3] = m[4], m[5]
    elif right_shut and not left_shut:
        m[4], m[5] = m[2], m[3]
    return bool(left_shut and right_shut)


@kernel
def set_gaze(model: Model, is_frozen: bool, state: State, result: Result) -> None:
    """Eye angles from the iris offsets; held while the lids hide the irises."""
    start = 2 * model.point_ids.shape[0] + N_POSE_TERMS + 2
    for k in range(4):
        if not is_frozen:
            sine = result.features[start + k] / model.limits[EYE_RADIUS]
            state.gaze[k] = math.asin(min(1.0, max(-1.0, sine)))
        result.gaze[k] = state.gaze[k]


@kernel
def gate_corners(model: Model, person: Person, result: Result) -> None:
    """An opening mouth draws its corners down by itself: that is no AU15."""
    limits = model.limits
    gap = result.facts[LIP_GAP] - person.neutral_measures[6]
    parted = (gap - limits[GATE_FROM]) / limits[GATE_SPAN]
    for side in range(2):
        down = model.roles[CORNERS_DOWN] + side
        result.values[down] *= min(1.0, max(limits[GATE_FLOOR], 1.0 - parted))


@kernel
def set_derived(model: Model, person: Person, dt_s: float, state: State, result: Result) -> None:
    """Channels that follow from others or from the head: 43, 27, 51 to 56."""
    v, limits, roles = result.values, model.limits, model.roles
    for side in range(2):
        blink = v[roles[BLINK] + side]
        shut = state.scalars[SHUT_L_S + side]
        shut = shut + max(dt_s, 0.0) if blink >= limits[CLOSED_FROM] else 0.0
        state.scalars[SHUT_L_S + side] = shut
        ramp = (shut - limits[CLOSED_AFTER_S]) / limits[CLOSED_RAMP_S]
        v[roles[CLOSURE] + side] = blink * min(1.0, max(0.0, ramp))
    far = (v[roles[JAW_DROP]] - limits[STRETCH_FROM]) / (1.0 - limits[STRETCH_FROM])
    v[roles[MOUTH_STRETCH]] = max(0.0, far)
    head = roles[HEAD]
    for k in range(3):
        turn = (result.head[k] - person.neutral_angles[k]) / limits[HEAD_YAW + k]
        if k > 0:  # 53 is up and 55 is left: the negative ends of pitch and roll
            turn = -turn
        v[head + 2 * k] = max(0.0, turn)
        v[head + 2 * k + 1] = max(0.0, -turn)


@kernel
def hold_hidden(model: Model, dt_s: float, state: State, result: Result) -> int:
    """Channels of a side that is turned away keep their value, then fade; the flags of it."""
    flags = 0
    for k in range(2):
        sign = 1.0 - 2.0 * k  # yaw > 0 hides the performer's left
        away = sign * result.head[0]
        hidden_s = state.scalars[HIDDEN_L_S + k]
        border = model.limits[SHOW_YAW] if hidden_s > 0.0 else model.limits[HIDE_YAW]
        hidden_s = hidden_s + max(dt_s, 1e-6) if away > border else 0.0
        state.scalars[HIDDEN_L_S + k] = hidden_s
        if hidden_s > 0.0:
            flags |= FLAG_LEFT_HIDDEN << k
    for c in range(result.values.shape[0]):
        side = model.side[c]
        hidden_s = 0.0
        if side != 0:
            hidden_s = state.scalars[HIDDEN_L_S if side < 0 else HIDDEN_R_S]
        if hidden_s > 0.0:
            fade = 1.0 - (hidden_s - model.limits[HOLD_S]) / model.limits[FADE_S]
            result.values[c] = state.held[c] * min(1.0, max(0.0, fade))
        else:
            state.held[c] = result.values[c]
    return flags


@kernel
def ramp_down(value: float, full_until: float, zero_from: float, floor: float) -> float:
    """1 up to ``full_until``, falling in a line to ``floor`` at ``zero_from``."""
    t = (value - full_until) / (zero_from - full_until)
    return 1.0 - (1.0 - floor) * min(1.0, max(0.0, t))


@kernel
def set_confidence(model: Model, person: Person, result: Result) -> None:
    """Measured reliability of each channel, lowered by turn, distance, border, speed and misfit."""
    yaw, pitch, facts = result.head[0], result.head[1], result.facts
    common = ramp_down(abs(pitch), 0.26, 0.61, 0.2) * ramp_down(abs(result.head[2]), 0.6, 1.2, 0.5)
    common *= ramp_down(-facts[EYES_PX], -80.0, -25.0, 0.1)
    common *= ramp_down(facts[OUTSIDE], 0.0, 0.25, 0.0)
    common *= ramp_down(facts[SPEED], 1.5, 6.0, 0.3)
    common *= ramp_down(facts[RESIDUAL], 0.03, 0.10, 0.1)
    for c in range(result.confidence.shape[0]):
        away = -model.side[c] * yaw
        turned = ramp_down(abs(yaw), 0.35, 0.87, 0.3)
        if model.side[c] != 0 and away > 0.0:
            turned = ramp_down(away, 0.26, 0.70, 0.0)
        if model.roles[HEAD] <= c < model.roles[EYES] + 4:
            turned = ramp_down(abs(yaw), 0.70, 1.40, 0.3)
        result.confidence[c] = model.reliability[c] * common * turned * person.trust[c]


@kernel
def fuse(blendshapes: F32, patches: F32, model: Model, person: Person, result: Result) -> None:
    """Channels from all three readers; what the fusion has no row for stays the mesh's."""
    facts = result.facts
    quality = ramp_down(-facts[EYES_PX], -60.0, -40.0, 0.0) * ramp_down(facts[SPEED], 2.0, 5.0, 0.0)
    quality *= ramp_down(abs(result.head[0]), 0.5, 0.8, 0.0)
    line_depths(
        patches,
        model.usual_patches,
        person.patches,
        person.patch_evidence,
        model.cheeks,
        quality,
        result.lines,
    )
    n = model.is_fused.shape[0]
    gather_evidence(
        result.values[:n],
        person.mean_face,
        blendshapes,
        person.blendshapes,
        result.lines,
        result.evidence,
    )
    for c in range(n):
        if model.is_fused[c] == 0:
            continue
        total = model.fusion_bias[c]
        for k in range(model.fusion_starts[c], model.fusion_starts[c + 1]):
            total += model.fusion_weights[k] * result.evidence[model.fusion_columns[k]]
        result.values[c] = total


@kernel
def set_facts(points_px: F32, frame: F64, dt_s: float, state: State, result: Result) -> None:
    """Share of points outside the image, and the speed of the face in eye distances a second."""
    n_outside, x, y = 0, 0.0, 0.0
    n = points_px.shape[0]
    for i in range(n):
        px, py = float(points_px[i, 0]), float(points_px[i, 1])
        x += px / n
        y += py / n
        if px < 0.0 or py < 0.0 or px > frame[3] or py > frame[4]:
            n_outside += 1
    result.facts[OUTSIDE] = n_outside / n
    result.facts[SPEED] = 0.0
    if state.scalars[IS_STARTED] > 0.0 and dt_s > 0.0 and result.facts[EYES_PX] > 0.0:
        moved = math.hypot(x - state.scalars[LAST_X], y - state.scalars[LAST_Y])
        result.facts[SPEED] = moved / dt_s / result.facts[EYES_PX]
    state.scalars[LAST_X] = x
    state.scalars[LAST_Y] = y
    state.scalars[IS_STARTED] = 1.0


@kernel
def align(points_px: F32, frame: F64, model: Model, person: Person, result: Result) -> None:
    """Undo perspective and rigid motion; head pose in camera axes.

    ``frame`` is (6,): principal point x and y, focal length, width and height in pixels, seconds
    since the frame before.
    """
    undo_perspective(points_px, frame[0], frame[1], frame[2], result.orthographic)
    scale, residual = fit_similarity(
        result.orthographic,
        person.neutral,
        model.align_ids,
        model.align_prior,
        int(model.limits[ALIGN_ROUNDS]),
        model.limits[ALIGN_SOFTNESS],
        result.rotation,
        result.offset,
    )
    apply_similarity(result.orthographic, scale, result.rotation, result.offset, result.aligned)
    yaw, pitch, roll = angles_from_rotation(result.rotation)
    result.head[0], result.head[1], result.head[2] = yaw, pitch, roll
    result.facts[SCALE] = scale
    result.facts[RESIDUAL] = residual
    eyes_px = 1.0 / max(scale, 1e-9)
    result.facts[EYES_PX] = eyes_px
    cm = model.limits[FACE_CM] / eyes_px
    for d in range(3):  # the face frame's origin, brought back to the camera
        back = 0.0
        for e in range(3):
            back -= result.rotation[e, d] * result.offset[e] * eyes_px
        result.head[3 + d] = back * cm
    result.head[5] += frame[2] * cm


@kernel
def step(
    points_px: F32,
    blendshapes: F32,
    patches: F32,
    texture: U8,
    frame: F64,
    model: Model,
    person: Person,
    state: State,
    result: Result,
) -> int:
    """The whole chain for one frame.

    Parameters
    ----------
    points_px : (478, 3) float32
        Image pixels.
    blendshapes : (52,) float32
        Of the blendshape net; NaN where it did not run: the mesh speaks alone.
    patches : (n_patches, 3) float32
        Lines and brightness of the skin; NaN where not seen.
    texture : (n_texture,) uint8
        Of the upright face; empty where the image was not read.
    frame : (6,) float64
        Principal point x, y; focal length; width; height (pixels); seconds since the frame
        before, <= 0 to restart the filter.
    model, person : Model, Person
        Read only.
    state, result : State, Result
        Updated in place.

    Returns
    -------
    int
        ``FLAG_...`` bits.
    """
    dt_s = frame[5]
    align(points_px, frame, model, person, result)
    set_facts(points_px, frame, dt_s, state, result)
    is_frozen = fill_features(model, person, result)
    set_gaze(model, is_frozen, state, result)
    eyes = model.roles[EYES]
    linear_map(
        result.features, model.starts, model.columns, model.weights, model.bias, result.values
    )
    for side in range(2):  # a neutral with lowered lids is a partly closed eye all the same
        result.values[model.roles[BLINK] + side] += result.facts[LID_OFFSET_L + side]
    has_all = not np.isnan(blendshapes[0])
    if has_all:
        fuse(blendshapes, patches, model, person, result)
    floor_at_zero(result.values, person.gains, model.limits[CEILING])
    gate_corners(model, person, result)
    if has_all:
        explain_away(result.values, model.explained[0], model.explained[1], model.shares)
    maps = person.with_image if texture.shape[0] > 0 else person.without_image
    add_personal(result.features, texture, maps, model.limits[CEILING], result.values)
    set_derived(model, person, dt_s, state, result)
    flags = FLAG_GAZE_FROZEN if is_frozen else 0
    if is_frozen:
        for c in range(eyes, eyes + 4):
            result.values[c] = state.held[c]
    flags |= hold_hidden(model, dt_s, state, result)
    limits = model.limits
    one_euro(result.values, dt_s, state.filter_parameters, state.filter, result.filtered)
    if (
        abs(result.head[0]) > limits[RANGE_YAW]
        or abs(result.head[1]) > limits[RANGE_PITCH]
        or result.facts[EYES_PX] < limits[RANGE_EYES_PX]
        or result.facts[OUTSIDE] > 0.1
    ):
        flags |= FLAG_OUT_OF_RANGE
    set_confidence(model, person, result)
    for c in range(result.values.shape[0]):
        result.raw[c] = np.float32(result.values[c])
        result.intensity[c] = np.float32(result.filtered[c])
    return flags

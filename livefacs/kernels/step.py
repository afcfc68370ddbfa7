"""One call a frame: mesh in; head pose, gaze, raw and filtered intensities, confidences out.

A call from Python into a kernel costs more than most of the arithmetic, so the whole chain stands
behind one door: perspective, robust alignment, features, linear map, derived channels, hidden
sides, One Euro filter, confidences.
"""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F32, F64, U8
from livefacs.kernels._jit import kernel
from livefacs.kernels.arguments import N_MEASURES, Model, Person, Result, State
from livefacs.kernels.confidence import is_out_of_range, ramp_down, set_confidence
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
from livefacs.kernels.personal import add_personal
from livefacs.kernels.smoothing import one_euro

# Bits of the returned flags.
FLAG_OUT_OF_RANGE, FLAG_LEFT_HIDDEN, FLAG_RIGHT_HIDDEN, FLAG_GAZE_FROZEN = 1, 2, 4, 8

ALIGN_ROUNDS = 3  # residuals change by under 1e-4 after the third round
ALIGN_SOFTNESS = 0.02  # twice the misfit of rendered heads turned by 20 to 25 degrees, .011
FACE_CM = 8.9  # adult mean distance between the outer eye corners
EYE_RADIUS = 0.135  # 12 mm eyeball radius over 89 mm between outer eye corners
GAZE_FREEZE = 0.40  # below this share of the neutral lid gap irises are guessed
LID_OPEN_FLOOR = 0.15  # no open eye of people measured was narrower at rest
LID_SHUT = 0.06  # lid gap by eye width that the mesh keeps on a shut eye
CEILING = 1.5  # past the calibrated maximum a value is an outlier
# Lip gap over the neutral's, eye distances, see ramp_down; a choice: parted lips count, an open jaw
# leaves a quarter.
CORNERS_GATE = (0.06, 0.21, 0.25)
CLOSED_FROM = 0.5  # of closure; a choice: nearer to shut than to open
# 43 is a longer closure than a blink, 45; where the border lies is a choice.
CLOSED_AFTER_S, CLOSED_RAMP_S = 0.5, 0.1
STRETCH_FROM = 0.6  # of AU26; a choice: AU27 is the far part of the jaw's range
FULL_TURN = (math.radians(45.0), math.radians(35.0), math.radians(35.0))
"""Yaw, pitch, roll at which 51 to 56 are full: about as far as a neck goes with ease; a choice."""
# Beyond the turning that was trained on (32 degrees); apart, so that a side does not flicker.
HIDE_YAW, SHOW_YAW = math.radians(40.0), math.radians(36.0)
HOLD_S, FADE_S = 0.5, 1.0  # a hidden side, or a lost face, keeps its values, then fades; a choice
# Where lines of the skin fall silent; choices. A patch is sampled at 80 pixels to the eye distance:
# under 60 there is no line to see. Speed as in confidence.SPEED; 29 to 46 degrees of yaw.
LINES_SMALL, LINES_BLURRED, LINES_TURNED = (-60.0, -40.0, 0.0), (2.0, 5.0, 0.0), (0.5, 0.8, 0.0)


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
    f, facts = result.features, result.facts[0]
    displacements(result.aligned, person.neutral, model.point_ids, f)
    start = 2 * model.point_ids.shape[0]
    pose_terms(result.head[0], result.head[1], result.head[2], f[start : start + N_POSE_TERMS])
    for k in range(N_POSE_TERMS):
        f[start + k] -= person.neutral_terms[k]
    m = f[start + N_POSE_TERMS : start + N_POSE_TERMS + N_MEASURES]
    measure(result.aligned, model, m)
    for side in range(2):
        neutral = person.neutral_measures[side]
        opened = max(neutral, LID_OPEN_FLOOR)
        facts.gap_ratio[side] = m[side] / opened
        facts.lid_offset[side] = (opened - neutral) / (opened - LID_SHUT)
        # 0 at neutral, 1 where the lids meet, negative where they open wider
        m[side] = (neutral - max(m[side], LID_SHUT)) / (opened - LID_SHUT)
    facts.lip_gap = m[6]
    for k in range(2, N_MEASURES):
        m[k] -= person.neutral_measures[k]
    left_shut, right_shut = facts.gap_ratio[0] < GAZE_FREEZE, facts.gap_ratio[1] < GAZE_FREEZE
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
            sine = result.features[start + k] / EYE_RADIUS
            state.gaze[k] = math.asin(min(1.0, max(-1.0, sine)))
        result.gaze[k] = state.gaze[k]


@kernel
def gate_corners(model: Model, person: Person, result: Result) -> None:
    """An opening mouth draws its corners down by itself: that is no AU15."""
    gap = result.facts[0].lip_gap - person.neutral_measures[6]
    share = ramp_down(gap, *CORNERS_GATE)
    for side in range(2):
        result.values[model.roles[0].corners_down + side] *= share


@kernel
def set_derived(model: Model, person: Person, dt_s: float, state: State, result: Result) -> None:
    """Channels that follow from others or from the head: 43, 27, 51 to 56."""
    v, roles, memory = result.values, model.roles[0], state.memory[0]
    for side in range(2):
        blink = v[roles.blink + side]
        shut_s = memory.shut_s[side] + max(dt_s, 0.0) if blink >= CLOSED_FROM else 0.0
        memory.shut_s[side] = shut_s
        ramp = (shut_s - CLOSED_AFTER_S) / CLOSED_RAMP_S
        v[roles.closure + side] = blink * min(1.0, max(0.0, ramp))
    v[roles.mouth_stretch] = max(0.0, (v[roles.jaw_drop] - STRETCH_FROM) / (1.0 - STRETCH_FROM))
    head = roles.head
    for k in range(3):
        turn = (result.head[k] - person.neutral_angles[k]) / FULL_TURN[k]
        if k > 0:  # 53 is up and 55 is left: the negative ends of pitch and roll
            turn = -turn
        v[head + 2 * k] = max(0.0, turn)
        v[head + 2 * k + 1] = max(0.0, -turn)


@kernel
def hold_hidden(model: Model, dt_s: float, state: State, result: Result) -> int:
    """Channels of a side that is turned away keep their value, then fade; the flags of it."""
    flags, memory = 0, state.memory[0]
    for k in range(2):
        sign = 1.0 - 2.0 * k  # yaw > 0 hides the performer's left
        away = sign * result.head[0]
        hidden_s = memory.hidden_s[k]
        border = SHOW_YAW if hidden_s > 0.0 else HIDE_YAW
        hidden_s = hidden_s + max(dt_s, 1e-6) if away > border else 0.0  # hidden: above zero
        memory.hidden_s[k] = hidden_s
        if hidden_s > 0.0:
            flags |= FLAG_LEFT_HIDDEN << k
    for c in range(result.values.shape[0]):
        side = model.side[c]
        hidden_s = 0.0
        if side != 0:
            hidden_s = memory.hidden_s[0 if side < 0 else 1]
        if hidden_s > 0.0:
            result.values[c] = state.held[c] * ramp_down(hidden_s, HOLD_S, HOLD_S + FADE_S, 0.0)
        else:
            state.held[c] = result.values[c]
    return flags


@kernel
def fuse(blendshapes: F32, patches: F32, model: Model, person: Person, result: Result) -> None:
    """Channels from all three readers; what the fusion has no row for stays the mesh's."""
    facts = result.facts[0]
    quality = ramp_down(-facts.eyes_px, *LINES_SMALL) * ramp_down(facts.speed, *LINES_BLURRED)
    quality *= ramp_down(abs(result.head[0]), *LINES_TURNED)
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
    facts, before = result.facts[0], state.memory[0].centre_px
    facts.outside = n_outside / n
    facts.speed = 0.0
    if dt_s > 0.0 and not np.isnan(before[0]):
        facts.speed = math.hypot(x - before[0], y - before[1]) / dt_s / facts.eyes_px
    before[0], before[1] = x, y


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
        ALIGN_ROUNDS,
        ALIGN_SOFTNESS,
        result.rotation,
        result.offset,
    )
    apply_similarity(result.orthographic, scale, result.rotation, result.offset, result.aligned)
    yaw, pitch, roll = angles_from_rotation(result.rotation)
    result.head[0], result.head[1], result.head[2] = yaw, pitch, roll
    eyes_px = 1.0 / max(scale, 1e-9)
    result.facts[0].residual, result.facts[0].eyes_px = residual, eyes_px
    cm = FACE_CM / eyes_px
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
    roles, facts = model.roles[0], result.facts[0]
    linear_map(
        result.features, model.starts, model.columns, model.weights, model.bias, result.values
    )
    for side in range(2):  # a neutral with lowered lids is a partly closed eye all the same
        result.values[roles.blink + side] += facts.lid_offset[side]
    has_all = not np.isnan(blendshapes[0])
    if has_all:
        fuse(blendshapes, patches, model, person, result)
    floor_at_zero(result.values, person.gains, CEILING)
    gate_corners(model, person, result)
    if has_all:
        explain_away(result.values, model.explained[0], model.explained[1], model.shares)
    maps = person.with_image if texture.shape[0] > 0 else person.without_image
    add_personal(result.features, texture, maps, CEILING, result.values)
    set_derived(model, person, dt_s, state, result)
    flags = FLAG_GAZE_FROZEN if is_frozen else 0
    if is_frozen:
        for c in range(roles.eyes, roles.eyes + 4):
            result.values[c] = state.held[c]
    flags |= hold_hidden(model, dt_s, state, result)
    one_euro(result.values, dt_s, state.filter_parameters, state.filter, result.filtered)
    if is_out_of_range(result):
        flags |= FLAG_OUT_OF_RANGE
    set_confidence(model, person, result)
    for c in range(result.values.shape[0]):
        result.raw[c] = np.float32(result.values[c])
        result.intensity[c] = np.float32(result.filtered[c])
    return flags

"""Unity animation clip (``.anim``, YAML): one linear curve for each blend shape of a mesh.

The clip animates ``blendShape.NAME`` of the SkinnedMeshRenderer (class 137) at the path that
``node`` gives, seen from the object that holds the Animator. Values are Unity's percents, 0 to 100.
Written as Unity's text serialisation has it; what a clip of the legacy kind would need is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.take.reader import Take

_SKINNED_MESH_RENDERER: Final = 137
_PERCENT: Final = 100.0
_HEAD: Final = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!74 &7400000
AnimationClip:
  m_ObjectHideFlags: 0
  m_Name: {name}
  serializedVersion: 6
  m_Legacy: 0
  m_Compressed: 0
  m_UseHighQualityCurve: 1
  m_RotationCurves: []
  m_CompressedRotationCurves: []
  m_EulerCurves: []
  m_PositionCurves: []
  m_ScaleCurves: []
  m_FloatCurves:
"""
_CURVE: Final = """  - curve:
      serializedVersion: 2
      m_Curve:
{keys}      m_PreInfinity: 2
      m_PostInfinity: 2
      m_RotationOrder: 4
    attribute: {attribute}
    path: {path}
    classID: {class_id}
    script: {{fileID: 0}}
"""
_KEY: Final = """      - serializedVersion: 3
        time: %.9g
        value: %.6g
        inSlope: %.6g
        outSlope: %.6g
        tangentMode: 69
        weightedMode: 0
        inWeight: 0.33333334
        outWeight: 0.33333334
"""
_TAIL: Final = """  m_PPtrCurves: []
  m_SampleRate: {rate:.9g}
  m_WrapMode: 0
  m_Bounds:
    m_Center: {{x: 0, y: 0, z: 0}}
    m_Extent: {{x: 0, y: 0, z: 0}}
  m_AnimationClipSettings:
    serializedVersion: 2
    m_StartTime: 0
    m_StopTime: {stop:.9g}
    m_LoopTime: 0
  m_HasGenericRootTransform: 0
  m_HasMotionFloatCurves: 0
  m_Events: []
"""


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; ``options.node`` is the path of the mesh below the Animator."""
    curves = curves_from_take(take, options)
    times = curves.time_s.tolist()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEAD.format(name=json.dumps(take.name)))
        for name, column in zip(curves.names, curves.filled().T.tolist(), strict=True):
            keys = _keys(times, [value * _PERCENT for value in column])
            file.write(
                _CURVE.format(
                    keys=keys,
                    attribute=json.dumps(f"blendShape.{name}", ensure_ascii=False),
                    path=json.dumps(options.node, ensure_ascii=False),
                    class_id=_SKINNED_MESH_RENDERER,
                )
            )
        file.write(_TAIL.format(rate=float(curves.rate.fraction), stop=times[-1]))


def _keys(times: list[float], values: list[float]) -> str:
    """Keys with the slopes of straight lines to their neighbours (broken, linear tangents)."""
    slopes = [
        (after - before) / (later - sooner)
        for before, after, sooner, later in zip(values, values[1:], times, times[1:], strict=False)
    ]
    rows = zip(times, values, [0.0, *slopes], [*slopes, 0.0], strict=True)
    return "".join([_KEY % row for row in rows])

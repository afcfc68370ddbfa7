"""USD: a UsdSkelAnimation with blend shape weights by name, head and eyes as joints.

One SkelRoot with a skeleton (head, two eyes) and its animation; to be bound to a character's own
mesh (``skel:animationSource``). Centimetres, y up; time codes are frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats import spaces
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take, need
from livefacs.formats.media import relative_name, sound_media_of
from livefacs.take.reader import Take

_JOINTS: Final = ("Head", "Head/LeftEye", "Head/RightEye")
_EYES_CM: Final = {"left": (3.2, 3.0, 8.0), "right": (-3.2, 3.0, 8.0)}
"""A grown-up's eyes from the middle of the head; only to stand somewhere."""


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write ``.usda``, ``.usdc`` or ``.usd``; needs usd-core."""
    try:
        from pxr import Kind, Sdf, Usd, UsdGeom, UsdSkel
    except ImportError:
        raise need("usd-core", "usd") from None
    curves = curves_from_take(take, options)
    path.unlink(missing_ok=True)
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    rate = float(curves.rate.fraction)
    stage.SetTimeCodesPerSecond(rate)
    stage.SetFramesPerSecond(rate)
    positions = curves.frame_positions(options.first())
    stage.SetStartTimeCode(float(positions[0]))
    stage.SetEndTimeCode(float(positions[-1]))
    stage.SetMetadata("comment", f"{take.name}, timecode {curves.label(0)} at {curves.rate.name}")
    root = UsdSkel.Root.Define(stage, "/Face")
    Usd.ModelAPI(root).SetKind(Kind.Tokens.component)
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = UsdSkel.Skeleton.Define(stage, "/Face/Skeleton")
    animation = UsdSkel.Animation.Define(stage, "/Face/Animation")
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    _define_skeleton(skeleton)
    with Sdf.ChangeBlock():
        animation.CreateJointsAttr(_JOINTS)
        animation.CreateBlendShapesAttr(list(curves.names))
    _write_samples(animation, curves, positions)
    _add_sound(stage, take, path, float(positions[0]))
    stage.GetRootLayer().Save()


def _add_sound(stage: Any, take: Take, path: Path, first: float) -> None:
    """The take's own sound, heard alike from everywhere."""
    from pxr import Sdf, UsdMedia

    sound = sound_media_of(take)
    if sound is None:
        return
    audio = UsdMedia.SpatialAudio.Define(stage, "/Face/Sound")
    audio.CreateFilePathAttr(Sdf.AssetPath(relative_name(sound[0], path)))
    audio.CreateAuralModeAttr(UsdMedia.Tokens.nonSpatial)
    audio.CreatePlaybackModeAttr(UsdMedia.Tokens.onceFromStart)
    begins_s = (sound[1] - int(take.t_ns[0])) / NS_PER_S
    audio.CreateStartTimeAttr(
        Sdf.TimeCode(first + max(0.0, begins_s) * stage.GetTimeCodesPerSecond())
    )
    audio.CreateMediaOffsetAttr(max(0.0, -begins_s))


def _define_skeleton(skeleton: Any) -> None:
    from pxr import Gf

    head = Gf.Matrix4d(1.0)
    eyes = [Gf.Matrix4d(1.0).SetTranslate(Gf.Vec3d(*place)) for place in _EYES_CM.values()]
    skeleton.CreateJointsAttr(_JOINTS)
    skeleton.CreateBindTransformsAttr([head, *eyes])
    skeleton.CreateRestTransformsAttr([head, *eyes])


def _write_samples(animation: Any, curves: Curves, positions: Any) -> None:
    from pxr import Gf, Vt

    weights = animation.CreateBlendShapeWeightsAttr()
    rotations = animation.CreateRotationsAttr()
    translations = animation.CreateTranslationsAttr()
    animation.CreateScalesAttr([Gf.Vec3h(1.0)] * len(_JOINTS))
    values = np.ascontiguousarray(curves.filled(), np.float32)
    turns = np.stack(
        [
            spaces.quaternions_xyzw(rotation)
            for rotation in (
                spaces.head_rotation(curves),
                spaces.eye_rotation(curves, "left"),
                spaces.eye_rotation(curves, "right"),
            )
        ],
        axis=1,
    ).astype(np.float32)
    places = np.empty((len(curves), len(_JOINTS), 3), np.float32)
    places[:, 0] = spaces.head_position_cm(curves)
    places[:, 1:] = list(_EYES_CM.values())
    for index, position in enumerate(positions.tolist()):
        weights.Set(Vt.FloatArray.FromNumpy(values[index]), position)
        rotations.Set(Vt.QuatfArray.FromNumpy(turns[index]), position)
        translations.Set(Vt.Vec3fArray.FromNumpy(places[index]), position)

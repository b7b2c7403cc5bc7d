"""The shapes of all bones of one body, in the body's axes at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones import limb_shapes, ray_shapes, skull_shapes, trunk_shapes
from rehab_pose.bones.layout import FRAMES, SPINE
from rehab_pose.bones.shapes import MIRROR, mirrored
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.fit import Skin
    from rehab_pose.bones.layout import BoneLayout
    from rehab_pose.bones.shapes import Shape

__all__ = ["bone_shapes"]


def bone_shapes(layout: BoneLayout, skin: Skin) -> dict[str, Shape]:
    """Return the shape of every bone of a layout.

    Args:
        layout: The bones at rest.
        skin: The skin at rest, which some shapes are moved under.
    """
    place = {name: index for index, name in enumerate(layout.names)}
    s, joints = layout.scale, layout.origins_m
    shapes = {
        "skull": skull_shapes.skull(joints[SMPL_24.index("head")], s),
        "mandible": skull_shapes.mandible(joints[SMPL_24.index("head")], s),
        "sacrum": trunk_shapes.sacrum(joints[FRAMES.index("L5")], s),
        "sternum": trunk_shapes.sternum(*_line(layout, place["sternum"]), s),
    }
    for name in SPINE:
        bone = place[name]
        shapes[name] = trunk_shapes.vertebra(
            name, layout.starts_m[bone], layout.axes[bone], float(layout.length_m[bone]), s
        )
    for name, shape in _left_bones(layout, skin, "left_", np.ones(3)).items():
        shapes[f"left_{name}"] = shape
    for name, shape in _left_bones(layout, skin.mirrored(), "right_", MIRROR).items():
        shapes[f"right_{name}"] = mirrored(shape)
    return {name: shapes[name] for name in layout.names}


def _line(layout: BoneLayout, bone: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends (3) of a bone [m]."""
    return layout.starts_m[bone], layout.ends_m[bone]


def _left_bones(layout: BoneLayout, skin: Skin, prefix: str, mirror: NDArray[Any]) -> dict[str, Shape]:
    """Return the bones of one side, shaped as left bones; those of the right are in mirrored coordinates."""
    place = {name: index for index, name in enumerate(layout.names)}
    s = layout.scale

    def joint(name: str) -> NDArray[np.float64]:
        return np.asarray(layout.origins_m[SMPL_24.index(prefix + name)] * mirror)

    def ends(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first, last = _line(layout, place[prefix + name])
        return first * mirror, last * mirror

    middle_x = float(layout.origins_m[0, 0] * mirror[0])
    shapes = {
        "hip_bone": trunk_shapes.hip_bone(joint("hip"), middle_x, s),
        "femur": limb_shapes.femur(joint("hip"), joint("knee"), s),
        "patella": limb_shapes.patella(*ends("patella"), s),
        "tibia": limb_shapes.tibia(joint("knee"), joint("ankle"), s),
        "fibula": limb_shapes.fibula(*ends("fibula"), s),
        "foot": ray_shapes.foot(joint("ankle"), joint("foot"), skin),
        "clavicle": limb_shapes.clavicle(*ends("clavicle"), s, skin),
        "scapula": limb_shapes.scapula(joint("shoulder"), s),
        "humerus": limb_shapes.humerus(joint("shoulder"), joint("elbow"), s),
        "radius": limb_shapes.radius(*ends("radius"), s),
        "ulna": limb_shapes.ulna(*ends("ulna"), s),
        "hand": ray_shapes.hand(joint("wrist"), joint("hand"), skin),
    }
    if f"{prefix}rib_1" in place:
        sternum = np.array(_line(layout, place["sternum"])) * mirror
        for number in range(1, 13):
            vertebra = layout.origins_m[FRAMES.index(f"T{number}")] * mirror
            shapes[f"rib_{number}"] = trunk_shapes.rib(number, vertebra, sternum, s, skin)
    return shapes

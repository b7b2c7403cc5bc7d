"""The joints between bones: the two bones of each and its position on both."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bones.layout import SPINE
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.layout import BoneLayout
    from rehab_pose.bones.posing import Frames

__all__ = ["BALL_JOINTS", "Articulations", "parent_of", "side_of"]

LIMB_JOINTS = (
    ("hip", "hip_bone", "femur", "hip"),
    ("knee", "femur", "tibia", "knee"),
    ("ankle", "tibia", "foot", "ankle"),
    ("glenohumeral", "scapula", "humerus", "shoulder"),
    ("elbow", "humerus", "ulna", "elbow"),
)
"""Name of the joint, its two bones, and the body's joint at its centre."""
BALL_JOINTS = tuple(f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "glenohumeral", "elbow"))
"""Joints whose two bones are attached to the same joint of the body, so that no gap can open between them."""
PARENTS = {  # without the vertebrae and ribs; of both sides
    "skull": "C1",
    "mandible": "skull",
    "sternum": "left_rib_1",
    "L5": "sacrum",
    "hip_bone": "sacrum",
    "femur": "hip_bone",
    "patella": "femur",
    "tibia": "femur",
    "fibula": "tibia",
    "foot": "tibia",
    "clavicle": "sternum",
    "scapula": "clavicle",
    "humerus": "scapula",
    "ulna": "humerus",
    "radius": "ulna",
    "hand": "radius",
}


def side_of(bone: str) -> str:
    """Return the side of a bone by its name: left, right or middle."""
    side = bone.partition("_")[0]
    return side if side in {"left", "right"} else "middle"


def parent_of(bone: str) -> str:
    """Return the bone that a bone is attached to; empty for the sacrum, the root."""
    prefix = "" if side_of(bone) == "middle" else f"{side_of(bone)}_"
    name = bone.removeprefix(prefix)
    if name.startswith("rib_"):
        return f"T{name.removeprefix('rib_')}"
    if name in SPINE and name != "L5":
        return SPINE[SPINE.index(name) - 1]
    parent = PARENTS.get(name, "")
    return prefix + parent if prefix and parent not in {"sacrum", "sternum"} else parent


@dataclass(frozen=True, eq=False)
class Articulations:
    """The J joints of one body's bones, each with its position on both of its bones."""

    names: tuple[str, ...]
    first_frames: NDArray[np.intp]
    """(J) index in `layout.FRAMES` of the frame that carries the first bone."""
    second_frames: NDArray[np.intp]
    """(J) the same of the second bone."""
    first_m: NDArray[np.float64]
    """(J, 3) position in the first bone's frame [m]."""
    second_m: NDArray[np.float64]
    """(J, 3) position in the second bone's frame [m]."""

    @classmethod
    def of(cls, layout: BoneLayout) -> Articulations:
        """Return the joints of a layout."""
        place = {name: index for index, name in enumerate(layout.names)}
        joints: list[tuple[str, str, str, NDArray[np.float64]]] = []
        for side in ("left_", "right_"):
            for joint, upper, lower, at in LIMB_JOINTS:
                centre = layout.origins_m[SMPL_24.index(side + at)]
                joints.append((side + joint, side + upper, side + lower, centre))
            clavicle = place[f"{side}clavicle"]
            joints.extend(
                (
                    (f"{side}sternoclavicular", "sternum", f"{side}clavicle", layout.starts_m[clavicle]),
                    (f"{side}acromioclavicular", f"{side}clavicle", f"{side}scapula", layout.ends_m[clavicle]),
                    (f"{side}wrist", f"{side}radius", f"{side}hand", layout.origins_m[SMPL_24.index(f"{side}wrist")]),
                )
            )
        for lower, upper in itertools.pairwise(("sacrum", *SPINE, "skull")):
            name = {"sacrum": "L5_S1", "C1": "atlanto_occipital"}.get(lower, f"{upper}_{lower}")
            joints.append((name, lower, upper, layout.starts_m[place[upper]]))
        centres = np.array([centre for *_, centre in joints])
        first = layout.frames[[place[bone] for _, bone, _, _ in joints]]
        second = layout.frames[[place[bone] for _, _, bone, _ in joints]]
        return cls(
            names=tuple(name for name, *_ in joints),
            first_frames=first,
            second_frames=second,
            first_m=centres - layout.origins_m[first],
            second_m=centres - layout.origins_m[second],
        )

    def ends_m(self, frames: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each joint's position in the camera frame on its first and on its second bone (J, 3) [m]."""
        return (
            _moved(frames, self.first_frames, self.first_m),
            _moved(frames, self.second_frames, self.second_m),
        )


def _moved(frames: Frames, index: NDArray[np.intp], local_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("jab,jb->ja", frames.rotations[index], local_m) + frames.positions_m[index])

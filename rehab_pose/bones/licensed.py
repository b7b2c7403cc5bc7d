"""Bones of SKEL or OSSO from the user's own files, instead of the procedural ones.

The licences forbid distribution, so this package holds only the names of the files' arrays. Each bone of the file is
cut out, moved to the person's joints, rotated to the direction of the person's segment and scaled with its length; then
it is posed and fitted into the skin like the procedural bones. Shape statistics, contact pairs and the published
fitting are not used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.layout import FRAMES, axes_along, frame_index
from rehab_pose.bones.shapes import Shape
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.joint_tree import pose_vectors
from rehab_pose.geometry.rotations import smallest_rotation
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rehab_pose.bones.layout import BoneLayout

__all__ = ["BoneTemplate", "TemplateBone", "osso_template", "skel_template"]

SKEL_NEEDED = ("skel_template_v", "skel_template_f", "skel_weights_rigid", "J_regressor_osim", "skin_template_v")
SKEL_SIDE = ("femur", "tibia", "talus", "calcn", "toes")
SKEL_ARM = ("scapula", "humerus", "ulna", "radius", "hand")
SKEL_BONES = (
    "pelvis",
    *(f"{name}_r" for name in SKEL_SIDE),
    *(f"{name}_l" for name in SKEL_SIDE),
    *("lumbar_body", "thorax", "head"),
    *(f"{name}_r" for name in SKEL_ARM),
    *(f"{name}_l" for name in SKEL_ARM),
)
"""The bones, which are also the joints, of SKEL in its order."""
Ends = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
SKEL_TRUNK: dict[str, Ends] = {
    "pelvis": ("pelvis", ("left_hip", "right_hip"), ("pelvis",), ("femur_l", "femur_r"), ("lumbar_body",)),
    "lumbar_body": ("L3", ("pelvis",), ("T12",), ("lumbar_body",), ("thorax",)),
    "thorax": ("spine3", ("T12",), ("head",), ("thorax",), ("head",)),
    "head": ("head", ("head",), (), ("head",), ()),
}
"""The frame that carries each bone; the person's frames (their mean) at its two ends; the file's joints at its two
ends."""
SKEL_LIMBS: dict[str, tuple[str, str, str, str, str]] = {  # the same, without sides
    "femur": ("hip", "hip", "knee", "femur", "tibia"),
    "tibia": ("knee", "knee", "ankle", "tibia", "talus"),
    "talus": ("ankle", "ankle", "foot", "talus", "toes"),
    "calcn": ("ankle", "ankle", "foot", "talus", "toes"),
    "toes": ("foot", "ankle", "foot", "talus", "toes"),
    "scapula": ("collar", "shoulder", "", "humerus", ""),
    "humerus": ("shoulder", "shoulder", "elbow", "humerus", "ulna"),
    "ulna": ("elbow", "elbow", "wrist", "ulna", "hand"),
    "radius": ("radius", "elbow", "wrist", "ulna", "hand"),
    "hand": ("wrist", "wrist", "", "hand", ""),
}
OSSO_PARTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("pelvis", "pelvis", "pelvis", "pelvis", "spine1"),
    ("lumbar_spine", "L3", "spine1", "pelvis", "spine2"),
    ("lower_thoracic_spine", "T10", "spine2", "spine1", "spine3"),
    ("upper_thoracic_spine", "spine3", "spine3", "spine3", "neck"),
    ("cervical_spine", "C4", "neck", "neck", "head"),
    ("left_shoulder_girdle", "left_collar", "left_collar", "left_collar", "left_shoulder"),
    ("right_shoulder_girdle", "right_collar", "right_collar", "right_collar", "right_shoulder"),
    ("rib_cage", "spine3", "spine3", "spine2", "neck"),
    ("skull", "head", "head", "head", ""),
    ("left_humerus", "left_shoulder", "left_shoulder", "left_shoulder", "left_elbow"),
    ("right_humerus", "right_shoulder", "right_shoulder", "right_shoulder", "right_elbow"),
    ("left_forearm", "left_elbow", "left_elbow", "left_elbow", "left_wrist"),
    ("right_forearm", "right_elbow", "right_elbow", "right_elbow", "right_wrist"),
    ("left_hand", "left_wrist", "left_wrist", "left_wrist", "left_hand"),
    ("right_hand", "right_wrist", "right_wrist", "right_wrist", "right_hand"),
    ("left_femur", "left_hip", "left_hip", "left_hip", "left_knee"),
    ("left_tibia", "left_knee", "left_knee", "left_knee", "left_ankle"),
    ("right_femur", "right_hip", "right_hip", "right_hip", "right_knee"),
    ("right_tibia", "right_knee", "right_knee", "right_knee", "right_ankle"),
    ("left_foot", "left_ankle", "left_ankle", "left_ankle", "left_foot"),
    ("right_foot", "right_ankle", "right_ankle", "right_ankle", "right_foot"),
)
"""In the order of OSSO's part numbers: name in this package, the frame that carries it, the joint whose pose it has in
the file, the joints at its two ends."""
OSSO_NEEDED = {
    "skeleton_model": ("partFaces", "part2bodyPoints"),
    "skeleton_pca": ("M", "B"),
    "betas_regressor": (),
    "lying_pose": (),
    "star": ("v_template", "J_regressor"),
}
HEIGHT_JOINTS = ("left_hip", "left_ankle")
"""Joints whose distance is the size of a file's person."""


@dataclass(frozen=True, eq=False)
class TemplateBone:
    """A bone of a file, in the file's rest pose."""

    name: str
    frame: str
    """The frame of `layout.FRAMES` that carries it."""
    start: tuple[str, ...]
    """The person's frames at its near end; their mean is used."""
    end: tuple[str, ...]
    """The same at its far end; empty: the bone keeps its direction."""
    start_m: NDArray[np.float64]
    """(3) near end in the file [m]."""
    end_m: NDArray[np.float64]
    """(3) far end in the file [m]."""
    shape: Shape


@dataclass(frozen=True, eq=False)
class BoneTemplate:
    """All bones of a file."""

    source: str
    size_m: float
    """Distance from hip to ankle in the file, which scales bones without a far end [m]."""
    bones: tuple[TemplateBone, ...]

    def layout(self, procedural: BoneLayout) -> BoneLayout:
        """Return the layout of these bones for the person of a procedural layout."""
        moves = [self._move(bone, procedural) for bone in self.bones]
        starts = np.array([start for start, _, _ in moves])
        ends = np.array(
            [
                start + scale * rotation @ (bone.end_m - bone.start_m)
                for bone, (start, scale, rotation) in zip(self.bones, moves, strict=True)
            ]
        )
        return replace(
            procedural,
            names=tuple(bone.name for bone in self.bones),
            frames=np.array([frame_index(bone.frame) for bone in self.bones], dtype=np.intp),
            starts_m=starts,
            ends_m=ends,
            axes=axes_along(starts, ends),
            length_m=np.linalg.norm(ends - starts, axis=1),
            radius_m=np.array(
                [scale * _half_width(bone) for bone, (_, scale, _) in zip(self.bones, moves, strict=True)]
            ),
        )

    def shapes(self, layout: BoneLayout) -> dict[str, Shape]:
        """Return the bones' shapes, moved and scaled to the person of a layout (procedural or of these bones)."""
        shapes = {}
        for bone in self.bones:
            start, scale, rotation = self._move(bone, layout)
            matrix = scale * rotation
            shapes[bone.name] = Shape(
                start + (bone.shape.vertices_m - bone.start_m) @ matrix.T,
                bone.shape.faces,
                start + (bone.shape.cores_m - bone.start_m) @ matrix.T,
            )
        return shapes

    def _move(self, bone: TemplateBone, layout: BoneLayout) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
        """Return the position of the near end (3) [m], the scale, and the rotation (3, 3)."""
        start = _mean_place(layout, bone.start)
        if not bone.end:
            first, last = (layout.origins_m[FRAMES.index(name)] for name in HEIGHT_JOINTS)
            return start, float(np.linalg.norm(last - first)) / self.size_m, np.eye(3)
        target, source = _mean_place(layout, bone.end) - start, bone.end_m - bone.start_m
        return start, float(np.linalg.norm(target) / np.linalg.norm(source)), smallest_rotation(source, target)


def _mean_place(layout: BoneLayout, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the mean origin (3) of some frames [m]."""
    return np.asarray(layout.origins_m[[frame_index(name) for name in names]].mean(axis=0))


def _half_width(bone: TemplateBone) -> float:
    """Return the median distance of the vertices from the bone's axis [m]."""
    along = bone.end_m - bone.start_m
    along = along / np.linalg.norm(along)
    offset = bone.shape.vertices_m - bone.shape.vertices_m.mean(axis=0)
    offset = offset - (offset @ along)[:, None] * along
    return float(np.median(np.linalg.norm(offset, axis=1)))


def _cut(vertices_m: NDArray[Any], faces: NDArray[Any], chosen: NDArray[Any]) -> Shape:
    """Return the part of a mesh with the `chosen` vertices (V bool), with cores on the part's long axis."""
    inside = faces[chosen[faces].all(axis=1)]
    number = np.cumsum(chosen) - 1
    points = np.asarray(vertices_m[chosen], dtype=np.float64)
    return _with_cores(points, number[inside].astype(np.int32))


def _with_cores(points: NDArray[np.float64], faces: NDArray[np.int32]) -> Shape:
    middle = points.mean(axis=0)
    axis = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    return Shape(points, faces, middle + 0.9 * ((points - middle) @ axis)[:, None] * axis)


def _need(given: Mapping[str, Any], names: tuple[str, ...], source: str) -> None:
    missing = [name for name in names if name not in given]
    if missing:
        msg = f"{source}: lacks {', '.join(missing)}; use the unmodified file of its publisher"
        raise ModelFileError(msg)


def skel_template(arrays: Mapping[str, Any]) -> BoneTemplate:
    """Return the bones of a SKEL file.

    Args:
        arrays: Content of `skel_female.pkl` or `skel_male.pkl`, by key.

    Raises:
        ModelFileError: An array is missing or has another shape.
    """
    _need(arrays, SKEL_NEEDED, "SKEL")
    vertices = np.asarray(arrays["skel_template_v"], dtype=np.float64)
    faces = np.asarray(arrays["skel_template_f"], dtype=np.int64)
    weights = np.asarray(arrays["skel_weights_rigid"], dtype=np.float64)
    regressor = np.asarray(arrays["J_regressor_osim"], dtype=np.float64)
    skin = np.asarray(arrays["skin_template_v"], dtype=np.float64)
    if weights.shape != (len(vertices), len(SKEL_BONES)) or regressor.shape != (len(SKEL_BONES), len(skin)):
        msg = (
            f"SKEL: expected {len(SKEL_BONES)} bones, got weights {weights.shape} for {len(vertices)} vertices and a "
            f"joint regressor {regressor.shape}"
        )
        raise ModelFileError(msg)
    joints = dict(zip(SKEL_BONES, regressor @ skin, strict=True))
    owner = weights.argmax(axis=1)
    size_m = float(np.linalg.norm(joints["femur_l"] - joints["talus_l"]))
    bones = []
    for number, name in enumerate(SKEL_BONES):
        if not (owner == number).any():
            continue
        bone_name, frame, start, end, start_joints, end_joints = _skel_ends(name)
        near = np.mean([joints[joint] for joint in start_joints], axis=0)
        shape = _cut(vertices, faces, owner == number)
        far = np.mean([joints[joint] for joint in end_joints], axis=0) if end_joints else _farthest(shape, near)
        bones.append(TemplateBone(bone_name, frame, start, end, near, far, shape))
    return BoneTemplate("skel", size_m, tuple(bones))


def _skel_ends(name: str) -> tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if name in SKEL_TRUNK:
        return name, *SKEL_TRUNK[name]
    bone, _, letter = name.rpartition("_")
    prefix = {"l": "left_", "r": "right_"}[letter]
    frame, start, end, first, last = SKEL_LIMBS[bone]

    def named(joint: str, form: str) -> tuple[str, ...]:
        return (form.format(joint),) if joint else ()

    frame_form, joint_form = prefix + "{}", "{}_" + letter
    return (
        prefix + bone,
        prefix + frame,
        named(start, frame_form),
        named(end, frame_form),
        named(first, joint_form),
        named(last, joint_form),
    )


def _farthest(shape: Shape, place_m: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(shape.vertices_m[np.argmax(np.linalg.norm(shape.vertices_m - place_m, axis=1))])


def osso_template(files: Mapping[str, Any]) -> BoneTemplate:
    """Return the bones of OSSO: its mean skeleton, which its files hold in a lying pose, in STAR's rest pose.

    Args:
        files: Contents of the files `skeleton_model`, `skeleton_pca`, `betas_regressor`, `lying_pose` and `star`.

    Raises:
        ModelFileError: An array is missing or has another shape.
    """
    _need(files, tuple(OSSO_NEEDED), "OSSO")
    for file, names in OSSO_NEEDED.items():
        if names:
            _need(files[file], names, f"OSSO's {file}")
    model, pca, star = files["skeleton_model"], files["skeleton_pca"], files["star"]
    mean, directions = np.asarray(pca["M"], np.float64), np.asarray(pca["B"], np.float64)
    regressor = np.asarray(files["betas_regressor"], np.float64)
    count = min(directions.shape[2], regressor.shape[1], 10)
    # The mean person has STAR's betas zero; the regressor's last row is its constant term.
    points = mean.reshape(-1, 3) + directions[..., :count] @ regressor[-1, :count]
    joints = np.asarray(star["J_regressor"], np.float64) @ np.asarray(star["v_template"], np.float64)
    lying = np.asarray(files["lying_pose"], np.float64).reshape(-1)
    if joints.shape != (24, 3) or lying.shape != (69,):
        msg = f"OSSO: expected 24 joints and a pose of 69 angles, got {joints.shape} and {lying.shape}"
        raise ModelFileError(msg)
    places, rotations = _posed(joints, lying.reshape(23, 3))
    bones = []
    for part, (name, frame, posed_by, start, end) in enumerate(OSSO_PARTS):
        joint = SMPL_24.index(posed_by)
        of_part = points[np.asarray(model["part2bodyPoints"][part], np.int64)]
        at_rest = (of_part - places[joint]) @ rotations[joint] + joints[joint]
        shape = _with_cores(at_rest, np.asarray(model["partFaces"][part], np.int32))
        near = joints[SMPL_24.index(start)]
        far = joints[SMPL_24.index(end)] if end else _farthest(shape, near)
        bones.append(TemplateBone(name, frame, (start,), (end,) if end else (), near, far, shape))
    hip, ankle = (joints[SMPL_24.index(name)] for name in HEIGHT_JOINTS)
    return BoneTemplate("osso", float(np.linalg.norm(ankle - hip)), tuple(bones))


def _posed(
    joints_m: NDArray[np.float64], rotations_rad: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the posed joints (24, 3) [m] and rotations (24, 3, 3) of rotation vectors (23, 3) [rad], root at rest."""
    vectors_rad = np.concatenate([np.zeros((1, 3)), rotations_rad])
    places, rotations = np.empty((24, 3)), np.empty((24, 3, 3))
    pose_vectors(np.array(SMPL_24.parents), joints_m, vectors_rad, np.zeros(3), places, rotations)
    return places, rotations

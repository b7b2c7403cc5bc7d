"""Bones of SKEL or OSSO for whoever has these files, in place of the procedural ones.

Neither may be passed on, so nothing of them is here but the names of their arrays. Each bone of the file is cut out,
moved to the person's joints, turned along the person's segment and scaled with its length; then it is posed and fitted
into the skin as the procedural bones are. Shape statistics, contact pairs and the published fitting are not used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.layout import FRAMES, axes_along, frame_index
from rehab_pose.bones.shapes import Shape
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.rotations import matrices_from_axis_angles, smallest_rotation
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
"""The bones, and joints, of SKEL in its order."""
Ends = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
SKEL_TRUNK: dict[str, Ends] = {
    "pelvis": ("pelvis", ("left_hip", "right_hip"), ("pelvis",), ("femur_l", "femur_r"), ("lumbar_body",)),
    "lumbar_body": ("L3", ("pelvis",), ("T12",), ("lumbar_body",), ("thorax",)),
    "thorax": ("spine3", ("T12",), ("head",), ("thorax",), ("head",)),
    "head": ("head", ("head",), (), ("head",), ()),
}
"""Frame that carries the bone; the person's frames (their mean) at its ends; the file's joints there."""
SKEL_LIMBS: dict[str, tuple[str, str, str, str, str]] = {
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
"""By OSSO's part number: our name, the frame that carries it, the joint whose pose it was made in, its two ends."""
OSSO_NEEDED = {
    "skeleton_model": ("partFaces", "part2bodyPoints"),
    "skeleton_pca": ("M", "B"),
    "betas_regressor": (),
    "lying_pose": (),
    "star": ("v_template", "J_regressor"),
}
HEIGHT_JOINTS = ("left_hip", "left_ankle")


@dataclass(frozen=True, eq=False)
class TemplateBone:
    """A bone of a file, in the file's own rest pose."""

    name: str
    frame: str
    """The frame of `layout.FRAMES` that carries it."""
    start: tuple[str, ...]
    """The person's frames at its near end (their mean)."""
    end: tuple[str, ...]
    """The same at its far end; empty: it keeps its direction."""
    start_m: NDArray[np.float64]
    """(3) its near end in the file."""
    end_m: NDArray[np.float64]
    """(3) its far end in the file."""
    shape: Shape


@dataclass(frozen=True, eq=False)
class BoneTemplate:
    """All bones of a file."""

    source: str
    size_m: float
    """Distance from hip to ankle in the file: the scale of bones that have no far end."""
    bones: tuple[TemplateBone, ...]

    def layout(self, own: BoneLayout) -> BoneLayout:
        """Return the layout of these bones for the person that `own` was made for."""
        moves = [self._move(bone, own) for bone in self.bones]
        starts = np.array([start for start, _, _ in moves])
        ends = np.array(
            [
                start + scale * turn @ (bone.end_m - bone.start_m)
                for bone, (start, scale, turn) in zip(self.bones, moves, strict=True)
            ]
        )
        return replace(
            own,
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
        """Return the bones' shapes, moved and scaled to the person of a layout (the own one or these bones')."""
        shapes = {}
        for bone in self.bones:
            start, scale, turn = self._move(bone, layout)
            move = scale * turn
            shapes[bone.name] = Shape(
                start + (bone.shape.vertices_m - bone.start_m) @ move.T,
                bone.shape.faces,
                start + (bone.shape.cores_m - bone.start_m) @ move.T,
            )
        return shapes

    def _move(self, bone: TemplateBone, layout: BoneLayout) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
        """Return where the near end goes, the scale, and the rotation (3, 3)."""
        start = _mean_place(layout, bone.start)
        if not bone.end:
            first, last = (layout.origins_m[FRAMES.index(name)] for name in HEIGHT_JOINTS)
            return start, float(np.linalg.norm(last - first)) / self.size_m, np.eye(3)
        wanted, given = _mean_place(layout, bone.end) - start, bone.end_m - bone.start_m
        return start, float(np.linalg.norm(wanted) / np.linalg.norm(given)), smallest_rotation(given, wanted)


def _mean_place(layout: BoneLayout, names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.asarray(layout.origins_m[[frame_index(name) for name in names]].mean(axis=0))


def _half_width(bone: TemplateBone) -> float:
    along = bone.end_m - bone.start_m
    along = along / np.linalg.norm(along)
    away = bone.shape.vertices_m - bone.shape.vertices_m.mean(axis=0)
    away = away - (away @ along)[:, None] * along
    return float(np.median(np.linalg.norm(away, axis=1)))


def _cut(vertices_m: NDArray[Any], faces: NDArray[Any], chosen: NDArray[Any]) -> Shape:
    """Return the part of a mesh whose vertices are `chosen` (V bool), with cores on the part's long axis."""
    inside = faces[chosen[faces].all(axis=1)]
    number = np.cumsum(chosen) - 1
    points = np.asarray(vertices_m[chosen], dtype=np.float64)
    return _with_cores(points, number[inside].astype(np.int32))


def _with_cores(points: NDArray[np.float64], faces: NDArray[np.int32]) -> Shape:
    middle = points.mean(axis=0)
    axis = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    return Shape(points, faces, middle + 0.9 * ((points - middle) @ axis)[:, None] * axis)


def _need(given: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    missing = [name for name in names if name not in given]
    if missing:
        msg = f"{what}: lacks {', '.join(missing)}; give the file as its publisher made it"
        raise ModelFileError(msg)


def skel_template(arrays: Mapping[str, Any]) -> BoneTemplate:
    """Return the bones of a SKEL file.

    Args:
        arrays: What `skel_female.pkl` or `skel_male.pkl` holds, by key.

    Raises:
        ModelFileError: Something is missing or has another shape.
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
        ours, frame, start, end, start_joints, end_joints = _skel_ends(name)
        near = np.mean([joints[joint] for joint in start_joints], axis=0)
        shape = _cut(vertices, faces, owner == number)
        far = np.mean([joints[joint] for joint in end_joints], axis=0) if end_joints else _farthest(shape, near)
        bones.append(TemplateBone(ours, frame, start, end, near, far, shape))
    return BoneTemplate("skel", size_m, tuple(bones))


def _skel_ends(name: str) -> tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if name in SKEL_TRUNK:
        return name, *SKEL_TRUNK[name]
    bone, _, letter = name.rpartition("_")
    prefix = {"l": "left_", "r": "right_"}[letter]
    frame, start, end, first, last = SKEL_LIMBS[bone]

    def named(joint: str, form: str) -> tuple[str, ...]:
        return (form.format(joint),) if joint else ()

    ours, theirs = prefix + "{}", "{}_" + letter
    return (
        prefix + bone,
        prefix + frame,
        named(start, ours),
        named(end, ours),
        named(first, theirs),
        named(last, theirs),
    )


def _farthest(shape: Shape, place_m: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(shape.vertices_m[np.argmax(np.linalg.norm(shape.vertices_m - place_m, axis=1))])


def osso_template(files: Mapping[str, Any]) -> BoneTemplate:
    """Return the bones of OSSO: the mean skeleton, which its files hold lying down, brought to STAR's rest pose.

    Args:
        files: What the files hold: `skeleton_model`, `skeleton_pca`, `betas_regressor`, `lying_pose`, `star`.

    Raises:
        ModelFileError: Something is missing or has another shape.
    """
    _need(files, tuple(OSSO_NEEDED), "OSSO")
    for file, names in OSSO_NEEDED.items():
        if names:
            _need(files[file], names, f"OSSO's {file}")
    model, pca, star = files["skeleton_model"], files["skeleton_pca"], files["star"]
    mean, directions = np.asarray(pca["M"], np.float64), np.asarray(pca["B"], np.float64)
    regressor = np.asarray(files["betas_regressor"], np.float64)
    count = min(directions.shape[2], regressor.shape[1], 10)
    # The mean person: STAR's betas are zero, the regressor's last row is its constant.
    points = mean.reshape(-1, 3) + directions[..., :count] @ regressor[-1, :count]
    joints = np.asarray(star["J_regressor"], np.float64) @ np.asarray(star["v_template"], np.float64)
    lying = np.asarray(files["lying_pose"], np.float64).reshape(-1)
    if joints.shape != (24, 3) or lying.shape != (69,):
        msg = f"OSSO: expected 24 joints and a pose of 69 angles, got {joints.shape} and {lying.shape}"
        raise ModelFileError(msg)
    places, turns = _posed(joints, lying.reshape(23, 3))
    bones = []
    for part, (name, frame, made_with, start, end) in enumerate(OSSO_PARTS):
        joint = SMPL_24.index(made_with)
        of_part = points[np.asarray(model["part2bodyPoints"][part], np.int64)]
        at_rest = (of_part - places[joint]) @ turns[joint] + joints[joint]
        shape = _with_cores(at_rest, np.asarray(model["partFaces"][part], np.int32))
        near = joints[SMPL_24.index(start)]
        far = joints[SMPL_24.index(end)] if end else _farthest(shape, near)
        bones.append(TemplateBone(name, frame, (start,), (end,) if end else (), near, far, shape))
    hip, ankle = (joints[SMPL_24.index(name)] for name in HEIGHT_JOINTS)
    return BoneTemplate("osso", float(np.linalg.norm(ankle - hip)), tuple(bones))


def _posed(
    joints_m: NDArray[np.float64], turns_rad: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the joints (24, 3) and their rotations (24, 3, 3) of a pose whose root is at rest."""
    local = matrices_from_axis_angles(np.concatenate([np.zeros((1, 3)), turns_rad]))
    places, turns = joints_m.copy(), local.copy()
    for joint, parent in enumerate(SMPL_24.parents):
        if parent >= 0:
            turns[joint] = turns[parent] @ local[joint]
            places[joint] = places[parent] + turns[parent] @ (joints_m[joint] - joints_m[parent])
    return places, turns

"""Records of the person: joints, fitted body, joint angles, bones."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen, set_fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes.image_joints import ImageJoints
    from rehab_pose.datatypes.perception import Silhouette
    from rehab_pose.skeletons.skeleton import Skeleton


__all__ = [
    "Body",
    "BodyParameters",
    "BoneMesh",
    "Bones",
    "JointAngles",
    "JointVisibility",
    "Joints",
    "JointsOfFrame",
    "PersonView",
    "SeenPerson",
]


class JointVisibility(IntEnum):
    """Visibility of a joint (the numbers of Joints.msg)."""

    MISSING = 0
    """No position."""
    OBSERVED = 1
    OCCLUDED = 2
    """Hidden by another surface."""
    PREDICTED = 3
    """Outside the image."""


@dataclass(frozen=True, eq=False)
class Joints:
    """3D joint centres of one person."""

    stamp_ns: int
    frame_id: str
    skeleton: Skeleton
    positions_m: NDArray[np.float64]
    """(J, 3) [m]; NaN = missing."""
    confidence: NDArray[np.float64]
    """(J) 0-1."""
    sigma_m: NDArray[np.float64]
    """(J) standard deviation [m]; NaN = not estimated."""
    visibility: NDArray[np.uint8]
    """(J) values of JointVisibility."""

    def __post_init__(self) -> None:
        """Check shapes against the skeleton."""
        count = len(self.skeleton)
        set_fields(
            self,
            positions_m=frozen("Joints.positions_m", self.positions_m, (count, 3), np.float64),
            confidence=frozen("Joints.confidence", self.confidence, (count,), np.float64),
            sigma_m=frozen("Joints.sigma_m", self.sigma_m, (count,), np.float64),
            visibility=frozen("Joints.visibility", self.visibility, (count,), np.uint8),
        )


@dataclass(frozen=True, eq=False)
class PersonView:
    """The silhouette, the joints and the landmarks of one person in the same frame."""

    silhouette: Silhouette
    joints: Joints
    image_joints: ImageJoints | None = None
    """None where the colour image was not used."""


@dataclass(frozen=True, eq=False)
class JointsOfFrame:
    """The joints of one frame, with its stamp also where no person was found."""

    stamp_ns: int
    frame_id: str
    joints: Joints | None


@dataclass(frozen=True, eq=False)
class BodyParameters:
    """Parameters of SMPL (Loper et al. 2015): shape, joint rotations relative to the parent, translation."""

    betas: NDArray[np.float64]
    """(B) shape coefficients."""
    rotations_rad: NDArray[np.float64]
    """(24, 3) axis-angle relative to the parent [rad]; row 0 is the root's rotation in the camera."""
    translation_m: NDArray[np.float64]
    """(3) added after the root rotation [m], as in SMPL."""

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self,
            betas=frozen("BodyParameters.betas", self.betas, ("B",), np.float64),
            rotations_rad=frozen("BodyParameters.rotations_rad", self.rotations_rad, (24, 3), np.float64),
            translation_m=frozen("BodyParameters.translation_m", self.translation_m, (3,), np.float64),
        )


@dataclass(frozen=True, eq=False)
class Body:
    """A fitted body; its triangles are those of the model with the id `model_id`."""

    stamp_ns: int
    frame_id: str
    model_id: str
    parameters: BodyParameters
    vertices_m: NDArray[np.float32]
    """(V, 3) [m]; V = 0 if no mesh was requested."""
    joint_positions_m: NDArray[np.float64]
    """(24, 3) SMPL_24 joints of the fitted body [m]."""
    joint_rotations: NDArray[np.float64]
    """(24, 3, 3) camera_from_joint rotation of every joint."""
    residual_m: float
    """Root mean square distance between the given and the fitted joints [m]."""
    iterations: int
    converged: bool
    joint_sigma_m: NDArray[np.float64] = field(default_factory=lambda: np.full(24, np.nan))
    """(24) standard deviation of each joint's position [m]; NaN = not estimated."""

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self,
            joint_sigma_m=frozen("Body.joint_sigma_m", self.joint_sigma_m, (24,), np.float64),
            vertices_m=frozen("Body.vertices_m", self.vertices_m, ("V", 3), np.float32),
            joint_positions_m=frozen("Body.joint_positions_m", self.joint_positions_m, (24, 3), np.float64),
            joint_rotations=frozen("Body.joint_rotations", self.joint_rotations, (24, 3, 3), np.float64),
        )


@dataclass(frozen=True, eq=False)
class JointAngles:
    """Clinical joint angles of one frame."""

    stamp_ns: int
    frame_id: str
    names: tuple[str, ...]
    angles_rad: NDArray[np.float64]
    """(D) [rad]; NaN = not measurable."""
    velocities_rad_s: NDArray[np.float64]
    """(D) [rad/s]; NaN = unknown."""
    confidence: NDArray[np.float64]
    """(D) 0-1."""
    sigma_rad: NDArray[np.float64]
    """(D) standard deviation [rad]; NaN = unknown."""

    def __post_init__(self) -> None:
        """Check that every array has one entry for each name."""
        count = len(self.names)
        for name in ("angles_rad", "velocities_rad_s", "confidence", "sigma_rad"):
            set_fields(self, **{name: frozen(f"JointAngles.{name}", getattr(self, name), (count,), np.float64)})

    @property
    def side_differences_rad(self) -> NDArray[np.float64]:
        """(D) angle minus that of the other side [rad], as a measure of symmetry; NaN = no side, or not measured."""
        others = _other_sides(self.names)
        other_rad = np.where(others >= 0, self.angles_rad[others], np.nan)
        return np.asarray(self.angles_rad - other_rad, dtype=np.float64)


@cache
def _other_sides(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the index (D) of the same angle on the other side; -1 = none."""
    indices = {name: index for index, name in enumerate(names)}
    swapped = {"left": "right", "right": "left"}
    others = ["_".join(swapped.get(word, word) for word in name.split("_")) for name in names]
    return np.array([indices.get(o, -1) if o != n else -1 for n, o in zip(names, others, strict=True)], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class BoneMesh:
    """Concatenated surfaces of all bones, in the order of `Bones.names`."""

    vertices_m: NDArray[np.float32]
    """(V, 3) in the camera's frame [m]."""
    faces: NDArray[np.int32]
    """(F, 3) vertex indices of every triangle, anticlockwise from outside."""
    vertex_starts: NDArray[np.int64]
    """(B + 1) first vertex of every bone, and V."""
    face_starts: NDArray[np.int64]
    """(B + 1) first triangle of every bone, and F."""

    def __post_init__(self) -> None:
        """Check shapes."""
        kinds = ((("V", 3), np.float32), (("F", 3), np.int32), (("B",), np.int64), (("B",), np.int64))
        for name, (shape, kind) in zip(("vertices_m", "faces", "vertex_starts", "face_starts"), kinds, strict=True):
            set_fields(self, **{name: frozen(f"BoneMesh.{name}", getattr(self, name), shape, kind)})


@dataclass(frozen=True, eq=False)
class Bones:
    """Rigid poses of the bones inside the body; y is along the bone from its proximal to its distal end."""

    stamp_ns: int
    frame_id: str
    names: tuple[str, ...]
    camera_from_bone: NDArray[np.float64]
    """(B, 4, 4), origin at the proximal end [m]."""
    length_m: NDArray[np.float64]
    """(B) [m]."""
    radius_m: NDArray[np.float64]
    """(B) typical half-width [m]."""
    sigma_m: NDArray[np.float64] | None = None
    """(B) standard deviation of the bone's ends [m]; None = unknown, as in messages."""
    joint_names: tuple[str, ...] = ()
    joint_centres_m: NDArray[np.float64] | None = None
    """(J, 3) centres of the joints between bones [m]; None = unknown."""
    source: str = "procedural"
    """Source of the bones: procedural, skel or osso."""
    mesh: BoneMesh | None = None
    """Surfaces of the bones; None if they were not requested."""

    def __post_init__(self) -> None:
        """Check that every array has one entry for each name."""
        bones, joints = len(self.names), len(self.joint_names)
        shapes = {"camera_from_bone": (bones, 4, 4), "length_m": (bones,), "radius_m": (bones,), "sigma_m": (bones,)}
        for name, shape in (shapes | {"joint_centres_m": (joints, 3)}).items():
            if getattr(self, name) is not None:
                set_fields(self, **{name: frozen(f"Bones.{name}", getattr(self, name), shape, np.float64)})


@dataclass(frozen=True, eq=False)
class SeenPerson:
    """One of the people that were seen since the start."""

    person_id: int
    """From 1 on; the same after an absence, where the person is recognised."""
    stamp_ns: int
    """Stamp of the frame in which the person was seen last [ns]."""
    position_m: NDArray[np.float64]
    """(3) middle of the visible body then [m]."""
    in_view: bool
    followed: bool

    def __post_init__(self) -> None:
        """Check the shape."""
        set_fields(self, position_m=frozen("SeenPerson.position_m", self.position_m, (3,), np.float64))

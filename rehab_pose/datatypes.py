"""Every record that flows between stages.

Frames of reference: positions are in the camera's optical frame (x right, y down, z forward) unless a name says
otherwise. Units stand in the names. Missing is NaN; nobody present is None. Arrays are checked on entry and read-only.
Every record carries the stamp and the frame_id of the colour image it was computed from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = [
    "Body",
    "BodyParameters",
    "BodyParts",
    "BoneMesh",
    "Bones",
    "ExerciseUpdate",
    "JointAngles",
    "JointState",
    "Joints",
    "KeypointFamily",
    "Keypoints",
    "Recognition",
    "Repetition",
    "RgbdFrame",
    "Silhouette",
    "unknown_plane",
]


def unknown_plane() -> NDArray[np.float64]:
    """Return the floor plane (4) of a scene whose floor has not been seen: all NaN."""
    return np.full(4, np.nan)


def _set(record: object, **arrays: object) -> None:
    for name, array in arrays.items():
        object.__setattr__(record, name, array)


@dataclass(frozen=True, eq=False)
class RgbdFrame:
    """One synchronised, registered colour + depth pair."""

    stamp_ns: int
    frame_id: str
    intrinsics: CameraIntrinsics
    color: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    depth_m: NDArray[np.float32]
    """(H, W) distance along z [m], NaN = no return."""

    def __post_init__(self) -> None:
        """Check shapes against the intrinsics."""
        size = (self.intrinsics.height_px, self.intrinsics.width_px)
        _set(
            self,
            color=frozen("RgbdFrame.color", self.color, (*size, 3), np.uint8),
            depth_m=frozen("RgbdFrame.depth_m", self.depth_m, size, np.float32),
        )


@dataclass(frozen=True, eq=False)
class Silhouette:
    """Which pixels are the person's, with the colour and depth inside the person's box (Eq 8: zero / NaN outside)."""

    stamp_ns: int
    frame_id: str
    intrinsics: CameraIntrinsics
    """The whole image's camera; `intrinsics.cropped(box_px)` is the box's."""
    box_px: tuple[int, int, int, int]
    """x, y, width, height of the box in the whole image."""
    inside: NDArray[np.bool_]
    """(h, w) True on the person, over the box."""
    color: NDArray[np.uint8]
    """(h, w, 3) RGB, zero outside the person."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN outside the person and where the sensor saw nothing."""
    floor_plane: NDArray[np.float64]
    """(4) a, b, c, d with a x + b y + c z + d = 0 [m], (a, b, c) of length 1 pointing up; NaN = not seen."""
    confidence: float = 1.0

    def __post_init__(self) -> None:
        """Check shapes against the box and the box against the image."""
        x, y, width, height = self.box_px
        if not (0 <= x < x + width <= self.intrinsics.width_px and 0 <= y < y + height <= self.intrinsics.height_px):
            msg = (
                f"Silhouette.box_px: expected a box inside the {self.intrinsics.width_px}x{self.intrinsics.height_px} "
                f"image, got {self.box_px}"
            )
            raise ContractError(msg)
        _set(
            self,
            inside=frozen("Silhouette.inside", self.inside, (height, width), np.bool_),
            color=frozen("Silhouette.color", self.color, (height, width, 3), np.uint8),
            depth_m=frozen("Silhouette.depth_m", self.depth_m, (height, width), np.float32),
            floor_plane=frozen("Silhouette.floor_plane", self.floor_plane, (4,), np.float64),
        )

    @property
    def area_px(self) -> int:
        """Number of pixels on the person."""
        return int(np.count_nonzero(self.inside))

    def full_mask(self) -> NDArray[np.bool_]:
        """Return the silhouette over the whole image (H, W)."""
        x, y, width, height = self.box_px
        mask = np.zeros((self.intrinsics.height_px, self.intrinsics.width_px), dtype=np.bool_)
        mask[y : y + height, x : x + width] = self.inside
        return mask


@dataclass(frozen=True, eq=False)
class KeypointFamily:
    """The points that one classical detector found, in pixels of the whole image."""

    detector: str
    """One of contour, harris, shi_tomasi, orb, brisk, sift, akaze, skeleton_end, skeleton_branch."""
    pixels: NDArray[np.float32]
    """(K, 2) u, v [px]."""
    size_px: NDArray[np.float32]
    """(K) diameter [px]; NaN where the detector gives none."""
    angle_rad: NDArray[np.float32]
    """(K) [rad]; NaN where the detector gives none."""
    response: NDArray[np.float32]
    """(K) in the detector's own units; NaN where it gives none."""
    depth_m: NDArray[np.float32]
    """(K) [m] at the point; NaN = no return there."""
    descriptors: NDArray[Any] | None
    """(K, D) uint8 (binary) or float32; None where the detector has none."""

    def __post_init__(self) -> None:
        """Check that all arrays have one row a point."""
        count = len(self.pixels)
        _set(self, pixels=frozen(f"{self.detector}.pixels", self.pixels, (count, 2), np.float32))
        for name in ("size_px", "angle_rad", "response", "depth_m"):
            _set(self, **{name: frozen(f"{self.detector}.{name}", getattr(self, name), (count,), np.float32)})
        if self.descriptors is not None:
            dtype = self.descriptors.dtype
            _set(self, descriptors=frozen(f"{self.detector}.descriptors", self.descriptors, (count, "D"), dtype))


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Classical keypoints of one person, one entry a detector."""

    stamp_ns: int
    frame_id: str
    families: tuple[KeypointFamily, ...]


@dataclass(frozen=True, eq=False)
class BodyParts:
    """LIP's body regions over the person's box, and points evenly spaced along each region's outer contour."""

    stamp_ns: int
    frame_id: str
    box_px: tuple[int, int, int, int]
    labels: NDArray[np.uint8]
    """(h, w) LIP class 0-19 over the box, 0 = background."""
    contours_px: NDArray[np.float32]
    """(20, N, 2) u, v in the whole image [px]; NaN for a part that is not seen."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _, _, width, height = self.box_px
        _set(
            self,
            labels=frozen("BodyParts.labels", self.labels, (height, width), np.uint8),
            contours_px=frozen("BodyParts.contours_px", self.contours_px, (20, "N", 2), np.float32),
        )


class JointState(IntEnum):
    """How a joint's position was come by (the numbers of BodyJoints3D.msg)."""

    MISSING = 0
    OBSERVED = 1
    OCCLUDED = 2
    PREDICTED = 3


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
    """(J) one standard deviation [m]; NaN = not estimated."""
    state: NDArray[np.uint8]
    """(J) values of JointState."""
    floor_plane: NDArray[np.float64]
    """(4) as in Silhouette."""

    def __post_init__(self) -> None:
        """Check shapes against the skeleton."""
        count = len(self.skeleton)
        _set(
            self,
            positions_m=frozen("Joints.positions_m", self.positions_m, (count, 3), np.float64),
            confidence=frozen("Joints.confidence", self.confidence, (count,), np.float64),
            sigma_m=frozen("Joints.sigma_m", self.sigma_m, (count,), np.float64),
            state=frozen("Joints.state", self.state, (count,), np.uint8),
            floor_plane=frozen("Joints.floor_plane", self.floor_plane, (4,), np.float64),
        )


@dataclass(frozen=True, eq=False)
class BodyParameters:
    """SMPL's parameters: shape, joint rotations relative to the parent, translation."""

    betas: NDArray[np.float64]
    """(B) shape coefficients."""
    rotations_rad: NDArray[np.float64]
    """(24, 3) axis-angle relative to the parent [rad]; row 0 is the root's rotation in the camera."""
    translation_m: NDArray[np.float64]
    """(3) added after the root rotation [m], as in SMPL."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _set(
            self,
            betas=frozen("BodyParameters.betas", self.betas, ("B",), np.float64),
            rotations_rad=frozen("BodyParameters.rotations_rad", self.rotations_rad, (24, 3), np.float64),
            translation_m=frozen("BodyParameters.translation_m", self.translation_m, (3,), np.float64),
        )


@dataclass(frozen=True, eq=False)
class Body:
    """A fitted body. The triangles live once, on the model named by `model_id`."""

    stamp_ns: int
    frame_id: str
    model_id: str
    parameters: BodyParameters
    vertices_m: NDArray[np.float32]
    """(V, 3) [m]; V = 0 where no mesh was asked for."""
    joint_positions_m: NDArray[np.float64]
    """(24, 3) SMPL_24 joints of the fitted body [m]."""
    joint_rotations: NDArray[np.float64]
    """(24, 3, 3) camera_from_joint rotation of every joint."""
    residual_m: float
    """Root mean square distance between the given and the fitted joints [m]."""
    iterations: int
    converged: bool
    floor_plane: NDArray[np.float64]
    """(4) as in Silhouette."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _set(
            self,
            vertices_m=frozen("Body.vertices_m", self.vertices_m, ("V", 3), np.float32),
            joint_positions_m=frozen("Body.joint_positions_m", self.joint_positions_m, (24, 3), np.float64),
            joint_rotations=frozen("Body.joint_rotations", self.joint_rotations, (24, 3, 3), np.float64),
            floor_plane=frozen("Body.floor_plane", self.floor_plane, (4,), np.float64),
        )


@dataclass(frozen=True, eq=False)
class JointAngles:
    """Clinical joint angles."""

    stamp_ns: int
    frame_id: str
    names: tuple[str, ...]
    angles_rad: NDArray[np.float64]
    """(D) [rad]; NaN = could not be measured."""
    velocities_rad_s: NDArray[np.float64]
    """(D) [rad/s]; NaN = unknown."""
    confidence: NDArray[np.float64]
    """(D) 0-1."""

    def __post_init__(self) -> None:
        """Check that every array has one entry a name."""
        count = len(self.names)
        for name in ("angles_rad", "velocities_rad_s", "confidence"):
            _set(self, **{name: frozen(f"JointAngles.{name}", getattr(self, name), (count,), np.float64)})


@dataclass(frozen=True, eq=False)
class BoneMesh:
    """The surfaces of all bones, one after the other in the order of `Bones.names`."""

    vertices_m: NDArray[np.float32]
    """(V, 3) posed [m]."""
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
            _set(self, **{name: frozen(f"BoneMesh.{name}", getattr(self, name), shape, kind)})


@dataclass(frozen=True, eq=False)
class Bones:
    """The skeleton inside the body: one rigid pose a bone, y along the bone from its proximal to its distal end."""

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
    """(B) how far the ends may be from the person's own [m]; None = not said, as in messages."""
    joint_names: tuple[str, ...] = ()
    joint_centres_m: NDArray[np.float64] | None = None
    """(J, 3) where two bones meet [m]; None = not said."""
    source: str = "procedural"
    """What the bones were made from: procedural, skel or osso."""
    mesh: BoneMesh | None = None

    def __post_init__(self) -> None:
        """Check that every array has one entry a name."""
        bones, joints = len(self.names), len(self.joint_names)
        shapes = {"camera_from_bone": (bones, 4, 4), "length_m": (bones,), "radius_m": (bones,), "sigma_m": (bones,)}
        for name, shape in (shapes | {"joint_centres_m": (joints, 3)}).items():
            if getattr(self, name) is not None:
                _set(self, **{name: frozen(f"Bones.{name}", getattr(self, name), shape, np.float64)})


@dataclass(frozen=True, eq=False)
class Recognition:
    """Which exercise is being done, judged at the last frame of a window."""

    stamp_ns: int
    frame_id: str
    start_ns: int
    """Stamp of the window's first frame; `stamp_ns` is its last."""
    label: str
    """A name from the exercise catalogue, or `none`."""
    confidence: float
    probabilities: NDArray[np.float64]
    """(C) in the catalogue's order, `none` first."""
    out_of_distribution: bool
    model_id: str

    def __post_init__(self) -> None:
        """Check shapes."""
        _set(self, probabilities=frozen("Recognition.probabilities", self.probabilities, ("C",), np.float64))


@dataclass(frozen=True, eq=False)
class Repetition:
    """One finished cycle of an exercise."""

    stamp_ns: int
    """When it was counted."""
    frame_id: str
    label: str
    count: int
    """1 for the first repetition since the exercise began."""
    start_ns: int
    end_ns: int
    signal_name: str
    """The quantity whose cycle is counted, for example trunk_lateral_tilt."""
    signal_minimum: float
    """Over the repetition, in the signal's own unit (its name ends in _rad or _m)."""
    signal_maximum: float
    quality: float
    """0-1; NaN = not judged."""


@dataclass(frozen=True, eq=False)
class ExerciseUpdate:
    """What the exercise stage has to say at one frame."""

    recognition: Recognition
    repetition: Repetition | None

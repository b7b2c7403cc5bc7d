"""Terms of the body fit from the landmarks of the colour image.

The ray of a landmark is the intersection of two planes through the camera's centre, one through its column and one
through its row. A point of the body that is on both planes projects to the landmark. So a landmark is two terms of the
same form as those of the surface, n . v - n . t = 0, with a precision from the landmark's error in pixels at the
distance of the point; a third one, across the optical axis, holds the depth relative to the pelvis that the image
network estimates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.surface_objective import SurfacePoints
from rehab_pose.skeletons.blazepose33 import landmark
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import ImageJoints
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["LANDMARKS_OF_JOINTS", "LandmarkPlanes", "joined"]

LANDMARKS_OF_JOINTS = {
    f"{side}_{joint}": (f"{side}_{name}",)
    for side in ("left", "right")
    for joint, name in (
        *(("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist")),
        *(("hip", "hip"), ("knee", "knee"), ("ankle", "ankle")),
    )
} | {f"{side}_hand": (f"{side}_index", f"{side}_pinky") for side in ("left", "right")}
"""Landmarks whose mean is at a joint of SMPL_24; a hand's joint is between its knuckles."""
SIGMA_M = {
    "shoulder": 0.018, "elbow": 0.022, "wrist": 0.018, "hand": 0.020, "hip": 0.022, "knee": 0.020, "ankle": 0.020,
    "nose": 0.020, "ear": 0.022, "heel": 0.025, "foot_index": 0.025,
}  # fmt: skip
"""Standard deviation of a clearly visible landmark on each axis, as a distance on the body [m]: what OFFSET_M leaves on
simulated people (16 mm, elbows 22), and more for the face and the feet, which were not measured."""
OFFSET_M = {
    "shoulder": (-0.015, 0.019, -0.003), "elbow": (-0.009, 0.0, 0.006), "wrist": (0.025, -0.004, 0.007),
    "hand": (-0.013, -0.006, 0.004), "hip": (0.008, -0.033, 0.034), "knee": (0.006, -0.025, -0.011),
    "ankle": (-0.002, 0.011, 0.011),
}  # fmt: skip
"""Landmark of the left side minus SMPL's joint, at rest: x to the left, y up, z to the front [m]. Fitted to simulated
people seen from all sides (`rehab-pose-lab train image-joint-offsets`): the two networks of joints follow different
definitions. On hand marks of a real person the landmark of the wrist is 17 mm farther along the forearm too."""
INSIDE_OF = {
    "shoulder": 0.06, "elbow": 0.04, "wrist": 0.025, "hand": 0.02, "hip": 0.10, "knee": 0.055, "ankle": 0.04,
    "nose": 0.0, "ear": 0.0, "heel": 0.0, "foot_index": 0.0,
}  # fmt: skip
"""Distance of the points of the body behind the surface that a camera in front of them sees [m]: half the thickness of
the limb; vertices are on the surface."""
SURFACE_DEPTH_SIGMA_M = 0.04
"""Standard deviation of the depth of a point from the surface at its landmark [m]: the landmark may miss the limb."""
HIDDEN_FACTOR = 4.0
"""Ratio of the standard deviations of a hidden and of a visible landmark."""
MIN_VISIBILITY = 0.1
"""Landmarks that are less probably visible than this are guesses and get no weight in the image."""
CLEAR_VISIBILITY = 0.8
"""Landmarks that are more probably visible than this are compared with a fitted body."""
RELATIVE_DEPTH_SIGMA_M = 0.12
"""Standard deviation of the network's depth relative to the pelvis, of an average person [m]."""
OUTLIER_SIGMAS = 4.0
"""Scale of the Geman-McClure weight of a landmark in standard deviations."""
MIN_DEPTH_M = 0.1
"""Points nearer to the camera, or behind it, get no terms [m]."""


class LandmarkPlanes:
    """Points of the body model at the landmarks, and their terms in a frame."""

    def __init__(self, model: BodyModel) -> None:
        """Choose the points: joints, and vertices of the face and the feet."""
        template = model.v_template.astype(np.float64)
        width = model.skin[0].shape[1]
        points, shapedirs, joints, weights, sources, sigmas, inside = [], [], [], [], [], [], []
        for name, names in LANDMARKS_OF_JOINTS.items():
            index = SMPL_24.index(name)
            mirror = np.array([1.0 if name.startswith("left") else -1.0, 1.0, 1.0])
            points.append(model.joint_template[index] + mirror * OFFSET_M[name.partition("_")[2]])
            shapedirs.append(model.joint_shapedirs[index])
            joints.append(np.full(width, _moving_joint(name)))
            weights.append(np.eye(width)[0])
            sources.append(_two_indices(names))
            sigmas.append(SIGMA_M[name.partition("_")[2]])
            inside.append(INSIDE_OF[name.partition("_")[2]])
        for name, vertex in _vertices(model).items():
            points.append(template[vertex])
            shapedirs.append(model.shapedirs[vertex].astype(np.float64))
            joints.append(model.skin[0][vertex])
            weights.append(model.skin[1][vertex].astype(np.float64))
            sources.append(_two_indices((name,)))
            sigmas.append(SIGMA_M[name.removeprefix("left_").removeprefix("right_")])
            inside.append(INSIDE_OF[name.removeprefix("left_").removeprefix("right_")])
        self._points, self._shapedirs = np.array(points), np.array(shapedirs)
        self._joints, self._weights = np.array(joints, dtype=np.int64), np.array(weights)
        self._sources, self._sigma_m, self._inside_m = np.array(sources), np.array(sigmas), np.array(inside)

    @property
    def width(self) -> int:
        """Number of joints that move a vertex of the model, K."""
        return int(self._joints.shape[1])

    def terms(
        self,
        image_joints: ImageJoints,
        camera: CameraIntrinsics,
        betas: NDArray[np.float64],
        posed_m: NDArray[np.float64] | None,
        *,
        shapes: int,
        distance_m: float,
        surface_m: NDArray[np.float64],
    ) -> SurfacePoints:
        """Return the terms of a frame's landmarks.

        Args:
            image_joints: Landmarks.
            camera: Camera of the full image.
            betas: (B) shape coefficients.
            posed_m: (L, 3) the points of the body as fitted so far (`posed`) [m], for robust weights; None: no fit.
            shapes: How many of the betas are unknowns of the fit: their effect is left out of the points at rest.
            distance_m: Depth of the pelvis [m].
            surface_m: (33) depth of the surface at each landmark [m]; NaN = unknown.
        """
        pixels = image_joints.pixels[self._sources].mean(axis=1)
        visibility = image_joints.visibility[self._sources].min(axis=1)
        relative_m = image_joints.relative_m[self._sources, 2].mean(axis=1)
        sigma_m = self._sigma_m * (1.0 + (HIDDEN_FACTOR - 1.0) * (1.0 - visibility))
        slope = (pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
        columns, rows, depths = np.zeros((3, len(pixels), 3))
        columns[:, 0], columns[:, 2] = 1.0, -slope[:, 0]
        rows[:, 1], rows[:, 2] = 1.0, -slope[:, 1]
        depths[:, 2] = 1.0
        targets = np.zeros((len(pixels), 3))
        measured_m = surface_m[self._sources].mean(axis=1) + self._inside_m
        has_depth = np.isfinite(measured_m)
        targets[:, 2] = np.where(has_depth, measured_m, distance_m + relative_m)
        depth_sigma_m = np.where(has_depth, SURFACE_DEPTH_SIGMA_M, RELATIVE_DEPTH_SIGMA_M)
        precision = np.where(visibility > MIN_VISIBILITY, 1.0 / sigma_m**2, 0.0) * image_joints.score
        depth_precision = image_joints.score / depth_sigma_m**2
        if posed_m is not None:
            # Perpendicular distances of the fitted points from the landmark's ray, in standard deviations.
            aside = posed_m[:, :2] - slope * posed_m[:, 2:]
            squared = (aside**2).sum(axis=1) / (OUTLIER_SIGMAS * sigma_m) ** 2
            precision = np.where(posed_m[:, 2] > MIN_DEPTH_M, precision / (1.0 + squared) ** 2, 0.0)
            behind = ((posed_m[:, 2] - targets[:, 2]) / (OUTLIER_SIGMAS * depth_sigma_m)) ** 2
            depth_precision /= (1.0 + behind) ** 2
        precision = np.where(np.isfinite(pixels).all(axis=1), precision, 0.0)
        lengths = np.sqrt(1.0 + slope**2)
        normals = np.concatenate([columns / lengths[:, :1], rows / lengths[:, 1:], depths])
        rest_m = self._points if shapes else self._points + self._shapedirs @ betas
        return SurfacePoints(
            rest_m=np.tile(rest_m, (3, 1)),
            shapedirs=np.ascontiguousarray(np.tile(self._shapedirs[:, :, :shapes], (3, 1, 1))),
            joints=np.tile(self._joints, (3, 1)),
            weights=np.tile(self._weights, (3, 1)),
            targets_m=np.concatenate([np.zeros((2 * len(pixels), 3)), targets]),
            normals=np.nan_to_num(normals),
            precision=np.concatenate([precision * lengths[:, 0] ** 2, precision * lengths[:, 1] ** 2, depth_precision]),
        )

    def residual_m(self, image_joints: ImageJoints, camera: CameraIntrinsics, posed_m: NDArray[np.float64]) -> float:
        """Return the largest distance of points (L, 3) [m] from the rays of visible landmarks [m]; NaN = none."""
        pixels = image_joints.pixels[self._sources].mean(axis=1)
        slope = (pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
        clear = image_joints.visibility[self._sources].min(axis=1) > CLEAR_VISIBILITY
        distances = np.linalg.norm(posed_m[:, :2] - slope * posed_m[:, 2:], axis=1)[clear]
        return float(distances.max()) if len(distances) else float("nan")

    def posed(
        self,
        betas: NDArray[np.float64],
        rest_joints_m: NDArray[np.float64],
        positions_m: NDArray[np.float64],
        rotations: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the points (L, 3) of a posed body [m].

        Args:
            betas: (B) shape coefficients.
            rest_joints_m: (24, 3) its joints at rest [m].
            positions_m: (24, 3) its posed joints [m].
            rotations: (24, 3, 3) their global rotations.
        """
        rest_m = self._points + self._shapedirs @ betas
        arms = rest_m[:, None] - rest_joints_m[self._joints]
        moved = np.einsum("lkab,lkb->lka", rotations[self._joints], arms) + positions_m[self._joints]
        posed_m: NDArray[np.float64] = np.einsum("lk,lka->la", self._weights, moved)
        return posed_m


def joined(first: SurfacePoints, second: SurfacePoints) -> SurfacePoints:
    """Return the terms of both."""
    return SurfacePoints(*(np.concatenate([a, b]) for a, b in zip(first, second, strict=True)))


def _moving_joint(name: str) -> int:
    """Return the joint whose rotation moves the surroundings of a joint: its parent's in the trunk, arm or leg."""
    index = SMPL_24.index(name)
    return SMPL_24.parents[index]


def _two_indices(names: tuple[str, ...]) -> tuple[int, int]:
    """Return the indices of two landmarks, or of one twice."""
    return landmark(names[0]), landmark(names[-1])


def _vertices(model: BodyModel) -> dict[str, int]:
    """Return the vertices of the face and the feet that are nearest to the landmarks of these names."""
    template = model.v_template.astype(np.float64)
    part = np.argmax(model.weights, axis=1)
    head = np.flatnonzero(part == SMPL_24.index("head"))
    middle_m = 0.5 * (template[head, 1].min() + template[head, 1].max())
    face = head[np.abs(template[head, 0]) < NOSE_WIDTH_M]
    chosen = {"nose": int(face[np.argmax(template[face, 2] - np.abs(template[face, 1] - middle_m))])}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        level = head[np.abs(template[head, 1] - middle_m) < EAR_HEIGHT_M]
        chosen[f"{side}_ear"] = int(level[np.argmax(sign * template[level, 0])])
        foot = np.flatnonzero((part == SMPL_24.index(f"{side}_foot")) | (part == SMPL_24.index(f"{side}_ankle")))
        low = foot[template[foot, 1] < template[foot, 1].min() + SOLE_HEIGHT_M]
        chosen[f"{side}_heel"] = int(low[np.argmin(template[low, 2])])
        chosen[f"{side}_foot_index"] = int(low[np.argmax(template[low, 2] - 0.5 * sign * template[low, 0])])
    return chosen


NOSE_WIDTH_M, EAR_HEIGHT_M, SOLE_HEIGHT_M = 0.02, 0.02, 0.04
"""Distances of the searched vertices from the middle of the face, from the ears' height and from the soles [m]."""

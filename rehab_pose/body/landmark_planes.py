"""Terms of the body fit from the landmarks of the colour image.

The ray of a landmark is the intersection of two planes through the camera's centre, one through its column and one
through its row. A point of the body that is on both planes projects to the landmark. So a landmark is two terms of the
same form as those of the surface, n . v - n . t = 0, with a precision from the landmark's error in pixels at the
distance of the point; a third one, across the optical axis, holds the depth relative to the pelvis that the image
network estimates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.surface_objective import SurfacePoints, skin_points
from rehab_pose.skeletons.blazepose33 import landmark
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import ImageJoints
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["INSIDE_OF", "LANDMARKS_OF_JOINTS", "LandmarkPlanes", "LandmarkTargets", "joined", "two_indices"]

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
    "shoulder": (-0.017, 0.011, 0.004), "elbow": (-0.006, -0.007, 0.001), "wrist": (0.018, -0.006, 0.008),
    "hand": (-0.016, 0.000, 0.008), "hip": (0.004, -0.029, 0.021), "knee": (-0.003, -0.021, -0.013),
    "ankle": (-0.006, 0.019, 0.006),
}  # fmt: skip
"""Landmark of the left side minus SMPL's joint, at rest: x to the left, y up, z to the front [m]. Fitted to simulated
people seen from all sides (`rehab-pose-lab convert image-joint-offsets`): the two networks of joints follow different
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
HALF_HIDDEN_FACTOR = 5.0
"""Ratio of the hips' standard deviations with hidden and with visible knees: of a person behind a table the network
places the hips at the table's edge and reports them as visible."""
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


class LandmarkTargets(NamedTuple):
    """The places that the landmarks of a frame give L points of the body, as arrays for compiled code."""

    slope: NDArray[np.float64]
    """(L, 2) x / z and y / z of each landmark's ray."""
    sigma_m: NDArray[np.float64]
    """(L) standard deviation across the ray, on each axis [m]."""
    precision: NDArray[np.float64]
    """(L) its weight [1/m^2]; 0 = not used."""
    depth_m: NDArray[np.float64]
    """(L) depth of the point [m]."""
    depth_sigma_m: NDArray[np.float64]
    """(L) its standard deviation [m]."""
    depth_precision: NDArray[np.float64]
    """(L) its weight [1/m^2]."""
    clear: NDArray[np.bool_]
    """(L) True for landmarks that are clearly visible."""


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
            sources.append(two_indices(names))
            sigmas.append(SIGMA_M[name.partition("_")[2]])
            inside.append(INSIDE_OF[name.partition("_")[2]])
        for name, vertex in _vertices(model).items():
            points.append(template[vertex])
            shapedirs.append(model.shapedirs[vertex].astype(np.float64))
            joints.append(model.skin[0][vertex])
            weights.append(model.skin[1][vertex].astype(np.float64))
            sources.append(two_indices((name,)))
            sigmas.append(SIGMA_M[name.removeprefix("left_").removeprefix("right_")])
            inside.append(INSIDE_OF[name.removeprefix("left_").removeprefix("right_")])
        self._points, self._shapedirs = np.array(points), np.array(shapedirs)
        self._joints, self._weights = np.array(joints, dtype=np.int64), np.array(weights)
        self.sources = np.array(sources)
        """(L, 2) the landmarks whose mean is at each point."""
        self._sigma_m, self._inside_m = np.array(sigmas), np.array(inside)
        order = [*LANDMARKS_OF_JOINTS]
        self._hips, self._knees = ([order.index(f"{side}_{n}") for side in ("left", "right")] for n in ("hip", "knee"))
        self._shapedirs_thrice = np.tile(self._shapedirs, (3, 1, 1))
        self._joints_thrice, self._weights_thrice = np.tile(self._joints, (3, 1)), np.tile(self._weights, (3, 1))

    @property
    def width(self) -> int:
        """Number of joints that move a vertex of the model, K."""
        return int(self._joints.shape[1])

    def targets(
        self,
        image_joints: ImageJoints,
        camera: CameraIntrinsics,
        *,
        distance_m: float,
        surface_m: NDArray[np.float64],
    ) -> LandmarkTargets:
        """Return the places that a frame's landmarks give the points of the body.

        Args:
            image_joints: Landmarks.
            camera: Camera of the full image.
            distance_m: Depth of the pelvis [m].
            surface_m: (33) depth of the surface at each landmark [m]; NaN = unknown.
        """
        pixels = image_joints.pixels[self.sources].mean(axis=1)
        visibility = image_joints.visibility[self.sources].min(axis=1)
        relative_m = image_joints.relative_m[self.sources, 2].mean(axis=1)
        sigma_m = self._sigma_m * (1.0 + (HIDDEN_FACTOR - 1.0) * (1.0 - visibility))
        sigma_m[self._hips] *= 1.0 + (HALF_HIDDEN_FACTOR - 1.0) * (1.0 - visibility[self._knees].max())
        slope = (pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
        measured_m = surface_m[self.sources].mean(axis=1) + self._inside_m
        has_depth = np.isfinite(measured_m)
        used = (visibility > MIN_VISIBILITY) & np.isfinite(slope).all(axis=1)
        depth_sigma_m = np.where(has_depth, SURFACE_DEPTH_SIGMA_M, RELATIVE_DEPTH_SIGMA_M)
        return LandmarkTargets(
            slope=np.where(used[:, None], slope, 0.0),
            sigma_m=sigma_m,
            precision=np.where(used, image_joints.score / sigma_m**2, 0.0),
            depth_m=np.where(has_depth, measured_m, distance_m + relative_m),
            depth_sigma_m=depth_sigma_m,
            depth_precision=image_joints.score / depth_sigma_m**2,
            clear=used & (visibility > CLEAR_VISIBILITY),
        )

    def terms(
        self,
        targets: LandmarkTargets,
        betas: NDArray[np.float64],
        posed_m: NDArray[np.float64] | None,
        *,
        shapes: int,
    ) -> SurfacePoints:
        """Return the terms of a frame's landmarks.

        Args:
            targets: From `targets`.
            betas: (B) shape coefficients.
            posed_m: (L, 3) the points of the body as fitted so far (`posed`) [m], for robust weights; None: no fit.
            shapes: How many of the betas are unknowns of the fit: their effect is left out of the points at rest.
        """
        count = len(targets.sigma_m)
        points_m, normals, precision = np.zeros((3 * count, 3)), np.zeros((3 * count, 3)), np.empty(3 * count)
        _fill_terms(*targets, np.empty((0, 3)) if posed_m is None else posed_m, points_m, normals, precision)
        rest_m = self._points if shapes else self._points + self._shapedirs @ betas
        return SurfacePoints(
            rest_m=np.concatenate([rest_m, rest_m, rest_m]),
            shapedirs=self._shapedirs_thrice if shapes else np.empty((3 * count, 3, 0)),
            joints=self._joints_thrice,
            weights=self._weights_thrice,
            targets_m=points_m,
            normals=normals,
            precision=precision,
        )

    @staticmethod
    def residual_m(targets: LandmarkTargets, posed_m: NDArray[np.float64]) -> float:
        """Return the largest distance of points (L, 3) [m] from the rays of visible landmarks [m]; NaN = none."""
        aside_m = (posed_m[:, :2] - targets.slope * posed_m[:, 2:])[targets.clear]
        return float(np.sqrt((aside_m**2).sum(axis=1).max())) if len(aside_m) else float("nan")

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
        posed_m = np.empty_like(rest_m)
        skin_points(rest_joints_m, positions_m, rotations, rest_m, self._joints, self._weights, posed_m)
        return posed_m


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_terms(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    slope: NDArray[np.float64],
    sigma_m: NDArray[np.float64],
    precision: NDArray[np.float64],
    depth_m: NDArray[np.float64],
    depth_sigma_m: NDArray[np.float64],
    depth_precision: NDArray[np.float64],
    _clear: NDArray[np.bool_],
    posed_m: NDArray[np.float64],
    points_m: NDArray[np.float64],
    normals: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> None:
    """Write points (3 L, 3) [m], unit normals (3 L, 3) and weights (3 L) [1/m^2] of the planes: columns, rows, depths.

    The weights are robust where posed points (L, 3) [m] are given (L > 0).
    """
    count = sigma_m.shape[0]
    for p in range(count):
        weight, depth_weight = precision[p], depth_precision[p]
        if posed_m.shape[0]:
            z = posed_m[p, 2]
            x, y = posed_m[p, 0] - slope[p, 0] * z, posed_m[p, 1] - slope[p, 1] * z
            aside = (x * x + y * y) / (OUTLIER_SIGMAS * sigma_m[p]) ** 2
            behind = ((z - depth_m[p]) / (OUTLIER_SIGMAS * depth_sigma_m[p])) ** 2
            weight = weight / (1.0 + aside) ** 2 if z > MIN_DEPTH_M else 0.0
            depth_weight /= (1.0 + behind) ** 2
        for axis in range(2):
            row = axis * count + p
            square = 1.0 + slope[p, axis] ** 2
            normals[row, axis] = 1.0 / np.sqrt(square)
            normals[row, 2] = -slope[p, axis] / np.sqrt(square)
            weights[row] = weight * square
        normals[2 * count + p, 2] = 1.0
        points_m[2 * count + p, 2] = depth_m[p]
        weights[2 * count + p] = depth_weight


def joined(first: SurfacePoints, second: SurfacePoints) -> SurfacePoints:
    """Return the terms of both."""
    return SurfacePoints(*(np.concatenate([a, b]) for a, b in zip(first, second, strict=True)))


def _moving_joint(name: str) -> int:
    """Return the joint whose rotation moves the landmark at a joint: the thigh's for hips, else the segment above."""
    index = SMPL_24.index(name)
    return index if name.endswith("hip") else SMPL_24.parents[index]


def two_indices(names: tuple[str, ...]) -> tuple[int, int]:
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

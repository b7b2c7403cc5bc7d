"""Preparation of the landmarks of the colour image for the fit: their depth, and their agreement with other joints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.landmark_planes import INSIDE_OF, LANDMARKS_OF_JOINTS, two_indices
from rehab_pose.body.pose_solver import Landmarks
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, Joints, Silhouette
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["agreement", "joint_visibilities", "landmarks_with_depth"]

JOINTS = np.array([SMPL_24.index(name) for name in LANDMARKS_OF_JOINTS])
SOURCES = np.array([two_indices(names) for names in LANDMARKS_OF_JOINTS.values()])
"""(14, 2) the landmarks whose mean is at each of JOINTS."""
DISC_M = 0.03
"""Radius of the disc around a landmark in which the depth of its surface is searched [m]: a wrist is 0.06 m wide."""
DISC = np.array([(u, v) for u in np.linspace(-1, 1, 7) for v in np.linspace(-1, 1, 7) if u * u + v * v <= 1.01])
"""(D, 2) sampled positions in a disc of radius 1."""
NEAREST_QUANTILE = 0.25
"""Quantile of the depths in the disc that is taken for the surface of the landmark's limb."""
DISTANCE_SAMPLES = 24
"""The person's distance is the median of about this number of depths in each direction of the box."""
MIN_RETURNS = 6
"""With fewer returns in the disc the depth is unknown."""
INSIDE_M = np.array([INSIDE_OF[name.partition("_")[2]] for name in LANDMARKS_OF_JOINTS])
"""(14) distance of each joint behind its surface [m]."""
MAX_SURPRISE_M = 0.15
"""Largest distance of a landmark's surface from the depth that the image network or the depth network expects [m]."""
LANDMARK_SIGMA_M = 0.04
"""Error of a landmark at a joint, for the comparison with the joints of the depth network [m]."""
OUTLIER_SIGMAS = 2.5
"""Scale of the Geman-McClure weight of a joint that disagrees with its landmark, in standard deviations."""
CLEAR_VISIBILITY = 0.5
"""Landmarks that are more probably visible than this are compared with the joints of the depth network."""


def landmarks_with_depth(image_joints: ImageJoints, silhouette: Silhouette, joints: Joints) -> Landmarks | None:
    """Return the landmarks with the depth of the person's pelvis; None if it is unknown.

    Args:
        image_joints: Landmarks.
        silhouette: The person's depth in the same frame.
        joints: SMPL_24 joints of the depth network, whose pelvis is used where the trunk has no depth.
    """
    surface_m = _surface_depth_m(image_joints, silhouette)
    distance_m = _pelvis_depth_m(image_joints, surface_m)
    if not np.isfinite(distance_m):
        distance_m = float(joints.positions_m[0, 2])
    if not np.isfinite(distance_m):
        return None
    expected_m = np.tile(distance_m + image_joints.relative_m[:, 2, None], 2)
    expected_m[SOURCES, 1] = joints.positions_m[JOINTS, None, 2]
    with np.errstate(invalid="ignore"):
        # Another part of the body, or a table, may hide a landmark that the network reports as visible.
        hidden = ~(np.abs(surface_m[:, None] - expected_m) < MAX_SURPRISE_M).any(axis=1)
    surface_m[hidden] = np.nan
    camera = silhouette.intrinsics
    pixels = image_joints.pixels[SOURCES].mean(axis=1)
    with np.errstate(invalid="ignore"):
        measured_m = surface_m[SOURCES].mean(axis=1) + INSIDE_M
    relative_m = distance_m + image_joints.relative_m[SOURCES, 2].mean(axis=1)
    depth_m = np.where(np.isfinite(measured_m), measured_m, relative_m)
    lifted_m = np.full((len(SMPL_24), 3), np.nan)
    lifted_m[JOINTS] = camera.back_project(pixels, depth_m)
    hips = [SMPL_24.index("left_hip"), SMPL_24.index("right_hip")]
    lifted_m[0] = lifted_m[hips].mean(axis=0)
    return Landmarks(image_joints, camera, distance_m, surface_m, lifted_m)


def agreement(joints: Joints, image_joints: ImageJoints, camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Return a factor (24), 0-1, for the weight of each joint of the depth network, from its distance to its landmark.

    A joint without a landmark gets the mean factor of those with one: a network that takes a back for a front is wrong
    in all joints.
    """
    factors = np.ones(len(SMPL_24))
    clear = image_joints.visibility[SOURCES].min(axis=1) > CLEAR_VISIBILITY
    positions_m, sigma_m = joints.positions_m[JOINTS], joints.sigma_m[JOINTS]
    pixels = image_joints.pixels[SOURCES].mean(axis=1)
    slope = (pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    aside_m = positions_m[:, :2] - slope * positions_m[:, 2:]
    variance = LANDMARK_SIGMA_M**2 + np.nan_to_num(sigma_m, nan=0.0) ** 2 / 3.0
    squared = (aside_m**2).sum(axis=1) / (OUTLIER_SIGMAS**2 * variance)
    compared = clear & np.isfinite(squared)
    if not compared.any():
        return factors
    agreed = 1.0 / (1.0 + squared) ** 2
    factors[:] = agreed[compared].mean()
    factors[JOINTS[compared]] = agreed[compared]
    return factors


def joint_visibilities(image_joints: ImageJoints | None) -> NDArray[np.float64]:
    """Return the visibility (24), 0-1, of the landmark at each joint; 1 where a joint has none or there are none."""
    visibility = np.ones(len(SMPL_24))
    if image_joints is not None:
        visibility[JOINTS] = image_joints.visibility[SOURCES].min(axis=1)
    return visibility


def _surface_depth_m(image_joints: ImageJoints, silhouette: Silhouette) -> NDArray[np.float64]:
    """Return the depth (33) of the surface at each visible landmark [m]; NaN = hidden, or no return there.

    A visible landmark is on the nearest surface of its surroundings: the depth is the quantile NEAREST_QUANTILE of the
    silhouette's depths in a disc of DISC_M around it, which also finds a limb that the landmark misses by a little.
    """
    x, y, width, height = silhouette.box_px
    step = 1 + min(width, height) // DISTANCE_SAMPLES
    sampled = silhouette.depth_m[step // 2 :: step, step // 2 :: step]
    finite = sampled[np.isfinite(sampled)]
    visible = np.isfinite(image_joints.pixels).all(axis=1) & (image_joints.visibility > CLEAR_VISIBILITY)
    if not len(finite) or not visible.any():
        return np.full(len(image_joints.pixels), np.nan)
    radius_px = DISC_M * silhouette.intrinsics.fx / float(np.median(finite))
    pixels = np.where(visible[:, None], image_joints.pixels, np.nan) - [x, y]
    depths_m: NDArray[np.float64] = _nearest_depths_m(pixels, silhouette.depth_m, radius_px * DISC)
    return depths_m


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nearest_depths_m(
    pixels: NDArray[np.float64], depth_m: NDArray[np.float32], disc_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the quantile NEAREST_QUANTILE of the depths (N) [m] in a disc around each pixel; NaN = too few returns.

    Args:
        pixels: (N, 2) column and row in the box [px]; NaN = none.
        depth_m: (h, w) over the box [m]; NaN = no return.
        disc_px: (D, 2) sampled positions relative to the pixel [px].
    """
    height, width = depth_m.shape
    nearest = np.full(pixels.shape[0], np.nan)
    depths = np.empty(disc_px.shape[0])
    for n in range(pixels.shape[0]):
        if not np.isfinite(pixels[n, 0] + pixels[n, 1]):
            continue
        count = 0
        for d in range(disc_px.shape[0]):
            column = int(np.floor(pixels[n, 0] + disc_px[d, 0] + 0.5))
            row = int(np.floor(pixels[n, 1] + disc_px[d, 1] + 0.5))
            if 0 <= column < width and 0 <= row < height and np.isfinite(depth_m[row, column]):
                depths[count] = depth_m[row, column]
                count += 1
        if count >= MIN_RETURNS:
            nearest[n] = np.sort(depths[:count])[int(NEAREST_QUANTILE * count)]
    return nearest


def _pelvis_depth_m(image_joints: ImageJoints, surface_m: NDArray[np.float64]) -> float:
    """Return the depth of the pelvis [m] with which the network's relative depths agree best; NaN = no landmark.

    The trunk need not be in view: on all fours it is hidden by the shoulders.
    """
    pelvis_m = (surface_m[SOURCES] - image_joints.relative_m[SOURCES, 2]).mean(axis=1) + INSIDE_M
    pelvis_m = pelvis_m[np.isfinite(pelvis_m)]
    return float(np.median(pelvis_m)) if len(pelvis_m) else float("nan")

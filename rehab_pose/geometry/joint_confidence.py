"""Visibility and confidence of joints from their positions, their errors and the person's silhouette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.datatypes import JointVisibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette

__all__ = ["joint_confidence", "joint_visibility"]

CONFIDENT_SIGMA_M = 0.12
"""Standard deviation at which the confidence of a joint is 1/e: about half the length of a forearm [m]."""
OCCLUDED_CONFIDENCE = 0.5
"""Factor of the confidence of an occluded joint."""
OUTSIDE_CONFIDENCE = 0.2
"""Factor of the confidence of a joint outside the image."""
OCCLUDER_GAP_M = 0.30
"""A surface more than this in front of a joint centre is not that of the body part: it occludes the joint [m]."""


OBSERVED, OCCLUDED = int(JointVisibility.OBSERVED), int(JointVisibility.OCCLUDED)
PREDICTED, MISSING = int(JointVisibility.PREDICTED), int(JointVisibility.MISSING)
"""Plain numbers: members of an enumeration cost more than the arithmetic, and compiled code does not know them."""
FACTORS = np.zeros(max(JointVisibility) + 1)
FACTORS[[OBSERVED, OCCLUDED, PREDICTED]] = 1.0, OCCLUDED_CONFIDENCE, OUTSIDE_CONFIDENCE
"""Factor of the confidence by `JointVisibility`."""


def joint_confidence(sigma_m: NDArray[np.float64], visibility: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the confidence (J), 0-1, of joints with standard deviations (J) [m] and `JointVisibility` (J)."""
    return np.where(visibility == MISSING, 0.0, np.exp(-sigma_m / CONFIDENT_SIGMA_M) * FACTORS[visibility])


def joint_visibility(positions_m: NDArray[np.float64], silhouette: Silhouette) -> NDArray[np.uint8]:
    """Return the `JointVisibility` (J) of joints (J, 3) [m]: observed, occluded, outside the image, or missing."""
    camera = silhouette.intrinsics
    visibility = np.empty(len(positions_m), np.uint8)
    _find_visibility(
        np.ascontiguousarray(positions_m, np.float64),
        np.ascontiguousarray(silhouette.depth_m),
        (camera.fx, camera.fy, camera.cx, camera.cy),
        (camera.width_px, camera.height_px),
        silhouette.box_px[:2],
        visibility,
    )
    return visibility


READ_POINTS = numba.types.Array(numba.float64, 2, "C", readonly=True)
READ_DEPTH = numba.types.Array(numba.float32, 2, "C", readonly=True)
PINHOLE, SIZE = numba.types.UniTuple(numba.float64, 4), numba.types.UniTuple(numba.int64, 2)


@numba.njit(numba.void(READ_POINTS, READ_DEPTH, PINHOLE, SIZE, SIZE, numba.uint8[::1]), cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _find_visibility(
    positions_m: NDArray[np.float64],
    depth_m: NDArray[np.float32],
    pinhole: tuple[float, float, float, float],
    size_px: tuple[int, int],
    origin_px: tuple[int, int],
    visibility: NDArray[np.uint8],
) -> None:
    """Write the visibility (J) of joints, see `joint_visibility`; the depth (h, w) is that of the box at the origin."""
    fx, fy, cx, cy = pinhole
    for joint in range(positions_m.shape[0]):
        x, y, z = positions_m[joint, 0], positions_m[joint, 1], positions_m[joint, 2]
        if not (np.isfinite(x) and np.isfinite(y) and z > 0.0 and np.isfinite(z)):
            visibility[joint] = MISSING
            continue
        u, v = np.floor(fx * x / z + cx + 0.5), np.floor(fy * y / z + cy + 0.5)
        if not (0 <= u < size_px[0] and 0 <= v < size_px[1]):
            visibility[joint] = PREDICTED
            continue
        column, row = int(u) - origin_px[0], int(v) - origin_px[1]
        in_box = 0 <= column < depth_m.shape[1] and 0 <= row < depth_m.shape[0]
        if not in_box or z - depth_m[row, column] > OCCLUDER_GAP_M:
            visibility[joint] = OCCLUDED
        else:
            visibility[joint] = OBSERVED

"""Rotations of SO(3): exponential, logarithm, and the rotation that best aligns two point sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "align_points",
    "angles_between",
    "axis_angles_from_matrices",
    "is_rotation",
    "matrices_from_axis_angles",
    "matrices_from_quaternions",
    "quaternions_from_matrices",
]

SMALL_ANGLE_RAD = 1e-8
"""Below this angle sin(a)/a is 1 to double precision [rad]."""


def matrices_from_axis_angles(axis_angles_rad: NDArray[Any]) -> NDArray[np.float64]:
    """Return rotation matrices (..., 3, 3) from rotation vectors (..., 3) [rad] (Rodrigues' formula)."""
    vectors = np.asarray(axis_angles_rad, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    safe = np.where(angle < SMALL_ANGLE_RAD, 1.0, angle)
    skew = np.zeros((*vectors.shape[:-1], 3, 3))
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = -z, y, -x
    skew[..., 1, 0], skew[..., 2, 0], skew[..., 2, 1] = z, -y, x
    sine_ratio = np.where(angle < SMALL_ANGLE_RAD, 1.0, np.sin(angle) / safe)
    cosine_ratio = np.where(angle < SMALL_ANGLE_RAD, 0.5, 2.0 * (np.sin(angle / 2.0) / safe) ** 2)
    matrices: NDArray[np.float64] = np.eye(3) + sine_ratio * skew + cosine_ratio * (skew @ skew)
    return matrices


def _multiples(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (4, 4): the quaternion x, y, z, w of a matrix (3, 3) times four of each component, less the identity."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = m
    return np.array(
        [
            [xx - yy - zz, yx + xy, xz + zx, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [xz + zx, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )


FROM_MATRIX = np.stack([_multiples(unit.reshape(3, 3)).ravel() for unit in np.eye(9)])
"""(9, 16) coefficients of `_multiples` of the nine elements of a matrix."""
FROM_IDENTITY = np.eye(4).ravel()


def quaternions_from_matrices(matrices: NDArray[Any]) -> NDArray[np.float64]:
    """Return unit quaternions (..., 4) in ROS order x, y, z, w with w >= 0 from rotation matrices (..., 3, 3).

    The largest of the four components is computed first, so the result is exact for every rotation
    (Shepperd, 1978).
    """
    m = np.asarray(matrices, dtype=np.float64)
    # Row k of (4, 4) is the quaternion times four times its component k. One product instead of a dozen sums: each call
    # of numpy costs more than the arithmetic of 24 joints.
    multiples = (m.reshape(-1, 9) @ FROM_MATRIX + FROM_IDENTITY).reshape(-1, 4, 4)
    largest = multiples.reshape(-1, 16)[:, ::5].argmax(axis=1)
    quaternions: NDArray[np.float64] = multiples[np.arange(len(multiples)), largest]
    lengths = np.sqrt(np.einsum("ni,ni->n", quaternions, quaternions))
    quaternions /= np.where(quaternions[:, 3] < 0, -lengths, lengths)[:, None]
    return quaternions.reshape(*m.shape[:-2], 4)


def matrices_from_quaternions(quaternions: NDArray[Any]) -> NDArray[np.float64]:
    """Return rotation matrices (..., 3, 3) of quaternions (..., 4) in x, y, z, w order; they are normalised first."""
    q = np.asarray(quaternions, dtype=np.float64)
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    x, y, z, w = np.moveaxis(q, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def axis_angles_from_matrices(matrices: NDArray[Any]) -> NDArray[np.float64]:
    """Return rotation vectors (..., 3) [rad], angle in [0, pi], from rotation matrices (..., 3, 3)."""
    quaternions = quaternions_from_matrices(matrices)
    sine = np.linalg.norm(quaternions[..., :3], axis=-1)
    angle = 2.0 * np.arctan2(sine, quaternions[..., 3])
    ratio = np.where(sine < SMALL_ANGLE_RAD, 2.0, angle / np.where(sine < SMALL_ANGLE_RAD, 1.0, sine))
    return quaternions[..., :3] * ratio[..., None]


def is_rotation(matrix: NDArray[Any], tolerance: float) -> bool:
    """Return whether a matrix (3, 3) is a rotation: finite, R R^T within `tolerance` of the identity, no reflection."""
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        orthogonal = bool(np.abs(matrix @ matrix.T - np.eye(3)).max() <= tolerance)
    return orthogonal and float(np.linalg.det(matrix)) > 0.0


def angles_between(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the angles (...) [rad], 0 to pi, between vectors (..., 3), exact for small angles too."""
    across = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.asarray(np.arctan2(across, (first * second).sum(axis=-1)))


def align_points(
    source_m: NDArray[Any], target_m: NDArray[Any], weights: NDArray[Any] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations R (..., 3, 3) and translations t (..., 3) [m] that minimise sum w ||R source + t - target||^2.

    The closed form of Kabsch (1976) with the determinant kept at +1.

    Args:
        source_m: (..., N, 3) points [m]; a point with NaN in either set is ignored.
        target_m: (..., N, 3) where they should be [m]; broadcast against the source.
        weights: (..., N); None = 1. Points without a positive weight are ignored.
    """
    source, target = np.broadcast_arrays(np.asarray(source_m, dtype=np.float64), np.asarray(target_m, dtype=np.float64))
    given = 1.0 if weights is None else np.maximum(np.asarray(weights, dtype=np.float64), 0.0)
    usable = np.isfinite(source + target).all(axis=-1)
    weight = usable * given
    weight = (weight / weight.sum(axis=-1, keepdims=True))[..., None]
    source, target = (np.where(usable[..., None], points, 0.0) for points in (source, target))
    source_centre, target_centre = ((weight * points).sum(axis=-2, keepdims=True) for points in (source, target))
    covariance = np.swapaxes(target - target_centre, -1, -2) @ (weight * (source - source_centre))
    left, _, right = np.linalg.svd(covariance)
    left[..., 2] *= np.sign(np.linalg.det(left @ right))[..., None]
    rotation = left @ right
    translation = target_centre[..., 0, :] - (rotation @ source_centre[..., 0, :, None])[..., 0]
    return rotation, translation


def smallest_rotation(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) by the smallest angle from direction `source` to direction `target` (3 each).

    Opposite directions do not determine the axis; then it is derived from the coordinate axis nearest to perpendicular.
    """
    a = np.asarray(source, dtype=np.float64) / max(float(np.linalg.norm(source)), SMALL_ANGLE_RAD)
    b = np.asarray(target, dtype=np.float64) / max(float(np.linalg.norm(target)), SMALL_ANGLE_RAD)
    cosine = float(a @ b)
    if cosine < -1.0 + SMALL_ANGLE_RAD:
        square = np.eye(3)[int(np.argmin(np.abs(a)))]
        axis = square - (square @ a) * a
        return matrices_from_axis_angles(np.pi * axis / np.linalg.norm(axis))
    x, y, z = np.cross(a, b)
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1.0 + cosine))

"""The surface's part of the fit's objective: distances of the mesh's points from planes through depth points.

    E_surface(x) = sum_p w_p (n_p . (v_p(x) - t_p))^2

with v_p a vertex by linear blend skinning, t_p the depth point it belongs to and n_p the mesh's normal there (point to
plane, Chen and Medioni 1992). A rotation of joint a moves the vertex in proportion to its weights on a and on the
descendants of a: with y_k = w_k (R_k (v - J_k) + p_k), dv = axis x (sum_k y_k - p_a sum_k w_k) over these k.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.model import JOINT_COUNT, PARENTS
from rehab_pose.body.objective import COLUMN_OF_JOINT, SHAPE_START

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PosedChain", "SurfacePoints", "no_surface", "skin_points", "surface_cost", "surface_equations"]


class SurfacePoints(NamedTuple):
    """P vertices and the plane that each is drawn to, as arrays for compiled code."""

    rest_m: NDArray[np.float64]
    """(P, 3) vertices at rest, without the effect of the unknown shape coefficients [m]."""
    shapedirs: NDArray[np.float64]
    """(P, 3, B) their change with the unknown shape coefficients [m]."""
    joints: NDArray[np.int64]
    """(P, K) joints that move each vertex."""
    weights: NDArray[np.float64]
    """(P, K) skinning weights; rows sum to 1."""
    targets_m: NDArray[np.float64]
    """(P, 3) depth points [m]."""
    normals: NDArray[np.float64]
    """(P, 3) unit vectors."""
    precision: NDArray[np.float64]
    """(P) w_p [1/m^2]."""


class PosedChain(NamedTuple):
    """The kinematic chain at the current unknowns, as arrays for compiled code."""

    rest_m: NDArray[np.float64]
    """(24, 3) joints at rest [m]."""
    positions: NDArray[np.float64]
    """(24, 3) posed joints [m]."""
    rotations: NDArray[np.float64]
    """(24, 3, 3) their global rotations."""
    axes: NDArray[np.float64]
    """(24, 3, 3) from `objective.joint_axes`."""
    shapedirs: NDArray[np.float64]
    """(24, 3, B) change of the joints at rest with the unknown shape coefficients [m]."""
    shape_derivatives: NDArray[np.float64]
    """(24, 3, B) from `objective.shape_derivatives`."""


def no_surface(shapes: int, joints: int = 1) -> SurfacePoints:
    """Return no points, for a fit to joints only.

    Args:
        shapes: Number of unknown shape coefficients.
        joints: Number of joints that move a vertex, K.
    """
    return SurfacePoints(
        np.empty((0, 3)),
        np.empty((0, 3, shapes)),
        np.empty((0, joints), np.int64),
        np.empty((0, joints)),
        np.empty((0, 3)),
        np.empty((0, 3)),
        np.empty(0),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def skin_points(  # noqa: PLR0917  (compiled code takes plain arrays)
    rest_joints_m: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    rest_m: NDArray[np.float64],
    joints: NDArray[np.int64],
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the posed vertices by linear blend skinning.

    Args:
        rest_joints_m: (24, 3) joints at rest [m].
        positions: (24, 3) posed joints [m].
        rotations: (24, 3, 3) their global rotations.
        rest_m: (P, 3) vertices at rest [m].
        joints: (P, K) joints that move each vertex.
        weights: (P, K) skinning weights.
        out: (P, 3) posed vertices [m]; written.
    """
    for p in range(rest_m.shape[0]):
        out[p] = 0.0
        for k in range(joints.shape[1]):
            weight, joint = weights[p, k], joints[p, k]
            if weight == 0.0:
                continue
            x = rest_m[p, 0] - rest_joints_m[joint, 0]
            y = rest_m[p, 1] - rest_joints_m[joint, 1]
            z = rest_m[p, 2] - rest_joints_m[joint, 2]
            for i in range(3):
                row = rotations[joint, i]
                out[p, i] += weight * (row[0] * x + row[1] * y + row[2] * z + positions[joint, i])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _shaped(unknowns: NDArray[np.float64], points: SurfacePoints) -> NDArray[np.float64]:
    """Return the vertices at rest (P, 3) [m] with the current shape coefficients."""
    rest = points.rest_m.copy()
    shapes = points.shapedirs.shape[2]
    for p in range(rest.shape[0]):
        for i in range(3):
            for b in range(shapes):
                rest[p, i] += points.shapedirs[p, i, b] * unknowns[SHAPE_START + b]
    return rest


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def surface_cost(
    unknowns: NDArray[np.float64],
    rest_joints_m: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    points: SurfacePoints,
) -> float:
    """Return E_surface."""
    count = points.rest_m.shape[0]
    if count == 0:
        return 0.0
    posed = np.empty((count, 3))
    rest = _shaped(unknowns, points)
    skin_points(rest_joints_m, positions, rotations, rest, points.joints, points.weights, posed)
    total = 0.0
    for p in range(count):
        distance = 0.0
        for i in range(3):
            distance += points.normals[p, i] * (posed[p, i] - points.targets_m[p, i])
        total += points.precision[p] * distance * distance
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _subtree_sums(
    p: int, point: NDArray[np.float64], pose: PosedChain, points: SurfacePoints, sums: NDArray[np.float64]
) -> None:
    """Write sum y_k (3) and sum w_k (1) of one vertex over each joint and its descendants (24, 4)."""
    sums[:] = 0.0
    for k in range(points.joints.shape[1]):
        weight, joint = points.weights[p, k], points.joints[p, k]
        if weight == 0.0:
            continue
        x = point[0] - pose.rest_m[joint, 0]
        y = point[1] - pose.rest_m[joint, 1]
        z = point[2] - pose.rest_m[joint, 2]
        for i in range(3):
            row = pose.rotations[joint, i]
            part = weight * (row[0] * x + row[1] * y + row[2] * z + pose.positions[joint, i])
            above = joint
            while above >= 0:
                sums[above, i] += part
                above = PARENTS[above]
        above = joint
        while above >= 0:
            sums[above, 3] += weight
            above = PARENTS[above]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _row(
    p: int,
    pose: PosedChain,
    points: SurfacePoints,
    sums: NDArray[np.float64],
    columns: NDArray[np.int64],
    row: NDArray[np.float64],
) -> int:
    """Write the derivative of one vertex' distance from its plane, and the unknowns it is by; return their number."""
    nx, ny, nz = points.normals[p, 0], points.normals[p, 1], points.normals[p, 2]
    for i in range(3):
        columns[i], row[i] = i, points.normals[p, i]
    count = 3
    for joint in range(JOINT_COUNT):
        weight = sums[joint, 3]
        if weight == 0.0 or COLUMN_OF_JOINT[joint] < 0:
            continue
        dx = sums[joint, 0] - weight * pose.positions[joint, 0]
        dy = sums[joint, 1] - weight * pose.positions[joint, 1]
        dz = sums[joint, 2] - weight * pose.positions[joint, 2]
        # (axis x d) . n = axis . (d x n)
        cx, cy, cz = dy * nz - dz * ny, dz * nx - dx * nz, dx * ny - dy * nx
        for i in range(3):
            columns[count] = COLUMN_OF_JOINT[joint] + i
            row[count] = pose.axes[joint, 0, i] * cx + pose.axes[joint, 1, i] * cy + pose.axes[joint, 2, i] * cz
            count += 1
    for b in range(pose.shapedirs.shape[2]):
        total = 0.0
        for k in range(points.joints.shape[1]):
            weight, joint = points.weights[p, k], points.joints[p, k]
            if weight == 0.0:
                continue
            for i in range(3):
                change = pose.shape_derivatives[joint, i, b]
                for j in range(3):
                    step = points.shapedirs[p, j, b] - pose.shapedirs[joint, j, b]
                    change += pose.rotations[joint, i, j] * step
                total += weight * points.normals[p, i] * change
        columns[count], row[count] = SHAPE_START + b, total
        count += 1
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def surface_equations(
    unknowns: NDArray[np.float64],
    pose: PosedChain,
    points: SurfacePoints,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add half the Gauss-Newton Hessian (N, N; lower triangle) and half the gradient (N) of E_surface."""
    rest = _shaped(unknowns, points)
    sums = np.empty((JOINT_COUNT, 4))
    columns, row = np.empty(unknowns.shape[0], np.int64), np.empty(unknowns.shape[0])
    for p in range(rest.shape[0]):
        _subtree_sums(p, rest[p], pose, points, sums)
        count = _row(p, pose, points, sums, columns, row)
        distance = 0.0
        for i in range(3):
            # All joints descend from the root: its sum is the posed vertex.
            distance += points.normals[p, i] * (sums[0, i] - points.targets_m[p, i])
        for a in range(count):
            weighted = points.precision[p] * row[a]
            gradient[columns[a]] += weighted * distance
            for b in range(a + 1):
                # Columns increase along a row, so this entry is in the lower triangle.
                hessian[columns[a], columns[b]] += weighted * row[b]

"""Levenberg-Marquardt on the fit's objective, compiled: some tens of microseconds an iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.objective import JOINT_COUNT, SHAPE_START, cost, forward, joint_jacobian, normal_equations
from rehab_pose.body.surface_objective import Pose, surface_cost, surface_equations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.surface_objective import SurfacePoints

__all__ = ["minimise"]

FIRST_DAMPING = 1e-3
DAMPING_UP, DAMPING_DOWN = 8.0, 0.2
"""Factors on the damping after a step that failed and one that succeeded (Marquardt 1963 uses 10 and 0.1)."""
MOST_DAMPING = 1e8


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _solve_damped(  # noqa: C901  (one Cholesky, read top to bottom)
    hessian: NDArray[np.float64], gradient: NDArray[np.float64], damping: float, step: NDArray[np.float64]
) -> bool:
    """Write the solution of (H + damping diag(H)) step = -gradient; False where the matrix is not positive definite.

    Cholesky on the lower triangle: a library's call costs more than this at 60 unknowns.
    """
    size = gradient.shape[0]
    factor = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = hessian[i, j]
            if i == j:
                total += damping * hessian[i, i] + 1e-12
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if total <= 0.0:
                    return False
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    for i in range(size):
        total = -gradient[i]
        for k in range(i):
            total -= factor[i, k] * step[k]
        step[i] = total / factor[i, i]
    for i in range(size - 1, -1, -1):
        total = step[i]
        for k in range(i + 1, size):
            total -= factor[k, i] * step[k]
        step[i] = total / factor[i, i]
    return True


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _rest(
    unknowns: NDArray[np.float64], template: NDArray[np.float64], shapedirs: NDArray[np.float64]
) -> NDArray[np.float64]:
    rest = template.copy()
    for b in range(shapedirs.shape[2]):
        coefficient = unknowns[SHAPE_START + b]
        for joint in range(JOINT_COUNT):
            for i in range(3):
                rest[joint, i] += coefficient * shapedirs[joint, i, b]
    return rest


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def minimise(  # noqa: PLR0913, PLR0917  (the objective's terms and when to stop)
    unknowns: NDArray[np.float64],
    base_rotation: NDArray[np.float64],
    joint_template: NDArray[np.float64],
    joint_shapedirs: NDArray[np.float64],
    target_m: NDArray[np.float64],
    joint_weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    prior_weight: NDArray[np.float64],
    hinge: NDArray[np.float64],
    surface: SurfacePoints,
    most_iterations: int,
    tolerance: float,
) -> tuple[int, bool, float]:
    """Improve `unknowns` (N) in place.

    Args:
        unknowns: (N) start; the result.
        base_rotation: (3, 3) the root's rotation that the unknown turn is applied to.
        joint_template: (24, 3) joints at rest of the body with zero (or fixed) shape [m].
        joint_shapedirs: (24, 3, B) with B = N - 60 shape unknowns.
        target_m: (24, 3) measured joints [m].
        joint_weight: (24) as in `objective.normal_equations`, as the next three.
        centre: (N).
        prior_weight: (N).
        hinge: (N).
        surface: Vertices and the planes they are drawn to; none (`no_surface`) for joints alone.
        most_iterations: Steps tried at most.
        tolerance: Stop when a step lowers E by less than this share.

    Returns:
        Steps tried, whether the tolerance was reached, and E.
    """
    size = unknowns.shape[0]
    positions, rotations = np.empty((JOINT_COUNT, 3)), np.empty((JOINT_COUNT, 3, 3))
    columns, blocks = np.empty((JOINT_COUNT, size), dtype=np.int64), np.empty((JOINT_COUNT, 3, size))
    axes, derivatives = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, joint_shapedirs.shape[2]))
    hessian, gradient, step = np.empty((size, size)), np.empty(size), np.empty(size)
    rest = _rest(unknowns, joint_template, joint_shapedirs)
    forward(unknowns, base_rotation, rest, positions, rotations)
    best = cost(unknowns, positions, target_m, joint_weight, centre, prior_weight, hinge)
    best += surface_cost(unknowns, rest, positions, rotations, surface)
    damping, stale = FIRST_DAMPING, True
    for iteration in range(most_iterations):
        if stale:
            joint_jacobian(unknowns, positions, rotations, joint_shapedirs, axes, derivatives, columns, blocks)
            normal_equations(
                unknowns,
                positions,
                target_m,
                joint_weight,
                centre,
                prior_weight,
                hinge,
                columns,
                blocks,
                hessian,
                gradient,
            )
            pose = Pose(rest, positions, rotations, axes, joint_shapedirs, derivatives)
            surface_equations(unknowns, pose, surface, hessian, gradient)
        tried = best + 1.0
        if _solve_damped(hessian, gradient, damping, step):
            candidate = unknowns + step
            rest = _rest(candidate, joint_template, joint_shapedirs)
            forward(candidate, base_rotation, rest, positions, rotations)
            tried = cost(candidate, positions, target_m, joint_weight, centre, prior_weight, hinge)
            tried += surface_cost(candidate, rest, positions, rotations, surface)
        stale = tried <= best
        if stale:
            gain = best - tried
            unknowns[:] = candidate
            best = tried
            damping *= DAMPING_DOWN
            if gain <= tolerance * best + 1e-12:
                return iteration + 1, True, best
        else:
            damping *= DAMPING_UP
            if damping > MOST_DAMPING:
                return iteration + 1, True, best
    return most_iterations, False, best

"""Levenberg-Marquardt on the fit's objective, compiled: some tens of microseconds an iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.objective import JOINT_COUNT, SHAPE_START, cost, forward, joint_jacobian, normal_equations
from rehab_pose.body.surface_objective import Pose, surface_cost, surface_equations
from rehab_pose.geometry.kernels import factorise, product, rotation_matrix, rotation_vector, solve_factorised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.surface_objective import SurfacePoints

__all__ = ["minimise"]

FIRST_DAMPING = 1e-3
DAMPING_UP, DAMPING_DOWN = 8.0, 0.2
"""Factors on the damping after a step that failed and one that succeeded (Marquardt 1963 uses 10 and 0.1)."""
MAX_DAMPING = 1e8


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _factorise_damped(hessian: NDArray[np.float64], damping: float, factor: NDArray[np.float64]) -> bool:
    """Write the Cholesky factor of H + damping diag(H), lower triangles; False where it is not positive definite."""
    for i in range(hessian.shape[0]):
        for j in range(i):
            factor[i, j] = hessian[i, j]
        factor[i, i] = hessian[i, i] * (1.0 + damping) + 1e-12
    definite: bool = factorise(factor)
    return definite


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _joint_sigma(
    factor: NDArray[np.float64], columns: NDArray[np.int64], blocks: NDArray[np.float64], sigma_m: NDArray[np.float64]
) -> None:
    """Write one standard deviation (24) [m] of joints whose unknowns have the covariance (L L^T)^-1.

    trace(J H^-1 J^T) / 3 = |L^-1 J^T|^2 / 3, for all joints at once. The weights are 1 / sigma^2 of a joint's distance
    from its true place, three times that of one axis; so is this.
    """
    size = factor.shape[0]
    spread = np.zeros((size, 3 * JOINT_COUNT))
    for joint in range(JOINT_COUNT):
        for a in range(size):
            if columns[joint, a] < 0:
                break
            for i in range(3):
                spread[columns[joint, a], 3 * joint + i] = blocks[joint, i, a]
    squares = np.zeros(3 * JOINT_COUNT)
    for i in range(size):
        row = spread[i]
        for k in range(i):
            share, above = factor[i, k], spread[k]
            for n in range(3 * JOINT_COUNT):
                row[n] -= share * above[n]
        share = 1.0 / factor[i, i]
        for n in range(3 * JOINT_COUNT):
            row[n] *= share
            squares[n] += row[n] * row[n]
    for joint in range(JOINT_COUNT):
        sigma_m[joint] = np.sqrt((squares[3 * joint] + squares[3 * joint + 1] + squares[3 * joint + 2]) / 3.0)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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
    max_iterations: int,
    tolerance: float,
    root_rad: NDArray[np.float64],
    sigma_m: NDArray[np.float64],
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
        max_iterations: Steps tried at most.
        tolerance: Stop when a step lowers E by less than this share.
        root_rad: (3) the root's whole rotation, axis-angle; written.
        sigma_m: (24) one standard deviation of each joint's distance from its true place, from the Hessian of the last
            step [m]; NaN where it is not positive definite; written.

    Returns:
        Steps tried, whether the tolerance was reached, and E.
    """
    size = unknowns.shape[0]
    positions, rotations = np.empty((JOINT_COUNT, 3)), np.empty((JOINT_COUNT, 3, 3))
    columns, blocks = np.empty((JOINT_COUNT, size), dtype=np.int64), np.empty((JOINT_COUNT, 3, size))
    axes, derivatives = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, joint_shapedirs.shape[2]))
    hessian, gradient, step = np.empty((size, size)), np.empty(size), np.empty(size)
    factor = np.empty((size, size))
    rest = _rest(unknowns, joint_template, joint_shapedirs)
    forward(unknowns, base_rotation, rest, positions, rotations)
    best = cost(unknowns, positions, target_m, joint_weight, centre, prior_weight, hinge)
    best += surface_cost(unknowns, rest, positions, rotations, surface)
    damping, stale, converged, tries = FIRST_DAMPING, True, False, 0
    while tries < max_iterations and not converged:
        tries += 1
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
        if _factorise_damped(hessian, damping, factor):
            step[:] = -gradient
            solve_factorised(factor, step)
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
            converged = gain <= tolerance * best + 1e-12
        else:
            damping *= DAMPING_UP
            converged = damping > MAX_DAMPING
    turn, whole = np.empty((3, 3)), np.empty((3, 3))
    rotation_matrix(unknowns[3], unknowns[4], unknowns[5], turn)
    product(turn, base_rotation, whole)
    rotation_vector(whole, root_rad)
    sigma_m[:] = np.nan
    if tries > 0 and _factorise_damped(hessian, 0.0, factor):
        _joint_sigma(factor, columns, blocks, sigma_m)
    return tries, converged, best

"""Steps of Levenberg-Marquardt: the normal equations with a scaled diagonal, without and with bounds (compiled)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.optimisation.cholesky import factorise, solve_factorised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bounded_step", "damped_step", "factorise_damped"]

MIN_DIAGONAL = 1e-12
"""Added to the damped diagonal, so that an unknown without information keeps the matrix positive definite."""
AT_BOUND = 1e-12
"""An unknown this near to a bound counts as being at the bound, in the unit of the unknown."""
BOUND_PASSES = 4
"""Largest number of times that a step is solved because unknowns would cross their bounds."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def factorise_damped(hessian: NDArray[np.float64], damping: float, factor: NDArray[np.float64]) -> bool:
    """Write the Cholesky factor of H + damping diag(H); only the lower triangles are read and written.

    Returns:
        False where the damped matrix is not positive definite.
    """
    for i in range(hessian.shape[0]):
        for j in range(i):
            factor[i, j] = hessian[i, j]
        factor[i, i] = hessian[i, i] * (1.0 + damping) + MIN_DIAGONAL
    definite: bool = factorise(factor)
    return definite


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def damped_step(
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    damping: float,
    factor: NDArray[np.float64],
    step: NDArray[np.float64],
) -> bool:
    """Write the step s (N) of (H + damping diag H) s = -g without bounds.

    Args:
        hessian: (N, N) half the Hessian, lower triangle.
        gradient: (N) half the gradient.
        damping: Factor on the diagonal, 0 = Gauss-Newton.
        factor: (N, N) written: the Cholesky factor of the damped matrix, lower triangle.
        step: (N) written.

    Returns:
        False, with `step` unchanged, where the damped matrix is not positive definite.
    """
    if not factorise_damped(hessian, damping, factor):
        return False
    step[:] = -gradient
    solve_factorised(factor, step)
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bounded_step(  # noqa: C901, PLR0912  (hold what is at a bound, solve for the rest, repeat)
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    damping: float,
    room_down: NDArray[np.float64],
    room_up: NDArray[np.float64],
    step: NDArray[np.float64],
) -> bool:
    """Write the step s (N) of (H + damping diag H) s = -g with room_down <= s <= room_up.

    An unknown at a bound whose descent direction leaves the bound is held; one that the solution moves across a bound
    is held at it and the others are solved again, in up to `BOUND_PASSES` passes.

    Args:
        hessian: (N, N) half the Hessian, lower triangle.
        gradient: (N) half the gradient.
        damping: Factor on the diagonal.
        room_down: (N) distance to the lower bounds, at most 0.
        room_up: (N) distance to the upper bounds, at least 0.
        step: (N) written.

    Returns:
        False where the damped matrix of the free unknowns is not positive definite.
    """
    size = gradient.shape[0]
    fixed = np.zeros(size, dtype=np.bool_)
    step[:] = 0.0
    for i in range(size):
        fixed[i] = (room_down[i] >= -AT_BOUND and gradient[i] > 0.0) or (room_up[i] <= AT_BOUND and gradient[i] < 0.0)
    matrix, vector = np.empty((size, size)), np.empty(size)
    for _ in range(BOUND_PASSES):
        for i in range(size):
            vector[i] = -gradient[i]
            for j in range(i + 1):
                matrix[i, j] = 0.0 if fixed[i] or fixed[j] else hessian[i, j]
            matrix[i, i] = 1.0 if fixed[i] else hessian[i, i] * (1.0 + damping) + MIN_DIAGONAL
        for j in range(size):
            if fixed[j]:
                vector[j] = step[j]
                if step[j] != 0.0:
                    for i in range(size):
                        if not fixed[i]:
                            vector[i] -= (hessian[i, j] if j <= i else hessian[j, i]) * step[j]
        if not factorise(matrix):
            return False
        solve_factorised(matrix, vector)
        crossed = False
        for i in range(size):
            if fixed[i]:
                continue
            step[i] = vector[i]
            if vector[i] < room_down[i] or vector[i] > room_up[i]:
                step[i] = min(max(vector[i], room_down[i]), room_up[i])
                fixed[i] = crossed = True
        if not crossed:
            break
    return True

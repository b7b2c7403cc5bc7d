"""Cholesky factorisation of a symmetric band matrix, and the same band of its inverse (compiled).

Row i of a band (n, width + 1) holds M[i, i - width] ... M[i, i].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.optimisation.damped_steps import BOUND_PASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["band_bounded_step", "band_factor", "band_inverse", "band_solve"]

AT_LIMIT = 1e-12
"""An unknown this near to a limit counts as being at it."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def band_factor(band: NDArray[np.float64]) -> bool:
    """Overwrite a band (n, width + 1) with that of its Cholesky factor; False where it is not positive definite."""
    size, width = band.shape[0], band.shape[1] - 1
    for i in range(size):
        first = max(0, i - width)
        for j in range(first, i + 1):
            total = band[i, j - i + width]
            for k in range(max(first, j - width), j):
                total -= band[i, k - i + width] * band[j, k - j + width]
            if i == j:
                if total <= 0.0:
                    return False
                band[i, width] = np.sqrt(total)
            else:
                band[i, j - i + width] = total / band[j, width]
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def band_solve(factor: NDArray[np.float64], vector: NDArray[np.float64]) -> None:
    """Overwrite `vector` (n) with the solution, given the factor."""
    size, width = factor.shape[0], factor.shape[1] - 1
    for i in range(size):
        for k in range(max(0, i - width), i):
            vector[i] -= factor[i, k - i + width] * vector[k]
        vector[i] /= factor[i, width]
    for i in range(size - 1, -1, -1):
        vector[i] /= factor[i, width]
        for k in range(max(0, i - width), i):
            vector[k] -= factor[i, k - i + width] * vector[i]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def band_inverse(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse's entries within the band, given the factor (Takahashi, Fagan and Chin 1973)."""
    size, width = factor.shape[0], factor.shape[1] - 1
    inverse = np.zeros((size, width + 1))
    for j in range(size - 1, -1, -1):
        last = min(size - 1, j + width)
        for i in range(last, j - 1, -1):
            total = 1.0 / factor[j, width] if i == j else 0.0
            for k in range(j + 1, last + 1):
                high, low = max(i, k), min(i, k)
                total -= factor[k, j - k + width] * inverse[high, low - high + width]
            inverse[i, j - i + width] = total / factor[j, width]
    return inverse


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _band_times(band: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product (n) of the matrix and a vector (n)."""
    size, width = band.shape[0], band.shape[1] - 1
    out = np.zeros(size)
    for i in range(size):
        out[i] += band[i, width] * vector[i]
        for j in range(max(0, i - width), i):
            out[i] += band[i, j - i + width] * vector[j]
            out[j] += band[i, j - i + width] * vector[i]
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _held(band: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the band with the rows and columns of fixed unknowns replaced by those of the identity."""
    size, width = band.shape[0], band.shape[1] - 1
    out = band.copy()
    for i in range(size):
        for j in range(max(0, i - width), i):
            if fixed[i] or fixed[j]:
                out[i, j - i + width] = 0.0
        if fixed[i]:
            out[i, width] = 1.0
    return out


def band_bounded_step(
    band: NDArray[np.float64], gradient: NDArray[np.float64], down: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the step s (n) that solves M s = -gradient with down <= s <= up; an unknown that reaches a limit is held.

    It is `optimisation.damped_steps.bounded_step` for a band matrix.
    """
    fixed = ((down >= -AT_LIMIT) & (gradient > 0.0)) | ((up <= AT_LIMIT) & (gradient < 0.0))
    step = np.zeros(len(gradient))
    for _ in range(BOUND_PASSES):
        held = np.where(fixed, step, 0.0)
        vector = np.where(fixed, step, -gradient - _band_times(band, held))
        factor = _held(band, fixed)
        if not band_factor(factor):
            return np.zeros(len(gradient))
        band_solve(factor, vector)
        inside = np.clip(vector, down, up)
        crossed = ~fixed & (inside != vector)
        step = np.where(fixed, step, inside)
        if not crossed.any():
            break
        fixed = fixed | crossed
    return step

"""Linear equations with a positive definite matrix by Cholesky factorisation, for use inside compiled loops.

For matrices of some tens of rows the call of a library costs more than the arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["factorise", "solve_factorised"]

ANY_ORDER = {"reassoc", "contract"}
"""Sums may be evaluated in any order, so that the compiler can vectorise them; NaN and infinity keep their meaning."""


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)  # type: ignore[untyped-decorator]
def factorise(matrix: NDArray[np.float64]) -> bool:
    """Overwrite the lower triangle of a matrix (N, N) with L of L L^T; False where it is not positive definite."""
    size = matrix.shape[0]
    for i in range(size):
        row = matrix[i]
        for j in range(i):
            other, total = matrix[j], 0.0
            for k in range(j):
                total += row[k] * other[k]
            row[j] = (row[j] - total) / other[j]
        total = 0.0
        for k in range(i):
            total += row[k] * row[k]
        total = row[i] - total
        if not total > 0.0:
            return False
        row[i] = np.sqrt(total)
    return True


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)  # type: ignore[untyped-decorator]
def solve_factorised(factor: NDArray[np.float64], vector: NDArray[np.float64]) -> None:
    """Overwrite `vector` (N) with (L L^T)^-1 vector; L is the lower triangle of `factor` (N, N)."""
    size = vector.shape[0]
    for i in range(size):
        row, total = factor[i], 0.0
        for k in range(i):
            total += row[k] * vector[k]
        vector[i] = (vector[i] - total) / row[i]
    for i in range(size - 1, -1, -1):
        row = factor[i]
        vector[i] /= row[i]
        last = vector[i]
        for k in range(i):
            vector[k] -= row[k] * last

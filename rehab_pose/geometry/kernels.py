"""Small calculations inside compiled loops: rotations and their vectors, and linear equations by Cholesky.

For matrices of some tens of rows a library's call costs more than the work itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["factorise", "product", "rotation_matrix", "rotation_vector", "solve_factorised", "turn_series"]

SMALL_ANGLE_SQUARED = 1e-12
"""Below this squared angle the series of sin(a)/a and (1-cos(a))/a^2 are used [rad^2]."""
SMALL_SINE = 1e-9
"""Below this sine of half an angle, the angle is twice the sine to double precision."""
ANY_ORDER = {"reassoc", "contract"}
"""Sums may be taken in any order: several products at once; NaN and infinity keep their meaning."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def turn_series(x: float, y: float, z: float, first: float, second: float, out: NDArray[np.float64]) -> None:
    """Write 1 + first K + second K^2 into `out` (3, 3), K the cross product with [x, y, z]."""
    out[0, 0] = 1.0 - second * (y * y + z * z)
    out[1, 1] = 1.0 - second * (x * x + z * z)
    out[2, 2] = 1.0 - second * (x * x + y * y)
    out[0, 1], out[1, 0] = second * x * y - first * z, second * x * y + first * z
    out[0, 2], out[2, 0] = second * x * z + first * y, second * x * z - first * y
    out[1, 2], out[2, 1] = second * y * z - first * x, second * y * z + first * x


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rotation_matrix(x: float, y: float, z: float, out: NDArray[np.float64]) -> None:
    """Write exp([x, y, z]) (Rodrigues' formula) [rad] into `out` (3, 3)."""
    square = x * x + y * y + z * z
    if square < SMALL_ANGLE_SQUARED:
        sine, cosine = 1.0 - square / 6.0, 0.5 - square / 24.0
    else:
        angle = np.sqrt(square)
        half = np.sin(0.5 * angle)
        sine, cosine = np.sin(angle) / angle, 2.0 * half * half / square
    turn_series(x, y, z, sine, cosine, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def product(left: NDArray[np.float64], right: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write left @ right (3, 3)."""
    for i in range(3):
        for j in range(3):
            out[i, j] = left[i, 0] * right[0, j] + left[i, 1] * right[1, j] + left[i, 2] * right[2, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rotation_vector(matrix: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the axis-angle vector (3) [rad] of a rotation matrix (3, 3), its angle in [0, pi].

    By way of the quaternion whose largest component is computed first, exact for half turns too (Shepperd 1978).
    """
    trace = matrix[0, 0] + matrix[1, 1] + matrix[2, 2]
    best = 0
    for i in range(1, 3):
        if matrix[i, i] > matrix[best, best]:
            best = i
    j, k = (best + 1) % 3, (best + 2) % 3
    if trace >= matrix[best, best]:
        w = 1.0 + trace
        for i in range(3):
            after, last = (i + 1) % 3, (i + 2) % 3
            out[i] = matrix[last, after] - matrix[after, last]
    else:
        out[best] = 1.0 + matrix[best, best] - matrix[j, j] - matrix[k, k]
        out[j] = matrix[j, best] + matrix[best, j]
        out[k] = matrix[k, best] + matrix[best, k]
        w = matrix[k, j] - matrix[j, k]
    if w < 0.0:
        w = -w
        for i in range(3):
            out[i] = -out[i]
    sine = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    factor = 2.0 * np.arctan2(sine, w) / sine if sine > SMALL_SINE * w else 2.0 / w
    for i in range(3):
        out[i] *= factor


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

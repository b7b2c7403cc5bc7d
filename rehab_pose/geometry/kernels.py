"""Rotation matrices and rotation vectors inside compiled loops.

The functions write into arrays of the caller: for 3 x 3 matrices an allocation or a library call costs more than the
arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["READ_ONLY_MATRIX", "left_jacobian", "product", "rotation_matrix", "rotation_series", "rotation_vector"]

SMALL_ANGLE_SQUARED = 1e-12
"""Below this squared angle the series of sin(a)/a and (1-cos(a))/a^2 are used [rad^2]."""
SMALL_SINE = 1e-9
"""Below this sine of half an angle, the angle is twice the sine to double precision."""

READ_ONLY_MATRIX = numba.types.Array(numba.float64, 2, "C", readonly=True)
"""Type of a matrix that a kernel only reads, for kernels that are compiled when their module is imported."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rotation_series(x: float, y: float, z: float, first: float, second: float, out: NDArray[np.float64]) -> None:
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
    rotation_series(x, y, z, sine, cosine, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def left_jacobian(x: float, y: float, z: float, out: NDArray[np.float64]) -> None:
    """Write SO(3)'s left Jacobian at [x, y, z] [rad] into `out` (3, 3) (Sola et al. 2018, Eq 145)."""
    square = x * x + y * y + z * z
    if square < SMALL_ANGLE_SQUARED:
        first, second = 0.5, 1.0 / 6.0
    else:
        angle = np.sqrt(square)
        half = np.sin(0.5 * angle)
        first, second = 2.0 * half * half / square, (angle - np.sin(angle)) / (square * angle)
    rotation_series(x, y, z, first, second, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def product(left: NDArray[np.float64], right: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write left @ right (3, 3)."""
    for i in range(3):
        for j in range(3):
            out[i, j] = left[i, 0] * right[0, j] + left[i, 1] * right[1, j] + left[i, 2] * right[2, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rotation_vector(matrix: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the rotation vector (3) [rad] of a rotation matrix (3, 3), its angle in [0, pi].

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

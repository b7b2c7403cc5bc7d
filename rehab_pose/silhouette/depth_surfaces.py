"""Connected surfaces of a depth image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["label_surfaces"]


@numba.njit("int64(float32[:, ::1], boolean[:, ::1], float32, int32[:, ::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _label(depth_m: NDArray[np.float32], inside: NDArray[np.bool_], gap_m: float, labels: NDArray[np.int32]) -> int:
    """Write the surfaces into `labels`; return the number of labels."""
    height, width = depth_m.shape
    stack = np.empty(height * width, np.int64)
    label = 0
    for start in range(height * width):
        if labels[start // width, start % width] != 0 or not inside[start // width, start % width]:
            continue
        label += 1
        labels[start // width, start % width] = label
        stack[0] = start
        used = 1
        while used:
            used -= 1
            row, column = stack[used] // width, stack[used] % width
            for down in range(-1, 2):
                for right in range(-1, 2):
                    r, c = row + down, column + right
                    if r < 0 or c < 0 or r >= height or c >= width:
                        continue
                    if inside[r, c] and labels[r, c] == 0 and abs(depth_m[r, c] - depth_m[row, column]) < gap_m:
                        labels[r, c] = label
                        stack[used] = r * width + c
                        used += 1
    return label + 1


def label_surfaces(
    depth_m: NDArray[np.float32], inside: NDArray[np.bool_], gap_m: float
) -> tuple[NDArray[np.int32], int]:
    """Return surfaces as a label image (h, w), 0 elsewhere, and the number of labels including 0.

    Args:
        depth_m: (h, w) [m].
        inside: (h, w) pixels to label; they have a return.
        gap_m: Neighbours whose depths differ by less are on the same surface [m].
    """
    labels = np.zeros(depth_m.shape, np.int32)
    return labels, int(_label(depth_m, inside, np.float32(gap_m), labels))

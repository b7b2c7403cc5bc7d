"""Turn a raw depth image into metres with NaN where nothing was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DepthCleaner"]

MM_PER_M = 1000.0
FLYING_PIXEL_GAP_RATIO = 0.04
"""A pixel floats when both a nearer and a farther surface lie more than this fraction of its depth away among its four
neighbours: an edge of two surfaces mixes them over one or two pixels."""


class DepthCleaner:
    """Range limits and flying pixels."""

    def __init__(self, settings: CaptureSettings | None = None) -> None:
        self._settings = settings or CaptureSettings()

    def clean(self, depth: NDArray[Any]) -> NDArray[np.float32]:
        """Return depth (H, W) float32 [m], NaN where there is no return.

        Args:
            depth: (H, W) uint16 [mm] with 0 = no return (REP-118), or float32 [m] with NaN or infinity = no return.

        Raises:
            InputError: Another dtype or number of axes.
        """
        if depth.ndim != 2:
            msg = f"depth image: expected (H, W), got shape {depth.shape}"
            raise InputError(msg)
        if depth.dtype == np.uint16:
            depth_m = depth * np.float32(1.0 / MM_PER_M)
        elif depth.dtype == np.float32:
            depth_m = depth
        else:
            msg = f"depth image: expected uint16 millimetres or float32 metres, got {depth.dtype}"
            raise InputError(msg)
        low, high = self._settings.depth_minimum_m, self._settings.depth_maximum_m
        # NaN compares false, so it falls out with what is out of range.
        in_range = np.where((depth_m >= low) & (depth_m <= high), depth_m, np.float32(np.nan))
        if not self._settings.remove_flying_pixels:
            return in_range
        cleaned: NDArray[np.float32] = _without_flying_pixels(in_range, np.float32(FLYING_PIXEL_GAP_RATIO))
        return cleaned


@numba.njit("float32[:, ::1](float32[:, ::1], float32)", cache=True)  # type: ignore[untyped-decorator]
def _without_flying_pixels(depth_m: NDArray[np.float32], gap_ratio: float) -> NDArray[np.float32]:
    cleaned = depth_m.copy()
    for row in range(1, depth_m.shape[0] - 1):
        for column in range(1, depth_m.shape[1] - 1):
            here = depth_m[row, column]
            gap = gap_ratio * here
            left = depth_m[row, column - 1] - here
            right = depth_m[row, column + 1] - here
            above = depth_m[row - 1, column] - here
            below = depth_m[row + 1, column] - here
            # Differences to missing neighbours are NaN and compare false.
            farther = (left > gap) | (right > gap) | (above > gap) | (below > gap)
            nearer = (left < -gap) | (right < -gap) | (above < -gap) | (below < -gap)
            if farther & nearer:
                cleaned[row, column] = np.nan
    return cleaned

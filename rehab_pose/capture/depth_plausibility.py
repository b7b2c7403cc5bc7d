"""Signs that a depth image has another unit, or is that of another camera than the colour image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_depth_frame", "check_depth_unit", "depth_unit_fault"]

MM_PER_M = 1000.0
NEAREST_M, FARTHEST_M = 0.2, 6.0
"""Range in which depth cameras for rooms see people [m]; nearly all returns beyond it mean another unit."""
NEARLY_ALL = 0.95
"""Fraction of the returns from which they are nearly all; a wall behind a person is at most 0.9 of the image."""
MIN_RETURNS = 50
"""Fewer returns say nothing."""
STEP_PX = 8
"""Every eighth row and column is looked at, 4,800 pixels of 640x480."""


def depth_unit_fault(depth: NDArray[Any]) -> str:
    """Return what is implausible about the unit of a depth image, with the figure seen; '' = nothing.

    Args:
        depth: (H, W) uint16 [mm], 0 = no return, or float32 [m], NaN or infinity = no return.
    """
    step = STEP_PX if depth.size > STEP_PX**2 * MIN_RETURNS * 2 else 1
    sample = np.ascontiguousarray(depth[::step, ::step])
    units_per_m = MM_PER_M if sample.dtype == np.uint16 else 1.0
    is_return = np.isfinite(sample) & (sample > 0)
    count = np.count_nonzero(is_return)
    if count < MIN_RETURNS:
        return ""
    for name, is_beyond in (
        (f"beyond {FARTHEST_M:g} m", sample > FARTHEST_M * units_per_m),
        (f"within {NEAREST_M:g} m", sample < NEAREST_M * units_per_m),
    ):
        part = np.count_nonzero(is_return & is_beyond) / count
        if part >= NEARLY_ALL:
            median_m = float(np.median(sample[is_return])) / units_per_m
            return (
                f"{100 * part:.0f} % of the depth is {name}, median {median_m:g} m; 16UC1 is in millimetres and 32FC1 "
                "in metres (REP-118): is it in another unit, or is the camera covered?"
            )
    return ""


def check_depth_unit(depth: NDArray[Any]) -> None:
    """Refuse a depth image that `depth_unit_fault` finds implausible.

    Raises:
        InputError: It is; the message has the figure.
    """
    fault = depth_unit_fault(depth)
    if fault:
        msg = f"depth image: {fault}"
        raise InputError(msg)


def check_depth_frame(color_frame_id: str, depth_frame_id: str) -> None:
    """Refuse depth in another frame than colour: it is not registered, also where the sizes are equal.

    Raises:
        InputError: Both frames are named, and differ.
    """
    if color_frame_id and depth_frame_id and color_frame_id != depth_frame_id:
        msg = (
            f"frame: expected depth that is registered to colour, its frame_id is {depth_frame_id!r}, that of colour "
            f"{color_frame_id!r}; use the depth that the driver registers (align_depth.enable on RealSense), or "
            "give capture.depth_calibration_path"
        )
        raise InputError(msg)

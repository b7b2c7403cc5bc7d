"""Decides from the colour image alone whether it can show a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["unusable_color"]

SAMPLE_STRIDE_PX = 16
"""Every n-th row and column is looked at: 1200 pixels of a 640 x 480 image."""
DARK_LEVEL = 12
"""A green channel whose 90th percentile is below this is too dark, 0-255: chosen; at this level the noise of a
camera's image is as large as the contrast of a body."""
MIN_SPREAD = 4
"""An image in which nearly all pixels are within this many levels shows nothing: a covered lens, or no colour."""


def unusable_color(color: NDArray[np.uint8]) -> str:
    """Return why a colour image (H, W, 3) cannot be used; empty if it can."""
    row, column = (min(SAMPLE_STRIDE_PX, side) // 2 for side in color.shape[:2])
    green = color[row::SAMPLE_STRIDE_PX, column::SAMPLE_STRIDE_PX, 1]
    ordered = np.sort(green, axis=None)
    low, bright, high = (int(ordered[int(fraction * (len(ordered) - 1))]) for fraction in (0.02, 0.9, 0.98))
    if high - low < MIN_SPREAD:
        return f"the colour image is uniform (level {low} to {high} of 255)"
    if bright < DARK_LEVEL:
        return f"the colour image is dark (90 % of it up to level {bright} of 255)"
    return ""

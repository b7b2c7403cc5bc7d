"""How a depth image becomes the network's input: the same code in training and at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INPUT_HEIGHT_PX", "INPUT_WIDTH_PX", "encode_depth", "reduced_size_px", "sample_rows_and_columns"]

INPUT_WIDTH_PX = 160
INPUT_HEIGHT_PX = 128
DEPTH_CENTRE_M = 2.5
DEPTH_SCALE_M = 2.0


def reduced_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return the width and height of an image shrunk to fit the network's input, its proportions kept."""
    scale = min(INPUT_WIDTH_PX / width_px, INPUT_HEIGHT_PX / height_px)
    return max(1, int(width_px * scale)), max(1, int(height_px * scale))


def sample_rows_and_columns(
    width_px: int, height_px: int, reduced_width_px: int, reduced_height_px: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which rows and columns of the whole image are read for the reduced one (nearest neighbour).

    Depth is sampled, not averaged: an average over an edge is a surface that is not there.
    """
    rows = ((np.arange(reduced_height_px) + 0.5) * height_px / reduced_height_px).astype(np.intp)
    columns = ((np.arange(reduced_width_px) + 0.5) * width_px / reduced_width_px).astype(np.intp)
    return rows, columns


def encode_depth(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the network's input (2, 128, 160) for a reduced depth image (h, w) [m], NaN = no return.

    The image is put in the top left corner; the rest counts as no return.
    """
    height, width = depth_m.shape
    encoded = np.zeros((2, INPUT_HEIGHT_PX, INPUT_WIDTH_PX), dtype=np.float32)
    seen = np.isfinite(depth_m)
    scaled = (depth_m - np.float32(DEPTH_CENTRE_M)) / np.float32(DEPTH_SCALE_M)
    encoded[0, :height, :width] = np.where(seen, scaled, np.float32(0.0))
    encoded[1, :height, :width] = seen
    return encoded

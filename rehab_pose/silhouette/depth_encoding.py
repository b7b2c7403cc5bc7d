"""Encoding of a depth image as the input of the silhouette network, in training and at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CHANNELS",
    "INPUT_HEIGHT_PX",
    "INPUT_NAME",
    "INPUT_WIDTH_PX",
    "encode_depth",
    "reduced_size_px",
    "sample_rows_and_columns",
]

INPUT_NAME = "depth"
"""Name of the network's input in the ONNX file."""
INPUT_WIDTH_PX = 160
INPUT_HEIGHT_PX = 128
"""Size of the network's input [px]."""
DEPTH_CENTRE_M, DEPTH_SCALE_M = 2.5, 2.0
"""The depth channel is (depth - centre) / scale; both [m]."""
CHANNELS = 4
"""Channels of the network's input."""
FINE_HEIGHT_M = 0.2
"""Scale of the fine height channel, which is clipped above: about the height of the feet [m]."""
COARSE_CENTRE_M, COARSE_REACH_M = 1.0, 1.2
"""Centre and clipping range of the coarse height channel: up to 2.2 m, a raised hand [m]."""


def reduced_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return width and height of an image after scaling to the network's input with its aspect ratio kept."""
    scale = min(INPUT_WIDTH_PX / width_px, INPUT_HEIGHT_PX / height_px)
    return max(1, int(width_px * scale)), max(1, int(height_px * scale))


def sample_rows_and_columns(
    width_px: int, height_px: int, reduced_width_px: int, reduced_height_px: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the full image that the reduced image samples (nearest neighbour).

    Depth is sampled and not averaged, because an average over an edge is on neither surface.
    """
    rows = ((np.arange(reduced_height_px) + 0.5) * height_px / reduced_height_px).astype(np.intp)
    columns = ((np.arange(reduced_width_px) + 0.5) * width_px / reduced_width_px).astype(np.intp)
    return rows, columns


def encode_depth(depth_m: NDArray[np.float32], height_m: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Return the network's input (4, 128, 160) for a reduced depth image.

    The image is in the top left corner; the remaining pixels have no return. Channels: scaled depth; 1 where there is a
    return; height above the floor, clipped to a fine scale; height on a coarse scale. Without a known floor both height
    channels are 0, a combination that no height has.

    Args:
        depth_m: (h, w) [m], NaN = no return.
        height_m: (h, w) height above the floor [m], NaN = no return; None = no known floor.
    """
    height, width = depth_m.shape
    encoded = np.zeros((CHANNELS, INPUT_HEIGHT_PX, INPUT_WIDTH_PX), dtype=np.float32)
    valid = np.isfinite(depth_m)
    scaled = (depth_m - np.float32(DEPTH_CENTRE_M)) / np.float32(DEPTH_SCALE_M)
    encoded[0, :height, :width] = np.where(valid, scaled, np.float32(0.0))
    encoded[1, :height, :width] = valid
    if height_m is not None:
        fine = np.clip(height_m / np.float32(FINE_HEIGHT_M), -1.0, 1.0)
        coarse = np.clip(height_m - np.float32(COARSE_CENTRE_M), -COARSE_REACH_M, COARSE_REACH_M)
        encoded[2, :height, :width] = np.where(valid, fine, np.float32(0.0))
        encoded[3, :height, :width] = np.where(valid, coarse, np.float32(0.0))
    return encoded

"""The 8-bit image that Ashraf et al. 2025 compute from a depth image for their networks (section 3.2.1, Eq 14-20).

The metric depth is not changed: the stages of rehab_pose work in metres, and this chain is for comparison with the
paper. The paper gives no parameters; the sources of those below are given with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError
from rehab_pose.geometry.floor import height_above_floor_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["FLOOR_DISTANCE_M", "PreprocessedDepth", "preprocess"]

FLOOR_DISTANCE_M = 0.03
"""Epsilon of Eq 16, the same as in the detection of the floor: three standard deviations of depth at 3 m [m]."""
CLAHE_CLIP_LIMIT = 2.0
CLAHE_TILES = (8, 8)
"""Values of OpenCV's tutorial on CLAHE."""
BILATERAL_DIAMETER_PX = 9
"""OpenCV recommends 5 for real-time filters and 9 for strong noise [px]."""
BILATERAL_SPACE_SIGMA_PX = 3.0
"""A third of the diameter: the Gaussian over distance is 0.3 at the border [px]."""
BILATERAL_RANGE_SIGMA = 20.0
"""Range sigma [levels of 255]: a person differs from a wall by more than 100, noise after CLAHE by less than 10."""
MAX_LEVEL = 255


@dataclass(frozen=True, eq=False)
class PreprocessedDepth:
    """Images of all steps.

    Pixels that are missing or on the floor are 0 in each 8-bit image, as is the nearest pixel; `measured` distinguishes
    them.
    """

    floor: NDArray[np.bool_]
    """(H, W) True where Eq 16 removes a point: within epsilon of the floor plane."""
    measured: NDArray[np.bool_]
    """(H, W) True where there is depth that is not on the floor."""
    without_floor_m: NDArray[np.float32]
    """(H, W) Eq 16 [m], NaN = not measured."""
    normalised: NDArray[np.uint8]
    """(H, W) Eq 17: the nearest point is 0, the farthest 255."""
    equalised: NDArray[np.uint8]
    """(H, W) Eq 18: CLAHE."""
    three_channels: NDArray[np.uint8]
    """(H, W, 3) Eq 19: three equal channels."""
    smoothed: NDArray[np.uint8]
    """(H, W, 3) Eq 20: bilateral filter; the input of the paper's segmenter."""

    def __post_init__(self) -> None:
        """Check that all images have the same size."""
        size = self.measured.shape
        kinds = {"floor": np.bool_, "measured": np.bool_, "without_floor_m": np.float32}
        shapes = dict.fromkeys(("normalised", "equalised"), size)
        shapes |= dict.fromkeys(("three_channels", "smoothed"), (*size, 3))
        for name, kind in kinds.items():
            object.__setattr__(self, name, frozen(f"PreprocessedDepth.{name}", getattr(self, name), size, kind))
        for name, shape in shapes.items():
            object.__setattr__(self, name, frozen(f"PreprocessedDepth.{name}", getattr(self, name), shape, np.uint8))


def preprocess(
    depth_m: NDArray[np.float32],
    intrinsics: CameraIntrinsics,
    floor_plane: NDArray[np.float64],
    foreground: NDArray[np.bool_] | None = None,
) -> PreprocessedDepth:
    """Return the images of the paper's preprocessing of a depth image.

    Args:
        depth_m: (H, W) [m], NaN = no return.
        intrinsics: Intrinsics of the depth image.
        floor_plane: (4) unit normal and offset [m] in the optical frame, for example from
            `rehab_pose.geometry.floor.FloorTracker` (Eq 15); NaN = unknown, no point is removed.
        foreground: (H, W) the mask M of Eq 14, False where pixels are left out; None = the whole image.

    Raises:
        ContractError: The sizes of the images differ.
    """
    size = (intrinsics.height_px, intrinsics.width_px)
    if depth_m.shape != size or (foreground is not None and foreground.shape != size):
        shapes = [depth_m.shape] + ([] if foreground is None else [foreground.shape])
        msg = f"preprocess: expected images of shape {size} as the intrinsics say, got {shapes}"
        raise ContractError(msg)
    chosen = np.isfinite(depth_m) if foreground is None else np.isfinite(depth_m) & foreground
    floor = chosen & floor_pixels(depth_m, intrinsics, floor_plane)
    measured = chosen & ~floor
    without_floor_m = np.where(measured, depth_m, np.float32(np.nan)).astype(np.float32, copy=False)
    normalised = min_max(without_floor_m)
    equalised = equalise(normalised, measured)
    three_channels = np.repeat(equalised[..., None], 3, axis=2)
    return PreprocessedDepth(
        floor=floor,
        measured=measured,
        without_floor_m=without_floor_m,
        normalised=normalised,
        equalised=equalised,
        three_channels=three_channels,
        smoothed=smooth(three_channels, measured),
    )


def floor_pixels(
    depth_m: NDArray[np.float32], intrinsics: CameraIntrinsics, floor_plane: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which points of a depth image (H, W) [m] are within epsilon of the floor plane (Eq 14 and 16).

    P = {(x, y, z)} of the measured pixels; those on the floor have |a x + b y + c z + d| < epsilon.
    """
    residual_m = height_above_floor_m(intrinsics.back_project_image(depth_m), floor_plane)
    return np.asarray(np.abs(residual_m) < FLOOR_DISTANCE_M)  # NaN compares false


def min_max(depth_m: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return depth (H, W) [m] as 255 (z - min) / (max - min), rounded; NaN gives 0 (Eq 17)."""
    measured = np.isfinite(depth_m)
    levels = np.zeros(depth_m.shape, dtype=np.uint8)
    if measured.any():
        depth = depth_m[measured]
        low, high = float(depth.min()), float(depth.max())
        scale = MAX_LEVEL / (high - low) if high > low else 0.0
        levels[measured] = np.rint((depth - low) * scale).astype(np.uint8)
    return levels


def equalise(levels: NDArray[np.uint8], measured: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the image (H, W) after contrast limited adaptive histogram equalisation, 0 where not measured (Eq 18)."""
    clahe = cv2.createCLAHE(clipLimit=CLAHE_CLIP_LIMIT, tileGridSize=CLAHE_TILES)
    return np.where(measured, clahe.apply(levels), 0).astype(np.uint8)


def smooth(image: NDArray[np.uint8], measured: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) with equal channels after the bilateral filter, 0 where not measured (Eq 20).

    I'(p) = sum over q of I(q) g_s(|p - q|) g_r(|I(p) - I(q)|), divided by the sum of the weights.
    """
    # Only one channel is filtered: OpenCV adds the differences of all three, which would divide the sigma by three.
    channel = np.ascontiguousarray(image[..., 0])
    filtered = cv2.bilateralFilter(channel, BILATERAL_DIAMETER_PX, BILATERAL_RANGE_SIGMA, BILATERAL_SPACE_SIGMA_PX)
    return np.repeat(np.where(measured, filtered, 0).astype(np.uint8)[..., None], 3, axis=2)

"""Errors of particular depth sensors: turns an exact depth image into one that such a sensor could have given.

`realsense`: active stereo (Intel D400). Standard deviation and depth steps grow with the square of the distance,
because the error of the disparity is constant: sigma_z = z^2 sigma_d / (f b). Surfaces behind a near edge that the
second imager cannot see have no return; some pixels at edges get a depth between near and far (flying pixels).
`kinect`: time of flight (Kinect v2). Smaller error, no stereo shadow, more flying pixels.

Random numbers come from banks that are drawn once; a frame reads them from an offset of its own. Frame i of a seed is
therefore the same whichever frames were asked for before it, and a 640x480 frame takes about 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["PATCH_PX", "SENSORS", "DepthNoise", "NoiseModel", "patch_noise", "quantised"]

BANK_OFFSETS = 1 << 18
"""Number of different offsets into a bank."""
CORRELATION_PX = 1.2
"""Standard deviation of the blur that correlates the errors of neighbouring pixels, as matching windows do [px]."""
PATCH_PX = 12
"""Size of patches of correlated errors, such as dark or shiny surfaces without return [px]."""
PATCH_FRAMES = 15
"""Frames for which the patches without return stay in place: half a second at 30 Hz."""
COLOR_SIGMA = 2.5
"""Standard deviation of the colour image's noise [levels of 255]."""
CHANNEL_OFFSET = 7919
"""Offset in the bank between the colour channels: a prime, so that their errors are not correlated."""


@dataclass(frozen=True)
class NoiseModel:
    """Errors of one kind of sensor."""

    constant_sigma_m: float
    """Standard deviation that does not depend on the distance [m]."""
    square_sigma_m: float
    """Standard deviation at 1 m of the part that grows with z^2 [m]."""
    baseline_m: float
    """Distance of the two imagers [m]; 0: one imager, no stereo shadow."""
    edge_m: float
    """Difference in depth between neighbouring pixels from which they are at an edge [m]."""
    flying_fraction: float
    """Fraction of edge pixels whose depth is between near and far."""
    lost_edge_fraction: float
    """Fraction of edge pixels without return."""
    lost_fraction: float
    """Fraction of all pixels that are in patches without return."""
    step_m: float
    """Depth unit of the sensor [m]."""
    max_range_m: float
    """Farther surfaces give no return [m]."""


SENSORS = {
    "realsense": NoiseModel(0.0002, 0.0015, 0.050, 0.08, 0.12, 0.25, 0.015, 0.001, 8.0),
    "kinect": NoiseModel(0.0010, 0.0006, 0.0, 0.08, 0.35, 0.25, 0.005, 0.001, 4.5),
}


def patch_noise(
    random: np.random.Generator, shape: tuple[int, int], *, single_precision: bool = False
) -> NDArray[np.floating]:
    """Return a field (H, W) that varies smoothly over patches, from standard normal values on a coarse grid."""
    cells = (shape[0] // PATCH_PX + 2, shape[1] // PATCH_PX + 2)
    coarse: NDArray[np.floating] = (
        random.standard_normal(cells, dtype=np.float32) if single_precision else random.standard_normal(cells)
    )
    field: NDArray[Any] = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return field


def quantised(depth_m: Any, step_m: Any) -> Any:  # noqa: ANN401  (numbers or arrays, also inside compiled code)
    """Return depth rounded to whole steps [m]."""
    return np.rint(depth_m / step_m) * step_m


_quantised = numba.njit(cache=True, nogil=True)(quantised)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_depth_errors(  # noqa: C901, PLR0917  (one pass over the image; numba takes plain numbers and arrays)
    exact: NDArray[np.float32],
    normal: NDArray[np.float32],
    uniform: NDArray[np.float32],
    patches: NDArray[np.float32],
    offsets: tuple[int, int, int],
    sensor: tuple[float, float, float, float, float, float, float, float, float],
    out: NDArray[np.float32],
) -> None:
    constant, square, focal_baseline, edge, flying, lost_edge, lost, step, max_range = sensor
    height, width = exact.shape
    for row in range(height):
        leftmost = np.inf
        for column in range(width - 1, -1, -1):
            z = exact[row, column]
            place = row * width + column
            out[row, column] = np.nan
            if not z < np.inf:
                continue
            if focal_baseline > 0.0:
                # Column in the second imager: a surface is hidden from it by any surface that it sees further left.
                other = column - focal_baseline / z
                if other > leftmost:
                    continue
                leftmost = other
            if patches[place + offsets[2]] < lost or z > max_range:
                continue
            near, far = z, z
            for near_row, near_column in ((row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)):
                if 0 <= near_row < height and 0 <= near_column < width:
                    neighbour = exact[near_row, near_column]
                    near, far = min(near, neighbour), max(far, neighbour)
            if far - near > edge:
                chance = uniform[place + offsets[1]]
                if chance < lost_edge:
                    continue
                if chance < lost_edge + flying and far < np.inf:
                    z = near + (far - near) * (chance - lost_edge) / flying
            z += normal[place + offsets[0]] * (constant + square * z * z)
            out[row, column] = np.float32(_quantised(z, step))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_color_errors(color: NDArray[np.uint8], normal: NDArray[np.float32], offset: int, sigma: float) -> None:
    flat = color.reshape(-1)
    for i in range(flat.shape[0]):
        error = sigma * normal[i // 3 + (i % 3) * CHANNEL_OFFSET + offset]
        flat[i] = np.uint8(min(255.0, max(0.0, flat[i] + error)))


class DepthNoise:
    """Adds the errors of a sensor to exact images."""

    def __init__(self, kind: str, intrinsics: CameraIntrinsics, seed: int) -> None:
        """Draw the banks.

        Args:
            kind: `realsense`, `kinect` or `none`.
            intrinsics: The camera.
            seed: Seed of all random numbers.
        """
        self._model = SENSORS.get(kind)
        self._seed = seed
        self._focal_px = intrinsics.fx
        if self._model is None:
            return
        random = np.random.default_rng([seed, 4])
        length = intrinsics.width_px * intrinsics.height_px + BANK_OFFSETS + 2 * CHANNEL_OFFSET
        rows = -(-length // intrinsics.width_px)
        shape = (rows, intrinsics.width_px)
        normal = cv2.GaussianBlur(random.standard_normal(shape, dtype=np.float32), (0, 0), CORRELATION_PX)
        patches = patch_noise(random, shape)
        ranks = np.empty(patches.size, dtype=np.float32)
        ranks[np.argsort(patches.ravel())] = np.linspace(0.0, 1.0, patches.size, dtype=np.float32)
        self._normal = np.asarray(normal / normal.std(), dtype=np.float32).ravel()
        self._uniform = random.random(shape, dtype=np.float32).ravel()
        self._patches = ranks

    def add_errors(self, index: int, exact_m: NDArray[np.float32], color: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the depth image of a frame with the sensor's errors.

        Args:
            index: Number of the frame, from 0 on.
            exact_m: (H, W) [m], infinity where there is no surface.
            color: (H, W, 3) RGB; noise is added in place.

        Returns:
            (H, W) [m], NaN = no return.
        """
        model = self._model
        if model is None:
            return np.where(np.isfinite(exact_m), exact_m, np.float32(np.nan))
        first, second = np.random.default_rng([self._seed, 5, index]).integers(0, BANK_OFFSETS, 2)
        # Patches without return stay in place for PATCH_FRAMES; the other errors change with every frame.
        third = np.random.default_rng([self._seed, 6, index // PATCH_FRAMES]).integers(0, BANK_OFFSETS)
        out = np.empty_like(exact_m)
        sensor = (
            model.constant_sigma_m,
            model.square_sigma_m,
            self._focal_px * model.baseline_m,
            model.edge_m,
            model.flying_fraction,
            model.lost_edge_fraction,
            model.lost_fraction,
            model.step_m,
            model.max_range_m,
        )
        offsets = (int(first), int(second), int(third))
        _add_depth_errors(exact_m, self._normal, self._uniform, self._patches, offsets, sensor, out)
        _add_color_errors(color, self._normal, int(second), COLOR_SIGMA)
        return out

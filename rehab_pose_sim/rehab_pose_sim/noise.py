"""Errors of depth cameras, from an exact depth image to one a sensor could have given.

`realsense`: active stereo (Intel D400). Error and steps grow with the square of the distance, for the disparity's error
is constant: sigma_z = z^2 sigma_d / (f b). What the second imager cannot see behind a near edge has no return; at edges
some pixels fly between near and far. `kinect`: time of flight (Kinect v2). Less error, no shadow, more flying pixels.

Random numbers come from banks drawn once; a frame uses them from an offset of its own. So frame i of a seed is always
the same, whatever was asked for before, and a 640x480 frame costs about 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["MODELS", "DepthNoise", "NoiseModel"]

BANK_REACH = 1 << 18
"""How many different offsets into a bank there are."""
CORRELATION_PX = 1.2
"""Matching windows make the error of neighbours alike: standard deviation of the blur [px]."""
BLOTCH_PX = 12
"""Size of patches without return (dark, shiny) [px]."""
COLOR_SIGMA = 2.5
"""Noise of the colour image [levels of 255]."""


@dataclass(frozen=True)
class NoiseModel:
    """One kind of sensor."""

    constant_sigma_m: float
    square_sigma_m: float
    """Standard deviation at 1 m of the part that grows with z^2 [m]."""
    baseline_m: float
    """Distance of the two imagers; 0: none, no shadow [m]."""
    edge_m: float
    """A step of depth between neighbours that is an edge [m]."""
    flying_fraction: float
    """Share of edge pixels that lie between near and far."""
    lost_edge_fraction: float
    lost_fraction: float
    """Share of pixels in patches without return."""
    step_m: float
    """The sensor's unit [m]."""
    farthest_m: float


MODELS = {
    "realsense": NoiseModel(0.0002, 0.0015, 0.050, 0.08, 0.12, 0.25, 0.015, 0.001, 8.0),
    "kinect": NoiseModel(0.0010, 0.0006, 0.0, 0.08, 0.35, 0.25, 0.005, 0.001, 4.5),
}


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _disturb(  # noqa: C901, PLR0917  (one pass over the image; numba takes plain numbers and arrays)
    exact: NDArray[np.float32],
    normal: NDArray[np.float32],
    uniform: NDArray[np.float32],
    blotch: NDArray[np.float32],
    offsets: tuple[int, int, int],
    sensor: tuple[float, float, float, float, float, float, float, float, float],
    out: NDArray[np.float32],
) -> None:
    constant, square, focal_baseline, edge, flying, lost_edge, lost, step, farthest = sensor
    height, width = exact.shape
    for row in range(height):
        nearest_seen = np.inf
        for column in range(width - 1, -1, -1):
            z = exact[row, column]
            place = row * width + column
            out[row, column] = np.nan
            if not z < np.inf:
                continue
            if focal_baseline > 0.0:
                # Column in the second imager; passing one that lies to its right is hidden behind it.
                other = column - focal_baseline / z
                if other > nearest_seen:
                    continue
                nearest_seen = other
            if blotch[place + offsets[2]] < lost or z > farthest:
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
            out[row, column] = np.float32(np.rint(z / step) * step)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _disturb_color(color: NDArray[np.uint8], normal: NDArray[np.float32], offset: int, sigma: float) -> None:
    flat = color.reshape(-1)
    for i in range(flat.shape[0]):
        flat[i] = np.uint8(min(255.0, max(0.0, flat[i] + sigma * normal[i // 3 + (i % 3) * 7919 + offset])))


class DepthNoise:
    """Makes exact images into those of a sensor."""

    def __init__(self, kind: str, intrinsics: CameraIntrinsics, seed: int) -> None:
        """Draw the banks.

        Args:
            kind: `realsense`, `kinect` or `none`.
            intrinsics: The camera.
            seed: Seed of everything random.
        """
        self._model = MODELS.get(kind)
        self._seed = seed
        self._focal_px = intrinsics.fx
        if self._model is None:
            return
        random = np.random.default_rng([seed, 4])
        length = intrinsics.width_px * intrinsics.height_px + BANK_REACH + 2 * 7919
        rows = -(-length // intrinsics.width_px)
        shape = (rows, intrinsics.width_px)
        normal = cv2.GaussianBlur(random.standard_normal(shape, dtype=np.float32), (0, 0), CORRELATION_PX)
        coarse_shape = (shape[0] // BLOTCH_PX + 2, shape[1] // BLOTCH_PX + 2)
        blotch = cv2.resize(random.standard_normal(coarse_shape), shape[::-1], interpolation=cv2.INTER_CUBIC)
        ranks = np.empty(blotch.size, dtype=np.float32)
        ranks[np.argsort(blotch.ravel())] = np.linspace(0.0, 1.0, blotch.size, dtype=np.float32)
        self._normal = np.asarray(normal / normal.std(), dtype=np.float32).ravel()
        self._uniform = random.random(shape, dtype=np.float32).ravel()
        self._blotch = ranks

    def disturb(self, index: int, exact_m: NDArray[np.float32], color: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the depth image (H, W) [m] of frame `index`, NaN = no return; disturb `color` (H, W, 3) in place."""
        model = self._model
        if model is None:
            return np.where(np.isfinite(exact_m), exact_m, np.float32(np.nan))
        first, second = np.random.default_rng([self._seed, 5, index]).integers(0, BANK_REACH, 2)
        # Patches without return stay with the scene for a while; the rest changes every frame.
        third = np.random.default_rng([self._seed, 6, index // 15]).integers(0, BANK_REACH)
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
            model.farthest_m,
        )
        offsets = (int(first), int(second), int(third))
        _disturb(exact_m, self._normal, self._uniform, self._blotch, offsets, sensor, out)
        _disturb_color(color, self._normal, int(second), COLOR_SIGMA)
        return out

"""Registration of depth to colour: the depth image of one camera becomes that of another.

Most drivers do this (RealSense: align_depth.enable, Azure Kinect: depth_to_rgb, OAK: stereo aligned to rgb). They have
the camera's calibration, so their aligned topic is preferable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["DepthRegistration"]

FOOTPRINT_MARGIN = 1.15
"""Enlargement of a depth pixel's footprint in the colour image: on a surface inclined towards the colour camera the
neighbours move apart. It widens near surfaces by 0.08 px on each side."""
MIN_REACH_PX = 0.5
"""Smallest half footprint [px], so that every depth pixel covers a colour pixel also if colour is coarser."""
BORDER_PX = 32
"""Twice the largest half footprint: a point close to the colour camera's plane would cover the full image [px]."""


class DepthRegistration:
    """Registers the depth images of one pair of cameras."""

    def __init__(
        self, depth_camera: CameraIntrinsics, color_camera: CameraIntrinsics, color_from_depth: NDArray[Any]
    ) -> None:
        """Compute the viewing rays of the depth camera.

        Args:
            depth_camera: Camera of the rectified depth image.
            color_camera: Camera of the rectified colour image.
            color_from_depth: (4, 4) rigid motion from the depth to the colour camera's optical frame [m].

        Raises:
            ContractError: The matrix is not a rigid motion.
        """
        motion = frozen("color_from_depth", color_from_depth, (4, 4), np.float64)
        rotation = motion[:3, :3]
        is_rotation = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) and np.linalg.det(rotation) > 0
        if not (is_rotation and np.allclose(motion[3], (0.0, 0.0, 0.0, 1.0), atol=1e-6)):
            msg = (
                "color_from_depth: expected a rigid motion (rotation, translation in metres, last row 0 0 0 1), got "
                f"{motion.tolist()}"
            )
            raise ContractError(msg)
        self._size = (depth_camera.height_px, depth_camera.width_px)
        self._color = color_camera
        x = (np.arange(depth_camera.width_px) - depth_camera.cx) / depth_camera.fx
        y = (np.arange(depth_camera.height_px) - depth_camera.cy) / depth_camera.fy
        # R (x, y, 1) = column part + row part: two additions a pixel instead of a matrix product.
        self._column_rays = np.ascontiguousarray(rotation[:, :1] * x, dtype=np.float32)
        self._row_rays = np.ascontiguousarray(rotation[:, 1:2] * y + rotation[:, 2:], dtype=np.float32)
        self._shift = motion[:3, 3].astype(np.float32)
        color = (color_camera.fx, color_camera.fy, color_camera.cx, color_camera.cy)
        self._pinhole = np.array(color, dtype=np.float32)
        ratio = np.array([color_camera.fx / depth_camera.fx, color_camera.fy / depth_camera.fy])
        self._footprint = (0.5 * FOOTPRINT_MARGIN * ratio).astype(np.float32)

    def register(self, depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the depth (Hc, Wc) [m] along the colour camera's axis; NaN where no depth pixel projects.

        Each depth pixel is drawn over the colour pixels that its footprint covers; of several the nearest is kept,
        because it occludes the others.

        Args:
            depth_m: (Hd, Wd) [m], NaN = no return.

        Raises:
            InputError: The image has another size than the depth camera's calibration.
        """
        if depth_m.shape != self._size:
            msg = (
                f"depth image: expected {self._size[1]}x{self._size[0]} pixels as in the depth camera's calibration, "
                f"got shape {depth_m.shape}; use the calibration of this resolution"
            )
            raise InputError(msg)
        out = np.full((self._color.height_px, self._color.width_px), np.float32(np.inf))
        _draw_nearest(
            np.ascontiguousarray(depth_m, dtype=np.float32),
            self._column_rays,
            self._row_rays,
            self._shift,
            self._pinhole,
            self._footprint,
            out,
        )
        out[np.isinf(out)] = np.nan
        return out


@numba.njit(  # type: ignore[untyped-decorator]
    "void(float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[::1], float32[::1], float32[::1],float32[:, ::1])",
    cache=True,
    nogil=True,
    error_model="numpy",  # no check for division by zero, so that the first inner loop is vectorised: half the time
)
def _draw_nearest(  # noqa: PLR0917  (one pass over the image; numba takes plain arrays)
    depth_m: NDArray[np.float32],
    column_rays: NDArray[np.float32],
    row_rays: NDArray[np.float32],
    shift: NDArray[np.float32],
    pinhole: NDArray[np.float32],
    footprint: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    count, width, height = depth_m.shape[1], np.int32(out.shape[1]), np.int32(out.shape[0])
    # float32 throughout: a float64 literal would promote all following operations.
    zero, one, min_half, max_half = (
        np.float32(0.0),
        np.float32(1.0),
        np.float32(MIN_REACH_PX),
        np.float32(BORDER_PX // 2),
    )
    # Positions are clipped to a border around the image; footprints there cover no pixel of it.
    border, index_shift, first = np.float32(BORDER_PX), np.int32(BORDER_PX - 1), np.int32(0)
    right, bottom = np.float32(width) + border, np.float32(height) + border
    shift_x, shift_y, shift_z = shift[0], shift[1], shift[2]
    fx, fy, cx, cy = pinhole[0], pinhole[1], pinhole[2], pinhole[3]
    footprint_x, footprint_y = footprint[0], footprint[1]
    row_depth = np.empty(count, np.float32)
    from_u, to_u = np.empty(count, np.int32), np.empty(count, np.int32)
    from_v, to_v = np.empty(count, np.int32), np.empty(count, np.int32)
    for v in range(depth_m.shape[0]):
        ray_x, ray_y, ray_z = row_rays[0, v], row_rays[1, v], row_rays[2, v]
        for u in range(count):
            z = depth_m[v, u]
            depth = z * (column_rays[2, u] + ray_z) + shift_z
            valid = (z > zero) & (depth > zero)  # comparisons with NaN are false
            z = z if valid else zero
            depth = depth if valid else one
            inverse = one / depth
            x = (z * (column_rays[0, u] + ray_x) + shift_x) * inverse * fx + cx
            y = (z * (column_rays[1, u] + ray_y) + shift_y) * inverse * fy + cy
            x = min(max(x, -border), right) + border if valid else zero
            y = min(max(y, -border), bottom) + border if valid else zero
            half_width = min(max(footprint_x * z * inverse, min_half), max_half)
            half_height = min(max(footprint_y * z * inverse, min_half), max_half)
            row_depth[u] = depth
            # Pixel centres in (x - half_width, x + half_width]; with the border they are positive: int() rounds down.
            from_u[u] = max(np.int32(x - half_width) - index_shift, first)
            to_u[u] = min(np.int32(x + half_width) - index_shift, width)
            from_v[u] = max(np.int32(y - half_height) - index_shift, first)
            to_v[u] = min(np.int32(y + half_height) - index_shift, height)
        for u in range(count):
            depth = row_depth[u]
            for row in range(from_v[u], to_v[u]):
                for column in range(from_u[u], to_u[u]):
                    out[row, column] = min(out[row, column], depth)

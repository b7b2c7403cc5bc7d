"""Pinhole cameras in a y-up world, and the exact intersection of their pixel rays with simple surfaces.

Every `intersect_...` function takes the same arguments: a depth image that is changed in place where the surface is
nearer than what the image already holds, the camera's centre, the ray of each pixel, and the surface. Because the rays
have depth 1 in the camera, the ray parameter of an intersection is its depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = [
    "WorldCamera",
    "box_axes",
    "intersect_box",
    "intersect_cylinder",
    "intersect_ellipsoid",
    "intersect_plane",
]

NO_SURFACE = -1
"""Value of a `hit` image where no box was met."""
FACES = 3
"""Face pairs of a box: across its x, y and z axes."""


@dataclass(frozen=True, eq=False)
class WorldCamera:
    """A camera in a y-up world whose floor is y = 0."""

    intrinsics: CameraIntrinsics
    rotation: NDArray[np.float64]
    """(3, 3) from world axes to optical axes (x right, y down, z forward)."""
    eye_m: NDArray[np.float64]
    """(3) the camera's centre in the world [m]."""

    @property
    def camera_from_world(self) -> NDArray[np.float64]:
        """(4, 4) to the optical frame [m]."""
        transform = np.eye(4)
        transform[:3, :3] = self.rotation
        transform[:3, 3] = -self.rotation @ self.eye_m
        return transform

    @property
    def floor_plane(self) -> NDArray[np.float64]:
        """(4) the floor in the optical frame: unit normal up and height of the camera [m]."""
        return np.append(self.rotation[:, 1], self.eye_m[1])

    def rays(self) -> NDArray[np.float64]:
        """Return each pixel's direction in the world (H, W, 3), of depth 1 in the camera."""
        camera = self.intrinsics
        columns, rows = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
        x, y = (columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy
        return np.asarray(np.stack([x, y, np.ones_like(x)], axis=-1) @ self.rotation)

    def in_camera(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 3) in the optical frame [m]."""
        transform = self.camera_from_world
        moved: NDArray[np.float64] = points_m @ transform[:3, :3].T + transform[:3, 3]
        return moved

    def height_of_depth(self) -> NDArray[np.float64]:
        """Return (4) a, b, c, d: a return at column u, row v and depth z is z (a u + b v + c) + d above the floor."""
        camera, up = self.intrinsics, self.rotation[:, 1]
        slope = up[2] - up[0] * camera.cx / camera.fx - up[1] * camera.cy / camera.fy
        return np.array([up[0] / camera.fx, up[1] / camera.fy, slope, self.eye_m[1]])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def intersect_plane(
    depth_m: NDArray[np.float32],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    normal: NDArray[np.float64],
    offset_m: float,
) -> None:
    """Put the plane normal . x + offset = 0 into a depth image.

    Args:
        depth_m: (H, W) [m], infinity where there is no surface; changed.
        eye_m: (3) the camera's centre in the world [m].
        rays: (H, W, 3) directions of depth 1.
        normal: (3) unit normal, pointing to either side.
        offset_m: Offset of the plane [m].
    """
    height = eye_m[0] * normal[0] + eye_m[1] * normal[1] + eye_m[2] * normal[2] + offset_m
    for row in range(depth_m.shape[0]):
        for column in range(depth_m.shape[1]):
            slope = 0.0
            for axis in range(3):
                slope += rays[row, column, axis] * normal[axis]
            if slope * height < 0.0 and -height / slope < depth_m[row, column]:
                depth_m[row, column] = -height / slope


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def intersect_box(
    depth_m: NDArray[np.float32],
    hit: NDArray[np.int16],
    number: int,
    camera: tuple[NDArray[np.float64], NDArray[np.float64]],
    box: tuple[NDArray[np.float64], NDArray[np.float64], float],
) -> None:
    """Put an upright box into a depth image by the slab method (Kay and Kajiya 1986).

    Args:
        depth_m: (H, W) [m], infinity where there is no surface; changed.
        hit: (H, W) set to FACES * number + axis where the box is the nearest surface, with the axis (0 x, 1 y, 2 z)
            that is normal to the face; changed.
        number: Number of the box in `hit`.
        camera: The camera's centre in the world (3) [m] and the rays (H, W, 3) of depth 1.
        box: Middle of the underside (3) [m]; width, height and depth (3) [m]; rotation about y [rad].
    """
    eye_m, rays = camera
    foot_m, size_m, yaw_rad = box
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    x, z = eye_m[0] - foot_m[0], eye_m[2] - foot_m[2]
    origin = (cosine * x - sine * z, eye_m[1] - foot_m[1], sine * x + cosine * z)
    low = (-0.5 * size_m[0], 0.0, -0.5 * size_m[2])
    for row in range(depth_m.shape[0]):
        for column in range(depth_m.shape[1]):
            ray_x, ray_y, ray_z = rays[row, column, 0], rays[row, column, 1], rays[row, column, 2]
            ray = (cosine * ray_x - sine * ray_z, ray_y, sine * ray_x + cosine * ray_z)
            enter, leave, entered = 0.0, np.inf, -1
            for axis in range(3):
                slope = ray[axis] if abs(ray[axis]) > 1e-12 else 1e-12
                first = (low[axis] - origin[axis]) / slope
                second = (low[axis] + size_m[axis] - origin[axis]) / slope
                if min(first, second) > enter:
                    enter, entered = min(first, second), axis
                leave = min(leave, max(first, second))
            if entered >= 0 and enter < leave and enter < depth_m[row, column]:
                depth_m[row, column] = enter
                hit[row, column] = FACES * number + entered


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def intersect_cylinder(
    depth_m: NDArray[np.float32],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    size_m: tuple[float, float],
) -> None:
    """Put the side of an upright cylinder that stands on the floor into a depth image.

    Args:
        depth_m: (H, W) [m], infinity where there is no surface; changed.
        eye_m: (3) the camera's centre in the world [m].
        rays: (H, W, 3) directions of depth 1.
        foot_m: (3) a point of the axis [m]; its height is not used.
        size_m: Radius and height [m].
    """
    radius_m, height_m = size_m
    x, z = eye_m[0] - foot_m[0], eye_m[2] - foot_m[2]
    c = x * x + z * z - radius_m**2
    for row in range(depth_m.shape[0]):
        for column in range(depth_m.shape[1]):
            ray_x, ray_z = rays[row, column, 0], rays[row, column, 2]
            a = ray_x * ray_x + ray_z * ray_z
            b = ray_x * x + ray_z * z
            root = b * b - a * c
            if root > 0.0 and a > 0.0:
                distance = (-b - np.sqrt(root)) / a
                level = eye_m[1] + distance * rays[row, column, 1]
                if 0.0 < distance < depth_m[row, column] and 0.0 < level < height_m:
                    depth_m[row, column] = distance


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def intersect_ellipsoid(
    depth_m: NDArray[np.float32],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    middle_m: NDArray[np.float64],
    radii_m: NDArray[np.float64],
) -> None:
    """Put an ellipsoid whose axes are parallel to the world's into a depth image.

    Args:
        depth_m: (H, W) [m], infinity where there is no surface; changed.
        eye_m: (3) the camera's centre in the world [m].
        rays: (H, W, 3) directions of depth 1.
        middle_m: (3) centre [m].
        radii_m: (3) semi-axes [m].
    """
    # Numbers instead of arrays: a kernel with operations on whole arrays takes seconds longer to compile.
    origin = (
        (eye_m[0] - middle_m[0]) / radii_m[0],
        (eye_m[1] - middle_m[1]) / radii_m[1],
        (eye_m[2] - middle_m[2]) / radii_m[2],
    )
    c = origin[0] * origin[0] + origin[1] * origin[1] + origin[2] * origin[2] - 1.0
    for row in range(depth_m.shape[0]):
        for column in range(depth_m.shape[1]):
            a, b = 0.0, 0.0
            for axis in range(3):
                slope = rays[row, column, axis] / radii_m[axis]
                a += slope * slope
                b += slope * origin[axis]
            root = b * b - a * c
            if root > 0.0:
                distance = (-b - np.sqrt(root)) / a
                if 0.0 < distance < depth_m[row, column]:
                    depth_m[row, column] = distance


def box_axes(
    points_m: NDArray[np.float64], foot_m: NDArray[np.float64], yaw_rad: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates of world points (N, 3) along a box's width, height and depth, from its foot [m]."""
    offset = points_m - foot_m
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    across = cosine * offset[:, 0] - sine * offset[:, 2]
    along = sine * offset[:, 0] + cosine * offset[:, 2]
    return across, offset[:, 1], along

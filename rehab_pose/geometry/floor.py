"""The floor plane: estimated by RANSAC (Ashraf et al. 2025, Eq 14-16) and averaged over time.

Later stages take gravity and the floor's height from the plane, so a wall must not be mistaken for it. Where an IMU or
a parameter gives the direction against gravity, the plane is looked for around it. Otherwise it has to be roughly level
for a camera tilted by at most `MAX_TILT_DEG`; only if there is no such plane, and a large one fits a camera that is
turned by a quarter or half turn, that one is taken. In each case few points may be below the plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import unknown_plane
from rehab_pose.geometry.gravity import is_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["CAMERA_UP", "FloorTracker", "height_above_floor_m", "up_of_floor"]

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Unit vector against gravity for a level camera, in the optical frame; used until the floor has been seen."""
TURNED_UP = (np.array([1.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
"""The same for cameras that are turned left, turned right, and upside down."""
SAMPLE_POINTS = 2000
"""Pixels whose depth is drawn for a search."""
TRIALS = 200
"""Triples of points that are tried, half of them from the lower half of the image, where the floor is: if a quarter of
all points are on the floor, one random triple in 64 is."""
REFINE_STRIDE_PX = 4
"""The plane is refined with the points of every n-th row and column."""
REFINE_ROUNDS = 4
"""Rounds of choosing inliers and fitting the plane to them."""
MIN_INLIER_FRACTION = 0.06
"""A floor holds at least this fraction of the points."""
MAX_BELOW_FRACTION = 0.02
"""Fraction of points that may be more than three inlier distances below a floor (reflections, noise)."""
MAX_TILT_DEG = 65.0
"""Largest angle between the floor's normal and the image's up direction: pitch and roll of a room camera [deg]."""
STEEP_DEG, MIN_STEEP_FRACTION = 45.0, 0.15
"""A plane that is tilted by more than this has to hold at least this fraction of the points, because a camera that
looks slightly up sees walls at such angles [deg]."""
MAX_TURNED_TILT_DEG, MIN_TURNED_FRACTION = 35.0, 0.2
"""The same for a camera that is turned by a quarter or half turn without a measurement that says so: then a side wall
could be taken for the floor [deg]."""
MEASURED_TOLERANCE_DEG = 12.0
"""Largest angle between the floor's normal and a measured direction against gravity: the error of an IMU on a robot
that brakes, its mounting, and a sloping floor [deg]."""
MOVED_DEG = 20.0
"""A plane that differs by more than this from the measured direction was seen before the camera was turned [deg]."""
CAMERA_HEIGHT_RANGE_M = (0.25, 6.0)
"""Heights of the camera above a floor that are accepted [m]."""
MAX_TURNED_HEIGHT_M = 3.0
"""Largest height of a camera that is turned without a measurement that says so [m]."""
MAX_CHANGE_DEG = 5.0
"""A plane within this angle of the last one is averaged with it; another one replaces it [deg]."""
BLEND = 0.1
"""Weight of a new plane in the average."""
SEARCH_EVERY_FRAMES = 10
"""Frames from one search to the next; a camera on a stand moves rarely."""
REFUSED_DEG = 30.0
"""Planes within this angle of one that was refused are refused too [deg]."""
SEED = 20260101
"""Of the random triples: a replay gives the same planes."""


def height_above_floor_m(points_m: NDArray[Any], plane: NDArray[np.float64]) -> NDArray[Any]:
    """Return the height of points (..., 3) [m] above a plane (4) as in `FloorPlane.plane` [m]."""
    height: NDArray[Any] = points_m @ plane[:3].astype(points_m.dtype) + points_m.dtype.type(plane[3])
    return height


def up_of_floor(plane: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the unit vector (3) against gravity from a plane (4); None while the floor has not been seen."""
    if not np.isfinite(plane).all():
        return None
    return np.asarray(plane[:3] / np.linalg.norm(plane[:3]))


class FloorTracker:
    """Estimates the floor plane from depth images and updates it over time."""

    def __init__(self) -> None:
        self.reset()

    @property
    def plane(self) -> NDArray[np.float64]:
        """The plane (4), NaN until the floor has been seen."""
        return self._plane.copy()

    def reset(self) -> None:
        """Forget the plane and start the random sequence again, so that a replay gives the same result."""
        self._plane = unknown_plane()
        self._frames = 0
        self._refused: list[NDArray[np.float64]] = []
        self._random = np.random.default_rng(SEED)

    def refuse(self) -> None:
        """Forget the plane, and accept none with a similar normal until the reset: people contradict it."""
        if is_known(self._plane):
            self._refused.append(self._plane[:3])
        self._plane, self._frames = unknown_plane(), 0

    def track(
        self, depth_m: NDArray[np.float32], intrinsics: CameraIntrinsics, up: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the floor plane (4) after one more depth image, NaN while none is known.

        Args:
            depth_m: (H, W) [m].
            intrinsics: Camera of the depth image.
            up: (3) unit vector against gravity as in `RgbdFrame.up`; None or NaN = not measured.
        """
        measured = up if up is not None and is_known(up) else None
        if measured is not None and is_known(self._plane):
            allowed_deg = MAX_TILT_DEG if _is_mounting(measured) else MOVED_DEG
            if self._plane[:3] @ measured < np.cos(np.radians(allowed_deg)):
                self._plane, self._frames = unknown_plane(), 0
        due = self._frames % SEARCH_EVERY_FRAMES == 0
        self._frames += 1
        if due:
            plane = self._search(depth_m, intrinsics, measured)
            if plane is not None:
                if np.isfinite(self._plane).all() and self._plane[:3] @ plane[:3] > np.cos(np.radians(MAX_CHANGE_DEG)):
                    blended = (1.0 - BLEND) * self._plane + BLEND * plane
                    self._plane = blended / np.linalg.norm(blended[:3])
                else:
                    self._plane = plane
        return self.plane

    def _search(
        self, depth_m: NDArray[np.float32], intrinsics: CameraIntrinsics, measured: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """Return the floor plane (4) of a depth image; None where no plane is level, in range and large enough."""
        points = self._sample(depth_m, intrinsics)
        if len(points) < SAMPLE_POINTS // 10:
            return None
        if measured is not None and not _is_mounting(measured):
            rough = self._best_plane(points, measured, MEASURED_TOLERANCE_DEG, (MIN_INLIER_FRACTION,) * 2)
        else:
            fractions = (MIN_INLIER_FRACTION, MIN_STEEP_FRACTION)
            rough = self._best_plane(points, CAMERA_UP if measured is None else measured, MAX_TILT_DEG, fractions)
        if rough is None and measured is None:
            turned = (self._best_plane(points, up, MAX_TURNED_TILT_DEG, (MIN_TURNED_FRACTION,) * 2) for up in TURNED_UP)
            low = (plane for plane in turned if plane is not None and plane[0][3] < MAX_TURNED_HEIGHT_M)
            rough = max(low, key=lambda plane: plane[1], default=None)
        if rough is None:
            return None
        stride = REFINE_STRIDE_PX
        depth = depth_m[::stride, ::stride]
        rows, columns = np.nonzero(np.isfinite(depth))
        pixels = np.stack([columns * stride, rows * stride], axis=1)
        dense = intrinsics.back_project(pixels, depth[rows, columns])
        return _refined(dense, rough[0][:3], float(rough[0][3]))

    def _best_plane(
        self,
        points: NDArray[np.float64],
        up: NDArray[np.float64],
        tolerance_deg: float,
        min_fractions: tuple[float, float],
    ) -> tuple[NDArray[np.float64], float] | None:
        """Return the plane (4) through three of the points that has the most inliers, and their fraction.

        Args:
            points: (N, 3) [m].
            up: (3) expected unit vector against gravity.
            tolerance_deg: Largest angle between `up` and the normal [deg].
            min_fractions: Smallest fraction of inliers of a plane within STEEP_DEG of `up`, and of another one.
        """
        from rehab_pose.geometry.floor_points import fractions  # noqa: PLC0415  (numba: 0.5 s and 70 MB, which only the stage that finds the floor needs)

        # Points are lower in the view the farther they are along the image's down direction.
        lowness = -(points[:, 0] * up[0] + points[:, 1] * up[1]) / points[:, 2]
        lower = np.argsort(-lowness, kind="stable")[: len(points) // 2]
        everywhere = self._random.integers(0, len(points), size=(TRIALS // 2, 3))
        below = lower[self._random.integers(0, len(lower), size=(TRIALS - TRIALS // 2, 3))]
        corners = points[np.concatenate([everywhere, below])]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(normals, axis=1)
        usable = lengths > 1e-6
        normals = normals[usable] / lengths[usable, None]
        along_up = normals @ up
        normals *= np.where(along_up < 0, -1.0, 1.0)[:, None]
        offsets = -np.einsum("ij,ij->i", normals, corners[usable, 0])
        level = np.abs(along_up) > np.cos(np.radians(tolerance_deg))
        height_ok = (offsets > CAMERA_HEIGHT_RANGE_M[0]) & (offsets < CAMERA_HEIGHT_RANGE_M[1])
        kept = level & height_ok
        for refused in self._refused:
            kept &= normals @ refused < np.cos(np.radians(REFUSED_DEG))
        if not kept.any():
            return None
        normals, offsets, along_up = normals[kept], offsets[kept], np.abs(along_up[kept])
        inlier_fraction, below_fraction = fractions(points, normals, offsets)
        required = np.where(along_up > np.cos(np.radians(STEEP_DEG)), *min_fractions)
        accepted = (below_fraction < MAX_BELOW_FRACTION) & (inlier_fraction >= required)
        if not accepted.any():
            return None
        best = int(np.argmax(np.where(accepted, inlier_fraction, 0.0)))
        return np.append(normals[best], offsets[best]), float(inlier_fraction[best])

    def _sample(self, depth_m: NDArray[np.float32], intrinsics: CameraIntrinsics) -> NDArray[np.float64]:
        """Return the points (N, 3) [m] of random pixels with a valid depth."""
        rows = self._random.integers(0, depth_m.shape[0], size=SAMPLE_POINTS)
        columns = self._random.integers(0, depth_m.shape[1], size=SAMPLE_POINTS)
        depth = depth_m[rows, columns]
        valid = np.isfinite(depth)
        pixels = np.stack([columns[valid], rows[valid]], axis=1)
        return intrinsics.back_project(pixels, depth[valid])


def _is_mounting(up: NDArray[np.float64]) -> bool:
    """Return whether a direction (3) is one of the four of a parameter, which leave the tilt open."""
    return bool(np.count_nonzero(up) == 1 and up[2] == 0.0)


def _refined(points: NDArray[np.float64], normal: NDArray[np.float64], offset: float) -> NDArray[np.float64]:
    """Return the least-squares plane (4) through the inliers: the smallest eigenvector of their covariance.

    Points are weighted with the inverse variance of a stereo camera's depth, which grows with z^4; without weights the
    far points would determine the tilt.
    """
    from rehab_pose.geometry.floor_points import moments  # noqa: PLC0415  (loads numba, as above)

    weights = np.square(np.square(1.0 / points[:, 2]))
    for _ in range(REFINE_ROUNDS):
        centre, covariance = moments(points, weights, normal, offset)
        _, vectors = np.linalg.eigh(covariance)
        normal = vectors[:, 0] * (-1.0 if vectors[:, 0] @ normal < 0 else 1.0)
        offset = float(-normal @ centre)
    return np.append(normal, offset)

"""Joints in a frame that stands still with the person's surroundings, although the camera moves.

The reference frame has the axes of a level optical frame (x right, y down, z forward). Two sources relate the camera to
it, the first one that is there:

1. The camera's pose in a fixed frame, for example odom, from TF.
2. The floor plane of each frame, which gives gravity, and the planted feet, which give the displacement: both feet keep
   their places on the floor, so what both seem to move is the camera's movement. A foot that moves by itself is lifted;
   it is planted again where it comes to rest, as in the odometry of a legged robot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import without_nan
from rehab_pose.datatypes import unknown_plane
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.filters.one_euro import OneEuroFilter
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor
from rehab_pose.geometry.rotations import align_points, smallest_rotation
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RigidMotion", "Stabiliser"]

KNEES = np.array([SMPL_24.index(f"{side}_knee") for side in ("left", "right")])
FEET = np.array([[SMPL_24.index(f"{side}_{name}") for name in ("ankle", "foot")] for side in ("left", "right")])
"""(2, 2) joints of the left and of the right foot whose places on the floor are compared."""
FIXED_UP = np.array([0.0, 0.0, 1.0])
"""Unit vector against gravity in a fixed frame (REP-103: z up)."""
CORE = np.array(
    [
        SMPL_24.index(name)
        for name in (
            *("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
            *("spine2", "neck", "head", "left_shoulder", "right_shoulder"),
        )
    ]
)
"""Joints of a person who stands or sits still, whatever the arms do."""
MAX_STRETCH = 0.12
"""A foot is left out while its shank is longer or shorter than usual by more than this fraction: its joints are wrong
then. Noise of 8 mm changes a shank by 3 percent, Kinect's ankles in a squat by up to 30."""
SHANK_WEIGHT = 0.01
"""Weight of a new length in the usual length of a shank: about three seconds at 30 Hz."""
AGREE_M = 0.05
"""Feet whose displacements differ by at most this are both planted [m]. Joints from depth err by 0.01 to 0.03 m; a step
is 0.1 m and more."""
MOVES_M = 0.05
"""The camera may have moved once both feet are displaced by this length [m]."""
MAX_RESIDUAL_M, RESIDUAL_FRACTION = 0.02, 0.18
"""The camera starts to move only if the whole body seems to move with the feet as a rigid object: CORE fits its former
places with at most this RMS error [m], and at most this fraction of the RMS displacement. Otherwise the joints of the
feet are wrong: those of a Kinect follow the body by up to 0.3 m in a squat. Simulated cameras have 0.1 to 0.15; weak
movements of KIMORE's patients from 0.21."""
CORE_SMOOTHING_S = 0.2
"""Time constant of the low-pass filter of CORE, which reduces the noise of single frames [s]."""
MIN_CORE = 8
"""Joints of CORE that have to be there to compare them; chosen by hand."""
RESETTLE_NS = 2_000_000_000
"""Displacements that the whole body does not share are accepted as the feet's new places after this long [ns]."""
STOPPED_NS = 4_000_000_000
"""The camera is taken to stand again after the displacement stayed within MOVES_M for this long [ns]."""
MINIMUM_CUTOFF_HZ, SPEED_COEFFICIENT = 1.0, 20.0
"""One Euro filter of the displacement [Hz, Hz / (m/s)]: a camera that pitches by 4 degrees at 0.3 Hz is followed to
within 10 mm at 2.6 m; chosen on simulated cameras."""
ABSENT_NS = 500_000_000
"""After feet were missing for longer than this they are taken to be in their former places [ns]."""
HELD_POSE_NS = 500_000_000
"""A pose of the camera that is missing for up to this long is that of the last frame; after that the feet are used
[ns]."""
CORRECTION_DEG = 3.0
"""A floor plane that turns by more than this from one frame to the next is a correction of the estimate, not a movement
of the camera: a camera that pitches by 4 degrees at 1 Hz turns by 0.8 degrees between two frames [deg]."""


@dataclass(frozen=True)
class RigidMotion:
    """A rotation and a displacement of points: `points @ rotation.T + translation_m`."""

    rotation: NDArray[np.float64]
    """(3, 3)."""
    translation_m: NDArray[np.float64]
    """(3) [m]."""

    def moved(self, points_m: NDArray[Any]) -> NDArray[np.float64]:
        """Return the moved points (..., 3) [m]."""
        return np.asarray(points_m @ self.rotation.T + self.translation_m)

    def after(self, first: RigidMotion) -> RigidMotion:
        """Return the motion that is this one after another."""
        return RigidMotion(self.rotation @ first.rotation, self.moved(first.translation_m))

    @property
    def inverse(self) -> RigidMotion:
        """The motion back."""
        return RigidMotion(self.rotation.T, -self.rotation.T @ self.translation_m)


class Stabiliser:
    """Moves the joints of each frame into the reference frame."""

    up = CAMERA_UP
    """(3) unit vector against gravity in the reference frame."""

    def __init__(self) -> None:
        self._plane = unknown_plane()
        self._plane_is_new = False
        self._pose: RigidMotion | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the person and the camera's movement; the floor plane and the camera's pose are kept."""
        self._reference_from_camera = RigidMotion(np.eye(3), np.zeros(3))
        self._plane_is_new = bool(np.isfinite(self._plane).all())
        self._reference_from_fixed: RigidMotion | None = None
        self._posed_ns = 0
        self._moved_ns: int | None = None
        self._places_m = np.full((2, 2, 3), np.nan)
        """(2, 2, 3) places of FEET on the floor in the reference frame [m]; NaN = not seen yet."""
        self._shanks_m = np.full(2, np.nan)
        """(2) usual lengths of the shanks [m]; NaN = not known yet."""
        self._seen_ns: int | None = None
        self._filter = OneEuroFilter(MINIMUM_CUTOFF_HZ, SPEED_COEFFICIENT)
        self._moves = False
        self._settled_m, self._settled_ns = np.zeros(3), 0
        """(3) displacement from which the camera has moved by less than MOVES_M since a stamp [m, ns]."""
        self._settled_core_m = np.full((len(CORE), 3), np.nan)
        """(12, 3) CORE at that stamp, smoothed, turned upright but not displaced [m]."""
        self._core_m, self._core_ns = np.full((len(CORE), 3), np.nan), 0
        """(12, 3) CORE at the last frame, likewise, and its stamp [m, ns]."""

    @property
    def motion(self) -> NDArray[np.float64]:
        """Rotation and displacement (3, 4) of the last frame's joints into the reference frame [m]."""
        motion = self._reference_from_camera
        return np.concatenate([motion.rotation, motion.translation_m[:, None]], axis=1)

    def moved_since(self, stamp_ns: int) -> bool:
        """Return whether the camera has moved after a stamp [ns], as far as that is known."""
        return self._moved_ns is not None and self._moved_ns > stamp_ns

    def set_floor_plane(self, plane: NDArray[np.float64]) -> None:
        """Take the floor plane (4) of the next frame, as in `FloorPlane.plane`; NaN = unknown: the last one is used."""
        if np.isfinite(plane).all() and not np.array_equal(plane, self._plane):
            self._plane = np.array(plane, dtype=np.float64)
            self._plane_is_new = True

    def set_camera_pose(self, pose: NDArray[np.float64] | None) -> None:
        """Take the camera's pose (4, 4) fixed_from_camera at the next frame [m]; None = unknown.

        The z axis of the fixed frame points up (REP-103).
        """
        self._pose = None if pose is None else RigidMotion(pose[:3, :3], pose[:3, 3])

    def process(self, stamp_ns: int, positions_m: NDArray[Any]) -> tuple[NDArray[np.float64], RigidMotion | None]:
        """Return the joints in the reference frame.

        Args:
            stamp_ns: Stamp of the frame [ns].
            positions_m: (24, 3) joints in SMPL_24 in the optical frame [m]; NaN = missing.

        Returns:
            (J, 3) FEATURE_JOINTS [m]; and, where the estimate of gravity was corrected, the motion of everything before
            into the reference frame as it is from now on; None: unchanged.
        """
        points_m = np.asarray(positions_m, dtype=np.float64)
        if self._pose is not None:
            correction = self._follow_pose(stamp_ns, self._pose, points_m[FEET])
        elif self._reference_from_fixed is not None and stamp_ns - self._posed_ns <= HELD_POSE_NS:
            correction = None
        else:
            self._plane_is_new |= self._reference_from_fixed is not None
            self._reference_from_fixed = None
            correction = self._follow_feet(stamp_ns, self._trusted(points_m), points_m[CORE])
        self._seen_ns = stamp_ns
        return self._reference_from_camera.moved(points_m[SMPL_INDICES]), correction

    def _follow_pose(self, stamp_ns: int, pose: RigidMotion, feet_m: NDArray[np.float64]) -> RigidMotion | None:
        """Update the motion from the camera's pose; return the correction of gravity, if any."""
        correction = None
        if self._reference_from_fixed is None:
            start = self._reference_from_camera.after(pose.inverse)
            turn = smallest_rotation(start.rotation @ FIXED_UP, CAMERA_UP)
            about_feet = _turn_about(turn, self._reference_from_camera.moved(_mean(feet_m)))
            self._reference_from_fixed = about_feet.after(start)
            correction = about_feet if _is_correction(turn) else None
        self._reference_from_camera = self._reference_from_fixed.after(pose)
        self._posed_ns = stamp_ns
        self._places_m = np.full((2, 2, 3), np.nan)  # planted again when the pose is missing
        self._filter.reset()
        return correction

    def _trusted(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the joints of FEET (2, 2, 3) [m], NaN for a foot whose shank has not its usual length."""
        feet_m = points_m[FEET]
        shank_m = feet_m[:, 0] - points_m[KNEES]
        lengths_m = np.sqrt((shank_m * shank_m).sum(axis=1))
        if not np.isfinite(self._shanks_m).all():
            self._shanks_m = np.where(np.isfinite(self._shanks_m), self._shanks_m, lengths_m)
        change_m = lengths_m - self._shanks_m
        self._shanks_m += SHANK_WEIGHT * without_nan(change_m)
        wrong = np.abs(change_m) > MAX_STRETCH * self._shanks_m
        if wrong.any():
            feet_m[wrong] = np.nan
        return np.asarray(feet_m)

    def _follow_feet(
        self, stamp_ns: int, feet_m: NDArray[np.float64], core_m: NDArray[np.float64]
    ) -> RigidMotion | None:
        """Update the motion from gravity, the feet (2, 2, 3) and CORE (12, 3) [m]; return a correction of gravity."""
        last = self._reference_from_camera
        rotation = last.rotation
        up = up_of_floor(self._plane) if self._plane_is_new else None
        if up is not None:
            self._plane_is_new = False
            turn = smallest_rotation(rotation @ up, CAMERA_UP)
            if _is_correction(turn):  # the camera did not move: all turns about the person's feet
                about_feet = _turn_about(turn, last.moved(_mean(feet_m)))
                self._reference_from_camera = about_feet.after(last)
                self._places_m = about_feet.moved(self._places_m)
                self._core_m = np.full((len(CORE), 3), np.nan)
                smooth_m = self._smoothed(stamp_ns, core_m @ (turn @ rotation).T)
                self._settle(stamp_ns, self._reference_from_camera.translation_m, smooth_m)
                self._filter.reset()
                return about_feet
            rotation = turn @ rotation
        translation_m = self._displacement(
            stamp_ns, feet_m @ rotation.T, self._smoothed(stamp_ns, core_m @ rotation.T), last.translation_m
        )
        self._reference_from_camera = RigidMotion(rotation, translation_m)
        return None

    def _smoothed(self, stamp_ns: int, core_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return CORE (12, 3) after a low-pass filter [m]; a joint that is missing keeps its last place."""
        step_s = (stamp_ns - self._core_ns) * 1e-9
        weight = step_s / (step_s + CORE_SMOOTHING_S)
        change_m = core_m - self._core_m
        smooth_m = self._core_m + weight * without_nan(change_m)
        self._core_m = np.where(np.isnan(smooth_m), core_m, smooth_m)
        self._core_ns = stamp_ns
        return self._core_m

    def _displacement(
        self,
        stamp_ns: int,
        feet_m: NDArray[np.float64],
        core_m: NDArray[np.float64],
        last_m: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the displacement (3) that puts the planted feet in their places [m].

        Args:
            stamp_ns: Stamp of the frame [ns].
            feet_m: (2, 2, 3) FEET, turned upright but not displaced [m].
            core_m: (12, 3) CORE, likewise [m].
            last_m: (3) displacement at the last frame [m].
        """
        away_m = self._places_m - feet_m
        sum_m = away_m.sum()
        complete = bool(sum_m == sum_m)  # noqa: PLR0124  (False for NaN)
        offsets_m = away_m.mean(axis=1) if complete else np.array([_mean(side) for side in away_m])
        known = np.isfinite(offsets_m[:, 0])
        if not known.any():
            self._plant(feet_m + last_m, np.isnan(self._places_m))
            return last_m
        returned = self._seen_ns is not None and stamp_ns - self._seen_ns > ABSENT_NS
        if returned:  # the person is taken to stand where they stood
            self._filter.reset()
            last_m = _mean(offsets_m)
            self._settle(stamp_ns, last_m, core_m)
            self._plant(feet_m + last_m, np.isfinite(feet_m))
            return last_m
        apart_m = offsets_m[0] - offsets_m[1]
        agree = bool(known.all()) and float(apart_m @ apart_m) <= AGREE_M**2
        if agree:
            offset_m = 0.5 * (offsets_m[0] + offsets_m[1])
        else:  # one foot moves: the planted one is that whose place has changed less
            distances_m = np.where(known, np.linalg.norm(offsets_m - last_m, axis=1), np.inf)
            offset_m = offsets_m[int(np.argmin(distances_m))]
        smooth_m = self._filter.filter(stamp_ns, offset_m[None])[0]
        self._judge(stamp_ns, smooth_m, core_m)
        if self._moves:
            last_m = smooth_m
        elif self._settled_ns == stamp_ns:  # new places of the feet, without the camera
            self._plant(feet_m + last_m, np.isfinite(feet_m))
            self._settled_m = last_m
            self._filter.reset()
        if not (agree and complete):
            placed_m = feet_m + last_m
            moved = np.linalg.norm(placed_m - self._places_m, axis=-1) > AGREE_M
            own = np.linalg.norm(offsets_m - offset_m, axis=1) > AGREE_M
            self._plant(placed_m, np.isnan(self._places_m) | (moved & own[:, None])[..., None])
        return last_m

    def _judge(self, stamp_ns: int, measured_m: NDArray[np.float64], core_m: NDArray[np.float64]) -> None:
        """Decide whether the camera moves.

        Args:
            stamp_ns: Stamp of the frame [ns].
            measured_m: (3) displacement that the feet show [m].
            core_m: (12, 3) CORE, turned upright but not displaced [m].
        """
        if np.isnan(self._settled_core_m).all():
            self._settle(stamp_ns, measured_m, core_m)
            return
        shift_m = measured_m - self._settled_m
        if float(shift_m @ shift_m) > MOVES_M**2:
            if self._moves or _fits(self._settled_core_m, core_m):
                self._moves, self._moved_ns = True, stamp_ns
            elif stamp_ns - self._settled_ns <= RESETTLE_NS:
                return
            self._settle(stamp_ns, measured_m, core_m)
        elif stamp_ns - self._settled_ns > STOPPED_NS:
            self._moves = False

    def _settle(self, stamp_ns: int, displacement_m: NDArray[np.float64], core_m: NDArray[np.float64]) -> None:
        """Compare later displacements (3) and CORE (12, 3) with these [m]."""
        self._settled_m, self._settled_ns, self._settled_core_m = displacement_m, stamp_ns, core_m

    def _plant(self, placed_m: NDArray[np.float64], chosen: NDArray[np.bool_]) -> None:
        """Take the present places of the chosen joints of the feet as those on the floor."""
        self._places_m = np.where(chosen & np.isfinite(placed_m), placed_m, self._places_m)


def _mean(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (3) of points (..., 3) without the missing ones; NaN where all are."""
    points_m = points_m.reshape(-1, 3)
    finite = np.isfinite(points_m).all(axis=1)
    return np.asarray(points_m[finite].mean(axis=0) if finite.any() else np.full(3, np.nan))


def _fits(before_m: NDArray[np.float64], after_m: NDArray[np.float64]) -> bool:
    """Return whether joints (12, 3) are in their former places, but for a motion of all of them together [m]."""
    both = np.isfinite(before_m[:, 0]) & np.isfinite(after_m[:, 0])
    if both.sum() < MIN_CORE:
        return False
    before_m, after_m = before_m[both], after_m[both]
    rotation, translation_m = align_points(before_m, after_m)
    residual_m = float(np.sqrt(np.mean((before_m @ rotation.T + translation_m - after_m) ** 2) * 3.0))
    moved_m = float(np.sqrt(np.mean((before_m - after_m) ** 2) * 3.0))
    return residual_m < min(MAX_RESIDUAL_M, RESIDUAL_FRACTION * moved_m)


def _is_correction(turn: NDArray[np.float64]) -> bool:
    """Return whether a rotation (3, 3) of gravity is too large for the movement of a camera between two frames."""
    return bool(0.5 * (np.trace(turn) - 1.0) < np.cos(np.radians(CORRECTION_DEG)))


def _turn_about(turn: NDArray[np.float64], centre_m: NDArray[np.float64]) -> RigidMotion:
    """Return the rotation (3, 3) about a point (3) [m], about the origin where the point is unknown."""
    centre_m = np.where(np.isfinite(centre_m), centre_m, 0.0)
    return RigidMotion(turn, centre_m - turn @ centre_m)

"""Joints, joint angles and the counted signal of the last minutes, from which a repetition's movement is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose.session.frame_track import FrameTrack
from rehab_pose.session.movement import LARGEST_CM, LARGEST_DEG, RepetitionMovement
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import FloorPlane, JointAngles, Joints, Repetition, RepetitionProgress

__all__ = ["MovementHistory"]

KEPT_NS = 130 * NS_PER_S
"""Time that is kept: longer than the longest repetition of a definition, 120 s [ns]."""
MAX_FRAMES = 8000
"""Frames that are kept: KEPT_NS at 60 Hz."""
NEAR_S = 0.2
"""Largest distance of a frame that stands for the far point from its stamp [s]."""
HOLD_FRACTION = 0.1
"""A person holds the far point while the signal is within this fraction of the repetition's range of it."""
MIN_ANGLE_CONFIDENCE = 0.3
"""Angles with less confidence are left out; the lowest one of an observed body (the angle model's own) is 0.3."""
JOINTS = len(SMPL_24)


class MovementHistory:
    """Keeps the frames of a running session and summarises those of a repetition."""

    def __init__(self) -> None:
        self._joints = FrameTrack(KEPT_NS, MAX_FRAMES, 4 * JOINTS)  # x, y, z [m] of each joint, then the confidences
        self._angle_names: tuple[str, ...] = ()
        self._angles = FrameTrack(KEPT_NS, MAX_FRAMES, 0)  # [rad]
        self._labels: dict[str, int] = {}
        self._progress = FrameTrack(KEPT_NS, MAX_FRAMES, 2)  # signal, number of the label
        self._up = CAMERA_UP  # until the floor is known

    def joints(self, joints: Joints | None) -> None:
        """Add the joints of a frame; others than those of SMPL_24 and frames without a person are left out."""
        if joints is not None and joints.skeleton.joint_names == SMPL_24.joint_names:
            self._joints.add(joints.stamp_ns, np.concatenate((joints.positions_m, joints.confidence), axis=None))

    def angles(self, angles: JointAngles | None) -> None:
        """Add the joint angles of a frame; frames without a person are left out. Other names replace all earlier ones.

        Angles with less than MIN_ANGLE_CONFIDENCE are missing.
        """
        if angles is None:
            return
        if angles.names != self._angle_names:
            self._angle_names, self._angles = angles.names, FrameTrack(KEPT_NS, MAX_FRAMES, len(angles.names))
        measured_rad = np.where(angles.confidence < MIN_ANGLE_CONFIDENCE, np.nan, angles.angles_rad)
        self._angles.add(angles.stamp_ns, measured_rad)

    def progress(self, progress: RepetitionProgress | None) -> None:
        """Add the counted signal of a frame; frames in which no exercise is counted are left out."""
        if progress is not None and np.isfinite(progress.signal):
            label = self._labels.setdefault(progress.label, len(self._labels))
            self._progress.add(progress.stamp_ns, (progress.signal, label))

    def floor(self, floor: FloorPlane) -> None:
        """Take the direction of gravity from the floor plane; an unknown one changes nothing."""
        up = np.asarray(floor.plane[:3], dtype=np.float64)
        if np.isfinite(up).all():
            self._up = up

    def clear(self) -> None:
        """Forget the frames, at the end of a session."""
        for track in (self._joints, self._angles, self._progress):
            track.clear()
        self._labels.clear()

    def movement(self, repetition: Repetition) -> RepetitionMovement | None:
        """Return the movement of a repetition; None if nothing was received in its time."""
        start_ns, end_ns = repetition.start_ns, repetition.end_ns
        joints_ns, joints = self._joints.between(start_ns, end_ns)
        progress_ns, progress = self._progress.between(start_ns, end_ns)
        same = progress[:, 1] == self._labels.get(repetition.label, -1)
        progress_ns, signal = progress_ns[same], progress[same, 0]
        angles_rad = self._angles.between(start_ns, end_ns)[1]
        if not len(joints_ns) and not len(progress_ns) and not len(angles_rad):
            return None
        far_ns = repetition.turn_ns or _farthest_ns(progress_ns, signal) or (start_ns + end_ns) // 2
        positions_m, confidence = joints[:, : 3 * JOINTS].reshape(-1, JOINTS, 3), joints[:, 3 * JOINTS :]
        return RepetitionMovement(
            self._joints_cm(joints_ns, positions_m, far_ns),
            _angle_ranges(self._angle_names, angles_rad),
            _hold_s(progress_ns, signal, far_ns, repetition.signal_maximum - repetition.signal_minimum),
            _median(np.array([_median(frame) for frame in confidence])),
        )

    def _joints_cm(
        self, stamps_ns: NDArray[np.int64], positions_m: NDArray[np.float64], far_ns: int
    ) -> tuple[tuple[int, int, int] | None, ...]:
        far = _near(stamps_ns, far_ns)
        if far is None:
            return ()
        joints_m = positions_m[far]
        centred_cm = 100.0 * (joints_m - joints_m[0]) @ _view_axes(self._up).T
        return tuple(
            (round(float(joint[0])), round(float(joint[1])), round(float(joint[2])))
            if (np.abs(joint) <= LARGEST_CM).all()  # False for NaN
            else None
            for joint in centred_cm
        )


def _view_axes(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (3, 3) rows right, up, away of a level view, in the camera's frame."""
    right = np.cross([0.0, 0.0, 1.0], up)
    size = float(np.linalg.norm(right))
    right = right / size if size > 0.1 else np.array([1.0, 0.0, 0.0])  # a camera that looks straight down
    return np.stack([right, up, np.cross(up, right)])


def _near(stamps_ns: NDArray[np.int64], far_ns: int) -> int | None:
    """Return the index of the frame nearest to the far point; None if there is none within NEAR_S."""
    if not len(stamps_ns):
        return None
    distances_ns = np.abs(stamps_ns - far_ns)
    nearest = int(distances_ns.argmin())
    return nearest if distances_ns[nearest] <= NEAR_S * NS_PER_S else None


def _angle_ranges(names: tuple[str, ...], angles_rad: NDArray[np.float64]) -> tuple[tuple[str, int, int], ...]:
    """Return name, smallest and largest value [degrees] of the angles (N, D) that were measured."""
    ranges = []
    for name, course in zip(names, np.degrees(angles_rad).T, strict=True):
        seen = course[np.abs(course) <= LARGEST_DEG]  # False for NaN
        if len(seen):
            ranges.append((name, round(float(seen.min())), round(float(seen.max()))))
    return tuple(ranges)


def _farthest_ns(stamps_ns: NDArray[np.int64], signal: NDArray[np.float64]) -> int:
    """Return the stamp at which the signal was farthest from its first value [ns]; 0 = no frame."""
    if not len(stamps_ns):
        return 0
    return int(stamps_ns[np.abs(signal - signal[0]).argmax()])


def _hold_s(stamps_ns: NDArray[np.int64], signal: NDArray[np.float64], far_ns: int, size: float) -> float:
    """Return the time around the far point without a movement of more than HOLD_FRACTION of the range [s]."""
    far = _near(stamps_ns, far_ns)
    if far is None or not size > 0.0:
        return float("nan")
    moving = np.abs(signal - signal[far]) > HOLD_FRACTION * size
    before, after = np.flatnonzero(moving[:far]), np.flatnonzero(moving[far:])
    first = int(before[-1]) + 1 if len(before) else 0
    last = far + int(after[0]) - 1 if len(after) else len(signal) - 1
    return int(stamps_ns[last] - stamps_ns[first]) / NS_PER_S


def _median(values: NDArray[np.floating]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")

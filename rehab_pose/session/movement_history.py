"""Joints, joint angles and the counted signal of the last two minutes, from which a repetition's movement is taken."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose.session.movement import LARGEST_CM, RepetitionMovement
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rehab_pose.datatypes import FloorPlane, JointAngles, Joints, Repetition, RepetitionProgress

__all__ = ["MovementHistory"]

KEPT_S = 130.0
"""Time that is kept: longer than the longest repetition of a definition, 120 s [s]."""
MAX_FRAMES = 8000
"""Frames that are kept: KEPT_S at 60 Hz."""
NEAR_S = 0.2
"""Largest distance of a frame that stands for the far point from its stamp [s]."""
HOLD_FRACTION = 0.1
"""A person holds the far point while the signal is within this fraction of the repetition's range of it."""
MIN_ANGLE_CONFIDENCE = 0.3
"""Angles with less confidence are left out; the lowest one of an observed body (the angle model's own) is 0.3."""


class _Stamped(Protocol):
    @property
    def stamp_ns(self) -> int: ...


T = TypeVar("T", bound=_Stamped)


class _Track(Generic[T]):
    """The newest items in order of their stamps."""

    def __init__(self) -> None:
        self._items: deque[T] = deque(maxlen=MAX_FRAMES)

    def add(self, item: T) -> None:
        if self._items and item.stamp_ns <= self._items[-1].stamp_ns:  # time jumped back
            self._items.clear()
        self._items.append(item)
        while item.stamp_ns - self._items[0].stamp_ns > KEPT_S * NS_PER_S:
            self._items.popleft()

    def between(self, start_ns: int, end_ns: int) -> Iterator[T]:
        return (item for item in self._items if start_ns <= item.stamp_ns <= end_ns)

    def clear(self) -> None:
        self._items.clear()


class MovementHistory:
    """Keeps the frames of a running session and summarises those of a repetition."""

    def __init__(self) -> None:
        self._joints: _Track[Joints] = _Track()
        self._angles: _Track[JointAngles] = _Track()
        self._progress: _Track[RepetitionProgress] = _Track()
        self._up = CAMERA_UP  # until the floor is known

    def joints(self, joints: Joints | None) -> None:
        """Add the joints of a frame; others than those of SMPL_24 and frames without a person are left out."""
        if joints is not None and joints.skeleton.joint_names == SMPL_24.joint_names:
            self._joints.add(joints)

    def angles(self, angles: JointAngles | None) -> None:
        """Add the joint angles of a frame; frames without a person are left out."""
        if angles is not None:
            self._angles.add(angles)

    def progress(self, progress: RepetitionProgress | None) -> None:
        """Add the counted signal of a frame; frames in which no exercise is counted are left out."""
        if progress is not None and np.isfinite(progress.signal):
            self._progress.add(progress)

    def floor(self, floor: FloorPlane) -> None:
        """Take the direction of gravity from the floor plane; an unknown one changes nothing."""
        up = np.asarray(floor.plane[:3], dtype=np.float64)
        if np.isfinite(up).all():
            self._up = up

    def clear(self) -> None:
        """Forget the frames, at the end of a session."""
        for track in (self._joints, self._angles, self._progress):
            track.clear()

    def movement(self, repetition: Repetition) -> RepetitionMovement | None:
        """Return the movement of a repetition; None if nothing was received in its time."""
        start_ns, end_ns = repetition.start_ns, repetition.end_ns
        joints = list(self._joints.between(start_ns, end_ns))
        progress = [item for item in self._progress.between(start_ns, end_ns) if item.label == repetition.label]
        angles = list(self._angles.between(start_ns, end_ns))
        if not joints and not progress and not angles:
            return None
        far_ns = repetition.turn_ns or _farthest_ns(progress) or (start_ns + end_ns) // 2
        tracked = [_median(frame.confidence) for frame in joints]
        return RepetitionMovement(
            self._joints_cm(joints, far_ns),
            _angle_ranges(angles),
            _hold_s(progress, far_ns, repetition.signal_maximum - repetition.signal_minimum),
            _median(np.array(tracked)),
        )

    def _joints_cm(self, frames: list[Joints], far_ns: int) -> tuple[tuple[int, int, int] | None, ...]:
        nearest = min(frames, key=lambda frame: abs(frame.stamp_ns - far_ns), default=None)
        if nearest is None or abs(nearest.stamp_ns - far_ns) > NEAR_S * NS_PER_S:
            return ()
        positions_m = np.asarray(nearest.positions_m, dtype=np.float64)
        centred_cm = 100.0 * (positions_m - positions_m[0]) @ _view_axes(self._up).T
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


def _angle_ranges(frames: list[JointAngles]) -> tuple[tuple[str, int, int], ...]:
    """Return name, smallest and largest value [degrees] of the angles that were measured."""
    if not frames:
        return ()
    names = frames[-1].names
    same = [frame for frame in frames if frame.names == names]
    values = np.degrees(np.array([frame.angles_rad for frame in same]))
    values[np.array([frame.confidence for frame in same]) < MIN_ANGLE_CONFIDENCE] = np.nan
    ranges = []
    for name, course in zip(names, values.T, strict=True):
        seen = course[np.isfinite(course)]
        if len(seen):
            ranges.append((name, round(float(seen.min())), round(float(seen.max()))))
    return tuple(ranges)


def _farthest_ns(progress: list[RepetitionProgress]) -> int:
    """Return the stamp at which the signal was farthest from its first value [ns]; 0 = no frame."""
    if not progress:
        return 0
    return max(progress, key=lambda item: abs(item.signal - progress[0].signal)).stamp_ns


def _hold_s(progress: list[RepetitionProgress], far_ns: int, size: float) -> float:
    """Return the time around the far point without a movement of more than HOLD_FRACTION of the range [s]."""
    if not progress or not size > 0.0:
        return float("nan")
    place = min(range(len(progress)), key=lambda index: abs(progress[index].stamp_ns - far_ns))
    if abs(progress[place].stamp_ns - far_ns) > NEAR_S * NS_PER_S:
        return float("nan")
    first = last = place
    far = progress[place].signal
    while first > 0 and abs(progress[first - 1].signal - far) <= HOLD_FRACTION * size:
        first -= 1
    while last + 1 < len(progress) and abs(progress[last + 1].signal - far) <= HOLD_FRACTION * size:
        last += 1
    return (progress[last].stamp_ns - progress[first].stamp_ns) / NS_PER_S


def _median(values: NDArray[np.floating]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")

"""The camera's pose in a fixed frame, from TF, where a parameter names that frame."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from rclpy.time import Time

from rehab_pose.geometry.rotations import matrices_from_quaternions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["FixedFrameInput", "pose_matrix"]

WARNING = "fixed frame"
"""Key of this input's warning on /diagnostics."""
MAX_LAG_NS = 100_000_000
"""The newest transform is used for a frame that is newer than it by up to this [ns]: odometry comes at 10 to 50 Hz."""


class FixedFrameInput:
    """Looks up the camera's pose in a fixed frame.

    It needs the Python package tf2_ros. Without it, and while TF does not connect the two frames, the pose is unknown
    and a warning on /diagnostics says so.
    """

    def __init__(self, node: StageNode, fixed_frame: str) -> None:
        """Listen to TF if a frame is named; empty = not used."""
        self._node = node
        self._frame = ""
        self._tf: Any = None
        self._buffer: Any = None
        self._listener: Any = None
        self.change(fixed_frame)

    def change(self, fixed_frame: str) -> None:
        """Use another frame from now on; empty = none."""
        self._frame = fixed_frame
        self._node.health.warnings.pop(WARNING, None)
        if not fixed_frame or self._buffer is not None:
            return
        try:
            self._tf = importlib.import_module("tf2_ros")
        except ImportError:
            self._warn(
                f"exercise.fixed_frame: expected the Python package tf2_ros to look up {fixed_frame}, found none; "
                "install ros-$ROS_DISTRO-tf2-ros-py, or leave the parameter empty; until then floor and feet are used"
            )
            return
        self._buffer = self._tf.Buffer()
        self._listener = self._tf.TransformListener(self._buffer, self._node)

    def pose(self, frame_id: str, stamp_ns: int) -> NDArray[np.float64] | None:
        """Return the pose (4, 4) [m] of a camera's frame in the fixed frame at a stamp [ns]; None = unknown."""
        if not self._frame or self._buffer is None:
            return None
        try:
            transform = self._look_up(frame_id, stamp_ns)
        except self._tf.TransformException as error:
            self._warn(
                f"exercise.fixed_frame: expected a transform from {frame_id} to {self._frame} on TF, got {error}"
            )
            return None
        if transform is not None:
            self._node.health.warnings.pop(WARNING, None)
        return transform

    def _look_up(self, frame_id: str, stamp_ns: int) -> NDArray[np.float64] | None:
        """Return the pose at a stamp [ns], or the newest one if it is little older; None where it is too old."""
        stamp = Time(nanoseconds=stamp_ns)
        if self._buffer.can_transform(self._frame, frame_id, stamp):
            return pose_matrix(self._buffer.lookup_transform(self._frame, frame_id, stamp))
        newest = self._buffer.lookup_transform(self._frame, frame_id, Time())
        lag_ns = stamp_ns - Time.from_msg(newest.header.stamp).nanoseconds
        if lag_ns > MAX_LAG_NS:
            self._warn(
                f"exercise.fixed_frame: expected a transform from {frame_id} to {self._frame} at the frame's stamp, "
                f"the newest is {lag_ns * 1e-9:.2f} s older; check the publisher's rate and the clocks"
            )
            return None
        return pose_matrix(newest)

    def _warn(self, sentence: str) -> None:
        if self._node.health.warnings.get(WARNING) != sentence:
            self._node.get_logger().warning(sentence)
        self._node.health.warnings[WARNING] = sentence


def pose_matrix(transform: Message) -> NDArray[np.float64]:
    """Return the matrix (4, 4) [m] of a geometry_msgs/TransformStamped."""
    shift, turn = transform.transform.translation, transform.transform.rotation
    pose = np.eye(4)
    pose[:3, :3] = matrices_from_quaternions(np.array([turn.x, turn.y, turn.z, turn.w]))
    pose[:3, 3] = (shift.x, shift.y, shift.z)
    return pose

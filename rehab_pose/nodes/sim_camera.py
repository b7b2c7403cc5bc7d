"""A simulated person before a simulated camera -> the camera's topics."""

from __future__ import annotations

import math
import sys

from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.carrier import header
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.ros.run import run_node
from rehab_pose.ros.stage_node import StageNode
from rehab_pose.simulation.camera import SimulatedCamera
from rehab_pose.simulation.settings import SimulationSettings

__all__ = ["SimCameraNode", "main"]

NS_PER_S = 1e9
POLLS_PER_FRAME = 0.25
"""Periods of the timer in a frame: the image is started at most a quarter of a period late."""


class SimCameraNode(StageNode):
    """Publishes rendered colour, depth and camera_info, as a driver would."""

    def __init__(self) -> None:
        super().__init__("sim_camera")
        settings = self.settings("simulation", SimulationSettings)
        self._simulation = SimulatedCamera(settings)
        self._color = self.output(topics.COLOR)
        self._info = self.output(topics.CAMERA_INFO)
        self._depth = self.output(topics.DEPTH)
        now_ns = self.get_clock().now().nanoseconds
        self._first_ns = settings.start_ns or now_ns
        self._offset_ns = self._first_ns - settings.start_ns
        self._rate_hz = settings.rate_hz
        self._last = -1
        self.start_worker(capacity=1, adjustable=False)  # an image that cannot be rendered in time is skipped
        self.create_timer(POLLS_PER_FRAME / settings.rate_hz, self._tick)

    def _tick(self) -> None:
        """Ask for the image that is due now: a camera that falls behind skips images, its stamps stay true."""
        elapsed_s = (self.get_clock().now().nanoseconds - self._first_ns) / NS_PER_S
        due = math.floor(elapsed_s * self._rate_hz)
        if due > self._last:
            self.health.drop("not rendered in time", due - self._last - 1)
            self._last = due
            self.post(self._publish, due, due, self.now_s())

    def _publish(self, index: int) -> bool:
        frame = self._simulation.frame(index).frame
        stamp = header(self.carrier, self._offset_ns + frame.stamp_ns, frame.frame_id)
        self._info.publish(camera_info_message(self.carrier, stamp, frame.intrinsics))
        self._color.publish(image_message(self.carrier, stamp, "rgb8", frame.color))
        self._depth.publish(image_message(self.carrier, stamp, "16UC1", depth_millimetres(frame.depth_m)))
        return True


def main() -> int:
    """Run the node."""
    return run_node(SimCameraNode)


if __name__ == "__main__":
    sys.exit(main())

"""A simulated person before a simulated camera -> the camera's topics."""

from __future__ import annotations

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


class SimCameraNode(StageNode):
    """Publishes rendered colour, depth and camera_info, as a driver would."""

    def __init__(self) -> None:
        super().__init__("sim_camera")
        settings = self.settings("simulation", SimulationSettings)
        self._simulation = SimulatedCamera(settings)
        self._color = self.output(topics.COLOR)
        self._info = self.output(topics.CAMERA_INFO)
        self._depth = self.output(topics.DEPTH)
        self._start_ns = self.get_clock().now().nanoseconds
        self._index = 0
        self.start_worker()
        self.create_timer(1.0 / settings.rate_hz, self._tick)

    def _tick(self) -> None:
        self.post(self._publish, self._index, self._index, self.now_s())
        self._index += 1

    def _publish(self, index: int) -> bool:
        frame = self._simulation.frame(index).frame
        stamp = header(self.carrier, self._start_ns + frame.stamp_ns, frame.frame_id)
        self._info.publish(camera_info_message(self.carrier, stamp, frame.intrinsics))
        self._color.publish(image_message(self.carrier, stamp, "rgb8", frame.color))
        self._depth.publish(image_message(self.carrier, stamp, "16UC1", depth_millimetres(frame.depth_m)))
        return True


def main() -> int:
    """Run the node."""
    return run_node(SimCameraNode)


if __name__ == "__main__":
    sys.exit(main())

"""A simulated person in front of a simulated camera -> the camera's topics."""

from __future__ import annotations

import math
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header, time_message
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.units import NS_PER_S
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.graph import SIM_CAMERA
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["SimCameraNode", "main"]

STANDARD_GRAVITY_M_S2 = 9.80665
"""ISO 80000-3 [m/s^2]."""
NOT_MEASURED = -1.0
"""First entry of a covariance of sensor_msgs/Imu for a quantity that is not measured."""
MAX_SLEEP_S = 0.05
"""Longest time between checks whether to stop and whether simulated time has advanced [s]."""


class SimCameraNode(StageNode):
    """Publishes rendered colour, depth and camera_info, as a driver would.

    Each image is rendered before it is due and sent when it is due, so that the measured latency does not include the
    time of rendering. With simulation.ahead_s rendering does not share the CPU with the other nodes either.
    """

    def __init__(self) -> None:
        super().__init__(SIM_CAMERA)
        settings = self.settings(SimulationSettings)
        self._simulation = SimulatedCamera(settings)
        self._length = self._simulation.length_frames
        ahead = min(self._length, round(settings.ahead_s * settings.rate_hz))
        self._kept = [self._render(index) for index in range(ahead)]
        self._next = (0, self._image(0))
        now_ns = self.get_clock().now().nanoseconds
        self._first_ns = settings.start_ns or now_ns
        self._rate_hz, self._clock_rate = settings.rate_hz, settings.clock_rate
        self.start_worker(capacity=1, adjustable=False)  # an image that cannot be rendered in time is skipped
        self._stopping = threading.Event()
        self._ticker = threading.Thread(target=self._run, name="sim_camera_ticker", daemon=True)
        self._ticker.start()

    def close(self) -> None:
        """Stop the camera's thread and the node."""
        self._stopping.set()
        self._ticker.join(MAX_SLEEP_S * 2)
        super().close()

    def _run(self) -> None:
        """Request each image when it is due; images that are not rendered in time are skipped, stamps stay correct."""
        last = -1
        while not self._stopping.is_set():
            elapsed_s = (self.get_clock().now().nanoseconds - self._first_ns) / NS_PER_S * self._clock_rate
            due = math.floor(elapsed_s * self._rate_hz)
            if due > last:
                self.health.drop("not rendered in time", due - last - 1)
                last = due
                self.post(self._publish, due, self._stamp_ns(due), self.now_s())
            left_s = ((last + 1) / self._rate_hz - elapsed_s) / self._clock_rate
            self._stopping.wait(min(left_s, MAX_SLEEP_S))

    def _stamp_ns(self, index: int) -> int:
        return self._first_ns + round(index / self._rate_hz * NS_PER_S)

    def _publish(self, index: int) -> bool:
        messages = self._next[1] if self._next[0] == index else self._image(index)
        for topic, message in zip((topics.IMU, topics.CAMERA_INFO, topics.COLOR, topics.DEPTH), messages, strict=True):
            message.header.stamp = time_message(self.factory, self._stamp_ns(index))
            self.publish(topic, message)
        self._next = (index + 1, self._image(index + 1))
        return True

    def _image(self, index: int) -> tuple[Message, ...]:
        place = index % self._length
        return self._kept[place] if place < len(self._kept) else self._render(index)

    def _render(self, index: int) -> tuple[Message, ...]:
        """Return the messages of an image; their stamp is set when they are sent."""
        shot = self._simulation.frame(index)
        frame = shot.frame
        stamp = header(self.factory, 0, frame.frame_id)
        return (
            _imu_message(self.factory, stamp, shot.truth.floor_plane[:3]),
            camera_info_message(self.factory, stamp, frame.intrinsics),
            image_message(self.factory, stamp, "rgb8", frame.color),
            image_message(self.factory, stamp, "16UC1", depth_millimetres(frame.depth_m)),
        )


def _imu_message(factory: MessageFactory, stamp: Message, up: NDArray[np.float64]) -> Message:
    """Return the measurement of an IMU at rest in the optical frame: the reaction to gravity along `up` (3)."""
    x, y, z = (float(value) for value in STANDARD_GRAVITY_M_S2 * up)
    return factory.make(
        "sensor_msgs/msg/Imu",
        header=stamp,
        orientation_covariance=np.array([NOT_MEASURED, *np.zeros(8)]),
        linear_acceleration=factory.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
    )


def main() -> int:
    """Run the node."""
    return run_node(SimCameraNode)


if __name__ == "__main__":
    sys.exit(main())

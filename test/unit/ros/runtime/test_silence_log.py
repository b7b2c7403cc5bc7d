"""One line when the camera stops and one when it sends again; none before its first message."""

from __future__ import annotations

from rehab_pose.messages.topics import CAMERA_TOPICS
from rehab_pose.ros.runtime.health import Health
from rehab_pose.ros.runtime.silence_log import SilenceLog


class Clock:
    """A clock that the test advances."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time [s]."""
        return self.now_s


def test_the_camera_is_silent_once_however_its_topics_stop_and_not_before_it_sent() -> None:
    clock = Clock()
    health, log = Health(clock), SilenceLog()
    color, info, depth = (
        health.add_input(topic.name, f"/ns/{topic.name}", watched=True) for topic in (*CAMERA_TOPICS,)
    )
    health.add_input("joints", "/ns/joints", watched=True)

    def line_after(seconds: float) -> str:
        clock.now_s += seconds
        return log.line(health.inputs, health.silent_inputs())

    assert line_after(60.0) == "", "the driver was not started yet"
    for entry in (color, info):
        health.arrived(entry)
    assert line_after(2.1) == "no message for 2 s on /ns/rgb/image_rect_color, /ns/rgb/camera_info"
    health.arrived(depth)
    assert line_after(5.0) == "", "the same silence"
    for entry in (color, info, depth):
        health.arrived(entry)
    assert line_after(0.1) == "messages again on /ns/rgb/image_rect_color, /ns/rgb/camera_info"
    assert line_after(0.1) == ""
    assert line_after(3.0).startswith("no message for 3 s on /ns/rgb/image_rect_color")

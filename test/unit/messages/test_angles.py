"""Joint angles as ROS's own message: finite numbers only."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.datatypes import JointAngles
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message, angles_message, joint_state_message
from rehab_pose.messages.results import body_messages
from rehab_pose.pipeline import BodyResult

NAMES = ("trunk_flexion", "left_knee_flexion", "right_knee_flexion")


def angles(angles_rad: list[float], velocities_rad_s: list[float]) -> JointAngles:
    return JointAngles(5, "cam", NAMES, np.array(angles_rad), np.array(velocities_rad_s), np.ones(3), np.ones(3))


def test_angles_that_were_not_measured_are_left_out() -> None:
    message = joint_state_message(BagMessageFactory(), 5, "cam", angles([0.1, np.nan, 0.3], [1.0, np.nan, 3.0]))
    assert message.name == ["trunk_flexion", "right_knee_flexion"]
    assert message.position == pytest.approx([0.1, 0.3])
    assert message.velocity == pytest.approx([1.0, 3.0])


def test_velocities_are_empty_unless_all_are_known() -> None:
    message = joint_state_message(BagMessageFactory(), 5, "cam", angles([0.1, 0.2, 0.3], [1.0, np.nan, 3.0]))
    assert len(message.name) == len(message.position) == 3
    assert len(message.velocity) == len(message.effort) == 0


@pytest.mark.parametrize("present", [False, True])
def test_nothing_is_sent_while_no_person_is_in_view(present: bool) -> None:
    found = angles([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]) if present else None
    frame = SimpleNamespace(stamp_ns=5, frame_id="cam")
    result = BodyResult(None, None, found, None, {})
    sent = {topic for topic, _ in body_messages(BagMessageFactory(), frame, None, result)}  # type: ignore[arg-type]  # only stamp and frame are read
    assert topics.JOINT_ANGLES in sent
    assert (topics.JOINT_STATES in sent) == present


def test_the_topic_is_not_that_of_the_robots_own_joints() -> None:
    assert topics.JOINT_STATES.name != "joint_states"


def test_the_names_of_many_frames_are_kept_once() -> None:
    first, second = (
        angles_from_message(angles_message(BagMessageFactory(), stamp, "cam", angles([0.1, 0.2, 0.3], [1.0, 2.0, 3.0])))
        for stamp in (5, 6)
    )
    assert first is not None
    assert second is not None
    assert first.names is second.names
    assert first.names == ("trunk_flexion", "left_knee_flexion", "right_knee_flexion")

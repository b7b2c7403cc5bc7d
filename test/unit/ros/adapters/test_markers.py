"""RViz markers of joints, angles and mesh; the fast mesh marker equals the one made of Point objects."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker

from rehab_pose.datatypes import JointAngles, Joints, JointVisibility
from rehab_pose.errors import InputError
from rehab_pose.ros.adapters.markers import angle_markers, name_markers, no_person_markers, person_markers
from rehab_pose.ros.adapters.mesh_template import MeshTemplate, mesh_marker
from rehab_pose.ros.io.message_factory import RosMessageFactory
from rehab_pose.skeletons.smpl24 import SMPL_24

STAMP_NS = 1_700_000_000_123_456_789


@pytest.mark.parametrize("frame_id", ["a", "cam", "camera_color_optical_frame", "x" * 33])
@pytest.mark.parametrize("faces", [1, 7])
def test_the_filled_template_deserialises_to_the_same_message(frame_id: str, faces: int) -> None:
    random = np.random.default_rng(faces)
    triangles = random.integers(0, 20, (faces, 3))
    template = MeshTemplate(frame_id, triangles)
    for stamp_ns in (STAMP_NS, STAMP_NS + 1):
        vertices = random.normal(0, 1, (20, 3)).astype(np.float32)
        slow = serialize_message(mesh_marker(stamp_ns, frame_id, vertices[triangles.reshape(-1)]))
        fast = template.fill(stamp_ns, vertices)
        assert len(fast) == len(slow)
        # The bytes are equal except padding bytes, which have no defined value and do not change the message.
        for index, (byte, other) in enumerate(zip(slow, fast, strict=True)):
            if byte != other:
                changed = slow[:index] + bytes([other]) + slow[index + 1 :]
                assert deserialize_message(changed, Marker) == deserialize_message(slow, Marker), index
        assert deserialize_message(fast, Marker) == deserialize_message(slow, Marker)


def test_filling_a_body_mesh_takes_less_than_its_time_budget() -> None:
    random = np.random.default_rng(0)
    vertices = random.normal(0, 1, (6890, 3)).astype(np.float32)
    template = MeshTemplate("cam", random.integers(0, 6890, (13776, 3)))
    start_s = time.perf_counter()
    for _ in range(10):
        template.fill(STAMP_NS, vertices)
    assert (time.perf_counter() - start_s) / 10 < 0.020  # 0.3 ms on an idle core, 50 ms from Point objects
    received: Any = deserialize_message(template.fill(STAMP_NS, vertices), Marker)
    assert len(received.points) == 3 * 13776


def test_no_triangles_are_refused() -> None:
    with pytest.raises(InputError, match="expected at least one triangle"):
        MeshTemplate("cam", np.empty((0, 3), np.int32))


def joints() -> Joints:
    positions = np.random.default_rng(0).normal(0, 1, (24, 3))
    positions[SMPL_24.index("left_hand")] = np.nan
    state = np.full(24, JointVisibility.OBSERVED, np.uint8)
    state[SMPL_24.index("left_hand")] = JointVisibility.MISSING
    return Joints(STAMP_NS, "cam", SMPL_24, positions, np.ones(24), np.ones(24), state)


def test_a_missing_joint_and_its_bone_are_not_drawn() -> None:
    spheres, lines, text = person_markers(RosMessageFactory(), joints(), "lateral_trunk_tilt").markers
    assert len(spheres.points) == len(spheres.colors) == 23
    assert len(lines.points) == 2 * (len(SMPL_24.bones) - 1)
    assert text.text == "lateral trunk tilt"
    drawn = np.array([(point.x, point.y, point.z) for point in spheres.points + lines.points])
    assert np.isfinite(drawn).all()
    for marker in (spheres, lines, text):
        assert marker.header.frame_id == "cam"
        assert marker.header.stamp.nanosec == STAMP_NS % 10**9


def test_without_a_label_no_text_is_sent_and_without_a_person_all_markers_are_deleted() -> None:
    assert len(person_markers(RosMessageFactory(), joints(), "").markers) == 2
    [clear] = no_person_markers(RosMessageFactory(), STAMP_NS, "cam").markers
    assert clear.action == Marker.DELETEALL


def test_finite_angles_are_written_in_degrees_next_to_their_joints() -> None:
    names = ("left_knee_flexion", "right_knee_flexion", "left_elbow_flexion", "left_hand_waving")
    values = np.deg2rad([90.0, np.nan, 12.4, 1.0])
    unknown = np.full(4, np.nan)
    angles = JointAngles(STAMP_NS, "cam", names, values, unknown, np.ones(4), unknown)
    markers = angle_markers(RosMessageFactory(), joints(), angles).markers
    assert sorted(marker.text for marker in markers) == ["flexion 12°", "flexion 90°"]
    knee = next(marker for marker in markers if "90" in marker.text)
    position = joints().positions_m[SMPL_24.index("left_knee")]
    assert abs(knee.pose.position.x - position[0]) == pytest.approx(0.12)
    assert knee.lifetime.nanosec > 0
    serialize_message(markers[0])


def test_only_joints_with_a_position_have_a_name_marker() -> None:
    texts = {marker.text for marker in name_markers(RosMessageFactory(), joints()).markers}
    assert texts == {name.replace("_", " ") for name in SMPL_24.joint_names} - {"left hand"}

"""RViz markers of joints, angles and mesh; the fast mesh marker equals the one made of Point objects."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray

from rehab_pose.datatypes import Bones, JointAngles, Joints, JointVisibility
from rehab_pose.errors import InputError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.ros.adapters.markers import (
    SHOWN_ANGLES,
    angle_markers,
    name_markers,
    no_person_markers,
    person_markers,
    rod_markers,
    rod_poses,
    shown_text,
)
from rehab_pose.ros.adapters.mesh_template import MeshTemplate, mesh_marker
from rehab_pose.ros.adapters.rod_template import RodTemplate
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
    assert (text.ns, text.text) == ("label", "lateral_trunk_tilt")
    drawn = np.array([(point.x, point.y, point.z) for point in spheres.points + lines.points])
    assert np.isfinite(drawn).all()
    for marker in (spheres, lines, text):
        assert marker.header.frame_id == "cam"
        assert marker.header.stamp.nanosec == STAMP_NS % 10**9


def test_without_a_label_no_text_is_sent_and_without_a_person_all_markers_are_deleted() -> None:
    for label in ("", "none"):
        assert len(person_markers(RosMessageFactory(), joints(), label).markers) == 2
    [clear] = no_person_markers(RosMessageFactory(), STAMP_NS, "cam").markers
    assert clear.action == Marker.DELETEALL


def test_chosen_finite_angles_are_written_in_degrees_outside_the_body() -> None:
    names = ("left_knee_flexion", "right_knee_flexion", "left_elbow_flexion", "left_hand_waving", "trunk_flexion")
    values = np.deg2rad([90.0, np.nan, 12.4, 1.0, -0.3])
    unknown = np.full(5, np.nan)
    angles = JointAngles(STAMP_NS, "cam", names, values, unknown, np.ones(5), unknown)
    markers = angle_markers(RosMessageFactory(), joints(), angles, names).markers
    assert sorted(marker.text for marker in markers) == ["flexion:12", "flexion:90", "trunk_flexion:0"]
    [knee] = angle_markers(RosMessageFactory(), joints(), angles, {"left_knee_flexion"}).markers
    position = joints().positions_m[SMPL_24.index("left_knee")]
    assert abs(knee.pose.position.x - position[0]) == pytest.approx(0.25)
    assert knee.scale.z == pytest.approx(0.08)
    assert knee.lifetime.nanosec > 0
    serialize_message(markers[0])


def test_only_joints_with_a_position_have_a_name_marker() -> None:
    texts = {marker.text for marker in name_markers(RosMessageFactory(), joints()).markers}
    assert texts == set(SMPL_24.joint_names) - {"left_hand"}


def test_no_text_has_a_space_or_a_letter_that_rviz_does_not_draw() -> None:
    assert shown_text("über 90° flexion") == "?ber_90?_flexion"
    names = tuple(name for names in SHOWN_ANGLES.values() for name in names)
    values = np.full(len(names), -0.001)
    angles = JointAngles(STAMP_NS, "cam", names, values, values, np.ones(len(names)), np.abs(values))
    arrays = (
        person_markers(RosMessageFactory(), joints(), "my own exercise"),
        angle_markers(RosMessageFactory(), joints(), angles, names),
        name_markers(RosMessageFactory(), joints()),
    )
    texts = [marker.text for array in arrays for marker in array.markers if marker.type == Marker.TEXT_VIEW_FACING]
    assert len(texts) > 30
    for text in texts:
        assert text.isascii()
        assert " " not in text
        assert "-0" not in text


def test_the_mesh_is_transparent_so_that_joints_are_seen_through_it() -> None:
    template = MeshTemplate("cam", np.array([[0, 1, 2]]), 0.35)
    received: Any = deserialize_message(template.fill(STAMP_NS, np.eye(3, dtype=np.float32)), Marker)
    assert received.color.a == pytest.approx(0.35)


def bones(count: int, seed: int) -> Bones:
    random = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = matrices_from_axis_angles(random.normal(0, 1, (count, 3)))
    poses[:, :3, 3] = random.normal(0, 1, (count, 3))
    names = tuple(f"bone_{number}" for number in range(count))
    lengths, radii = random.uniform(0.01, 0.4, (2, count))
    return Bones(STAMP_NS + seed, "camera_color_optical_frame", names, poses, lengths, radii)


@pytest.mark.parametrize("count", [1, 76])
def test_filled_rods_deserialise_to_the_same_markers(count: int) -> None:
    template = RodTemplate(bones(count, 1))
    for seed in (2, 3):
        given = bones(count, seed)
        expected = rod_markers(RosMessageFactory(), given.stamp_ns, given.frame_id, rod_poses(given))
        received = deserialize_message(serialize_message(expected), MarkerArray)
        assert deserialize_message(template.fill(given), MarkerArray) == received


def test_a_rod_is_along_its_bone() -> None:
    given = bones(1, 4)
    [marker] = rod_markers(RosMessageFactory(), STAMP_NS, "cam", rod_poses(given)).markers
    middle = given.camera_from_bone[0] @ np.array([0.0, 0.5 * given.length_m[0], 0.0, 1.0])
    position = marker.pose.position
    assert (position.x, position.y, position.z) == pytest.approx(tuple(middle[:3]))
    assert marker.scale.z == pytest.approx(given.length_m[0])

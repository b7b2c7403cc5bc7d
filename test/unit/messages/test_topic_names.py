"""Full names of topics by the namespace of the nodes, and the names under which recordings have them."""

from __future__ import annotations

import pytest

from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import body_id, full_name, nodes_namespace, parent_namespace, recorded_name

COLOR, JOINTS, DEPTH = topics.COLOR.name, topics.JOINTS.name, topics.DEPTH.name


@pytest.mark.parametrize(
    ("namespace", "color", "joints", "service", "skeleton"),
    [
        ("/rehab_pose", f"/{COLOR}", "/rehab_pose/joints", "/rehab_pose/start_session", "aaaaa"),
        (
            "/robot1/rehab_pose",
            f"/robot1/{COLOR}",
            "/robot1/rehab_pose/joints",
            "/robot1/rehab_pose/start_session",
            "robot1_aaaaa",
        ),
        ("/a/b/rehab_pose", f"/a/b/{COLOR}", "/a/b/rehab_pose/joints", "/a/b/rehab_pose/start_session", "a_b_aaaaa"),
        # Namespaces that a person chose for a node by `-r __ns:=`.
        ("/", f"/{COLOR}", "/joints", "/start_session", "aaaaa"),
        ("/robot1", f"/robot1/{COLOR}", "/robot1/joints", "/robot1/start_session", "robot1_aaaaa"),
    ],
)
def test_full_names_by_namespace(namespace: str, color: str, joints: str, service: str, skeleton: str) -> None:
    names = [full_name(name, namespace) for name in (COLOR, JOINTS, "start_session", topics.HRI_SKELETON.name)]
    assert names == [color, joints, service, f"/humans/bodies/{skeleton}/skeleton2d"]
    assert body_id(namespace) == skeleton
    for outside in (topics.TF.name, topics.HRI_TRACKED.name, "/diagnostics", "/camera/camera/color/image_raw"):
        assert full_name(outside, namespace) == outside
    assert {full_name(topic.name, namespace) for topic in (*topics.CAMERA_TOPICS, topics.IMU)} == {
        f"{parent_namespace(namespace)}/{topic.name}" for topic in (*topics.CAMERA_TOPICS, topics.IMU)
    }


def test_the_nodes_namespace_is_below_that_of_the_robot_once() -> None:
    for given in ("", "/", "rehab_pose", "/rehab_pose/"):
        assert nodes_namespace(given) == "/rehab_pose"
    for given in ("robot1", "/robot1/", "/robot1/rehab_pose"):
        assert nodes_namespace(given) == "/robot1/rehab_pose"


@pytest.mark.parametrize("place", ["", "/rehab_pose", "/robot1/rehab_pose"])
def test_recordings_with_and_without_a_namespace_have_the_same_topics(place: str) -> None:
    camera = place.removesuffix("/rehab_pose")
    recorded = [f"{place}/joints", f"{place}/image_joints", f"{camera}/{COLOR}", "/arm/joints", "/arm/joints/joints"]
    assert recorded_name(JOINTS, recorded) == f"{place}/joints"
    assert recorded_name(COLOR, recorded) == f"{camera}/{COLOR}"
    assert recorded_name(DEPTH, recorded) is None
    assert recorded_name("/arm/joints", recorded) == "/arm/joints"

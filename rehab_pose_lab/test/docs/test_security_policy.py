"""The policy of SROS2: as generated, and enough for what running nodes open."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from rehab_pose.graph import NODES, node_spec
from rehab_pose.messages.topic_names import full_name, nodes_namespace
from rehab_pose_lab.docs.security_policy import DIAGNOSTICS_TOPIC, rights, security_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[3]
START_S = 60.0
STARTED = ("exercise", "session", "markers")
ACTION = "/_action/"


def test_the_committed_policy_is_the_generated_one() -> None:
    committed = (REPOSITORY / "config" / "sros2" / "policy.xml").read_text(encoding="utf-8")
    assert committed == security_policy(), "run `rehab-pose-lab docs policy > config/sros2/policy.xml`"


def test_each_node_has_an_enclave_of_its_own_and_only_the_rights_of_its_row() -> None:
    root = ET.fromstring(security_policy())  # noqa: S314  (our own text)
    enclaves = {enclave.get("path"): enclave for enclave in root.iter("enclave")}
    assert {f"/rehab_pose/{spec.name}" for spec in NODES} <= set(enclaves)
    profiles = list(enclaves["/rehab_pose/keypoints"].iter("profile"))
    assert [(profile.get("ns"), profile.get("node")) for profile in profiles] == [("/rehab_pose", "keypoints")]
    published = rights(node_spec("keypoints"))["topic", "publish"]
    assert published == {"keypoints", "/rosout", "/parameter_events", "/diagnostics"}
    assert ("action", "execute") not in rights(node_spec("keypoints"))
    assert rights(node_spec("session"))["action", "execute"] == {"run_exercise"}
    assert "start_session" in rights(node_spec("session"))["service", "reply"]
    assert "/rgb/image_rect_color" in rights(node_spec("session"))["topic", "subscribe"]  # the tier with images


def _opened(node: object, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, right and name of everything that a running node has opened."""
    lists = {
        ("topic", "publish"): "get_publisher_names_and_types_by_node",
        ("topic", "subscribe"): "get_subscriber_names_and_types_by_node",
        ("service", "reply"): "get_service_names_and_types_by_node",
    }
    for (kind, right), method in lists.items():
        for found, _ in getattr(node, method)(name, nodes_namespace()):
            if ACTION in found:
                yield "action", "execute", found.split(ACTION)[0]
            else:
                yield kind, right, found


def test_the_policy_allows_what_running_nodes_open(tmp_path: Path) -> None:
    rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")
    from rehab_pose.ros.runtime import diagnostics  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.running_graph import running_graph, use_private_domain  # noqa: PLC0415

    assert diagnostics.DIAGNOSTICS_TOPIC == DIAGNOSTICS_TOPIC
    use_private_domain()
    context = rclpy.Context()
    context.init()
    arguments = ["--nodes", ",".join(STARTED)]
    settings = {"session": {"folder": tmp_path / "sessions"}}
    try:
        node = rclpy.create_node("policy_test", context=context)
        with running_graph(arguments, settings, tmp_path / "log"):
            end_s = time.monotonic() + START_S
            while time.monotonic() < end_s and not set(STARTED) <= set(node.get_node_names()):
                time.sleep(0.2)
            time.sleep(2.0)  # until all of their topics have been announced
            for name in STARTED:
                opened = set(_opened(node, name))
                assert len(opened) > 10, (name, (tmp_path / "log").read_text(encoding="utf-8"))
                allowed = {
                    (kind, right, full_name(one.replace("~/", f"{name}/")))
                    for (kind, right), names in rights(node_spec(name)).items()
                    for one in names
                }
                assert opened <= allowed, sorted(opened - allowed)
    finally:
        context.try_shutdown()

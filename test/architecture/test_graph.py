"""The table of the graph agrees with the nodes, the topics and the files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.errors import ContractError, SettingsError
from rehab_pose.graph import (
    NODES,
    SECTIONS,
    NodeSpec,
    Option,
    choose_nodes,
    load_class,
    node_spec,
    plugin_nodes,
    settings_class,
)
from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import full_name
from rehab_pose.messages.topics import Topic
from rehab_pose.settings import Settings, specifications

if TYPE_CHECKING:
    from pathlib import Path

BRIDGES = {Option.TF, Option.REP155}
"""Their message packages are not on PyPI."""
TIMEOUT_S = 10.0
ALWAYS = {"/diagnostics", "/rosout", "/parameter_events"}


def all_topics() -> set[Topic]:
    return {topic for topic in vars(topics).values() if isinstance(topic, Topic)}


def outputs(specs: list[NodeSpec]) -> set[Topic]:
    return {topic for spec in specs for topic in spec.outputs}


def test_every_node_has_a_file_and_every_file_a_row(repository: Path) -> None:
    files = {file.stem for file in (repository / "rehab_pose" / "nodes").glob("*.py")} - {"__init__"}
    assert {spec.name for spec in NODES} == files


def test_every_topic_is_published_by_a_node() -> None:
    assert outputs([*NODES, *plugin_nodes()]) == all_topics()


def test_the_simulated_camera_is_found_as_a_plug_in() -> None:
    assert [spec.name for spec in plugin_nodes()] == ["sim_camera"]
    assert settings_class("simulation").__name__ == "SimulationSettings"


def test_one_process_publishes_the_topics_of_the_separate_nodes() -> None:
    everything = {Option.MESH, Option.RECOGNITION}
    separate, composed = (outputs(choose_nodes(everything, composed=value)) for value in (False, True))
    assert composed == separate - {topics.RGBD}


def test_inputs_are_outputs_of_another_node() -> None:
    offered = outputs([*NODES, *plugin_nodes()])
    for spec in NODES:
        assert set(spec.inputs) <= offered, spec.name
        assert not set(spec.inputs) & set(spec.outputs), spec.name


@pytest.mark.parametrize("spec", NODES, ids=lambda spec: spec.name)
def test_stages_and_settings_of_a_row_exist(spec: NodeSpec) -> None:
    for reference in spec.stages:
        stage = load_class(reference)
        assert callable(stage.process), reference
        assert callable(stage.reset), reference
    for section in spec.settings:
        assert section in SECTIONS


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_described(section: str) -> None:
    kind = settings_class(section)
    assert issubclass(kind, Settings)
    assert all(spec.description for spec in specifications(kind))


@pytest.mark.parametrize(
    ("options", "composed", "expected"),
    [
        (set(), False, ["rgbd_sync", "silhouette", "keypoints", "parts", "joints"]),
        (
            {Option.RECOGNITION},
            False,
            ["rgbd_sync", "silhouette", "keypoints", "parts", "joints", "exercise", "session"],
        ),
        ({Option.MESH, Option.RECOGNITION, Option.MARKERS}, True, ["pipeline", "session", "markers"]),
    ],
)
def test_options_choose_the_nodes(options: set[Option], composed: bool, expected: list[str]) -> None:
    assert [spec.name for spec in choose_nodes(options, composed=composed)] == expected


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="got 'joint'"):
        node_spec("joint")
    with pytest.raises(SettingsError, match="got 'joint'"):
        settings_class("joint")


@pytest.mark.parametrize("spec", [spec for spec in NODES if spec.option not in BRIDGES], ids=lambda spec: spec.name)
def test_a_running_node_has_the_endpoints_and_parameters_of_its_row(spec: NodeSpec, ros_node: Any) -> None:  # noqa: ANN401
    node = ros_node(spec)
    place = node.get_name(), node.get_namespace()
    published = {name for name, _ in node.get_publisher_names_and_types_by_node(*place)}
    subscribed = {name for name, _ in node.get_subscriber_names_and_types_by_node(*place)}
    action = {name for name in published if "/_action/" in name}
    assert published - ALWAYS - action == {full_name(topic.name) for topic in spec.outputs}
    inactive = {*spec.on_demand, *spec.optional}
    assert subscribed - ALWAYS == {full_name(topic.name) for topic in spec.inputs if topic not in inactive}
    sections = {name.partition(".")[0] for name in node._parameters if "." in name} - {"qos_overrides"}
    assert sections == {"node", *spec.settings}


@pytest.mark.parametrize("spec", [spec for spec in NODES if spec.on_demand], ids=lambda spec: spec.name)
def test_a_subscriber_of_an_output_makes_a_node_subscribe_to_its_inputs(spec: NodeSpec, ros_node: Any) -> None:  # noqa: ANN401
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415

    from rehab_pose.ros.io.message_factory import message_class  # noqa: PLC0415

    node = ros_node(spec)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def subscribed() -> set[str]:
        names = node.get_subscriber_names_and_types_by_node(node.get_name(), node.get_namespace())
        return {name for name, _ in names} & {full_name(topic.name) for topic in spec.on_demand}

    def wait_until(expected: set[str]) -> bool:
        end_s = time.monotonic() + TIMEOUT_S
        while subscribed() != expected and time.monotonic() < end_s:
            executor.spin_once(timeout_sec=0.1)
        return subscribed() == expected

    assert subscribed() == set()
    output = spec.outputs[-1]
    subscription = node.create_subscription(message_class(output.type_name), full_name(output.name), lambda _: None, 1)
    assert wait_until({full_name(topic.name) for topic in spec.on_demand})
    node.destroy_subscription(subscription)
    assert wait_until(set())


def test_a_node_refuses_a_topic_that_its_row_does_not_name(ros_node: Any) -> None:  # noqa: ANN401
    node = ros_node(node_spec("keypoints"))
    with pytest.raises(ContractError, match="keypoints: expected an input of the node's row"):
        node.listen(topics.JOINTS, lambda _message, _arrived_s: None)

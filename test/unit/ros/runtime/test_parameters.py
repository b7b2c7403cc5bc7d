"""Parameters of settings: ranges, refusal of invalid values, live changes, and QoS overrides."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
import rclpy
import yaml
from rclpy.node import Node

from rehab_pose.errors import ModelFileError, SettingsError
from rehab_pose.graph import NodeSpec
from rehab_pose.messages import topics
from rehab_pose.ros.runtime.parameters import LiveSettings, declare_settings, unmatched_overrides
from rehab_pose.settings import Settings, setting

STAGE = NodeSpec("stage", "", (), (topics.SILHOUETTE,), (topics.JOINTS, topics.BODY), ())


@dataclass(frozen=True)
class TeaSettings(Settings):
    minutes: float = setting(3.0, "How long it draws [min]", minimum=0.5, maximum=10.0)
    cups: int = setting(2, "How many", minimum=1, maximum=12)
    kind: str = setting("green", "Which", choices=("green", "black"))
    sugar: bool = setting(False, "With sugar")


def node(ros: Any, **overrides: str) -> Any:  # noqa: ANN401
    ros(*[part for name, value in overrides.items() for part in ("-p", f"{name.replace('__', '.')}:={value}")])
    return Node("kitchen")


def test_each_setting_becomes_a_read_only_parameter_with_range_and_description(ros: Any) -> None:  # noqa: ANN401
    kitchen = node(ros)
    assert declare_settings(kitchen, "tea", TeaSettings) == TeaSettings()
    minutes = kitchen.describe_parameter("tea.minutes")
    [bounds] = minutes.floating_point_range
    assert (minutes.description, minutes.read_only) == ("How long it draws [min]", True)
    assert (bounds.from_value, bounds.to_value) == (0.5, 10.0)
    [limits] = kitchen.describe_parameter("tea.cups").integer_range
    assert (limits.from_value, limits.to_value) == (1, 12)
    assert kitchen.describe_parameter("tea.kind").additional_constraints == "one of green, black"


def test_given_values_are_used_and_an_integer_is_accepted_for_a_float(ros: Any) -> None:  # noqa: ANN401
    kitchen = node(ros, tea__minutes="4", tea__kind="black", tea__sugar="true")
    settings = declare_settings(kitchen, "tea", TeaSettings)
    assert settings == TeaSettings(minutes=4.0, kind="black", sugar=True)
    assert kitchen.get_parameter("tea.minutes").value == 4.0


@pytest.mark.parametrize(
    ("name", "value"), [("tea__minutes", "99.0"), ("tea__kind", "oolong"), ("tea__cups", "two"), ("tea__cups", "0")]
)
def test_a_value_of_wrong_type_or_out_of_range_is_refused(ros: Any, name: str, value: str) -> None:  # noqa: ANN401
    with pytest.raises(SettingsError, match=f"TeaSettings.{name.removeprefix('tea__')}: expected"):
        declare_settings(node(ros, **{name: value}), "tea", TeaSettings)


def test_an_unknown_parameter_is_named_with_the_nearest_known_one(ros: Any) -> None:  # noqa: ANN401
    kitchen = node(ros, tea__minuts="4.0", coffee__cups="3", milk="true")
    declare_settings(kitchen, "tea", TeaSettings)
    sentences = unmatched_overrides(kitchen, {"coffee"})
    assert sentences[0] == "unknown parameter tea.minuts; did you mean tea.minutes?"
    assert len(sentences) == 2
    assert "milk" in sentences[1]


def test_the_shipped_yaml_names_only_parameters_that_exist(repository: Any) -> None:  # noqa: ANN401
    from rehab_pose.graph import SECTIONS, settings_class  # noqa: PLC0415

    content = yaml.safe_load((repository / "config" / "rehab_pose.yaml").read_text())
    for section, values in content["/**"]["ros__parameters"].items():
        assert section in SECTIONS
        settings_class(section).from_mapping(values)


def test_valid_live_changes_are_applied_and_invalid_ones_refused_with_the_reason(ros: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415

    kitchen = node(ros, tea__cups="3")
    changes: list[TeaSettings] = []
    live = LiveSettings(kitchen)
    assert live.declare("tea", TeaSettings, changes.append) == TeaSettings(cups=3)
    assert not kitchen.describe_parameter("tea.cups").read_only
    [outcome] = kitchen.set_parameters([Parameter("tea.kind", value="black")])
    assert outcome.successful
    assert changes == [TeaSettings(cups=3, kind="black")]
    [outcome] = kitchen.set_parameters([Parameter("tea.kind", value="oolong")])
    assert (outcome.successful, len(changes)) == (False, 1)
    assert outcome.reason == "TeaSettings.kind: expected one of green, black, got 'oolong'"
    [outcome] = kitchen.set_parameters([Parameter("tea.cups", value=99)])
    assert not outcome.successful
    assert kitchen.get_parameter("tea.cups").value == 3
    both = [Parameter("tea.cups", value=1), Parameter("tea.sugar", value=True)]
    assert kitchen.set_parameters_atomically(both).successful
    assert changes[1:] == [TeaSettings(cups=1, kind="black", sugar=True)]


def test_parameters_of_sections_that_are_not_live_cannot_be_changed(ros: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415

    kitchen = node(ros)
    LiveSettings(kitchen).declare("tea", TeaSettings, lambda _settings: None)
    declare_settings(kitchen, "coffee", TeaSettings)
    [outcome] = kitchen.set_parameters([Parameter("coffee.cups", value=5)])
    assert not outcome.successful
    assert kitchen.get_parameter("coffee.cups").value == 2


def test_an_inactive_node_counts_its_input_as_dropped(ros: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415

    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    ros("-p", "node.active:=false")
    stage = StageNode(STAGE)
    done: list[int] = []
    stage.start_worker(capacity=10)

    def work(item: int) -> bool:
        done.append(item)
        return True

    stage.post(work, 1, 1, 0.0)
    [outcome] = stage.set_parameters([Parameter("node.active", value=True)])
    assert outcome.successful
    stage.post(work, 2, 2, 0.0)
    end_s = time.monotonic() + 5.0
    while not done and time.monotonic() < end_s:
        time.sleep(0.01)
    stage.close()
    assert done == [2]
    assert stage.health.dropped["inactive"] == 1


def test_the_qos_of_an_endpoint_can_be_overridden(ros: Any) -> None:  # noqa: ANN401
    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    override = "qos_overrides./rehab_pose/{}.{}:={}"
    ros(
        *("-p", override.format("joints", "publisher.depth", 3)),
        *("-p", override.format("silhouette", "subscription.reliability", "best_effort")),
    )
    stage = StageNode(STAGE)
    assert stage.publishers_by_topic[topics.JOINTS].qos_profile.depth == 3
    subscription = stage.listen(topics.SILHOUETTE, lambda _message, _arrived_s: None)
    assert subscription.qos_profile.reliability.name == "BEST_EFFORT"
    assert stage.publishers_by_topic[topics.BODY].qos_profile.depth == 10
    again = stage.listen(
        topics.SILHOUETTE, lambda _message, _arrived_s: None
    )  # a second subscription, as after a change of the publisher's QoS
    assert again.qos_profile.reliability.name == "BEST_EFFORT"
    stage.close()


@pytest.mark.parametrize("override", ["joints.publisher.reliability:=maybe", "joints.publisher.depth:=deep"])
def test_an_invalid_qos_override_is_refused_with_the_valid_values(ros: Any, override: str) -> None:  # noqa: ANN401
    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    ros("-p", f"qos_overrides./rehab_pose/{override}")
    with pytest.raises(SettingsError, match="qos_overrides of joints: expected history"):
        StageNode(STAGE)


def test_changed_exercise_settings_reach_the_recogniser(ros: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415

    from rehab_pose.nodes.exercise import ExerciseNode  # noqa: PLC0415

    assert ros is not None
    exercise = ExerciseNode()
    recogniser = exercise._recogniser.get()
    [outcome] = exercise.set_parameters([Parameter("exercise.confidence_threshold", value=0.9)])
    assert outcome.successful
    assert exercise._recogniser.get() is recogniser  # its history and its count are kept
    assert recogniser.settings.confidence_threshold == 0.9
    [outcome] = exercise.set_parameters([Parameter("exercise.weights_path", value="/there/is/none.onnx")])
    assert outcome.successful
    with pytest.raises(ModelFileError, match=r"none\.onnx"):  # as if the file were missing at the start
        exercise._recogniser.get()
    exercise.close()


def test_rclpy_is_shut_down_after_each_test() -> None:
    assert not rclpy.ok()

"""Settings become parameters with ranges; what does not fit is refused, what is unknown is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import rclpy
import yaml
from rclpy.node import Node

from rehab_pose.errors import SettingsError
from rehab_pose.ros.parameters import declare_settings, unmatched_overrides
from rehab_pose.settings import Settings, setting


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
    [whole] = kitchen.describe_parameter("tea.cups").integer_range
    assert (whole.from_value, whole.to_value) == (1, 12)
    assert kitchen.describe_parameter("tea.kind").additional_constraints == "one of green, black"


def test_given_values_arrive_and_a_whole_number_will_do_for_a_real_one(ros: Any) -> None:  # noqa: ANN401
    kitchen = node(ros, tea__minutes="4", tea__kind="black", tea__sugar="true")
    settings = declare_settings(kitchen, "tea", TeaSettings)
    assert settings == TeaSettings(minutes=4.0, kind="black", sugar=True)
    assert kitchen.get_parameter("tea.minutes").value == 4.0


@pytest.mark.parametrize(
    ("name", "value"), [("tea__minutes", "99.0"), ("tea__kind", "oolong"), ("tea__cups", "two"), ("tea__cups", "0")]
)
def test_what_does_not_fit_is_refused(ros: Any, name: str, value: str) -> None:  # noqa: ANN401
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
    from rehab_pose.ros.sections import SETTINGS_BY_SECTION, settings_type  # noqa: PLC0415

    content = yaml.safe_load((repository / "config" / "rehab_pose.yaml").read_text())
    for section, values in content["/**"]["ros__parameters"].items():
        assert section in SETTINGS_BY_SECTION
        settings_type(section).from_mapping(values)


def test_rclpy_is_down_after_each_test() -> None:
    assert not rclpy.ok()

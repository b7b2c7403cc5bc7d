"""Transport and discovery are those of this machine unless the network is opened or the user chose otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rehab_pose.launching import shared_memory
from rehab_pose.launching.shared_memory import DISCOVERY, OLD_VARIABLE, VARIABLE, small_segment, use_shared_memory


def test_this_machine_only_by_default_whatever_range_of_it_was_set() -> None:
    for given in ({}, {DISCOVERY: "LOCALHOST"}, {DISCOVERY: "SYSTEM_DEFAULT"}):
        environment = dict(given)
        assert use_shared_memory(environment) is None
        assert environment[VARIABLE].endswith("config/fastdds_local.xml")
        assert environment[DISCOVERY] == "SYSTEM_DEFAULT", "ROS adds open sockets with LOCALHOST"


@pytest.mark.parametrize(
    ("given", "network"), [({}, True), ({DISCOVERY: "LOCALHOST"}, True), ({DISCOVERY: "SUBNET"}, False)]
)
def test_the_network_is_opened_by_the_option_or_by_ros_own_variable(given: dict[str, str], network: bool) -> None:
    environment = dict(given)
    assert use_shared_memory(environment, network=network) is None
    assert environment[VARIABLE].endswith("config/fastdds_shm.xml")
    assert environment[DISCOVERY] == "SUBNET"


def test_a_profile_of_the_users_own_is_kept_and_only_discovery_is_limited() -> None:
    environment = {VARIABLE: "/own.xml"}
    use_shared_memory(environment)
    assert environment == {VARIABLE: "/own.xml", DISCOVERY: "LOCALHOST"}


def test_without_enough_shared_memory_discovery_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "NEEDED_BYTES", 1 << 60)
    environment: dict[str, str] = {}
    assert "less than" in (use_shared_memory(environment) or "")
    assert environment == {DISCOVERY: "LOCALHOST"}


def test_old_distributions_read_another_variable() -> None:
    environment = {"ROS_DISTRO": "humble"}
    use_shared_memory(environment)
    assert environment[OLD_VARIABLE].endswith("config/fastdds_local.xml")


@pytest.mark.parametrize("network", [False, True])
def test_programs_without_images_take_a_smaller_segment_and_all_else_is_the_same(network: bool) -> None:
    environment: dict[str, str] = {}
    use_shared_memory(environment, network=network)
    [small] = small_segment(environment).values()
    large, less = (_lines(path) for path in (environment[VARIABLE], small))
    assert [line for line in large if line not in less] == ["<segment_size>33554432</segment_size>"]
    assert len(large) == len(less)
    assert small_segment({VARIABLE: "/own.xml"}) == {}


def _lines(path: str) -> list[str]:
    """Return the lines of a profile without its comments."""
    text = re.sub("<!--.*?-->", "", Path(path).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line.strip() for line in text.splitlines() if line.strip()]

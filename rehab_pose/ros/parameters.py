"""Settings to ROS parameters: names, defaults, ranges and descriptions stand once, in the settings."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from rehab_pose.settings import Settings, SettingSpec, specifications

if TYPE_CHECKING:
    from collections.abc import Collection

    from rclpy.node import Node

__all__ = ["declare_settings", "declared_names", "given_overrides", "unmatched_overrides"]

S = TypeVar("S", bound=Settings)


def given_overrides(node: Node) -> dict[str, object]:
    """Return the parameters that came from YAML files and the command line, by name."""
    # rclpy has no public way to see overrides that nothing declared, and those are the ones worth naming.
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}  # noqa: SLF001


def declared_names(node: Node) -> list[str]:
    """Return the names of the parameters that a node has."""
    return sorted(node._parameters)  # noqa: SLF001  (Node.list_parameters does not exist before ROS 2 Iron)


def declare_settings(node: Node, section: str, kind: type[S]) -> S:
    """Declare one read-only parameter a setting, named `section.setting`, and return the settings.

    Raises:
        SettingsError: A value has the wrong type or lies outside its range.
    """
    overrides = given_overrides(node)
    prefix = f"{section}."
    declared = {prefix + spec.name: spec for spec in specifications(kind)}
    values = {spec.name: overrides[name] for name, spec in declared.items() if name in overrides}
    settings = kind.from_mapping(values)
    for name, spec in declared.items():
        node.declare_parameter(name, getattr(settings, spec.name), _descriptor(spec), ignore_override=True)
    return settings


def _descriptor(spec: SettingSpec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(name=spec.name, description=spec.description, read_only=True)
    if spec.choices:
        descriptor.additional_constraints = f"one of {', '.join(spec.choices)}"
    if spec.minimum is not None and spec.maximum is not None:
        if spec.kind is int:
            bounds = IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum), step=0)
            descriptor.integer_range = [bounds]
        else:
            bounds = FloatingPointRange(from_value=float(spec.minimum), to_value=float(spec.maximum), step=0.0)
            descriptor.floating_point_range = [bounds]
    return descriptor


def unmatched_overrides(node: Node, other_sections: Collection[str]) -> list[str]:
    """Return one sentence for each given parameter that nothing declared.

    One YAML file serves all nodes, so sections of other stages are not this node's business.
    """
    known = declared_names(node)
    sentences = []
    for name in given_overrides(node):
        if node.has_parameter(name) or name.startswith("qos_overrides."):
            continue
        if "." in name and name.partition(".")[0] in other_sections:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "`ros2 param list` shows what it has"
        sentences.append(f"unknown parameter {name}; {hint}")
    return sentences

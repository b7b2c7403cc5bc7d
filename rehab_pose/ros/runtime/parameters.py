"""ROS parameters made from settings, which define their names, defaults, ranges and descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult

from rehab_pose.errors import SettingsError
from rehab_pose.ros.runtime.distributions import on_parameters_set
from rehab_pose.settings import Settings, SettingSpec, specifications
from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rclpy.node import Node
    from rclpy.parameter import Parameter

__all__ = ["LiveSettings", "declare_settings", "declared_names", "given_overrides", "unmatched_overrides"]

S = TypeVar("S", bound=Settings)


def given_overrides(node: Node) -> dict[str, object]:
    """Return the parameters that came from YAML files and the command line, by name."""
    # rclpy has no public access to overrides of undeclared parameters, which `unmatched_overrides` needs.
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}  # noqa: SLF001


def declared_names(node: Node) -> list[str]:
    """Return the names of the parameters that a node has."""
    return sorted(node._parameters)  # noqa: SLF001  (Node.list_parameters does not exist before ROS 2 Iron)


def declare_settings(node: Node, section: str, kind: type[S], *, read_only: bool = True) -> S:
    """Declare a parameter `section.setting` for each setting, and return the settings with their given values.

    Args:
        node: The node that gets the parameters.
        section: First part of the parameters' names.
        kind: The class of the settings.
        read_only: The parameters cannot be changed while the node runs.

    Raises:
        SettingsError: A value has the wrong type or is outside its range.
    """
    overrides = given_overrides(node)
    prefix = f"{section}."
    declared = {prefix + spec.name: spec for spec in specifications(kind)}
    values = {spec.name: overrides[name] for name, spec in declared.items() if name in overrides}
    settings = kind.from_mapping(values)
    for name, spec in declared.items():
        node.declare_parameter(
            name, getattr(settings, spec.name), _descriptor(spec, read_only=read_only), ignore_override=True
        )
    return settings


class LiveSettings:
    """The sections of a node's parameters that may be changed while it runs."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._sections: dict[str, tuple[type[Settings], Callable[[Any], None]]] = {}

    def declare(self, section: str, kind: type[S], apply: Callable[[S], None]) -> S:
        """Declare a section and return its settings; `apply` is called with the new ones after each change.

        Raises:
            SettingsError: A value has the wrong type or is outside its range.
        """
        settings = declare_settings(self._node, section, kind, read_only=False)
        if not self._sections:
            on_parameters_set(self._node, self._check, self._apply)
        self._sections[section] = (kind, apply)
        return settings

    def _check(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        try:
            for section in self._sections_of(parameters):
                self._settings(section, parameters)
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, parameters: Sequence[Parameter[Any]]) -> None:
        for section in self._sections_of(parameters):
            self._sections[section][1](self._settings(section, parameters))

    def _sections_of(self, parameters: Sequence[Parameter[Any]]) -> list[str]:
        named = dict.fromkeys(parameter.name.partition(".")[0] for parameter in parameters)
        return [section for section in named if section in self._sections]

    def _settings(self, section: str, parameters: Sequence[Parameter[Any]]) -> Settings:
        """Return the settings of a section with some parameters changed."""
        kind, _ = self._sections[section]
        changed = {parameter.name: parameter.value for parameter in parameters}
        names = {spec.name: f"{section}.{spec.name}" for spec in specifications(kind)}
        values = {
            setting: changed.get(name, self._node.get_parameter(name).value)
            for setting, name in names.items()
            if self._node.has_parameter(name)
        }
        return kind.from_mapping(values)


def _descriptor(spec: SettingSpec, *, read_only: bool) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(name=spec.name, description=spec.description, read_only=read_only)
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


def unmatched_overrides(
    node: Node, other_sections: Collection[str], more_sections: Callable[[], Collection[str]] = tuple
) -> list[str]:
    """Return a warning for each given parameter that was not declared.

    One YAML file serves all nodes, so sections of other stages are ignored.

    Args:
        node: The node with the given parameters.
        other_sections: Sections of other nodes.
        more_sections: Returns further ones; called only for an unknown section, because that takes a while.
    """
    known = declared_names(node)
    sentences = []
    for name in given_overrides(node):
        if node.has_parameter(name) or name.startswith("qos_overrides."):
            continue
        section, dot, _ = name.partition(".")
        if dot and (section in other_sections or section in more_sections()):
            continue
        hint = did_you_mean(name, known) or "`ros2 param list` shows the known parameters"
        sentences.append(f"unknown parameter {name}; {hint}")
    return sentences

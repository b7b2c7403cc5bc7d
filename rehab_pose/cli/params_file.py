"""Settings of the stages from a ROS parameter file, for the commands that process recordings without ROS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehab_pose.errors import SettingsError
from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.pipeline import PipelineSettings

__all__ = ["read_parameters", "stage_settings"]

MAX_BYTES = 1024**2
"""Largest file [bytes]; the shipped one has 1 kB."""
ROS_PARAMETERS = "ros__parameters"
CAPTURE = "capture"


def read_parameters(path: Path) -> dict[str, dict[str, object]]:
    """Return the values of a ROS parameter file by section and name, those of all nodes in it together.

    Args:
        path: YAML file as config/rehab_pose.yaml: node or /**, then ros__parameters, then sections; `section.name` in
            one word is accepted too.

    Raises:
        SettingsError: The file cannot be read, has another form, or names an unknown section.
    """
    import yaml  # noqa: PLC0415  (loaded only when a file is given)

    from rehab_pose.graph import SECTIONS, plugin_sections  # noqa: PLC0415

    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"--params-file: expected at most {MAX_BYTES // 1024} kB, {path} is larger"
            raise SettingsError(msg)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        msg = f"--params-file: expected a YAML file of ROS parameters at {path}: {error}"
        raise SettingsError(msg) from error
    values: dict[str, dict[str, object]] = {}
    for node, entry in _mapping(content or {}, path, "nodes").items():
        parameters = _mapping(entry or {}, path, node).get(ROS_PARAMETERS)
        if parameters is None:
            msg = f"--params-file: expected {ROS_PARAMETERS} below {node!r} in {path}, as in config/rehab_pose.yaml"
            raise SettingsError(msg)
        for name, value in _mapping(parameters, path, ROS_PARAMETERS).items():
            section, _, rest = name.partition(".")
            given = {rest: value} if rest else _mapping(value, path, name)
            values.setdefault(section, {}).update(given)
    known = [*SECTIONS, *plugin_sections()]
    for section in values:
        if section not in known:
            hint = did_you_mean(section, known) or f"known: {', '.join(known)}"
            msg = f"--params-file: unknown section {section!r} in {path}; {hint}"
            raise SettingsError(msg)
    return values


def stage_settings(path: Path | None) -> PipelineSettings:
    """Return the settings of all stages, with the values of a parameter file; those of nodes alone are left out.

    Args:
        path: The file; None = the defaults.

    Raises:
        SettingsError: As in `read_parameters`, or a value cannot be used.
    """
    from dataclasses import fields  # noqa: PLC0415

    from rehab_pose.pipeline import PipelineSettings  # noqa: PLC0415  (loads every stage)

    if path is None:
        return PipelineSettings()
    stages = {field.name for field in fields(PipelineSettings)}
    return PipelineSettings.from_mapping(
        {section: values for section, values in read_parameters(path).items() if section in stages}
    )


def _mapping(value: Any, path: Path, place: str) -> dict[str, Any]:  # noqa: ANN401  (a value of YAML)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        msg = f"--params-file: expected names with values below {place!r} in {path}, got {type(value).__name__}"
        raise SettingsError(msg)
    return value

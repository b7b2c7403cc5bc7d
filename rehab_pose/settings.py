"""Base class of settings, which define names, defaults, ranges and descriptions of a stage's or node's parameters.

A stage defines a frozen dataclass derived from `Settings` with fields made by `setting`. This dataclass checks values
from code, from YAML and from ROS parameters, and docs/nodes.md is generated from it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from rehab_pose.errors import SettingsError
from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

__all__ = ["SettingSpec", "Settings", "setting", "specifications"]

SettingValue = bool | int | float | str
S = TypeVar("S", bound="Settings")


@dataclasses.dataclass(frozen=True)
class SettingSpec:
    """Specification of one setting."""

    name: str
    kind: type[bool | int | float | str]
    default: SettingValue
    description: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]

    def check(self, owner: str, value: object) -> SettingValue:
        """Return `value` as this setting's type.

        Raises:
            SettingsError: The value has another type, is out of range or is not a choice; the message states which
                values are valid.
        """
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.kind:
            msg = f"{owner}.{self.name}: expected a {self.kind.__name__}, got {value!r} ({type(value).__name__})"
            raise SettingsError(msg)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low = -float("inf") if self.minimum is None else self.minimum
            high = float("inf") if self.maximum is None else self.maximum
            if not low <= value <= high:
                msg = f"{owner}.{self.name}: expected a value from {low:g} to {high:g}, got {value!r}"
                raise SettingsError(msg)
        if self.choices and value not in self.choices:
            msg = f"{owner}.{self.name}: expected one of {', '.join(self.choices)}, got {value!r}"
            raise SettingsError(msg)
        return value


def setting(
    default: SettingValue,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401  (dataclasses.field is typed the same way, so that `name: float = setting(...)` checks)
    """Declare one field of a `Settings` dataclass."""
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def specifications(settings_type: type[Settings]) -> tuple[SettingSpec, ...]:
    """Return the specifications of a settings class in the order of declaration."""
    return tuple(
        SettingSpec(
            name=field.name,
            kind=type(field.default),  # type: ignore[arg-type]
            default=field.default,  # type: ignore[arg-type]
            description=field.metadata["description"],
            minimum=field.metadata["minimum"],
            maximum=field.metadata["maximum"],
            choices=field.metadata["choices"],
        )
        for field in dataclasses.fields(settings_type)
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base class of settings; checks types and ranges on construction."""

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            SettingsError: A value has the wrong type or is out of its range.
        """
        for spec in specifications(type(self)):
            checked = spec.check(type(self).__name__, getattr(self, spec.name))
            object.__setattr__(self, spec.name, checked)

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Make settings from a mapping, for example a section of a YAML file.

        Raises:
            SettingsError: A name is unknown (the message suggests the closest one), or a value is not valid.
        """
        known = [spec.name for spec in specifications(cls)]
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
                msg = f"{cls.__name__}: unknown setting {name!r}; {hint}"
                raise SettingsError(msg)
        return cls(**values)

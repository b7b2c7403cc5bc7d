"""Settings: types, ranges, choices, unknown names."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rehab_pose.errors import SettingsError
from rehab_pose.settings import Settings, setting, specifications


@dataclass(frozen=True)
class ExampleSettings(Settings):
    """Settings for these tests."""

    gain: float = setting(0.5, "A gain", minimum=0.0, maximum=1.0)
    count: int = setting(3, "A count", minimum=1)
    mode: str = setting("fast", "A mode", choices=("fast", "exact"))
    enabled: bool = setting(True, "A switch")


def test_defaults_are_valid() -> None:
    assert ExampleSettings().gain == 0.5
    assert [spec.name for spec in specifications(ExampleSettings)] == ["gain", "count", "mode", "enabled"]


def test_an_integer_becomes_a_float() -> None:
    assert isinstance(ExampleSettings(gain=1).gain, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gain": 2.0}, "from 0 to 1, got 2.0"),
        ({"gain": float("nan")}, "from 0 to 1"),
        ({"count": 0}, "from 1 to inf"),
        ({"count": 1.5}, "expected a int"),
        ({"count": True}, "expected a int"),
        ({"mode": "slow"}, "one of fast, exact"),
        ({"gian": 0.1}, "did you mean gain"),
    ],
)
def test_an_invalid_value_is_refused_with_the_valid_ones(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ExampleSettings.from_mapping(values)

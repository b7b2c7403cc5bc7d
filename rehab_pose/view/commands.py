"""Commands of a page, read strictly: they come from a browser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError
from rehab_pose.session.state import check_code

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Command",
    "Commands",
    "HoldCommand",
    "PauseCommand",
    "SeekCommand",
    "SpeedCommand",
    "StartCommand",
    "StopCommand",
    "command_of",
    "message_of",
]

MAX_REPETITIONS = 1000
"""Largest number of repetitions that a page can ask for."""
MAX_HOLD_S = 60.0
"""Longest hold that a page can ask for [s]."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Speeds of a recording, relative to real time."""
MAX_NAME = 64
"""Longest name of an exercise [characters]."""
MAX_TIME_S = 1e6
"""Latest place in a recording that a page can ask for: eleven days [s]."""
MAX_COMMAND = 4096
"""Longest message of a page [characters]."""


@dataclass(frozen=True)
class StartCommand:
    """Start counting an exercise."""

    exercise: str
    """'' = any."""
    side: Side
    repetitions: int
    subject_code: str = ""


@dataclass(frozen=True)
class StopCommand:
    """End the running session."""


@dataclass(frozen=True)
class HoldCommand:
    """Set how long the far point of each repetition is to be held."""

    hold_s: float
    """0 = no hold [s]."""


@dataclass(frozen=True)
class SeekCommand:
    """Go on at another place of the recording."""

    time_s: float
    """From its beginning [s]."""


@dataclass(frozen=True)
class PauseCommand:
    """Pause the recording, or go on."""

    paused: bool


@dataclass(frozen=True)
class SpeedCommand:
    """Set the speed of the recording."""

    speed: float
    """One of SPEEDS."""


Command: TypeAlias = StartCommand | StopCommand | HoldCommand | SeekCommand | PauseCommand | SpeedCommand


class Commands(Protocol):
    """Receiver of the commands: the source of what is shown."""

    def command(self, command: Command) -> None:
        """Carry out a command soon; called from the server's thread, must not wait."""


def message_of(text: str) -> dict[str, Any]:
    """Return a message of a page.

    Raises:
        InputError: It is too long or no JSON object.
    """
    try:
        message = json.loads(text) if len(text) <= MAX_COMMAND else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        msg = f"message: expected a JSON object of at most {MAX_COMMAND} characters, got something else"
        raise InputError(msg)
    return message


def command_of(message: Mapping[str, Any]) -> Command:
    """Return the command in a message of a page.

    Raises:
        InputError: The command is unknown, or a value is missing or out of its range.
    """
    name = message.get("command")
    if name == "start":
        return StartCommand(
            _text(message, "exercise"),
            _side(message),
            _repetitions(message),
            check_code("subject_code", _text(message, "subject_code")),
        )
    if name == "stop":
        return StopCommand()
    if name == "hold":
        return HoldCommand(_number(message, "hold_s", 0.0, MAX_HOLD_S))
    if name == "seek":
        return SeekCommand(_number(message, "time_s", 0.0, MAX_TIME_S))
    if name == "pause":
        return PauseCommand(message.get("paused") is True)
    if name == "speed":
        speed = _number(message, "speed", SPEEDS[0], SPEEDS[-1])
        if speed in SPEEDS:
            return SpeedCommand(speed)
        msg = f"speed: expected one of {', '.join(map(str, SPEEDS))}, got {speed:g}"
        raise InputError(msg)
    msg = f"command: expected start, stop, hold, seek, pause or speed, got {str(name)[:MAX_NAME]!r}; reload the page"
    raise InputError(msg)


def _repetitions(message: Mapping[str, Any]) -> int:
    number = _number(message, "repetitions", 1, MAX_REPETITIONS)
    if not number.is_integer():
        msg = f"repetitions: expected a whole number, got {number:g}"
        raise InputError(msg)
    return int(number)


def _side(message: Mapping[str, Any]) -> Side:
    sides = {side.name.lower(): side for side in Side}
    name = _text(message, "side") or "any"
    if name not in sides:
        msg = f"side: expected one of {', '.join(sides)}, got {name!r}"
        raise InputError(msg)
    return sides[name]


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_NAME:
        msg = f"{name}: expected a text of at most {MAX_NAME} characters, got {str(value)[:MAX_NAME]!r}"
        raise InputError(msg)
    return value


def _number(message: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        msg = f"{name}: expected a number from {low:g} to {high:g}, got {str(value)[:MAX_NAME]!r}"
        raise InputError(msg)
    return float(value)

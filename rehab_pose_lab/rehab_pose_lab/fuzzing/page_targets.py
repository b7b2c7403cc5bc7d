"""Target of the fuzzer: the messages that a page in a browser sends."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from rehab_pose.view.commands import MAX_REPETITIONS, StartCommand, command_of, message_of
from rehab_pose_lab.fuzzing.mutations import edited, odd_values
from rehab_pose_lab.fuzzing.targets import Pace, Prepared, Target

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PAGE_TARGETS"]

_COMMANDS: tuple[dict[str, Any], ...] = (
    {"command": "start", "exercise": "squat", "side": "any", "repetitions": 10, "subject_code": "P01"},
    {"command": "stop"},
    {"command": "hold", "hold_s": 2.0},
    {"command": "seek", "time_s": 12.5},
    {"command": "pause", "paused": True},
    {"command": "speed", "speed": 0.5},
)


def _with_odd_value(command: dict[str, Any], name: str, value: object) -> bytes:
    return json.dumps({**command, name: value}, default=str).encode()


def _read(data: bytes) -> str:
    """Read a message as the server does; return a sentence if a command with an implausible number is accepted."""
    command = command_of(message_of(data.decode("utf-8", "replace")))
    odd = [name for name, value in asdict(command).items() if isinstance(value, float) and not math.isfinite(value)]
    if isinstance(command, StartCommand) and not 1 <= command.repetitions <= MAX_REPETITIONS:
        odd.append("repetitions")
    return f"{type(command).__name__}: {', '.join(odd)}" if odd else ""


def _prepare(_folder: Path) -> Prepared:
    names = sorted({name for command in _COMMANDS for name in command})
    changed = st.builds(_with_odd_value, st.sampled_from(_COMMANDS), st.sampled_from(names), odd_values())
    return Prepared(st.one_of(changed, edited(*(json.dumps(command).encode() for command in _COMMANDS))), _read)


PAGE_TARGETS = (Target("page_command", _prepare, Pace.FAST),)

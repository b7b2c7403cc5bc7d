"""Commands of a page are read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError
from rehab_pose.view.commands import PauseCommand, SeekCommand, SpeedCommand, StartCommand, command_of


def test_a_start_has_exercise_side_and_number() -> None:
    message = {"command": "start", "exercise": "squat", "side": "left", "repetitions": 5, "subject_code": "P01"}
    assert command_of(message) == StartCommand("squat", Side.LEFT, 5, "P01")
    assert command_of({"command": "seek", "time_s": 3}) == SeekCommand(3.0)
    assert command_of({"command": "pause", "paused": True}) == PauseCommand(paused=True)
    assert command_of({"command": "speed", "speed": 0.5}) == SpeedCommand(0.5)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({}, "expected start, stop"),
        ({"command": "rm"}, "got 'rm'"),
        ({"command": "start", "repetitions": 0}, "from 1 to 1000"),
        ({"command": "start", "repetitions": True}, "from 1 to 1000"),
        ({"command": "start", "repetitions": 3, "side": "up"}, "expected one of any, left"),
        ({"command": "start", "repetitions": 3, "exercise": ["squat"]}, "expected a text"),
        ({"command": "start", "repetitions": 3, "exercise": "x" * 100}, "at most 64"),
        ({"command": "start", "repetitions": 3, "subject_code": "../../etc"}, "a code, not a name"),
        ({"command": "seek", "time_s": float("nan")}, "got 'nan'"),
        ({"command": "seek", "time_s": float("inf")}, "got 'inf'"),
        ({"command": "seek", "time_s": 10**400}, "expected a number from 0"),
        ({"command": "start", "exercise": "", "repetitions": 2.5}, "expected a whole number, got 2.5"),
        ({"command": "speed", "speed": 3}, "expected one of 0.25"),
        ({"command": "hold", "hold_s": "5"}, "from 0 to 60"),
    ],
)
def test_others_are_refused_with_a_sentence(message: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        command_of(message)

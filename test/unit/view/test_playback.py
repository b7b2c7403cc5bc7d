"""The playback of a recording: pace, pause, places, end, and sessions that count its repetitions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.view.commands import PauseCommand, SeekCommand, SpeedCommand, StartCommand, StopCommand
from rehab_pose.view.hub import Hub, Part
from rehab_pose.view.moments import Moment
from rehab_pose.view.playback import Playback

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from rehab_pose.view.exercise_state import ExerciseState

STEP_S, LENGTH_S, SQUAT_AT_S = 0.02, 2.0, 1.5
TIMEOUT_S = 10.0


class Recorded:
    """Two seconds with one squat after 1.5 s."""

    title, duration_s = "Recording of a test", LENGTH_S

    def load(self, _exercise: ExerciseState) -> tuple[dict[str, Part], tuple[str, ...]]:
        return {"exercises": Part({"exercises": [["squat", "Squat"]]})}, ("none", "squat")

    def moments(self, since_s: float) -> Generator[Moment]:
        for index in range(round(since_s / STEP_S), round(LENGTH_S / STEP_S)):
            time_s = index * STEP_S
            squat = Repetition(10, "camera", "squat", 1, 1, 10, "pelvis_drop_m", 0.0, 0.3, 0.9)
            done = (squat,) if index == round(SQUAT_AT_S / STEP_S) else ()
            yield Moment(time_s, {"joints": Part({"stamp_ms": index})}, True, done)


class Shown:
    """A playback and the newest content of each part."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.page = self.hub.connect(lambda: None)
        self.playback = Playback(self.hub, Recorded())
        self.contents: dict[str, Any] = {}
        self.playback.start()

    def wait_for(self, condition: Callable[[dict[str, Any]], bool]) -> bool:
        end_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end_s:
            self.contents |= {name: dict(part.content) for name, part in self.hub.take(self.page).items()}
            if condition(self.contents):
                return True
            time.sleep(0.005)
        return False


@pytest.fixture
def shown() -> Iterator[Shown]:
    one = Shown()
    yield one
    one.playback.close()


def test_a_paused_recording_stays_at_a_chosen_place(shown: Shown) -> None:
    shown.playback.command(PauseCommand(paused=True))
    assert shown.wait_for(lambda parts: parts.get("player", {}).get("paused") is True)
    shown.playback.command(SeekCommand(1.0))
    assert shown.wait_for(lambda parts: parts["joints"]["stamp_ms"] == 50)
    time.sleep(0.1)
    assert shown.wait_for(lambda parts: parts["player"]["time_s"] == 1.0 and parts["joints"]["stamp_ms"] == 50)


def test_the_end_is_told_and_another_place_goes_on_from_there(shown: Shown) -> None:
    shown.playback.command(SpeedCommand(4.0))
    start_s = time.monotonic()
    assert shown.wait_for(lambda parts: parts.get("player", {}).get("at_end", False))
    assert time.monotonic() - start_s < LENGTH_S, "four times as fast"
    shown.playback.command(SeekCommand(0.5))
    assert shown.wait_for(lambda parts: 26 <= parts["joints"]["stamp_ms"] < 90), "it plays on"
    shown.playback.command(SeekCommand(1e9))
    assert shown.wait_for(lambda parts: parts["player"]["at_end"])


def test_a_session_counts_the_repetitions_of_the_recording(shown: Shown) -> None:
    shown.playback.command(SpeedCommand(4.0))
    shown.playback.command(StartCommand("bridge", Side.ANY, 1))
    assert shown.wait_for(lambda parts: "expected one of the list" in parts.get("notice", {}).get("words", ""))
    shown.playback.command(StartCommand("squat", Side.ANY, 1))
    shown.playback.command(SeekCommand(0.0))
    assert shown.wait_for(lambda parts: parts["session"]["running"])
    assert shown.wait_for(lambda parts: parts["session"]["count"] == 1 and not parts["session"]["running"])
    assert shown.wait_for(lambda parts: parts["cue"]["words"] == "1. Well done, that was the last one.")
    shown.playback.command(StartCommand("", Side.ANY, 5))
    assert shown.wait_for(lambda parts: parts["session"]["running"] and parts["session"]["displayed"] == "Any exercise")
    shown.playback.command(StopCommand())
    assert shown.wait_for(lambda parts: not parts["session"]["running"])

"""Shows a recording in a thread, at its own or another speed, and obeys the page's commands."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError, RehabPoseError
from rehab_pose.view.commands import (
    HoldCommand,
    PauseCommand,
    SeekCommand,
    SpeedCommand,
    StartCommand,
    StopCommand,
)
from rehab_pose.view.exercise_state import ExerciseState
from rehab_pose.view.hub import Part
from rehab_pose.view.local_session import LocalSession
from rehab_pose.view.parts import number

if TYPE_CHECKING:
    from rehab_pose.view.commands import Command
    from rehab_pose.view.hub import Hub
    from rehab_pose.view.moments import Moment, Moments

__all__ = ["Playback"]

LATE_S = 0.3
"""Delay against the recording's own speed after which it goes on from here instead of catching up [s]."""
LATE_SHOWN_S = 3.0
"""Time for which the page says so [s]."""
WAIT_S = 0.05
"""Period of looking for commands while paused [s]."""
CLOSE_S = 10.0
"""Longest wait for the thread at the end [s]: it finishes its frame, or the loading of the networks."""


class Playback:
    """Plays a recording for pages; the receiver of their commands."""

    def __init__(self, hub: Hub, recording: Moments) -> None:
        """Prepare; `start` begins to play.

        Args:
            hub: Receives the state.
            recording: Its moments are shown.
        """
        self._hub, self._recording = hub, recording
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._exercise, self._session = ExerciseState(), LocalSession()
        self._labels: tuple[str, ...] = ()
        self._paused, self._speed, self._seek_s = False, 1.0, 0.0
        self._now_s = 0.0
        self._anchor: tuple[float, float] | None = None
        self._late_s = -LATE_SHOWN_S
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)

    def start(self) -> None:
        """Begin to play, in a thread."""
        self._hub.publish(
            {
                "source": Part({"kind": "recording", "title": self._recording.title, "session": "not kept"}),
                "notice": Part({"words": "Loading ..."}),
                "session": self._session.part,
                **self._exercise.hold(0.0),
            }
        )
        self._thread.start()

    def command(self, command: Command) -> None:
        """Carry out a command before the next frame."""
        self._commands.put(command)

    def close(self) -> None:
        """Stop playing and wait for the thread."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            constant, self._labels = self._recording.load(self._exercise)
            self._hub.publish({"notice": Part({"words": ""})} | constant)
            while not self._closed.is_set():
                self._play()
        except RehabPoseError as error:
            self._hub.publish({"notice": Part({"words": f"The recording cannot be shown: {error}"})})

    def _play(self) -> None:
        """Play from the chosen place to the end, or until another place is chosen."""
        start_s, self._seek_s = self._seek_s, -1.0
        self._anchor = None
        with closing(self._recording.moments(start_s)) as moments:
            for moment in moments:
                self._now_s = moment.time_s
                self._show(moment)
                if not self._wait_for(moment.time_s):
                    return
        # The last frame stays until another place is chosen, or it is played again.
        self._paused = True
        self._publish_place(at_end=True)
        while self._obey() and self._seek_s < 0 and self._paused:
            time.sleep(WAIT_S)
        self._paused = False
        self._seek_s = max(self._seek_s, 0.0)

    def _wait_for(self, time_s: float) -> bool:
        """Wait until a frame's time is over; return False where another place was chosen or the end came."""
        while True:
            if not self._obey() or self._seek_s >= 0:
                return False
            if self._paused:
                self._anchor = None
                time.sleep(WAIT_S)
                continue
            if self._anchor is None:
                self._anchor = (time.monotonic(), time_s)
            due_s = self._anchor[0] + (time_s - self._anchor[1]) / self._speed
            left_s = due_s - time.monotonic()
            if left_s < -LATE_S:
                self._anchor, self._late_s = None, time.monotonic()
            if left_s <= 0:
                return True
            time.sleep(min(left_s, WAIT_S))

    def _obey(self) -> bool:
        """Carry out waiting commands; return False when the playback was closed."""
        try:
            while not self._commands.empty():
                self._carry_out(self._commands.get_nowait())
        except InputError as error:
            self._hub.publish({"notice": Part({"words": str(error)})})
        return not self._closed.is_set()

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, SeekCommand):
            self._seek_s = min(command.time_s, max(self._recording.duration_s - WAIT_S, 0.0))
        elif isinstance(command, PauseCommand):
            self._paused = command.paused
        elif isinstance(command, SpeedCommand):
            self._speed, self._anchor = command.speed, None
        elif isinstance(command, HoldCommand):
            self._hub.publish(self._exercise.hold(command.hold_s))
        elif isinstance(command, StartCommand):
            if command.exercise and command.exercise not in self._labels:
                msg = f"exercise: expected one of the list, got {command.exercise!r}; reload the page"
                raise InputError(msg)
            self._publish_session(self._session.start(command))
        elif isinstance(command, StopCommand):
            self._publish_session(self._session.stop())
        self._publish_place()

    def _publish_place(self, *, at_end: bool = False) -> None:
        self._hub.publish({"player": self._player_part(at_end=at_end)})

    def _player_part(self, *, at_end: bool = False) -> Part:
        return Part(
            {
                "time_s": number(self._now_s, 2),
                "duration_s": number(self._recording.duration_s, 2),
                "paused": self._paused,
                "speed": self._speed,
                "at_end": at_end,
                "late": time.monotonic() - self._late_s < LATE_SHOWN_S,
            }
        )

    def _publish_session(self, cue: str) -> None:
        parts = {"session": self._session.part, "notice": Part({"words": ""})}
        self._hub.publish(parts | (self._exercise.cue(cue) if cue else {}))

    def _show(self, moment: Moment) -> None:
        parts = moment.parts | {"player": self._player_part()}
        cue = self._session.person(time.monotonic(), present=moment.present)
        for repetition in moment.repetitions:
            cue = self._session.repetition(repetition) or cue
            parts["session"] = self._session.part
        if cue:
            parts |= self._exercise.cue(cue)
        self._hub.publish(parts)

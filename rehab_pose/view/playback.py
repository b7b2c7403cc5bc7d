"""Shows a recording: runs all stages on its frames in a thread, at its own speed, and obeys the page's commands."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError, RehabPoseError
from rehab_pose.pipeline import Pipeline, PipelineSettings
from rehab_pose.units import NS_PER_S
from rehab_pose.view.commands import (
    HoldCommand,
    PauseCommand,
    SeekCommand,
    SpeedCommand,
    StartCommand,
    StopCommand,
)
from rehab_pose.view.exercise_state import ExerciseState
from rehab_pose.view.frame_show import FrameShow
from rehab_pose.view.hub import Part
from rehab_pose.view.local_session import LocalSession
from rehab_pose.view.parts import number

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import PipelineResult
    from rehab_pose.view.commands import Command
    from rehab_pose.view.hub import Hub
    from rehab_pose.view.recordings import FrameRecording
    from rehab_pose.view.settings import ViewSettings

__all__ = ["Playback"]

LATE_S = 0.3
"""Delay against the recording's own speed after which it goes on from here instead of catching up [s]."""
WAIT_S = 0.05
"""Period of looking for commands while paused [s]."""
CLOSE_S = 10.0
"""Longest wait for the thread at the end [s]: it finishes its frame, or the loading of the networks."""


class Playback:
    """Plays a recording for pages; the receiver of their commands."""

    def __init__(
        self,
        hub: Hub,
        recording: FrameRecording,
        settings: ViewSettings,
        pipeline_settings: PipelineSettings | None = None,
    ) -> None:
        """Prepare; `start` begins to play.

        Args:
            hub: Receives the state.
            recording: The frames.
            settings: Of the page.
            pipeline_settings: Of the stages; None = the defaults.
        """
        self._hub, self._recording = hub, recording
        self._pipeline_settings = pipeline_settings or PipelineSettings()
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._exercise, self._session = ExerciseState(), LocalSession()
        self._show = FrameShow(self._exercise, settings.jpeg_quality)
        self._labels: tuple[str, ...] = ()
        self._paused, self._speed, self._seek_s = False, 1.0, 0.0
        self._now_s, self._first_ns = 0.0, 0
        self._anchor: tuple[float, float] | None = None
        self._late = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)

    def start(self) -> None:
        """Begin to play, in a thread."""
        self._hub.publish(
            {
                "source": Part({"kind": "recording", "title": self._recording.title, "session": "not kept"}),
                "notice": Part({"words": "Loading the networks ..."}),
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
            pipeline = Pipeline(self._pipeline_settings)
            pipeline.warm_up()
            self._labels = pipeline.exercise_labels
            self._hub.publish({"notice": Part({"words": ""})} | self._show.constant_parts(pipeline))
            while not self._closed.is_set():
                self._play(pipeline)
        except RehabPoseError as error:
            self._hub.publish({"notice": Part({"words": f"The recording cannot be shown: {error}"})})

    def _play(self, pipeline: Pipeline) -> None:
        """Play from the chosen place to the end, or until another place is chosen."""
        start_s, self._seek_s = self._seek_s, -1.0
        pipeline.reset()
        self._anchor = None
        with closing(self._recording.frames(start_s)) as frames:
            for index, frame in enumerate(frames):
                if index == 0:
                    self._first_ns = frame.stamp_ns - round(start_s * NS_PER_S)
                self._now_s = (frame.stamp_ns - self._first_ns) / NS_PER_S
                self._show_frame(frame, pipeline.process(frame))
                if not self._wait_for(self._now_s):
                    return
        # The last frame stays until another place is chosen; playing on begins again.
        self._paused = True
        self._publish_place(at_end=True)
        while self._obey() and self._seek_s < 0 and self._paused:
            time.sleep(WAIT_S)
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
            self._late = left_s < -LATE_S
            if self._late:
                self._anchor = None
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
                "late": self._late,
            }
        )

    def _publish_session(self, cue: str) -> None:
        parts = {"session": self._session.part, "notice": Part({"words": ""})}
        self._hub.publish(parts | (self._exercise.cue(cue) if cue else {}))

    def _show_frame(self, frame: RgbdFrame, result: PipelineResult) -> None:
        parts = self._show.parts(frame, result) | {"player": self._player_part()}
        cue = self._session.person(time.monotonic(), present=result.joints is not None)
        repetition = result.exercise.repetition
        if repetition is not None:
            cue = self._session.repetition(repetition) or cue
            parts["session"] = self._session.part
        if cue:
            parts |= self._exercise.cue(cue)
        self._hub.publish(parts)

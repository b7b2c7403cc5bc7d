"""A session on the page of a recording: counts repetitions against a target; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.session.cues import SessionCues
from rehab_pose.session.state import Session, SessionStage, Tally
from rehab_pose.view.exercise_state import session_part
from rehab_pose.view.hub import Part

if TYPE_CHECKING:
    from rehab_pose.datatypes import Repetition
    from rehab_pose.view.commands import Command, StartCommand
    from rehab_pose.view.hub import Hub

__all__ = ["LocalSession", "NoCommands"]


class NoCommands:
    """Receiver of commands where there is nothing to start, stop or seek: tells the pages so."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def command(self, _command: Command) -> None:
        """Say that the command is not possible."""
        self._hub.publish({"notice": Part({"words": "Only shown: a recording is being processed."})})


class LocalSession:
    """Counts the repetitions of a chosen exercise."""

    def __init__(self) -> None:
        self._session = Session(message="no session yet")
        self._cues = SessionCues()
        self._number = 0

    @property
    def part(self) -> Part:
        """The session as pages show it."""
        tally = self._session.tally
        return session_part(
            running=self._session.running,
            exercise=tally.exercise,
            count=len(tally.counted),
            target=tally.target,
            message=self._session.message,
        )

    def start(self, command: StartCommand) -> str:
        """Start a session, which ends a running one; return the cue."""
        self._number += 1
        tally = Tally(command.exercise, command.side, command.repetitions)
        self._session = Session(
            f"page_{self._number}", command.subject_code, SessionStage.RUNNING, tally, message="started"
        )
        return self._cues.of_session(self._session)

    def stop(self) -> str:
        """End the running session; return the cue."""
        if self._session.running:
            self._session.end("stopped")
        return self._cues.of_session(self._session)

    def repetition(self, repetition: Repetition) -> str:
        """Count a repetition, and end the session when its target is reached; return the cue, '' = none."""
        if self._session.count(repetition) and self._session.tally.done:
            self._session.end(f"all {len(self._session.tally.counted)} repetitions done")
        return self._cues.of_session(self._session)

    def person(self, now_s: float, *, present: bool) -> str:
        """Return the cue of a person who left or came back; '' = none."""
        return self._cues.of_person(now_s, present=present)

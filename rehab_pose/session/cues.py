"""Spoken cues of a session: sentences for the person who exercises, for the topic `feedback` and the patient's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.exercise.display_names import exercise_display_name

if TYPE_CHECKING:
    from rehab_pose.session.state import Session

__all__ = ["SessionCues"]

AWAY_S = 3.0
"""Time without a person in view after which the person is asked to come back [s]; shorter ones are misses of the
tracking, or a turn."""
COME_BACK = "I cannot see you. Please step back into view."
SEEN_AGAIN = "I can see you again."


class SessionCues:
    """Derives cues from the changes of a session, each of them once."""

    def __init__(self) -> None:
        self._session_id, self._count, self._running = "", 0, False
        self._away_since_s: float | None = None
        self._asked = False

    def of_session(self, session: Session) -> str:
        """Return the cue of a change of the session; '' = nothing to say.

        Args:
            session: The session as it is now.
        """
        count, target = len(session.tally.counted), session.tally.target
        before, was_running = self._count, self._running
        new = session.running and (not was_running or session.session_id != self._session_id)
        self._session_id, self._count, self._running = session.session_id, count, session.running
        if new and not count:
            return _start(session.tally.exercise, target)
        if count > before and (session.running or was_running):
            return _counted(count, target)
        if was_running and not session.running:
            return _ended(count, target)
        return ""

    def of_person(self, now_s: float, *, present: bool) -> str:
        """Return the cue of a person who left or came back during a session; '' = nothing to say.

        Args:
            now_s: Time of a monotonic clock [s].
            present: Whether a person is in view.
        """
        if present or not self._running:
            again = self._asked and self._running
            self._away_since_s, self._asked = None, False
            return SEEN_AGAIN if again else ""
        if self._away_since_s is None:
            self._away_since_s = now_s
        if self._asked or now_s - self._away_since_s < AWAY_S:
            return ""
        self._asked = True
        return COME_BACK


def _start(exercise: str, target: int) -> str:
    name = exercise_display_name(exercise) if exercise else "Any exercise"
    times = f", {target} {'repetition' if target == 1 else 'repetitions'}" if target else ""
    return f"{name}{times}. Begin when you are ready."


def _counted(count: int, target: int) -> str:
    if target and count >= target:
        return f"{count}. Well done, that was the last one."
    if target and count == target - 1:
        return f"{count}. One more."
    if target >= 4 and 2 * count == target:
        return f"{count}. Half of them are done."
    return str(count)


def _ended(count: int, target: int) -> str:
    if target and count >= target:
        return "Well done, all repetitions are done."
    done = f"{count} of {target}" if target else str(count)
    return f"The exercise has ended, {done} done."

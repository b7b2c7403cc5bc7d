"""Settings of sessions."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.session.state import Recording
from rehab_pose.settings import Settings, setting

__all__ = ["RECORDING_CHOICES", "SessionSettings"]

RECORDING_CHOICES = tuple(tier.name.lower() for tier in Recording)


@dataclass(frozen=True)
class SessionSettings(Settings):
    """Folder, report and recording of sessions."""

    folder: str = setting("", "Folder of all sessions; empty: rehab_pose/sessions in $ROS_HOME (default ~/.ros)")
    report: bool = setting(True, "Write a report of all repetitions when a session ends (numbers, no images)")
    goal_recording: str = setting(
        "results",
        "Recording of a RunExercise goal for which no session was started; with images the person can be recognised",
        choices=RECORDING_CHOICES,
    )

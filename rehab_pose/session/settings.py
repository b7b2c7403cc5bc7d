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

    folder: str = setting("", "Where sessions are written; empty: rehab_pose/sessions in $ROS_HOME, which is ~/.ros")
    report: bool = setting(True, "Write a report of all repetitions when a session ends (numbers, no images)")
    goal_recording: str = setting(
        "results",
        "What is recorded of a RunExercise goal for which no session was started; images: the person can be recognised",
        choices=RECORDING_CHOICES,
    )

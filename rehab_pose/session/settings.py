"""Settings of sessions."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.session.age_keys import check_recipient
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
    resume_s: float = setting(
        120.0,
        "Longest time without the session node after which it continues the session that was running [s]; after a "
        "longer one the session is ended as interrupted",
        minimum=0.0,
        maximum=86400.0,
    )
    min_free_mb: float = setting(
        500.0,
        "Free space on the disk below which no recording starts and a running one is ended; repetitions are counted "
        "on [MB]",
        minimum=0.0,
        maximum=1e7,
    )
    encrypt_to: str = setting(
        "",
        "Recipient of age (age1...) for whom the files of a session are encrypted when it ends; empty: they stay plain",
    )
    retention_days: int = setting(
        0, "Delete sessions that started longer ago [days]; 0: keep all", minimum=0, maximum=36500
    )

    def __post_init__(self) -> None:
        """Check the recipient.

        Raises:
            SettingsError: It is none.
            MissingDependencyError: The library that encrypts is not installed.
        """
        super().__post_init__()
        check_recipient(self.encrypt_to)

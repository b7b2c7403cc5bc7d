"""The folder of a session, and the topics that each recording tier contains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.session.state import Recording

__all__ = ["RunningRecording", "make_private", "recorded_topics", "session_folder"]

ROS_HOME = "ROS_HOME"
"""Environment variable with the path of ROS's folder; the default is ~/.ros."""
SUBFOLDER = Path("rehab_pose", "sessions")
OWNER_ONLY = 0o700
"""File mode of a session's folder: it contains health data, which other users of the machine must not read."""

NOT_IN_RESULTS = {topics.BONES, topics.JOINT_STATES, topics.IMAGE_JOINTS}
"""Topics that the smallest tier leaves out, more than half of its size: bones follow from the body, the joint states
repeat the joint angles, and landmarks of the image are of use with the image."""


class RunningRecording(Protocol):
    """A bag that is being written."""

    path: Path

    def problem(self) -> str:
        """Write what was received to the disk; return why recording cannot go on, '' if it can."""

    def stop(self) -> int:
        """End the recording and finish the file; return the number of messages in it.

        Raises:
            RecordingError: The file cannot be finished.
        """


def session_folder(given: str) -> Path:
    """Return the folder of all sessions: the given one, or rehab_pose/sessions in ROS's folder."""
    if given:
        return Path(given).expanduser()
    return Path(os.environ.get(ROS_HOME) or Path.home() / ".ros") / SUBFOLDER


def make_private(folder: Path) -> None:
    """Create a folder that only its owner may read, if it does not exist yet.

    Raises:
        RecordingError: The folder cannot be created.
    """
    try:
        folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"session: expected a writable folder at {folder}: {error}; set session.folder"
        raise RecordingError(msg) from error


def recorded_topics(recording: Recording) -> list[topics.Topic]:
    """Return the topics that a tier records, without diagnostics."""
    if recording is Recording.NOTHING:
        return []
    if recording is Recording.RESULTS:
        return [topic for topic in topics.RESULT_TOPICS if topic not in NOT_IN_RESULTS]
    selected = [*topics.RESULT_TOPICS, topics.CAMERA_INFO, topics.VERTICES]
    if recording is Recording.IMAGES:
        selected += [*topics.SHAPE_TOPICS, topics.COLOR, topics.DEPTH, topics.SILHOUETTE]
    return selected

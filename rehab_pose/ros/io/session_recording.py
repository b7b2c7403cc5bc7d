"""Where a session's files go, and what is recorded in which tier."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.ros.io.recorder import TopicRecorder
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC
from rehab_pose.session.state import Recording

if TYPE_CHECKING:
    from rclpy.node import Node

__all__ = ["SessionRecording", "make_private", "session_folder", "topic_names"]

BAG = "recording"
ROS_HOME = "ROS_HOME"
"""Where ROS keeps what its programs write; ~/.ros where it is not set."""
SUBFOLDER = Path("rehab_pose", "sessions")
ONLY_THE_OWNER = 0o700
"""Health data: nobody else on the machine reads them."""


def session_folder(given: str) -> Path:
    """Return where sessions go: the folder given, or rehab_pose/sessions in ROS's own folder."""
    if given:
        return Path(given).expanduser()
    return Path(os.environ.get(ROS_HOME) or Path.home() / ".ros") / SUBFOLDER


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may look into, where it is not there yet.

    Raises:
        RecordingError: It cannot be made.
    """
    try:
        folder.mkdir(mode=ONLY_THE_OWNER, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"session: expected a folder that can be written at {folder}: {error}; set session.folder"
        raise RecordingError(msg) from error


def topic_names(recording: Recording) -> list[str]:
    """Return the names of the topics that a tier records."""
    if recording is Recording.NOTHING:
        return []
    chosen = [*topics.RESULT_TOPICS, topics.CAMERA_INFO]
    chosen += [topics.VERTICES] if recording >= Recording.MESH else []
    chosen += [topics.COLOR, topics.DEPTH, topics.SILHOUETTE] if recording >= Recording.IMAGES else []
    return [*(topic.name for topic in chosen), DIAGNOSTICS_TOPIC]


@dataclass
class SessionRecording:
    """A bag that is being written by a node."""

    path: Path
    bag: BagWriter
    recorder: TopicRecorder

    @classmethod
    def start(cls, node: Node, folder: Path, recording: Recording) -> SessionRecording:
        """Begin to record a tier into a folder, which is made.

        Raises:
            RecordingError: The folder cannot be made, or a recording is in it already.
        """
        make_private(folder)
        path = folder / BAG
        bag = BagWriter(path)
        return cls(path, bag, TopicRecorder(node, bag, topic_names(recording)))

    def stop(self) -> int:
        """End the recording and finish the file; return how many messages are in it."""
        self.recorder.stop()
        self.bag.close()
        return sum(self.bag.counts.values())

"""The bag of a session, written by the session node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.bags.writer import BagWriter
from rehab_pose.ros.io.recorder import TopicRecorder
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC
from rehab_pose.session.recording_policy import recorded_topics

if TYPE_CHECKING:
    from pathlib import Path

    from rclpy.node import Node

    from rehab_pose.session.state import Recording

__all__ = ["SessionRecording"]


@dataclass
class SessionRecording:
    """A bag that is being written by a node."""

    path: Path
    bag: BagWriter
    recorder: TopicRecorder

    @classmethod
    def start(cls, node: Node, path: Path, recording: Recording) -> SessionRecording:
        """Start recording a tier into a new bag.

        Args:
            node: Owns the subscriptions.
            path: Folder of the bag, in the session's folder, which exists.
            recording: The tier.

        Raises:
            RecordingError: The bag exists already or cannot be written.
        """
        bag = BagWriter(path)
        names = [*(topic.name for topic in recorded_topics(recording)), DIAGNOSTICS_TOPIC]
        return cls(path, bag, TopicRecorder(node, bag, names))

    def problem(self) -> str:
        """Write what was received to the disk; return why recording cannot go on, '' if it can."""
        self.recorder.flush()
        return self.recorder.failure

    def stop(self) -> int:
        """End the recording and finish the file; return the number of messages in it.

        Raises:
            RecordingError: The file cannot be finished.
        """
        self.recorder.stop()
        self.bag.close()
        return sum(self.bag.counts.values())

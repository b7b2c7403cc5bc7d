"""The bag of a session, written by the session node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.bags.writer import BagWriter
from rehab_pose.ros.io.recorder import TopicRecorder
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC
from rehab_pose.session.recording_policy import make_private, recorded_topics

if TYPE_CHECKING:
    from pathlib import Path

    from rclpy.node import Node

    from rehab_pose.session.state import Recording

__all__ = ["SessionRecording"]

BAG = "recording"


@dataclass
class SessionRecording:
    """A bag that is being written by a node."""

    path: Path
    bag: BagWriter
    recorder: TopicRecorder

    @classmethod
    def start(cls, node: Node, folder: Path, recording: Recording) -> SessionRecording:
        """Create a folder and start recording a tier into it.

        Raises:
            RecordingError: The folder cannot be created, or it contains a recording already.
        """
        make_private(folder)
        path = folder / BAG
        bag = BagWriter(path)
        names = [*(topic.name for topic in recorded_topics(recording)), DIAGNOSTICS_TOPIC]
        return cls(path, bag, TopicRecorder(node, bag, names))

    def stop(self) -> int:
        """End the recording and finish the file; return the number of messages in it."""
        self.recorder.stop()
        self.bag.close()
        return sum(self.bag.counts.values())

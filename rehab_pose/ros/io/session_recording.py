"""A session's bag, written by the node that serves sessions."""

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
        """Start to record a tier into a folder, which is made.

        Raises:
            RecordingError: The folder cannot be made, or it holds a recording already.
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

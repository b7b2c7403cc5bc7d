"""The node `markers`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message, bones_from_message
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.adapters.markers import (
    angle_markers,
    bone_markers,
    name_markers,
    no_person_markers,
    person_markers,
)
from rehab_pose.ros.adapters.mesh_template import MeshTemplate
from rehab_pose.ros.adapters.settings import MarkerSettings
from rehab_pose.ros.runtime.on_demand import OnDemandInputs
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose.messages.factory import Message

__all__ = ["MarkersNode", "main"]

CAPACITY = 4
"""Messages that may wait: joints and vertices of the same frame arrive almost together."""


class MarkersNode(StageNode):
    """Publishes joints, bones, angles and mesh as RViz markers while the marker topics have subscribers."""

    def __init__(self) -> None:
        super().__init__(node_spec("markers"))
        self._label = ""
        self._faces: NDArray[np.uint32] | None = None
        self._template: MeshTemplate | None = None
        self._angles: Message | None = None
        self._sent_s: dict[str, float] = {}
        self.listen(topics.EXERCISE_LABEL, self._on_label, watched=False)
        self.listen(topics.TOPOLOGY, self._on_topology, watched=False)
        self.listen(topics.JOINT_ANGLES, self._on_angles, watched=False)
        self._demand = OnDemandInputs(self, self._subscribe)

    def _subscribe(self) -> None:
        self.input(topics.JOINTS, self._on_joints, capacity=CAPACITY)
        self.input(topics.BONES, self._on_bones, capacity=CAPACITY)
        self.input(topics.VERTICES, self._on_vertices, capacity=CAPACITY)

    def _due(self, kind: str, rate_hz: float) -> bool:
        """Return whether markers of a kind may be sent at `rate_hz` [Hz]; if so, store the current time."""
        now_s = self.now_s()
        due = now_s - self._sent_s.get(kind, 0.0) >= 1.0 / rate_hz
        if due:
            self._sent_s[kind] = now_s
        return due

    def _on_angles(self, message: Message, _arrived_s: float) -> None:
        self._angles = message

    def _on_label(self, message: Message, _arrived_s: float) -> None:
        self._label = message.data

    def _on_topology(self, message: Message, _arrived_s: float) -> None:
        self._faces = np.asarray(message.triangles, np.uint32).reshape(-1, 3)
        self._template = None

    def _on_joints(self, message: Message) -> bool:
        joints = joints_from_message(message)
        if self.has_subscribers(topics.MARKERS):
            if joints is None:
                stamp = stamp_ns(message.header.stamp)
                self.publish(topics.MARKERS, no_person_markers(self.factory, stamp, message.header.frame_id))
            else:
                self.publish(topics.MARKERS, person_markers(self.factory, joints, self._label))
                self._publish_texts(joints)
        return joints is not None

    def _publish_texts(self, joints: Joints) -> None:
        settings = self.settings(MarkerSettings)
        if not (settings.angles or settings.names) or not self._due("text", settings.text_rate_hz):
            return
        angles = angles_from_message(self._angles) if settings.angles and self._angles is not None else None
        if angles is not None:
            self.publish(topics.MARKERS, angle_markers(self.factory, joints, angles))
        if settings.names:
            self.publish(topics.MARKERS, name_markers(self.factory, joints))

    def _on_bones(self, message: Message) -> bool:
        settings = self.settings(MarkerSettings)
        if settings.bones and self.has_subscribers(topics.MARKERS) and self._due("bones", settings.bone_rate_hz):
            bones = bones_from_message(message)
            if bones is not None:
                self.publish(topics.MARKERS, bone_markers(self.factory, bones))
        return len(message.names) > 0

    def _on_vertices(self, message: Message) -> bool:
        vertices_m = vertices_from_message(message)
        has_use = len(vertices_m) and self._faces is not None and self.has_subscribers(topics.MESH_MARKER)
        if not (has_use and self._due("mesh", self.settings(MarkerSettings).mesh_rate_hz)) or self._faces is None:
            return len(vertices_m) > 0
        frame_id = message.header.frame_id
        if self._template is None or self._template.frame_id != frame_id:
            self._template = MeshTemplate(frame_id, self._faces)
        self.publish(topics.MESH_MARKER, self._template.fill(stamp_ns(message.header.stamp), vertices_m))
        return True


def main() -> int:
    """Run the node."""
    return run_node(MarkersNode)


if __name__ == "__main__":
    sys.exit(main())

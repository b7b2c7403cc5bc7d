"""The node `markers`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import NONE
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message, bones_from_message
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.factory import NO_BODY_ID, stamp_ns
from rehab_pose.messages.floor import floor_plane_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.adapters.floor_marker import FloorMarker
from rehab_pose.ros.adapters.markers import (
    SHOWN_ANGLES,
    angle_markers,
    bone_mesh_marker,
    name_markers,
    no_person_markers,
    person_markers,
)
from rehab_pose.ros.adapters.mesh_template import MeshTemplate
from rehab_pose.ros.adapters.moving_angles import MovingAngles
from rehab_pose.ros.adapters.rod_template import RodTemplate
from rehab_pose.ros.adapters.settings import MarkerSettings
from rehab_pose.ros.io.stamp_collector import StampCollector
from rehab_pose.ros.runtime.on_demand import OnDemandInputs
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Bones, Joints
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic

__all__ = ["MarkersNode", "main"]

CAPACITY = 4
"""Messages that may wait: those of the same frame arrive almost together."""


class MarkersNode(StageNode):
    """Publishes joints, bones, angles and mesh of one frame together while the marker topics have subscribers."""

    def __init__(self) -> None:
        super().__init__(node_spec("markers"))
        self._label = ""
        self._faces: NDArray[np.uint32] | None = None
        self._template: MeshTemplate | None = None
        self._rods: RodTemplate | None = None
        self._collector: StampCollector[Message] = StampCollector(self.now_s)
        self._moving = MovingAngles({name for names in SHOWN_ANGLES.values() for name in names})
        self._sent_s = 0.0
        self.listen(topics.EXERCISE_LABEL, self._on_label, watched=False)
        self.listen(topics.TOPOLOGY, self._on_topology, watched=False)
        self._floor = FloorMarker(self.factory)
        self.listen(topics.FLOOR_PLANE, self._on_floor_plane, watched=False)
        self._demand = OnDemandInputs(self, self._subscribe)

    def _subscribe(self) -> None:
        self._collector.clear()
        self.input(topics.JOINTS, self._on_joints, capacity=CAPACITY)
        self.input(topics.JOINT_ANGLES, self._on_angles, capacity=CAPACITY)
        self.input(topics.BONES, self._on_bones, capacity=CAPACITY)
        self.input(topics.VERTICES, self._on_vertices, capacity=CAPACITY)

    def _on_label(self, message: Message, _arrived_s: float) -> None:
        self._label = message.data

    def _on_topology(self, message: Message, _arrived_s: float) -> None:
        self._faces = np.asarray(message.triangles, np.uint32).reshape(-1, 3)
        self._template = None

    def _on_floor_plane(self, message: Message, _arrived_s: float) -> None:
        self._floor.set_plane(floor_plane_from_message(message).plane)

    def _floor_markers(self, stamp: int, frame_id: str) -> list[Message]:
        return self._floor.markers(stamp, frame_id) if self.settings(MarkerSettings).floor else []

    def _on_joints(self, message: Message) -> bool:
        if message.body_id == NO_BODY_ID:
            self._collector.clear()
            if self.has_subscribers(topics.MARKERS):
                stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
                array = no_person_markers(self.factory, stamp, frame_id)
                array.markers.extend(self._floor_markers(stamp, frame_id))
                self.publish(topics.MARKERS, array)
            return False
        self._add(topics.JOINTS, message)
        return True

    def _on_angles(self, message: Message) -> bool:
        if not message.names:
            return False
        self._add(topics.JOINT_ANGLES, message)
        return True

    def _on_bones(self, message: Message) -> bool:
        if not message.names:
            return False
        self._add(topics.BONES, message)
        return True

    def _on_vertices(self, message: Message) -> bool:
        if not len(message.vertices):
            return False
        self._add(topics.VERTICES, message)
        return True

    def _add(self, topic: Topic, message: Message) -> None:
        found = self._collector.add(topic.name, stamp_ns(message.header.stamp), message)
        if found is None:
            return
        angles = found.get(topics.JOINT_ANGLES.name)
        if angles is not None and (record := angles_from_message(angles)) is not None:
            self._moving.add(record)
        now_s, settings = self.now_s(), self.settings(MarkerSettings)
        if now_s - self._sent_s >= 1.0 / settings.rate_hz:
            self._sent_s = now_s
            self._publish(found, settings)

    def _publish(self, found: dict[str, Message], settings: MarkerSettings) -> None:
        """Publish the markers of one frame: joints and texts, bones, and the mesh, with one stamp."""
        joints = joints_from_message(found[topics.JOINTS.name]) if topics.JOINTS.name in found else None
        if joints is not None and self.has_subscribers(topics.MARKERS):
            array = person_markers(self.factory, joints, self._label)
            for more in self._texts(joints, found, settings):
                array.markers.extend(more.markers)
            array.markers.extend(self._floor_markers(joints.stamp_ns, joints.frame_id))
            self.publish(topics.MARKERS, array)
            if settings.bones and topics.BONES.name in found:
                self._publish_bones(bones_from_message(found[topics.BONES.name]))
        if topics.VERTICES.name in found and self._faces is not None and self.has_subscribers(topics.MESH_MARKER):
            message = found[topics.VERTICES.name]
            frame_id, alpha = message.header.frame_id, settings.mesh_alpha
            if self._template is None or (self._template.frame_id, self._template.alpha) != (frame_id, alpha):
                self._template = MeshTemplate(frame_id, self._faces, alpha)
            filled = self._template.fill(stamp_ns(message.header.stamp), vertices_from_message(message))
            self.publish(topics.MESH_MARKER, filled)

    def _publish_bones(self, bones: Bones | None) -> None:
        if bones is None:
            return
        if bones.mesh is not None:
            self.publish(topics.MARKERS, bone_mesh_marker(self.factory, bones, bones.mesh))
            return
        if self._rods is None or (self._rods.frame_id, self._rods.names) != (bones.frame_id, bones.names):
            self._rods = RodTemplate(bones)
        self.publish(topics.MARKERS, self._rods.fill(bones))

    def _texts(self, joints: Joints, found: dict[str, Message], settings: MarkerSettings) -> Iterator[Message]:
        if settings.angles and topics.JOINT_ANGLES.name in found:
            angles = angles_from_message(found[topics.JOINT_ANGLES.name])
            doing = self._label not in {"", NONE}
            shown = angles.names if angles and settings.all_angles else self._moving.names if doing else ()
            if angles is not None and shown:
                yield angle_markers(self.factory, joints, angles, shown)
        if settings.names:
            yield name_markers(self.factory, joints)


def main() -> int:
    """Run the node."""
    return run_node(MarkersNode)


if __name__ == "__main__":
    sys.exit(main())

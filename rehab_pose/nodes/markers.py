"""joints, bones, joint_angles, exercise/label and body/vertices -> markers, mesh_marker; only while somebody looks."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
from rehab_pose.ros.runtime.run import OFF_THE_PATH, run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.settings import Settings, setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose.messages.factory import Message

__all__ = ["MarkerSettings", "MarkersNode", "main"]

WAITING = 4
"""Joints and vertices of the same moment wait side by side."""


@dataclass(frozen=True)
class MarkerSettings(Settings):
    """What RViz is given."""

    mesh_rate_hz: float = setting(15.0, "The mesh marker is sent at most this often [Hz]", minimum=0.1, maximum=60.0)
    bones: bool = setting(True, "Show the bones too")
    bone_rate_hz: float = setting(
        10.0, "The bones' markers are sent at most this often [Hz]", minimum=0.1, maximum=60.0
    )
    angles: bool = setting(True, "Write joint angles beside the joints [degrees]")
    names: bool = setting(False, "Write the joints' names")
    text_rate_hz: float = setting(10.0, "Angles and names are sent at most this often [Hz]", minimum=0.1, maximum=60.0)


class MarkersNode(StageNode):
    """Draws."""

    def __init__(self) -> None:
        super().__init__("markers")
        self._settings = self.live_settings("markers", MarkerSettings, self._on_settings)
        self._markers = self.output(topics.MARKERS)
        self._mesh = self.output(topics.MESH_MARKER)
        self._label = ""
        self._faces: NDArray[np.uint32] | None = None
        self._template: MeshTemplate | None = None
        self._angles: Message | None = None
        self._sent_s: dict[str, float] = {}
        self.listen(topics.EXERCISE_LABEL, self._on_label, watched=False)
        self.listen(topics.TOPOLOGY, self._on_topology, watched=False)
        self.listen(topics.JOINT_ANGLES, self._on_angles, watched=False)
        self.input(topics.JOINTS, self._on_joints, capacity=WAITING)
        self.input(topics.BONES, self._on_bones, capacity=WAITING)
        self.input(topics.VERTICES, self._on_vertices, capacity=WAITING)

    def _on_settings(self, settings: MarkerSettings) -> None:
        self._settings = settings

    def _due(self, what: str, rate_hz: float) -> bool:
        """Tell whether something may be sent again, and note that it is."""
        now_s = self.now_s()
        due = now_s - self._sent_s.get(what, 0.0) >= 1.0 / rate_hz
        if due:
            self._sent_s[what] = now_s
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
        if self._markers.get_subscription_count():
            if joints is None:
                stamp = stamp_ns(message.header.stamp)
                self._markers.publish(no_person_markers(self.factory, stamp, message.header.frame_id))
            else:
                self._markers.publish(person_markers(self.factory, joints, self._label))
                self._write(joints)
        return joints is not None

    def _write(self, joints: Joints) -> None:
        """Show what is read, not seen."""
        settings = self._settings
        if not (settings.angles or settings.names) or not self._due("text", settings.text_rate_hz):
            return
        angles = angles_from_message(self._angles) if settings.angles and self._angles is not None else None
        if angles is not None:
            self._markers.publish(angle_markers(self.factory, joints, angles))
        if settings.names:
            self._markers.publish(name_markers(self.factory, joints))

    def _on_bones(self, message: Message) -> bool:
        settings = self._settings
        if settings.bones and self._markers.get_subscription_count() and self._due("bones", settings.bone_rate_hz):
            bones = bones_from_message(message)
            if bones is not None:
                self._markers.publish(bone_markers(self.factory, bones))
        return len(message.names) > 0

    def _on_vertices(self, message: Message) -> bool:
        vertices_m = vertices_from_message(message)
        shown = len(vertices_m) and self._faces is not None and self._mesh.get_subscription_count()
        if not (shown and self._due("mesh", self._settings.mesh_rate_hz)) or self._faces is None:
            return len(vertices_m) > 0
        frame_id = message.header.frame_id
        if self._template is None or self._template.frame_id != frame_id:
            self._template = MeshTemplate(frame_id, self._faces)
        self._mesh.publish(self._template.fill(stamp_ns(message.header.stamp), vertices_m))
        return True


def main() -> int:
    """Run the node."""
    return run_node(MarkersNode, niceness=OFF_THE_PATH)


if __name__ == "__main__":
    sys.exit(main())

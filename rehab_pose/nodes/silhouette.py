"""The node `silhouette`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.floor import FloorPlaneChanges
from rehab_pose.messages.frames import (
    frame_from_message,
    full_mask_message,
    no_silhouette_message,
    silhouette_message,
)
from rehab_pose.messages.image_joints import image_joints_message
from rehab_pose.ros.adapters.people_selection import PeopleSelection
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.source_report import report_source
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.stage_groups import ImageStages

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["SilhouetteNode", "main"]


class SilhouetteNode(StageNode):
    """Finds the followed person in colour and depth, and publishes the floor plane when it changes."""

    def __init__(self) -> None:
        super().__init__(node_spec("silhouette"))
        image_joints, silhouette = self.settings(ImageJointSettings), self.settings(SilhouetteSettings)
        self._stages = self.stage(lambda: ImageStages(image_joints, silhouette))
        self._floor = FloorPlaneChanges()
        self._people = PeopleSelection(self, lambda: self._stages.built.silhouette if self._stages.built else None)
        self.input(topics.RGBD, self._on_frame)

    def before_report(self) -> None:
        """Add the source of the silhouette to the health."""
        stages = self._stages.built
        if stages is not None:
            report_source(self.health, stages.silhouette.status)

    def _on_frame(self, message: Message) -> bool:
        frame = frame_from_message(message)
        stages = self._stages.get()
        self._people.prepare(stages.silhouette)
        result = stages.process(frame)
        silhouette = result.silhouette
        image_joints = image_joints_message(self.factory, frame.stamp_ns, frame.frame_id, result.image_joints)
        self.publish(topics.IMAGE_JOINTS, image_joints)
        for floor in self._floor.messages(self.factory, frame, stages.silhouette.floor_plane):
            self.publish(topics.FLOOR_PLANE, floor)
        self._people.publish(frame, stages.silhouette.people)
        if silhouette is None:
            self.publish(topics.SILHOUETTE, no_silhouette_message(self.factory, frame))
        else:
            self.publish(topics.SILHOUETTE, silhouette_message(self.factory, silhouette))
        if self.has_subscribers(topics.SILHOUETTE_IMAGE):
            self.publish(topics.SILHOUETTE_IMAGE, full_mask_message(self.factory, frame, silhouette))
        return silhouette is not None


def main() -> int:
    """Run the node."""
    return run_node(SilhouetteNode)


if __name__ == "__main__":
    sys.exit(main())

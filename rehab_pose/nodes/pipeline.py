"""All stages in one process: camera topics in, results out; frames pass as records."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.body import topology_message
from rehab_pose.messages.exercise import exercise_list_message
from rehab_pose.messages.frames import full_mask_message
from rehab_pose.messages.results import body_messages, label_messages
from rehab_pose.pipeline import BodyStages, LabelStages, PipelineSettings
from rehab_pose.ros.io.camera_input import CameraInput
from rehab_pose.ros.runtime.lazy_stage import warmed
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import LabelFindings

__all__ = ["PipelineNode", "main"]

OUTPUTS = (*topics.STAGE_TOPICS, topics.SILHOUETTE, topics.SILHOUETTE_IMAGE, topics.VERTICES)


class PipelineNode(StageNode):
    """Runs every stage on each frame and publishes what the separate nodes would.

    Two threads: one goes from the image to the label, the other measures the body in its wake.
    """

    def __init__(self) -> None:
        super().__init__("pipeline")
        defaults = PipelineSettings()
        sections = {
            section.name: self.settings(section.name, type(getattr(defaults, section.name)))
            for section in fields(PipelineSettings)
        }
        settings = PipelineSettings(**sections)
        self._body_worker = self.second_worker("body_worker")
        self._label_stages = self.stage(lambda: LabelStages(settings))
        self._body_stages = self.stage(lambda: warmed(BodyStages(settings)), self._body_worker)
        self._outputs = {topic: self.output(topic) for topic in OUTPUTS}
        self._announced = False
        self._outputs[topics.EXERCISE_LIST].publish(exercise_list_message(self.factory))
        self._camera = CameraInput(self, self._on_frame)

    def before_report(self) -> None:
        """Add what the pairing dropped."""
        self._camera.before_report()

    def _on_frame(self, frame: RgbdFrame) -> bool:
        found = self._label_stages.get().process(frame)
        # The body is measured beside the way to the label, which goes on to the next frame.
        self._body_worker.put(self._on_person, (frame, found), frame.stamp_ns, self.now_s())
        # The silhouette's images are large: made only for those who look.
        images = bool(self._outputs[topics.SILHOUETTE].get_subscription_count())
        for topic, message in label_messages(self.factory, frame, found, images=images):
            self._outputs[topic].publish(message)
        if self._outputs[topics.SILHOUETTE_IMAGE].get_subscription_count():
            self._outputs[topics.SILHOUETTE_IMAGE].publish(full_mask_message(self.factory, frame, found.silhouette))
        return found.silhouette is not None

    def _on_person(self, item: tuple[RgbdFrame, LabelFindings]) -> bool:
        frame, found = item
        stages = self._body_stages.get()
        if not self._announced:
            self._announced = True
            self._outputs[topics.TOPOLOGY].publish(topology_message(self.factory, stages.body.model))
        measured = stages.process(found.silhouette, found.joints)
        for topic, message in body_messages(self.factory, frame, measured, mesh=True):
            self._outputs[topic].publish(message)
        return measured.body is not None


def main() -> int:
    """Run the node."""
    return run_node(PipelineNode)


if __name__ == "__main__":
    sys.exit(main())

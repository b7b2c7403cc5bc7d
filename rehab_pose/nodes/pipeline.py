"""All stages in one process: camera topics in, results out; frames pass as records."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.frames import full_mask_message
from rehab_pose.messages.results import latched_messages, result_messages
from rehab_pose.pipeline import Pipeline, PipelineSettings
from rehab_pose.ros.camera_input import CameraInput
from rehab_pose.ros.run import run_node
from rehab_pose.ros.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame

__all__ = ["PipelineNode", "main"]

OUTPUTS = (*topics.STAGE_TOPICS, topics.SILHOUETTE, topics.SILHOUETTE_IMAGE, topics.VERTICES)


class PipelineNode(StageNode):
    """Runs every stage on each frame and publishes what the separate nodes would."""

    def __init__(self) -> None:
        super().__init__("pipeline")
        defaults = PipelineSettings()
        sections = {
            section.name: self.settings(section.name, type(getattr(defaults, section.name)))
            for section in fields(PipelineSettings)
        }
        self._pipeline = self.stage(lambda: _warm(Pipeline(PipelineSettings(**sections))))
        self._publishers_by_topic = {topic: self.output(topic) for topic in OUTPUTS}
        self._announced = False
        self._camera = CameraInput(self, self._on_frame)

    def before_report(self) -> None:
        """Add what the pairing dropped."""
        self._camera.before_report()

    def _on_frame(self, frame: RgbdFrame) -> bool:
        pipeline = self._pipeline.get()
        outputs = self._publishers_by_topic
        if not self._announced:
            self._announced = True
            for topic, message in latched_messages(self.carrier, pipeline.body.model):
                outputs[topic].publish(message)
        result = pipeline.process(frame)
        # The silhouette's images are large: made only for those who look.
        images = bool(outputs[topics.SILHOUETTE].get_subscription_count())
        for topic, message in result_messages(self.carrier, frame, result, images=images):
            outputs[topic].publish(message)
        if outputs[topics.SILHOUETTE_IMAGE].get_subscription_count():
            outputs[topics.SILHOUETTE_IMAGE].publish(full_mask_message(self.carrier, frame, result.silhouette))
        return result.silhouette is not None


def _warm(pipeline: Pipeline) -> Pipeline:
    pipeline.warm_up()
    return pipeline


def main() -> int:
    """Run the node."""
    return run_node(PipelineNode)


if __name__ == "__main__":
    sys.exit(main())

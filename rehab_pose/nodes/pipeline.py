"""The node `pipeline`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.body import topology_message
from rehab_pose.messages.floor import FloorPlaneChanges
from rehab_pose.messages.frames import full_mask_message
from rehab_pose.messages.results import body_messages, label_messages
from rehab_pose.pipeline import BodyStages, LabelStages, PipelineSettings
from rehab_pose.ros.adapters.people_selection import PeopleSelection
from rehab_pose.ros.io.camera_input import CameraInput
from rehab_pose.ros.io.exercise_list_output import ExerciseListOutput
from rehab_pose.ros.io.tf_input import FixedFrameInput
from rehab_pose.ros.runtime.lazy_stage import warmed_up
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.source_report import report_source
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.ros.runtime.stamp_report import report_stamp

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import LabelResult
    from rehab_pose.silhouette.segmenter import SilhouetteSegmenter

__all__ = ["PipelineNode", "main"]

LEADING = {topics.JOINTS, topics.BODY, topics.IMAGE_JOINTS, topics.SILHOUETTE}
"""Results that lead to the label: their messages, the silhouette's with large images, are made only while they have
subscribers."""
ON_DEMAND = {topics.KEYPOINTS, topics.PARTS, topics.BONES}
"""Results of the stages of the same names, which are run only while they have subscribers."""
FOLLOWING = ON_DEMAND | {topics.VERTICES, topics.JOINT_ANGLES, topics.JOINT_STATES}
"""Results that follow from the body: their messages are made only while they have subscribers."""
FINDINGS = {topics.KEYPOINTS, topics.PARTS}
"""Results that are computed without subscribers too where the exercise's label follows from all streams."""


class PipelineNode(StageNode):
    """Runs every stage on each frame and publishes the topics of the separate nodes.

    One thread computes the label from the images; a second one computes body, angles and bones from the results.
    """

    def __init__(self) -> None:
        super().__init__(node_spec("pipeline"))
        defaults = PipelineSettings()
        self._pipeline_settings = settings = PipelineSettings(
            **{entry.name: self.settings(type(getattr(defaults, entry.name))) for entry in fields(PipelineSettings)}
        )
        self._body_worker = self.second_worker("body_worker")
        self._label_stages = self.stage(lambda: warmed_up(LabelStages(settings)))
        self._body_stages = self.stage(lambda: warmed_up(BodyStages(settings)), self._body_worker)
        self._floor = FloorPlaneChanges()
        self._topology_sent = False
        self._list = ExerciseListOutput(self)
        if self._label_stages.built is not None:
            self._list.update(self._label_stages.built.exercise.labels)
        self._fixed_frame = FixedFrameInput(self, settings.exercise.fixed_frame)
        self.on_settings(ExerciseSettings, self._on_exercise_settings)
        self._people = PeopleSelection(self, self._segmenter)
        self._camera = CameraInput(self, self._on_frame)

    def before_report(self) -> None:
        """Add the number of images without a partner, and the source of the silhouette, to the health."""
        self._camera.before_report()
        stages = self._label_stages.built
        if stages is not None:
            report_source(self.health, stages.image.silhouette.status)

    def _segmenter(self) -> SilhouetteSegmenter | None:
        stages = self._label_stages.built
        return stages.image.silhouette if stages else None

    def _on_exercise_settings(self, exercise: ExerciseSettings) -> None:
        self._fixed_frame.change(exercise.fixed_frame)
        self._pipeline_settings = settings = replace(self._pipeline_settings, exercise=exercise)
        self._label_stages.change(
            lambda: warmed_up(LabelStages(settings)), lambda stages: stages.exercise.change_settings(exercise)
        )

    def _on_frame(self, frame: RgbdFrame) -> bool:
        stages = self._label_stages.get()
        self._list.update(stages.exercise.labels)
        stages.exercise.set_camera_pose(self._fixed_frame.pose(frame.frame_id, frame.stamp_ns))
        self._people.prepare(stages.image.silhouette)
        result = stages.process(frame)
        report_stamp(self, stages.exercise.verdict)
        unused = {topic for topic in LEADING if not self.has_subscribers(topic)}
        for topic, message in label_messages(self.factory, frame, result, self._floor, without=unused):
            self.publish(topic, message)
        if self.has_subscribers(topics.SILHOUETTE_IMAGE):
            self.publish(topics.SILHOUETTE_IMAGE, full_mask_message(self.factory, frame, result.silhouette))
        self._people.publish(frame, stages.image.silhouette.people)
        # The body is computed on the second worker, which would hold the interpreter while the label is published; this
        # one goes on to the next frame.
        self._body_worker.put(self._on_person, (frame, result), frame.stamp_ns, self.now_s())
        return result.silhouette is not None

    def _on_person(self, item: tuple[RgbdFrame, LabelResult]) -> bool:
        frame, label = item
        stages = self._body_stages.get()
        if not self._topology_sent:
            self._topology_sent = True
            self.publish(topics.TOPOLOGY, topology_message(self.factory, self._label_stages.get().pose.body.model))
        unused = {topic for topic in FOLLOWING if not self.has_subscribers(topic)}
        findings = self._label_stages.get().exercise.findings
        not_run = (unused & ON_DEMAND) - (set() if findings is None else FINDINGS)
        result = stages.process(label, without=[topic.name for topic in not_run])
        if findings is not None:
            findings.add_frame(frame.stamp_ns, result.keypoints, result.parts, label.body)
        for topic, message in body_messages(self.factory, frame, label.body, result, without=unused):
            self.publish(topic, message)
        return label.body is not None


def main() -> int:
    """Run the node."""
    return run_node(PipelineNode)


if __name__ == "__main__":
    sys.exit(main())

"""Stages that always run together: those on a frame's images, and those that give the person's joints and body.

The nodes `silhouette` and `joints` and the pipeline in one process run the same groups.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.joints_of_body import joints_of_body
from rehab_pose.datatypes import PersonView
from rehab_pose.image_joints.detector import ImageJointDetector
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.silhouette.color_check import unusable_color
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter

if TYPE_CHECKING:
    from rehab_pose.body.settings import BodySettings
    from rehab_pose.datatypes import Body, ImageJoints, Joints, RgbdFrame, Silhouette
    from rehab_pose.image_joints.settings import ImageJointSettings
    from rehab_pose.joints.settings import JointSettings
    from rehab_pose.silhouette.settings import SilhouetteSettings
    from rehab_pose.stage import Stage

__all__ = ["ImageResult", "ImageStages", "PoseResult", "PoseStages", "Stopwatch"]

Input = TypeVar("Input")
Output = TypeVar("Output")


class Stopwatch:
    """Measures the wall time of each stage [ms]; stages without input are not timed."""

    def __init__(self) -> None:
        self.elapsed_ms: dict[str, float] = {}

    def process(self, name: str, stage: Stage[Input, Output], item: Input | None) -> Output | None:
        """Run a stage on an item and add its wall time to that of its name."""
        start = time.perf_counter()
        result = stage.process(item)
        if item is not None:
            self.add(name, start)
        return result

    def add(self, name: str, start_s: float) -> None:
        """Add the time since `start_s` of time.perf_counter [s]."""
        self.elapsed_ms[name] = self.elapsed_ms.get(name, 0.0) + (time.perf_counter() - start_s) * 1e3


@dataclass(frozen=True, eq=False)
class ImageResult:
    """The followed person in the images of a frame."""

    silhouette: Silhouette | None
    """None when no person is in view."""
    image_joints: ImageJoints | None
    """None when the person is not followed in colour."""
    alternates: bool = False
    """True if the silhouette's network on depth ran in this frame of a fast camera, and not in the one before."""


class ImageStages:
    """The stages image_joints and silhouette. Each uses the other's result: a mask, and a person to follow."""

    def __init__(self, image_joints: ImageJointSettings, silhouette: SilhouetteSettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Weights of a stage cannot be used.
        """
        self.image_joints = ImageJointDetector(image_joints)
        # Without landmarks the fused method would report in every frame that colour is missing.
        method = "rgbd" if silhouette.method == "fused" and not image_joints.enabled else silhouette.method
        self.silhouette = SilhouetteSegmenter(replace(silhouette, method=method))

    def reset(self) -> None:
        """Make the stages forget earlier frames."""
        self.image_joints.reset()
        self.silhouette.reset()

    def process(self, frame: RgbdFrame, stopwatch: Stopwatch | None = None) -> ImageResult:
        """Return the followed person; add the time of the stages to a stopwatch."""
        stopwatch = stopwatch or Stopwatch()
        detector, segmenter = self.image_joints, self.silhouette
        image_joints = stopwatch.process("image_joints", detector, frame)
        start = time.perf_counter()
        silhouette = segmenter.segment(frame, image_joints)
        stopwatch.add("silhouette", start)
        if image_joints is not None and not segmenter.status.wrong_person:
            return ImageResult(silhouette, image_joints)
        if image_joints is not None:
            detector.lose_person()
        start = time.perf_counter()
        person = silhouette or segmenter.proposal
        if not detector.enabled or person is None or unusable_color(frame.color):
            return ImageResult(silhouette, None, alternates=segmenter.alternates)
        image_joints = detector.seed(frame, person)
        stopwatch.add("image_joints", start)
        if image_joints is None:
            return ImageResult(silhouette, None)
        start = time.perf_counter()
        silhouette = segmenter.segment(frame, image_joints)
        stopwatch.add("silhouette", start)
        if segmenter.status.wrong_person or silhouette is None:
            detector.lose_person()
            return ImageResult(silhouette, None)
        return ImageResult(silhouette, image_joints)


@dataclass(frozen=True, eq=False)
class PoseResult:
    """Joints and body of the person; None when no person is in view."""

    joints: Joints | None
    body: Body | None


class PoseStages:
    """The stages joints and body: a network on depth, and a body that is fitted to its joints, colour and depth."""

    def __init__(self, joints: JointSettings, body: BodySettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Weights or the body model cannot be used.
        """
        self._fused = joints.method == "fused"
        self.joints = JointPredictor(joints)
        self.body = BodyFitter(body)

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.body.warm_up()

    def reset(self) -> None:
        """Make the stages forget earlier frames."""
        self.joints.reset()
        self.body.reset()

    def process(
        self,
        silhouette: Silhouette | None,
        image_joints: ImageJoints | None,
        stopwatch: Stopwatch | None = None,
        *,
        alternates: bool = False,
    ) -> PoseResult:
        """Return joints and body of a person; add the time of the stages to a stopwatch.

        Args:
            silhouette: The person's pixels; None when no person is in view.
            image_joints: The person's landmarks in the same frame, or None.
            stopwatch: Receives the time of the stages.
            alternates: Whether the silhouette's network on depth runs in every second frame, among them this one.
        """
        stopwatch = stopwatch or Stopwatch()
        start = time.perf_counter()
        joints = None
        # Two networks take turns: the joints' may be left out where landmarks or the silhouette were computed by one.
        landmarks = image_joints is not None and not image_joints.extrapolated
        if self._fused and silhouette is not None and (landmarks or alternates):
            joints = self.joints.extrapolate(silhouette)
        joints = joints or self.joints.process(silhouette)
        if silhouette is not None:
            stopwatch.add("joints", start)
        person = None
        if silhouette is not None and joints is not None:
            person = PersonView(silhouette, joints, image_joints if self._fused else None)
        body = stopwatch.process("body", self.body, person)
        if self._fused and body is not None and silhouette is not None:
            joints = joints_of_body(body, silhouette)
        return PoseResult(joints, body)

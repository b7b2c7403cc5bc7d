"""All stages in order, without ROS; used for recordings, by the composed node and by tests.

The stages are in two groups, so that the label does not wait for the other results:

- LabelStages: image_joints + silhouette -> joints + body -> exercise
- BodyStages, from the silhouette, the joints and the body: keypoints, parts, biomechanics, bones
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.body.settings import BodySettings
from rehab_pose.bones.inferrer import BoneInferrer
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.datatypes import PersonView
from rehab_pose.errors import SettingsError
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.settings import JointSettings
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.settings import KeypointSettings
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.settings import PartSettings
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.stage_groups import ImageStages, PoseStages, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import (
        Body,
        BodyParts,
        Bones,
        ExerciseUpdate,
        ImageJoints,
        JointAngles,
        Joints,
        Keypoints,
        RgbdFrame,
        Silhouette,
    )
    from rehab_pose.settings import Settings

__all__ = [
    "BodyResult",
    "BodyStages",
    "LabelResult",
    "LabelStages",
    "Pipeline",
    "PipelineResult",
    "PipelineSettings",
]


@dataclass(frozen=True)
class PipelineSettings:
    """The settings of every stage."""

    image_joints: ImageJointSettings = field(default_factory=ImageJointSettings)
    silhouette: SilhouetteSettings = field(default_factory=SilhouetteSettings)
    keypoints: KeypointSettings = field(default_factory=KeypointSettings)
    parts: PartSettings = field(default_factory=PartSettings)
    joints: JointSettings = field(default_factory=JointSettings)
    body: BodySettings = field(default_factory=BodySettings)
    biomechanics: BiomechanicsSettings = field(default_factory=BiomechanicsSettings)
    bones: BoneSettings = field(default_factory=BoneSettings)
    exercise: ExerciseSettings = field(default_factory=ExerciseSettings)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Mapping[str, object]]) -> PipelineSettings:
        """Make settings from a section for each stage.

        Raises:
            SettingsError: A stage or a setting is unknown, or a value is invalid.
        """
        kinds: dict[str, type[Settings]] = {entry.name: type(getattr(cls(), entry.name)) for entry in fields(cls)}
        for stage in values:
            if stage not in kinds:
                msg = f"expected settings for the stages {', '.join(kinds)}, got a section {stage!r}"
                raise SettingsError(msg)
        stages: dict[str, Any] = {stage: kinds[stage].from_mapping(section) for stage, section in values.items()}
        return cls(**stages)


@dataclass(frozen=True, eq=False)
class LabelResult:
    """The results of one frame that lead to the label."""

    silhouette: Silhouette | None
    """None when no person is in view."""
    image_joints: ImageJoints | None
    """None when the person is not followed in colour."""
    joints: Joints | None
    body: Body | None
    exercise: ExerciseUpdate
    floor_plane: NDArray[np.float64]
    """(4) as in `FloorPlane.plane`."""
    stage_ms: dict[str, float]
    """Wall time of each stage that ran [ms], for benchmarks and diagnostics."""


@dataclass(frozen=True, eq=False)
class BodyResult:
    """The results of one frame that follow from the person's joints and body; None when no person is in view."""

    keypoints: Keypoints | None
    parts: BodyParts | None
    joint_angles: JointAngles | None
    bones: Bones | None
    stage_ms: dict[str, float]


@dataclass(frozen=True, eq=False)
class PipelineResult(BodyResult, LabelResult):
    """All results of one frame."""

    stamp_ns: int
    frame_id: str


class LabelStages:
    """The stages image_joints, silhouette, joints, body and exercise, which compute the label."""

    def __init__(self, settings: PipelineSettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Weights of a stage or the body model cannot be used.
        """
        self.image = ImageStages(settings.image_joints, settings.silhouette)
        self.pose = PoseStages(settings.joints, settings.body)
        self.exercise = ExerciseRecogniser(settings.exercise)

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.pose.warm_up()

    def reset(self) -> None:
        """Make all stages forget earlier frames."""
        self.image.reset()
        self.pose.reset()
        self.exercise.reset()

    def process(self, frame: RgbdFrame) -> LabelResult:
        """Run the stages on a frame."""
        stopwatch = Stopwatch()
        person = self.image.process(frame, stopwatch)
        floor_plane = self.image.silhouette.floor_plane
        pose = self.pose.process(person.silhouette, person.image_joints, stopwatch, alternates=person.alternates)
        self.exercise.set_floor_plane(floor_plane)
        start = time.perf_counter()
        exercise = self.exercise.recognise(frame.stamp_ns, frame.frame_id, pose.joints)
        stopwatch.add("exercise", start)
        return LabelResult(
            silhouette=person.silhouette,
            image_joints=person.image_joints,
            joints=pose.joints,
            body=pose.body,
            exercise=exercise,
            floor_plane=floor_plane,
            stage_ms=stopwatch.elapsed_ms,
        )


class BodyStages:
    """The stages keypoints, parts, joint angles and bones."""

    def __init__(self, settings: PipelineSettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Weights of a stage cannot be used.
        """
        self.keypoints = KeypointDetector(settings.keypoints)
        self.parts = PartLabeller(settings.parts)
        self.biomechanics = AngleSolver(settings.biomechanics)
        self.bones = BoneInferrer(settings.bones)

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.biomechanics.warm_up()

    def reset(self) -> None:
        """Make all stages forget earlier frames."""
        for stage in (self.keypoints, self.parts, self.biomechanics, self.bones):
            stage.reset()

    def process(self, label: LabelResult, *, without: Collection[str] = ()) -> BodyResult:
        """Run the stages on the person of a frame.

        Args:
            label: The results that lead to the label.
            without: Names of stages that are not run: keypoints, parts, bones; their results are None.
        """
        silhouette, joints = label.silhouette, label.joints
        person = PersonView(silhouette, joints) if silhouette and joints else None
        stopwatch = Stopwatch()
        self.biomechanics.set_floor_plane(label.floor_plane)
        keypoints = parts = bones = None
        if "keypoints" not in without:
            keypoints = stopwatch.process("keypoints", self.keypoints, silhouette)
        if "parts" not in without:
            parts = stopwatch.process("parts", self.parts, person)
        joint_angles = stopwatch.process("biomechanics", self.biomechanics, label.body)
        if "bones" not in without:
            bones = stopwatch.process("bones", self.bones, label.body)
        return BodyResult(keypoints, parts, joint_angles, bones, stopwatch.elapsed_ms)


class Pipeline:
    """Runs every stage on each frame, one after the other."""

    def __init__(self, settings: PipelineSettings | None = None) -> None:
        """Build all stages.

        Raises:
            ModelFileError: Weights of a stage or the body model cannot be used.
        """
        settings = settings or PipelineSettings()
        self.label_stages = LabelStages(settings)
        self.body_stages = BodyStages(settings)

    @property
    def model(self) -> BodyModel:
        """The body model that is fitted."""
        return self.label_stages.pose.body.model

    @property
    def exercise_labels(self) -> tuple[str, ...]:
        """Names of the exercises that are recognised, `none` first."""
        return self.label_stages.exercise.labels

    @property
    def model_ids(self) -> dict[str, str]:
        """Name and hash of the model of each stage that has one."""
        return {
            "image_joints": self.label_stages.image.image_joints.model_id,
            "silhouette": self.label_stages.image.silhouette.model_id,
            "joints": self.label_stages.pose.joints.model_id,
            "body": self.model.model_id,
            "exercise": self.label_stages.exercise.model_id,
        }

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.label_stages.warm_up()
        self.body_stages.warm_up()

    def reset(self) -> None:
        """Make all stages forget earlier frames (time jumped back, or another recording begins)."""
        self.label_stages.reset()
        self.body_stages.reset()

    def process(self, frame: RgbdFrame) -> PipelineResult:
        """Run all stages on a frame."""
        label = self.label_stages.process(frame)
        person = self.body_stages.process(label)
        findings = self.label_stages.exercise.findings
        if findings is not None:  # for the labels of later frames, as on a robot
            findings.add_frame(frame.stamp_ns, person.keypoints, person.parts, label.body)
        # Not dataclasses.asdict: it would copy every array.
        results = vars(label) | vars(person) | {"stage_ms": label.stage_ms | person.stage_ms}
        return PipelineResult(stamp_ns=frame.stamp_ns, frame_id=frame.frame_id, **results)

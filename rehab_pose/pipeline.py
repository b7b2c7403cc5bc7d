"""All stages in order, without ROS: offline runs, the composed node, system tests and the README's example.

Two halves, so that the label does not wait for what nobody acts on at once:

- LabelStages: silhouette -> joints -> exercise
- BodyStages, from the silhouette and the joints: keypoints, parts, body -> biomechanics + anatomy
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.bones.inferrer import BoneInferrer
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.errors import SettingsError
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.settings import KeypointSettings
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.settings import PartSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import (
        Body,
        BodyParts,
        Bones,
        ExerciseUpdate,
        JointAngles,
        Joints,
        Keypoints,
        RgbdFrame,
        Silhouette,
    )
    from rehab_pose.settings import Settings

__all__ = [
    "BodyFindings",
    "BodyStages",
    "LabelFindings",
    "LabelStages",
    "Pipeline",
    "PipelineResult",
    "PipelineSettings",
]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class PipelineSettings:
    """The settings of every stage."""

    silhouette: SilhouetteSettings = field(default_factory=SilhouetteSettings)
    keypoints: KeypointSettings = field(default_factory=KeypointSettings)
    parts: PartSettings = field(default_factory=PartSettings)
    joints: JointSettings = field(default_factory=JointSettings)
    body: BodySettings = field(default_factory=BodySettings)
    biomechanics: BiomechanicsSettings = field(default_factory=BiomechanicsSettings)
    anatomy: BoneSettings = field(default_factory=BoneSettings)
    exercise: ExerciseSettings = field(default_factory=ExerciseSettings)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Mapping[str, object]]) -> PipelineSettings:
        """Make settings from one section a stage.

        Raises:
            SettingsError: A stage or a setting is unknown, or a value does not fit.
        """
        kinds: dict[str, type[Settings]] = {entry.name: type(getattr(cls(), entry.name)) for entry in fields(cls)}
        for stage in values:
            if stage not in kinds:
                msg = f"expected settings for the stages {', '.join(kinds)}, got a section {stage!r}"
                raise SettingsError(msg)
        stages: dict[str, Any] = {stage: kinds[stage].from_mapping(section) for stage, section in values.items()}
        return cls(**stages)


@dataclass(frozen=True, eq=False)
class PipelineResult:
    """Everything one frame gave. What follows from the person is None when nobody is there."""

    stamp_ns: int
    frame_id: str
    silhouette: Silhouette | None
    keypoints: Keypoints | None
    parts: BodyParts | None
    joints: Joints | None
    body: Body | None
    joint_angles: JointAngles | None
    bones: Bones | None
    exercise: ExerciseUpdate
    stage_ms: dict[str, float]
    """Wall time of each stage [ms], for benchmarks and diagnostics; not part of the content."""


@dataclass(frozen=True, eq=False)
class LabelFindings:
    """What the way to the label gave for one frame."""

    silhouette: Silhouette | None
    joints: Joints | None
    exercise: ExerciseUpdate
    stage_ms: dict[str, float]


@dataclass(frozen=True, eq=False)
class BodyFindings:
    """What follows from the person's silhouette and joints."""

    keypoints: Keypoints | None
    parts: BodyParts | None
    body: Body | None
    joint_angles: JointAngles | None
    bones: Bones | None
    stage_ms: dict[str, float]


class LabelStages:
    """The way to the label: silhouette, joints, exercise."""

    def __init__(self, settings: PipelineSettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Some weights cannot be used.
        """
        self.silhouette = SilhouetteSegmenter(settings.silhouette)
        self.joints = JointPredictor(settings.joints)
        self.exercise = ExerciseRecogniser(settings.exercise)

    def reset(self) -> None:
        """Forget everything that was learnt from earlier frames."""
        for stage in (self.silhouette, self.joints, self.exercise):
            stage.reset()

    def process(self, frame: RgbdFrame) -> LabelFindings:
        """Run the stages on a frame."""
        watch = _Stopwatch()
        silhouette = watch.measure("silhouette", self.silhouette.segment, frame)
        joints = None
        # Whoever comes after an empty view may be elsewhere: the stage forgets the posture, as its node does.
        if silhouette is None:
            self.joints.reset()
        else:
            joints = watch.measure("joints", self.joints.predict, silhouette)
        exercise = watch.measure("exercise", self.exercise.recognize, frame.stamp_ns, frame.frame_id, joints)
        return LabelFindings(silhouette, joints, exercise, watch.elapsed_ms)


class BodyStages:
    """What is measured on the person: keypoints, parts, body, angles and bones."""

    def __init__(self, settings: PipelineSettings) -> None:
        """Build the stages.

        Raises:
            ModelFileError: Some weights or the body model cannot be used.
        """
        self.keypoints = KeypointDetector(settings.keypoints)
        self.parts = PartLabeller(settings.parts)
        self.body = BodyFitter(settings.body)
        self.biomechanics = AngleSolver(settings.biomechanics)
        self.anatomy = BoneInferrer(settings.anatomy)

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.body.warm_up()
        self.biomechanics.warm_up()

    def reset(self) -> None:
        """Forget everything that was learnt from earlier frames."""
        for stage in (self.keypoints, self.parts, self.body, self.biomechanics, self.anatomy):
            stage.reset()

    def process(self, silhouette: Silhouette | None, joints: Joints | None) -> BodyFindings:
        """Run the stages on a person; None and None where nobody is there."""
        watch = _Stopwatch()
        keypoints = parts = body = joint_angles = bones = None
        # As in the other half: whoever comes after an empty view may be elsewhere.
        if silhouette is None or joints is None:
            self.body.process(None)
        else:
            body = watch.measure("body", self.body.fit, joints, silhouette)
            keypoints = watch.measure("keypoints", self.keypoints.detect, silhouette)
            parts = watch.measure("parts", self.parts.label, silhouette, joints)
        if body is None:
            self.biomechanics.reset()
            self.anatomy.reset()
        else:
            joint_angles = watch.measure("biomechanics", self.biomechanics.solve, body)
            bones = watch.measure("anatomy", self.anatomy.infer, body)
        return BodyFindings(keypoints, parts, body, joint_angles, bones, watch.elapsed_ms)


class Pipeline:
    """Runs every stage on each frame, one after the other."""

    def __init__(self, settings: PipelineSettings | None = None) -> None:
        """Build all stages.

        Raises:
            ModelFileError: Some weights or the body model cannot be used.
        """
        settings = settings or PipelineSettings()
        self.label_stages = LabelStages(settings)
        self.body_stages = BodyStages(settings)

    @property
    def model(self) -> BodyModel:
        """The body model that is fitted."""
        return self.body_stages.body.model

    @property
    def model_ids(self) -> dict[str, str]:
        """Which weights each stage uses, by stage."""
        return {
            "silhouette": self.label_stages.silhouette.model_id,
            "joints": self.label_stages.joints.model_id,
            "body": self.model.model_id,
            "exercise": self.label_stages.exercise.model_id,
        }

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.body_stages.warm_up()

    def reset(self) -> None:
        """Forget everything that was learnt from earlier frames (time jumped back, another recording)."""
        self.label_stages.reset()
        self.body_stages.reset()

    def process(self, frame: RgbdFrame) -> PipelineResult:
        """Run all stages on a frame."""
        label = self.label_stages.process(frame)
        person = self.body_stages.process(label.silhouette, label.joints)
        return PipelineResult(
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            silhouette=label.silhouette,
            keypoints=person.keypoints,
            parts=person.parts,
            joints=label.joints,
            body=person.body,
            joint_angles=person.joint_angles,
            bones=person.bones,
            exercise=label.exercise,
            stage_ms=label.stage_ms | person.stage_ms,
        )


class _Stopwatch:
    def __init__(self) -> None:
        self.elapsed_ms: dict[str, float] = {}

    def measure(self, name: str, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        start = time.perf_counter()
        result = work(*arguments, **named)
        self.elapsed_ms[name] = (time.perf_counter() - start) * 1e3
        return result

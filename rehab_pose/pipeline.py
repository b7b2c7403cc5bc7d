"""All stages in order, without ROS: offline runs, the composed node, system tests and the README's example.

capture -> silhouette -> keypoints + joints -> parts -> body -> biomechanics + anatomy -> exercise
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from rehab_pose.anatomy.settings import AnatomySettings
from rehab_pose.anatomy.skeleton import BoneInferrer
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import SettingsError
from rehab_pose.exercise.recognizer import ExerciseRecognizer
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

__all__ = ["Pipeline", "PipelineResult", "PipelineSettings"]

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
    anatomy: AnatomySettings = field(default_factory=AnatomySettings)
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


class Pipeline:
    """Runs every stage on each frame."""

    def __init__(self, settings: PipelineSettings | None = None) -> None:
        """Build all stages.

        Raises:
            ModelFileError: Some weights or the body model cannot be used.
        """
        settings = settings or PipelineSettings()
        self.silhouette = SilhouetteSegmenter(settings.silhouette)
        self.keypoints = KeypointDetector(settings.keypoints)
        self.parts = PartLabeller(settings.parts)
        self.joints = JointPredictor(settings.joints)
        self.body = BodyFitter(settings.body)
        self.biomechanics = AngleSolver(settings.biomechanics)
        self.anatomy = BoneInferrer(settings.anatomy)
        self.exercise = ExerciseRecognizer(settings.exercise)

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        self.body.warm_up()
        self.biomechanics.warm_up()

    def reset(self) -> None:
        """Forget everything that was learnt from earlier frames (time jumped back, another recording)."""
        for stage in (
            self.silhouette,
            self.keypoints,
            self.parts,
            self.joints,
            self.body,
            self.biomechanics,
            self.anatomy,
            self.exercise,
        ):
            stage.reset()

    def process(self, frame: RgbdFrame) -> PipelineResult:
        """Run all stages on a frame."""
        watch = _Stopwatch()
        silhouette = watch.measure("silhouette", self.silhouette.segment, frame)
        keypoints = parts = joints = body = joint_angles = bones = None
        # Whoever comes after an empty view may be elsewhere: each stage forgets the posture, as its node does.
        if silhouette is None:
            self.joints.reset()
            self.body.lose()
        else:
            keypoints = watch.measure("keypoints", self.keypoints.detect, silhouette)
            joints = watch.measure("joints", self.joints.predict, silhouette)
            parts = watch.measure("parts", self.parts.label, silhouette, joints)
            body = watch.measure("body", self.body.fit, joints, silhouette)
        if body is None:
            self.biomechanics.reset()
            self.anatomy.reset()
        else:
            joint_angles = watch.measure("biomechanics", self.biomechanics.solve, body)
            bones = watch.measure("anatomy", self.anatomy.infer, body)
        exercise = watch.measure("exercise", self.exercise.recognize, frame.stamp_ns, frame.frame_id, joints)
        return PipelineResult(
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            silhouette=silhouette,
            keypoints=keypoints,
            parts=parts,
            joints=joints,
            body=body,
            joint_angles=joint_angles,
            bones=bones,
            exercise=exercise,
            stage_ms=watch.elapsed_ms,
        )


class _Stopwatch:
    def __init__(self) -> None:
        self.elapsed_ms: dict[str, float] = {}

    def measure(self, name: str, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        start = time.perf_counter()
        result = work(*arguments, **named)
        self.elapsed_ms[name] = (time.perf_counter() - start) * 1e3
        return result

"""The pipeline on the simulated person."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import SettingsError
from rehab_pose.joints.settings import JointSettings
from rehab_pose.pipeline import Pipeline, PipelineResult, PipelineSettings
from rehab_pose.results.summary import frame_summary
from rehab_pose.stage_groups import PoseStages
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

STRIDE = 2
"""Every second frame of the camera is processed, which is sufficient for all stages and takes half the time."""


def process(exercise: str, seconds: float) -> list[tuple[PipelineResult, str]]:
    camera, pipeline = SimulatedCamera(SimulationSettings(exercise=exercise)), Pipeline()
    frames = [camera.frame(index) for index in range(0, int(seconds * 30), STRIDE)]
    return [(pipeline.process(simulated.frame), simulated.truth.label) for simulated in frames]


@pytest.mark.slow
def test_a_squat_is_recognised_counted_and_measured() -> None:
    results = process("squat", 9.0)
    labels = [result.exercise.classification.label for result, _ in results]
    doing = [index for index, (_, truth) in enumerate(results) if truth == "squat"]
    late = [labels[index] for index in doing if index > doing[0] + 3 * 30 / STRIDE]
    assert late.count("squat") > 0.9 * len(late)
    assert "squat" not in labels[: doing[0]]
    repetitions = [result.exercise.repetition for result, _ in results if result.exercise.repetition is not None]
    assert [repetition.count for repetition in repetitions] == list(range(1, len(repetitions) + 1))
    assert len(repetitions) >= 2
    last = results[-1][0]
    assert last.body is not None
    assert last.joint_angles is not None
    assert last.bones is not None
    assert last.body.residual_m < 0.05
    assert np.isfinite(last.joint_angles.angles_rad).mean() > 0.9


def test_the_same_frames_give_the_same_results() -> None:
    first, second = process("arm_lifting", 2.0), process("arm_lifting", 2.0)
    for (one, _), (two, _) in zip(first, second, strict=True):
        assert json.dumps(frame_summary(one)) == json.dumps(frame_summary(two))


def test_without_a_person_the_pose_is_reset_and_later_the_shape() -> None:
    camera, pipeline = SimulatedCamera(SimulationSettings(exercise="squat", shape_seed=4)), Pipeline()
    for index in range(0, 20, STRIDE):
        assert pipeline.process(camera.frame(index).frame).body is not None
    frame = camera.frame(20).frame
    empty = pipeline.process(replace(frame, depth_m=np.full(frame.depth_m.shape, np.nan, np.float32)))
    assert empty.silhouette is None
    assert empty.joints is None
    assert empty.body is None
    assert empty.joint_angles is None
    assert empty.exercise.classification.label == "none"
    for minutes, shape_is_kept in ((0, True), (5, False)):
        later = camera.frame(22).frame
        back = pipeline.process(replace(later, stamp_ns=later.stamp_ns + minutes * 60_000_000_000))
        assert back.joints is not None
        assert back.body is not None
        new_fit = PoseStages(JointSettings(), BodySettings()).process(back.silhouette, back.image_joints).body
        assert new_fit is not None
        # A gap in time does not reset the filter of the depth network's joints: the values are nearly equal.
        same = np.allclose(back.body.parameters.betas, new_fit.parameters.betas, atol=1e-3)
        assert same != shape_is_kept, "the shape is kept for a person who returns at once, and estimated again later"


def test_settings_are_passed_to_their_stage_and_unknown_ones_are_refused() -> None:
    settings = PipelineSettings.from_mapping({"joints": {"method": "paper"}})
    assert settings.joints.method == "paper"
    with pytest.raises(SettingsError, match="a section 'joint'"):
        PipelineSettings.from_mapping({"joint": {}})
    with pytest.raises(SettingsError, match="did you mean method"):
        PipelineSettings.from_mapping({"joints": {"metod": "paper"}})

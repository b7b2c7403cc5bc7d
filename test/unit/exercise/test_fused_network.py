"""FusedNetwork and the recogniser with all streams: without other streams the answer is exactly that of the joints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.datatypes import Joints
from rehab_pose.errors import ModelFileError
from rehab_pose.exercise import fused_network
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import FUSED_STREAMS, OTHER_STREAMS, VERTEX_COUNT, Findings
from rehab_pose.exercise.fused_network import CORRECTION_LIMIT, SHIPPED_WEIGHTS, FusedNetwork, corrected_probabilities
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import FEATURE_JOINTS, WINDOW_SAMPLES
from rehab_pose.pipeline import Pipeline, PipelineSettings
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.pipeline import PipelineResult

Film = Callable[..., list[Joints]]
MAX_BYTES = 5_000_000
FUSED = ExerciseSettings(streams="fused")
UP = np.array([[0.0, -1.0, 0.0]])


@pytest.fixture(scope="module")
def network() -> FusedNetwork:
    return FusedNetwork()


@pytest.fixture(scope="module")
def results() -> list[PipelineResult]:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", rate_hz=10.0, gap_s=0.0, background_seed=3))
    pipeline = Pipeline(PipelineSettings(exercise=FUSED))
    return [pipeline.process(camera.frame(index).frame) for index in range(30)]


def random_window(seed: int) -> tuple[NDArray[np.float32], Findings]:
    random = np.random.default_rng(seed)
    positions_m = random.normal(0.0, 0.4, (1, WINDOW_SAMPLES, len(FEATURE_JOINTS), 3)).astype(np.float32)
    missing = Findings.missing(1, WINDOW_SAMPLES)
    arrays = {name: random.normal(50.0, 200.0, array.shape).astype(np.float32) for name, array in vars(missing).items()}
    return positions_m, Findings(**arrays)


def test_the_shipped_file_is_small_and_its_vertices_are_those_of_the_shipped_body(network: FusedNetwork) -> None:
    assert SHIPPED_WEIGHTS.stat().st_size <= MAX_BYTES
    model = load_body_model()
    assert model.model_id == network.body_model
    assert len(set(network.vertices.tolist())) == VERTEX_COUNT
    assert network.vertices.max() < len(model.v_template)


@pytest.mark.parametrize("seed", range(5))
def test_corrections_are_limited_and_zero_without_other_streams(network: FusedNetwork, seed: int) -> None:
    positions_m, findings = random_window(seed)
    found = network.corrections(positions_m, UP, findings)
    assert found.shape == (1, len(LABELS))
    assert (np.abs(found) <= CORRECTION_LIMIT).all()
    assert found.any()
    assert not network.corrections(positions_m, UP, findings.only([])).any()
    for stream in OTHER_STREAMS:
        assert network.corrections(positions_m, UP, findings.only([stream])).any(), stream


def test_a_correction_fades_with_the_part_of_the_window_that_is_covered(network: FusedNetwork) -> None:
    positions_m, findings = random_window(1)
    for array in vars(findings).values():
        array[:, 1:] = np.nan
    found = network.corrections(positions_m, UP, findings)
    assert (np.abs(found) <= CORRECTION_LIMIT / WINDOW_SAMPLES).all()


def test_the_probability_of_none_never_falls_and_without_a_correction_nothing_changes() -> None:
    random = np.random.default_rng(4)
    logits, corrections = random.normal(0.0, 3.0, (2, 500, len(LABELS)))
    of_joints = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    found = corrected_probabilities(logits, corrections)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0.0).all()
    assert (found[:, 0] >= of_joints[:, 0]).all()
    assert (found[:, 0] > of_joints[:, 0]).any()
    among = (logits + corrections)[:, 1:]
    np.testing.assert_array_equal(found[:, 1:].argmax(axis=1), among.argmax(axis=1))
    np.testing.assert_array_equal(corrected_probabilities(logits, 0.0 * corrections), of_joints)


def test_all_streams_masked_give_the_answer_of_the_joints_alone(make_film: Film) -> None:
    film = make_film("squat", 2)
    alone, fused = ExerciseRecogniser(), ExerciseRecogniser(FUSED)
    for joints in film:
        expected = alone.recognise(joints.stamp_ns, joints.frame_id, joints).classification
        found = fused.recognise(joints.stamp_ns, joints.frame_id, joints).classification
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert found.label == expected.label
        assert found.out_of_distribution == expected.out_of_distribution
    assert alone.findings is None
    assert fused.model_id.startswith(f"{alone.model_id}+exercise_fused-")


def test_late_streams_do_not_delay_the_label_and_are_used_when_they_come(results: list[PipelineResult]) -> None:
    delay = 5
    late, alone = ExerciseRecogniser(FUSED), ExerciseRecogniser()
    assert late.findings is not None
    differs = []
    for index, result in enumerate(results):
        found = late.recognise(result.stamp_ns, result.frame_id, result.joints).classification
        expected = alone.recognise(result.stamp_ns, result.frame_id, result.joints).classification
        assert found.stamp_ns == result.stamp_ns
        differs.append(not np.array_equal(found.probabilities, expected.probabilities))
        if index >= delay:
            earlier = results[index - delay]
            late.findings.add_frame(earlier.stamp_ns, earlier.keypoints, earlier.parts, earlier.body)
    assert not any(differs[: delay + 1])
    assert any(differs)
    assert not late.findings.dropped


def test_another_person_begins_without_findings(results: list[PipelineResult]) -> None:
    recogniser = ExerciseRecogniser(FUSED)
    findings = recogniser.findings
    assert findings is not None
    times_ns = np.array([result.stamp_ns for result in results])
    joints = JointHistory(16.0)
    for result in results:
        joints.append(result.stamp_ns, result.joints)
        findings.add_frame(result.stamp_ns, result.keypoints, result.parts, result.body)
    assert np.isfinite(findings.window(times_ns, joints).rotations_rad).all()
    recogniser.reset()
    assert np.isnan(findings.window(times_ns, joints).rotations_rad).all()


def test_the_pipeline_says_the_label_with_all_streams(results: list[PipelineResult]) -> None:
    assert results[-1].exercise.classification.label == "squat"
    assert "+exercise_fused-" in results[-1].exercise.classification.model_id


def test_the_setting_can_change_while_the_stage_runs(results: list[PipelineResult]) -> None:
    recogniser = ExerciseRecogniser()
    for index, result in enumerate(results):
        if index == 25:
            label = recogniser.recognise(result.stamp_ns, result.frame_id, result.joints).classification.label
            recogniser.change_settings(FUSED)
            assert recogniser.findings is not None
            continue
        update = recogniser.recognise(result.stamp_ns, result.frame_id, result.joints)
    assert label == update.classification.label == "squat"
    recogniser.change_settings(ExerciseSettings())
    assert recogniser.findings is None


def test_weights_of_other_labels_or_streams_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelFileError, match="expected labels = none,jump"):
        FusedNetwork(labels=("none", "jump"))
    with pytest.raises(ModelFileError, match="expected a file"):
        ExerciseRecogniser(ExerciseSettings(streams="fused", fused_weights_path=str(tmp_path / "none.onnx")))
    monkeypatch.setattr(fused_network, "FUSED_STREAMS", FUSED_STREAMS[:2])
    with pytest.raises(ModelFileError, match="rehab-pose-lab train fused"):
        ExerciseRecogniser(FUSED)

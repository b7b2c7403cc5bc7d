"""BodyFitter: known truth, rigid motion, mirror image, missing joints, calibration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters, Joints
from rehab_pose.errors import ContractError
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.training.random_poses import PoseSampler

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = load_body_model()
FRAME_NS = 33_333_333
NOISE_M = 0.01
FACING_CAMERA = np.diag([1.0, -1.0, -1.0])
"""(3, 3) from the model's axes (y up, z forward) to the optical frame of a camera in front of it."""
SLOW = BodySettings(tolerance=1e-13, cold_iterations=200)
"""Settings with which the fit reaches the minimum to rounding."""
PLAIN = BodySettings(with_vertices=False)


def as_joints(positions_m: NDArray[np.float64], index: int = 0) -> Joints:
    return Joints(
        stamp_ns=index * FRAME_NS,
        frame_id="camera",
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=np.ones(24),
        sigma_m=np.full(24, NOISE_M * np.sqrt(3.0)),
        visibility=np.ones(24, np.uint8),
    )


def random_body(random: np.random.Generator) -> NDArray[np.float64]:
    """Return true joints (24, 3) [m] of a random person 2.5 m in front of the camera, with a random heading."""
    rotations = PoseSampler(random).sample().rotations_rad.copy()
    heading = matrices_from_axis_angles(np.array([0.0, random.uniform(-np.pi, np.pi), 0.0]))
    rotations[0] = axis_angles_from_matrices(FACING_CAMERA @ heading @ matrices_from_axis_angles(rotations[0]))
    parameters = BodyParameters(random.normal(size=10), rotations, np.array([0.1, 0.0, 2.5]))
    return pose_joints(MODEL, parameters)[0]


def test_fits_in_closed_form_start_are_nearer_to_the_truth_than_the_measurement() -> None:
    random = np.random.default_rng(1)
    fitter = BodyFitter(BodySettings(with_vertices=False))
    errors = []
    for _ in range(300):
        truth = random_body(random)
        fitter.reset()
        body = fitter.fit(as_joints(truth + random.normal(0.0, NOISE_M, truth.shape)))
        assert body is not None
        errors.append(np.linalg.norm(body.joint_positions_m - truth, axis=1).mean())
    assert max(errors) < 0.030
    assert np.mean(errors) < 0.0125


def test_exact_joints_are_met_within_two_millimetres() -> None:
    truth = random_body(np.random.default_rng(6))
    loose = dataclasses.replace(SLOW, pose_weight=1e-3, shape_sigma=10.0)
    body = BodyFitter(loose).fit(as_joints(truth))
    assert body is not None
    assert body.converged
    assert body.residual_m < 0.002


def test_knees_and_elbows_are_not_hyperextended() -> None:
    random = np.random.default_rng(9)
    fitter = BodyFitter(BodySettings(with_vertices=False))
    for _ in range(50):
        fitter.reset()
        truth = random_body(random)
        body = fitter.fit(as_joints(truth + random.normal(0.0, NOISE_M, truth.shape)))
        assert body is not None
        bends = body.parameters.rotations_rad
        assert bends[[4, 5], 0].min() > -0.2
        assert bends[18, 1] < 0.2
        assert bends[19, 1] > -0.2


def test_a_rigid_motion_of_the_joints_moves_the_body_by_the_same_motion() -> None:
    truth = random_body(np.random.default_rng(2))
    rotation, shift = matrices_from_axis_angles(np.array([0.2, 0.5, -0.3])), np.array([0.3, -0.2, 0.4])
    first = BodyFitter(SLOW).fit(as_joints(truth))
    second = BodyFitter(SLOW).fit(as_joints(truth @ rotation.T + shift))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(second.vertices_m, first.vertices_m @ rotation.T + shift, atol=2e-4)


def test_the_mirror_image_of_the_joints_gives_the_mirrored_body() -> None:
    truth = random_body(np.random.default_rng(3))
    first = BodyFitter(SLOW).fit(as_joints(truth))
    mirrored = (truth * np.array([-1.0, 1.0, 1.0]))[SMPL_24.mirror]
    second = BodyFitter(SLOW).fit(as_joints(mirrored))
    assert first is not None
    assert second is not None
    expected = (first.joint_positions_m * np.array([-1.0, 1.0, 1.0]))[SMPL_24.mirror]
    np.testing.assert_allclose(second.joint_positions_m, expected, atol=3e-3)


def test_missing_joints_are_bridged_and_too_few_give_no_body() -> None:
    truth = random_body(np.random.default_rng(4))
    fitter = BodyFitter(BodySettings(with_vertices=False))
    for index in range(10):
        assert fitter.fit(as_joints(truth, index)) is not None
    partial = truth.copy()
    partial[[SMPL_24.index("left_elbow"), SMPL_24.index("right_knee")]] = np.nan
    body = fitter.fit(as_joints(partial, 11))
    assert body is not None
    assert np.linalg.norm(body.joint_positions_m - truth, axis=1).max() < 0.06
    partial[:19] = np.nan
    assert fitter.fit(as_joints(partial, 12)) is None


@pytest.mark.parametrize("kept", [range(6), range(18, 24), (4, 5, 7, 8, 10, 11)])
def test_a_few_joints_give_a_finite_body(kept: tuple[int, ...]) -> None:
    truth = random_body(np.random.default_rng(7))
    few = np.full((24, 3), np.nan)
    few[list(kept)] = truth[list(kept)]
    body = BodyFitter().fit(as_joints(few))
    assert body is not None
    assert np.isfinite(body.vertices_m).all()


def test_joints_of_zero_confidence_are_treated_as_missing() -> None:
    truth = random_body(np.random.default_rng(8))
    joints = as_joints(truth)
    wrong = truth.copy()
    wrong[SMPL_24.index("left_wrist")] += 5.0
    confidence = np.ones(24)
    confidence[SMPL_24.index("left_wrist")] = 0.0
    body = BodyFitter(SLOW).fit(dataclasses.replace(joints, positions_m=wrong, confidence=confidence))
    assert body is not None
    assert np.linalg.norm(body.joint_positions_m[0] - truth[0]) < 0.03


def test_the_shape_is_fixed_after_the_first_frames_and_forgotten_on_reset() -> None:
    random = np.random.default_rng(5)
    truth = random_body(random)
    fitter = BodyFitter(BodySettings(with_vertices=False, shape_frames=5))
    betas = []
    for index in range(8):
        body = fitter.fit(as_joints(truth + random.normal(0.0, NOISE_M, truth.shape), index))
        assert body is not None
        betas.append(body.parameters.betas)
    np.testing.assert_array_equal(betas[5], betas[7])
    assert not np.array_equal(betas[0], betas[1])
    fitter.reset()
    again = fitter.fit(as_joints(truth))
    assert again is not None
    assert not np.array_equal(again.parameters.betas, betas[7])


def test_without_vertices_the_mesh_is_empty() -> None:
    truth = random_body(np.random.default_rng(5))
    body = BodyFitter(BodySettings(with_vertices=False)).fit(as_joints(truth))
    assert body is not None
    assert body.vertices_m.shape == (0, 3)


def test_another_skeleton_raises_an_error_with_its_name() -> None:
    ones = (np.ones(25), np.ones(25))
    joints = Joints(0, "camera", KINECT_25, np.zeros((25, 3)), *ones, np.ones(25, np.uint8))
    with pytest.raises(ContractError, match="KINECT_25"):
        BodyFitter().fit(joints)


def test_the_joints_sigma_matches_their_true_errors() -> None:
    random = np.random.default_rng(12)
    fitter, squares, near, far = BodyFitter(PLAIN), [], [], []
    for _ in range(40):
        truth = random_body(random)
        fitter.reset()
        body = fitter.fit(as_joints(truth + random.normal(0.0, NOISE_M, truth.shape)))
        assert body is not None
        distance_m = np.linalg.norm(body.joint_positions_m - truth, axis=1)
        squares.append((distance_m / body.joint_sigma_m) ** 2)
        near.append(body.joint_sigma_m[SMPL_24.index("spine2")])
        far.append(body.joint_sigma_m[SMPL_24.index("left_hand")])
    assert 0.7 < np.mean(squares) < 1.5
    assert np.mean(far) > 1.2 * np.mean(near)


def test_a_missing_joint_has_a_larger_sigma() -> None:
    random = np.random.default_rng(13)
    truth = random_body(random)
    wrist = SMPL_24.index("left_wrist")
    complete = BodyFitter(PLAIN).fit(as_joints(truth))
    without = truth.copy()
    without[[wrist, SMPL_24.index("left_hand")]] = np.nan
    missing_wrist = BodyFitter(PLAIN).fit(as_joints(without))
    assert complete is not None
    assert missing_wrist is not None
    assert missing_wrist.joint_sigma_m[wrist] > 3.0 * complete.joint_sigma_m[wrist]

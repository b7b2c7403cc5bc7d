"""BodyFitter: derivatives, known truth, rigid motion, mirror, missing joints."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.objective import MOVING_JOINTS, SHAPE_START, cost, forward, joint_jacobian, normal_equations
from rehab_pose.body.priors import HINGES
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters, Joints
from rehab_pose.errors import ContractError
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.training.postures import PostureSampler

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = load_body_model()
FRAME_NS = 33_333_333
NOISE_M = 0.01
FACING_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Turns the model's y up, z forward into the optical frame of a camera that looks at its front."""
SLOW = BodySettings(tolerance=1e-13, cold_iterations=200)
"""Settings that go to the very minimum."""
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
    """Return true joints (24, 3) of a random person 2.5 m before the camera, turned anywhere."""
    rotations = PostureSampler(random).sample().rotations_rad.copy()
    heading = matrices_from_axis_angles(np.array([0.0, random.uniform(-np.pi, np.pi), 0.0]))
    rotations[0] = axis_angles_from_matrices(FACING_CAMERA @ heading @ matrices_from_axis_angles(rotations[0]))
    parameters = BodyParameters(random.normal(size=10), rotations, np.array([0.1, 0.0, 2.5]))
    return pose_joints(MODEL, parameters)[0]


@dataclasses.dataclass(frozen=True)
class Problem:
    """A random instance of the objective."""

    unknowns: NDArray[np.float64]
    base: NDArray[np.float64]

    def pose(self, unknowns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        positions, rotations = np.empty((24, 3)), np.empty((24, 3, 3))
        rest = MODEL.joints(unknowns[SHAPE_START:])
        forward(unknowns, self.base, rest, positions, rotations)
        return positions, rotations

    def jacobian(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        size = len(self.unknowns)
        columns, blocks = np.empty((24, size), dtype=np.int64), np.empty((24, 3, size))
        shapedirs = np.ascontiguousarray(MODEL.joint_shapedirs)
        axes, derivatives = np.empty((24, 3, 3)), np.empty((24, 3, shapedirs.shape[2]))
        joint_jacobian(self.unknowns, *self.pose(self.unknowns), shapedirs, axes, derivatives, columns, blocks)
        return columns, blocks


def problem(seed: int) -> Problem:
    random = np.random.default_rng(seed)
    base = matrices_from_axis_angles(random.normal(size=3))
    return Problem(random.normal(0.0, 0.6, SHAPE_START + 10), base)


def test_the_jacobian_is_the_derivative_of_the_joints() -> None:
    instance = problem(0)
    columns, blocks = instance.jacobian()
    dense = np.zeros((24, 3, len(instance.unknowns)))
    for joint in range(24):
        for place, column in enumerate(columns[joint]):
            if column >= 0:
                dense[joint, :, column] = blocks[joint, :, place]
    step = 1e-6
    numeric = np.stack(
        [
            (instance.pose(instance.unknowns + step * unit)[0] - instance.pose(instance.unknowns - step * unit)[0])
            / (2.0 * step)
            for unit in np.eye(len(instance.unknowns))
        ],
        axis=-1,
    )
    np.testing.assert_allclose(dense, numeric, atol=1e-6 * np.abs(numeric).max())
    assert np.abs(dense[:, :, 3:]).max() > 0.1


def test_the_gradient_is_the_derivative_of_the_cost() -> None:
    instance, random = problem(1), np.random.default_rng(2)
    size = len(instance.unknowns)
    target, weight = random.normal(size=(24, 3)), random.uniform(1.0, 3.0, 24)
    weight[3], target[3] = 0.0, np.nan
    centre, precision = random.normal(size=size), random.uniform(0.1, 2.0, size)
    hinge = np.pad(0.01 * HINGES, (0, 10))
    terms = (target, weight, centre, precision, hinge)
    hessian, gradient = np.empty((size, size)), np.empty(size)
    positions, _ = instance.pose(instance.unknowns)
    normal_equations(instance.unknowns, positions, *terms, *instance.jacobian(), hessian, gradient)

    def value(unknowns: NDArray[np.float64]) -> float:
        return float(cost(unknowns, instance.pose(unknowns)[0], *terms))

    step = 1e-6
    numeric = [
        (value(instance.unknowns + step * unit) - value(instance.unknowns - step * unit)) / (4.0 * step)
        for unit in np.eye(size)
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6 * np.abs(gradient).max())


def test_only_the_ends_of_the_skeleton_keep_still() -> None:
    ends = {SMPL_24.joint_names[j] for j in range(24)} - {SMPL_24.joint_names[j] for j in MOVING_JOINTS} - {"pelvis"}
    assert ends == {"left_foot", "right_foot", "head", "left_hand", "right_hand"}


def test_cold_starts_find_the_person_and_beat_the_noise() -> None:
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


def test_a_perfect_measurement_is_reached() -> None:
    truth = random_body(np.random.default_rng(6))
    loose = dataclasses.replace(SLOW, pose_weight=1e-3, shape_sigma=10.0)
    body = BodyFitter(loose).fit(as_joints(truth))
    assert body is not None
    assert body.converged
    assert body.residual_m < 0.002


def test_knees_and_elbows_bend_forwards_only() -> None:
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


def test_a_rigid_motion_of_the_joints_moves_the_body_rigidly() -> None:
    truth = random_body(np.random.default_rng(2))
    turn, shift = matrices_from_axis_angles(np.array([0.2, 0.5, -0.3])), np.array([0.3, -0.2, 0.4])
    first = BodyFitter(SLOW).fit(as_joints(truth))
    second = BodyFitter(SLOW).fit(as_joints(truth @ turn.T + shift))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(second.vertices_m, first.vertices_m @ turn.T + shift, atol=2e-4)


def test_the_mirror_image_gives_the_mirrored_joints() -> None:
    truth = random_body(np.random.default_rng(3))
    first = BodyFitter(SLOW).fit(as_joints(truth))
    mirrored = (truth * np.array([-1.0, 1.0, 1.0]))[SMPL_24.mirror]
    second = BodyFitter(SLOW).fit(as_joints(mirrored))
    assert first is not None
    assert second is not None
    expected = (first.joint_positions_m * np.array([-1.0, 1.0, 1.0]))[SMPL_24.mirror]
    np.testing.assert_allclose(second.joint_positions_m, expected, atol=3e-3)


def test_missing_joints_are_bridged_and_too_few_give_nobody() -> None:
    truth = random_body(np.random.default_rng(4))
    fitter = BodyFitter(BodySettings(with_vertices=False))
    for index in range(10):
        assert fitter.fit(as_joints(truth, index)) is not None
    holed = truth.copy()
    holed[[SMPL_24.index("left_elbow"), SMPL_24.index("right_knee")]] = np.nan
    body = fitter.fit(as_joints(holed, 11))
    assert body is not None
    assert np.linalg.norm(body.joint_positions_m - truth, axis=1).max() < 0.06
    holed[:19] = np.nan
    assert fitter.fit(as_joints(holed, 12)) is None


@pytest.mark.parametrize("kept", [range(6), range(18, 24), (4, 5, 7, 8, 10, 11)])
def test_a_few_joints_give_a_finite_body(kept: tuple[int, ...]) -> None:
    truth = random_body(np.random.default_rng(7))
    few = np.full((24, 3), np.nan)
    few[list(kept)] = truth[list(kept)]
    body = BodyFitter().fit(as_joints(few))
    assert body is not None
    assert np.isfinite(body.vertices_m).all()


def test_joints_of_zero_confidence_count_as_missing() -> None:
    truth = random_body(np.random.default_rng(8))
    joints = as_joints(truth)
    wrong = truth.copy()
    wrong[SMPL_24.index("left_wrist")] += 5.0
    confidence = np.ones(24)
    confidence[SMPL_24.index("left_wrist")] = 0.0
    body = BodyFitter(SLOW).fit(dataclasses.replace(joints, positions_m=wrong, confidence=confidence))
    assert body is not None
    assert np.linalg.norm(body.joint_positions_m[0] - truth[0]) < 0.03


def test_shape_is_frozen_after_the_first_frames_and_forgotten_on_reset() -> None:
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


def test_the_mesh_is_left_out_where_it_is_not_wanted() -> None:
    truth = random_body(np.random.default_rng(5))
    body = BodyFitter(BodySettings(with_vertices=False)).fit(as_joints(truth))
    assert body is not None
    assert body.vertices_m.shape == (0, 3)


def test_another_skeleton_is_refused() -> None:
    ones = (np.ones(25), np.ones(25))
    joints = Joints(0, "camera", KINECT_25, np.zeros((25, 3)), *ones, np.ones(25, np.uint8))
    with pytest.raises(ContractError, match="KINECT_25"):
        BodyFitter().fit(joints)


def test_the_joints_sigma_tells_how_far_off_they_are() -> None:
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


def test_a_joint_that_was_not_seen_is_less_certain() -> None:
    random = np.random.default_rng(13)
    truth = random_body(random)
    wrist = SMPL_24.index("left_wrist")
    seen = BodyFitter(PLAIN).fit(as_joints(truth))
    without = truth.copy()
    without[[wrist, SMPL_24.index("left_hand")]] = np.nan
    unseen = BodyFitter(PLAIN).fit(as_joints(without))
    assert seen is not None
    assert unseen is not None
    assert unseen.joint_sigma_m[wrist] > 3.0 * seen.joint_sigma_m[wrist]

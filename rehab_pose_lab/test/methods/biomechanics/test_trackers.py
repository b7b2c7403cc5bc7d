"""The online and the offline solver on sequences with known rotations, and their parts."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.kinematics import forward, logarithm
from rehab_pose.biomechanics.orientation_problem import OrientationTargets
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose_lab.methods.biomechanics.banded import band_factor, band_inverse, band_solve
from rehab_pose_lab.methods.biomechanics.comparison import (
    mpjas_deg,
    observe_keypoints,
    observe_links,
    screw_angles_rad,
    smooth_keypoints,
    track_keypoints,
)
from rehab_pose_lab.methods.biomechanics.ik_sequences import IkSequence, ik_sequences
from rehab_pose_lab.methods.biomechanics.objective import objective
from rehab_pose_lab.methods.biomechanics.pose_steps import moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.biomechanics.observations import Observations
    from rehab_pose_lab.methods.biomechanics.preset import KinePosePreset
    from rehab_pose_lab.methods.biomechanics.tracker import TrackedPose

NOISE_M = 0.02


@pytest.fixture(scope="module")
def sequences(preset: KinePosePreset) -> dict[str, IkSequence]:
    return {sequence.name: sequence for sequence in ik_sequences(preset)}


def rotations(solutions: list[TrackedPose]) -> NDArray[np.float64]:
    return np.array([solution.rotations for solution in solutions])


def random_pose(preset: KinePosePreset, seed: int) -> Pose:
    random, chain = np.random.default_rng(seed), preset.chain
    angles = random.uniform(chain.lower_rad, chain.upper_rad)
    unknowns = np.concatenate([random.normal(size=3), np.zeros(3), angles])
    return Pose(unknowns, matrices_from_axis_angles(random.normal(size=3)))


def central_intervals_rad(
    angles_rad: NDArray[np.float64],
    sigma_rad: NDArray[np.float64],
    lower_rad: NDArray[np.float64],
    upper_rad: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the central 90 % intervals of Gaussians (..., n) truncated at the limits (n) [rad]."""
    normal = NormalDist()
    below, quantile = (np.vectorize(f, otypes=[np.float64]) for f in (normal.cdf, normal.inv_cdf))
    sigma = np.maximum(sigma_rad, 1e-9)
    first, last = below((lower_rad - angles_rad) / sigma), below((upper_rad - angles_rad) / sigma)
    ends = []
    for probability in (0.05, 0.95):
        place = np.clip(first + probability * (last - first), 1e-12, 1.0 - 1e-12)
        ends.append(np.clip(angles_rad + sigma * quantile(place), lower_rad, upper_rad))
    return ends[0], ends[1]


def cost_at(preset: KinePosePreset, observed: Observations, pose: Pose) -> tuple[float, NDArray[np.float64]]:
    arrays, size = preset.chain.arrays, len(pose.unknowns)
    joints = len(arrays.parents)
    positions, rotations_at = np.empty((joints, 3)), np.empty((joints, 3, 3))
    axes, gradient = np.empty((len(arrays.axes), 3)), np.zeros(size)
    forward(arrays, pose.unknowns, pose.base, positions, rotations_at, axes)
    hessian = np.zeros((size, size))
    cost = objective(arrays, observed, pose.base, positions, rotations_at, axes, hessian, gradient, True)
    return cost, gradient


@given(seed=st.integers(0, 10_000))
def test_the_gradient_matches_finite_differences_of_the_cost(preset: KinePosePreset, seed: int) -> None:
    random, pose = np.random.default_rng(seed), random_pose(preset, seed)
    keypoints = random.normal(0.0, 0.4, (1, 16, 3))
    points, links = observe_keypoints(preset, keypoints)[0], observe_links(preset, keypoints)[0]
    orientations = OrientationTargets(
        np.array([0, 5, 13]), matrices_from_axis_angles(random.normal(size=(3, 3))), np.ones(3)
    )
    for observed in (points._replace(point_offset_m=random.normal(0.0, 0.1, (16, 3))), links):
        _, gradient = cost_at(preset, observed, pose)
        step = np.zeros(len(gradient))
        for place in range(len(step)):
            step[:] = 0.0
            step[place] = 1e-6
            far, near = (cost_at(preset, observed, moved(pose, sign * step))[0] for sign in (1.0, -1.0))
            assert (far - near) / 2e-6 == pytest.approx(2.0 * gradient[place], abs=2e-4)
    # The Gauss-Newton gradient of orientations is exact: the logarithm's Jacobian maps its own vector to itself.
    observed = points._replace(point_weight=np.zeros(16), orientations=orientations)
    _, gradient = cost_at(preset, observed, pose)
    direction = random.normal(size=len(gradient))
    far, near = (cost_at(preset, observed, moved(pose, sign * 1e-6 * direction))[0] for sign in (1.0, -1.0))
    assert (far - near) / 2e-6 == pytest.approx(2.0 * float(gradient @ direction), rel=1e-3, abs=1e-3)


@given(vector=st.tuples(*[st.floats(-1.8, 1.8)] * 3))
def test_the_logarithm_is_the_inverse_of_the_exponential(vector: tuple[float, float, float]) -> None:
    rotation, out = matrices_from_axis_angles(np.array(vector)), np.empty(3)
    logarithm(np.eye(3), rotation, out)
    np.testing.assert_allclose(out, axis_angles_from_matrices(rotation), atol=1e-6)


def test_the_logarithm_of_a_half_turn_is_finite() -> None:
    for axis in np.eye(3):
        out = np.empty(3)
        logarithm(np.eye(3), matrices_from_axis_angles(np.pi * axis), out)
        np.testing.assert_allclose(np.abs(out), np.pi * axis, atol=1e-6)


def test_band_solution_and_inverse_agree_with_the_full_matrix() -> None:
    random, size, width = np.random.default_rng(3), 30, 5
    lower = np.tril(np.triu(random.normal(size=(size, size)), -width)) + 6.0 * np.eye(size)
    full = lower @ lower.T
    band = np.zeros((size, width + 1))
    for back in range(width + 1):
        band[back:, width - back] = np.diagonal(full, -back)
    factor, vector = band.copy(), random.normal(size=size)
    solution = vector.copy()
    assert band_factor(factor)
    band_solve(factor, solution)
    np.testing.assert_allclose(full @ solution, vector, atol=1e-10)
    np.testing.assert_allclose(band_inverse(factor)[:, width], np.diag(np.linalg.inv(full)), rtol=1e-9)


def test_both_solvers_recover_the_rotations(preset: KinePosePreset, sequences: dict[str, IkSequence]) -> None:
    for name, max_online, max_offline in (("b1_bent", 1.0, 0.75), ("b1_ext", 2.5, 0.75), ("c3_ext", 4.0, 1.5)):
        sequence = sequences[name]
        observed = observe_keypoints(preset, sequence.keypoints_m)
        online, offline = track_keypoints(preset, observed), smooth_keypoints(preset, observed)
        assert mpjas_deg(preset, rotations(online), sequence.rotations)[0] < max_online
        assert mpjas_deg(preset, rotations(offline), sequence.rotations)[0] < max_offline


def test_noisy_angles_are_smoothed_inside_the_limits_with_calibrated_sigma(
    preset: KinePosePreset, sequences: dict[str, IkSequence]
) -> None:
    sequence = sequences["b0_bent"]
    noise = np.random.default_rng(0).normal(0.0, NOISE_M, sequence.keypoints_m.shape)
    observed = observe_keypoints(preset, sequence.keypoints_m + noise)
    online, offline = track_keypoints(preset, observed), smooth_keypoints(preset, observed)
    for solutions, max_deg in ((online, 6.5), (offline, 4.0)):
        assert mpjas_deg(preset, rotations(solutions), sequence.rotations)[0] < max_deg
        angles = np.array([solution.pose.angles_rad for solution in solutions])
        assert ((angles >= preset.chain.lower_rad) & (angles <= preset.chain.upper_rad)).all()
        sigma = np.array([solution.sigma[ROOT_UNKNOWNS:] for solution in solutions])
        low, high = central_intervals_rad(angles, sigma, preset.chain.lower_rad, preset.chain.upper_rad)
        assert 0.8 < ((sequence.angles_rad >= low) & (sequence.angles_rad <= high)).mean() < 0.98


def test_missing_keypoints_are_interpolated(preset: KinePosePreset, sequences: dict[str, IkSequence]) -> None:
    sequence = sequences["b0_bent"]
    noisy = sequence.keypoints_m + np.random.default_rng(1).normal(0.0, NOISE_M, sequence.keypoints_m.shape)
    complete = track_keypoints(preset, observe_keypoints(preset, noisy))
    gaps = noisy.copy()
    gaps[10:20, [3, 11, 15]] = np.nan
    bridged = track_keypoints(preset, observe_keypoints(preset, gaps))
    complete_deg = mpjas_deg(preset, rotations(complete), sequence.rotations)[0]
    assert mpjas_deg(preset, rotations(bridged), sequence.rotations)[0] < 2.0 * complete_deg


def test_the_twist_of_a_straight_leg_keeps_a_large_sigma(preset: KinePosePreset) -> None:
    chain, sigma = preset.chain, {}
    twist = ROOT_UNKNOWNS + chain.angle_names.index("left_hip_y")
    for bend_deg in (60.0, 0.0):
        unknowns = np.zeros(ROOT_UNKNOWNS + len(chain.angle_names))
        unknowns[ROOT_UNKNOWNS + chain.angle_names.index("left_knee_y")] = np.deg2rad(bend_deg)
        positions, _ = joints_of(chain, Pose(unknowns, np.eye(3)))
        keypoints = positions[list(preset.keypoint_joints)]
        noise = np.random.default_rng(0).normal(0.0, 0.005, (60, 16, 3))
        solutions = track_keypoints(preset, observe_keypoints(preset, keypoints + noise))
        sigma[bend_deg] = np.array([solution.sigma[twist] for solution in solutions])
    # From the first frame to the last of two seconds: no information about the twist accumulates.
    assert (sigma[0.0] > 5.0 * sigma[60.0]).all()


def test_a_wrong_pose_is_replaced_when_the_misfit_spikes(
    preset: KinePosePreset, sequences: dict[str, IkSequence]
) -> None:
    sequence = sequences["b2_ext"]
    solutions = track_keypoints(preset, observe_keypoints(preset, sequence.keypoints_m))
    assert any(solution.restarted for solution in solutions[1:])
    assert mpjas_deg(preset, rotations(solutions), sequence.rotations)[0] < 3.0


def test_the_same_frames_give_the_same_poses(preset: KinePosePreset, sequences: dict[str, IkSequence]) -> None:
    observed = observe_keypoints(preset, sequences["a0_ext"].keypoints_m[:6])
    first, second = track_keypoints(preset, observed), track_keypoints(preset, observed)
    np.testing.assert_array_equal(rotations(first), rotations(second))


def test_screw_angles_are_exact_near_half_a_turn() -> None:
    rotated = matrices_from_axis_angles(np.array([[0.3, 0.0, 0.0], [0.0, np.pi - 1e-4, 0.0]]))
    np.testing.assert_allclose(screw_angles_rad(np.broadcast_to(np.eye(3), (2, 3, 3)), rotated), [0.3, np.pi - 1e-4])

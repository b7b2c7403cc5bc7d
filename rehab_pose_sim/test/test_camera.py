"""The simulated camera: ground truth agrees with the image, and frames are repeatable."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.exercises import EXERCISES
from rehab_pose_sim.settings import SimulationSettings

NAMES = tuple(EXERCISES)


def camera_of(exercise: str, **changes: float | str) -> SimulatedCamera:
    values = {"exercise": exercise, "noise": "none", "width_px": 320, "height_px": 240, "fx": 230.0, "fy": 230.0}
    return SimulatedCamera(SimulationSettings.from_mapping({**values, **changes}))


def middle_of_first_repetition(camera: SimulatedCamera, phase: float) -> int:
    samples = [camera.motion_at(index) for index in range(camera.length_frames)]
    phases = np.array([sample.phase if sample.repetitions == 0 else np.nan for sample in samples])
    return int(np.nanargmin(np.abs(phases - phase)))


def test_a_frame_does_not_depend_on_the_frames_requested_before() -> None:
    first, second = SimulatedCamera(), SimulatedCamera()
    first.frame(7)
    later, direct = first.frame(90).frame, second.frame(90).frame
    np.testing.assert_array_equal(later.depth_m, direct.depth_m)
    np.testing.assert_array_equal(later.color, direct.color)
    other = SimulatedCamera(SimulationSettings(seed=2)).frame(90)
    assert not np.array_equal(other.frame.depth_m, second.frame(90).frame.depth_m)


def test_stamps_follow_the_rate() -> None:
    camera = camera_of("squat", rate_hz=15.0, start_ns=10**18)
    assert camera.frame(0).frame.stamp_ns == 10**18
    assert camera.frame(30).frame.stamp_ns == 10**18 + 2 * 10**9


@pytest.mark.parametrize("exercise", NAMES)
@pytest.mark.parametrize("yaw_deg", [0.0, 30.0])
def test_joints_are_inside_the_silhouette_and_behind_its_surface(exercise: str, yaw_deg: float) -> None:
    camera = camera_of(exercise, yaw_deg=yaw_deg, shape_seed=3)
    for phase in (0.0, 0.25, 0.5):
        shot = camera.frame(middle_of_first_repetition(camera, phase))
        truth = shot.truth
        pixels = np.rint(camera.intrinsics.project(truth.joints_m)).astype(int)
        for name, (u, v), z in zip(SMPL_24.joint_names, pixels, truth.joints_m[:, 2], strict=True):
            around = truth.silhouette[v - 2 : v + 3, u - 2 : u + 3]
            assert around.any(), f"{name} of {exercise} at phase {phase} is outside"
            assert np.nanmin(truth.depth_m[v - 2 : v + 3, u - 2 : u + 3][around]) < z


def test_depth_without_noise_is_the_mesh_in_front_of_the_room() -> None:
    shot = camera_of("none").frame(0)
    truth, depth = shot.truth, shot.frame.depth_m
    person = depth[truth.silhouette]
    assert truth.vertices_m[:, 2].min() - 1e-4 <= person.min() <= person.max() <= truth.vertices_m[:, 2].max()
    points = shot.frame.intrinsics.back_project_image(depth).astype(np.float64)
    height = points @ truth.floor_plane[:3] + truth.floor_plane[3]
    bottom = np.zeros_like(truth.silhouette)
    bottom[-5:] = True
    np.testing.assert_allclose(height[bottom & ~truth.silhouette], 0.0, atol=1e-4)
    assert (truth.parts[truth.silhouette] > 0).all()
    assert (truth.parts[~truth.silhouette] == 0).all()
    assert shot.frame.color[truth.silhouette].std() > 10


def test_the_second_person_is_not_in_the_ground_truth_of_the_subject() -> None:
    single, together = camera_of("none").frame(3), camera_of("none", people=2).frame(3)
    np.testing.assert_array_equal(single.truth.silhouette, together.truth.silhouette)
    changed = (single.frame.color != together.frame.color).any(axis=-1)
    assert changed.sum() > 1000
    assert not (changed & together.truth.silhouette).any()


def test_the_true_rotations_agree_with_the_true_joint_positions() -> None:
    camera = camera_of("squat", yaw_deg=20.0)
    truth = camera.frame(middle_of_first_repetition(camera, 0.5)).truth
    rest = camera.model.joints(truth.parameters.betas)
    knee, ankle = SMPL_24.index("left_knee"), SMPL_24.index("left_ankle")
    bone = truth.joint_rotations[knee] @ (rest[ankle] - rest[knee])
    np.testing.assert_allclose(truth.joints_m[ankle] - truth.joints_m[knee], bone, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(truth.joint_rotations), 1.0)
    local = matrices_from_axis_angles(truth.parameters.rotations_rad)
    np.testing.assert_allclose(truth.joint_rotations[knee] @ local[ankle], truth.joint_rotations[ankle], atol=1e-9)

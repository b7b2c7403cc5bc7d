"""Movements of the simulated person: feet on the floor, repetitions, ranges and speed."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.exercises import EXERCISES
from rehab_pose_sim.settings import SimulationSettings

NAMES = tuple(EXERCISES)


def camera_of(exercise: str, **changes: float | str) -> SimulatedCamera:
    values = {"exercise": exercise, "noise": "none", "width_px": 320, "height_px": 240, "fx": 230.0, "fy": 230.0}
    return SimulatedCamera(SimulationSettings.from_mapping({**values, **changes}))


@pytest.mark.parametrize("exercise", [*NAMES, "none"])
@pytest.mark.parametrize("changes", [{}, {"shape_seed": 4}, {"amplitude": 1.2, "asymmetry": 0.6, "sway": 3.0}])
def test_feet_keep_their_places_on_the_floor(exercise: str, changes: dict[str, float]) -> None:
    camera = camera_of(exercise, **changes)
    ankles = []
    for index in range(0, camera.length_frames, 7):
        parameters = camera.motion_at(index).parameters
        assert abs(pose_vertices(camera.model, parameters)[:, 1].min()) < 0.01
        ankles.append(pose_joints(camera.model, parameters)[0][[7, 8, 10, 11]])
    assert np.ptp(ankles, axis=0).max() < 0.01


@pytest.mark.parametrize("exercise", NAMES)
def test_repetitions_count_up_to_the_planned_number(exercise: str) -> None:
    camera = camera_of(exercise, seconds_per_exercise=15.0)
    samples = [camera.motion_at(index) for index in range(camera.length_frames)]
    done = [sample.repetitions for sample in samples if sample.label == exercise]
    assert done == sorted(done)
    expected = round(14.0 / EXERCISES[exercise].period_s)
    assert abs(max(done) - expected) <= 1
    phase = np.array([sample.phase for sample in samples if np.isfinite(sample.phase)])
    assert np.count_nonzero(np.diff(phase) < 0) == max(done) - 1
    assert {sample.label for sample in samples} == {exercise, "none"}


def swing(exercise: str, **changes: float) -> np.ndarray:
    camera = camera_of(exercise, sway=0.0, **changes)
    frames = [pose_joints(camera.model, camera.motion_at(i).parameters)[0] for i in range(0, camera.length_frames, 2)]
    return np.array(frames)


def test_the_ranges_of_motion_are_those_of_kimores_experts() -> None:
    """Ranges around the medians of KIMORE's experts (see rehab_pose_sim/exercises.py)."""
    joint = SMPL_24.index
    arms = swing("arm_lifting")
    rise = arms[:, joint("left_wrist"), 1] - arms[:, 0, 1]
    assert rise.max() - rise.min() > 0.85
    tilt = swing("lateral_trunk_tilt")
    trunk = tilt[:, joint("neck")] - tilt[:, 0]
    lean = np.arctan2(trunk[:, 0], trunk[:, 1])
    assert 0.2 < lean.max() < 0.5
    assert -0.5 < lean.min() < -0.2
    rotation = swing("trunk_rotation")
    across = rotation[:, joint("left_shoulder")] - rotation[:, joint("right_shoulder")]
    yaw = np.arctan2(-across[:, 2], across[:, 0])
    assert 0.9 < yaw.max() < 1.25
    assert -1.25 < yaw.min() < -0.9
    circle = swing("pelvis_rotation")
    assert 0.15 < np.ptp(circle[:, 0, 0]) < 0.25
    assert np.ptp(circle[:, joint("left_shoulder"), 0]) < 0.1
    squat = swing("squat")
    assert 0.25 < np.ptp(squat[:, 0, 1]) < 0.4


def test_amplitude_and_asymmetry_change_the_size_of_the_movement() -> None:
    wrists = [SMPL_24.index("left_wrist"), SMPL_24.index("right_wrist")]
    lopsided = swing("arm_lifting", asymmetry=-0.5)[:, wrists, 1].max(axis=0)
    assert lopsided[1] - lopsided[0] > 0.3
    assert np.ptp(swing("squat", amplitude=0.5)[:, 0, 1]) < 0.7 * np.ptp(swing("squat")[:, 0, 1])


@pytest.mark.no_cover
@pytest.mark.parametrize("exercise", NAMES)
def test_no_joint_moves_faster_than_four_metres_per_second(exercise: str) -> None:
    camera = camera_of(exercise)
    joints = np.array(
        [pose_joints(camera.model, camera.motion_at(i).parameters)[0] for i in range(camera.length_frames)]
    )
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=2) * 30.0
    assert speed.max() < 4.0

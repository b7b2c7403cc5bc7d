"""Angles from joints: pelvis and lumbar spine, every skeleton, missing joints, velocities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import InputError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.coco_skeleton import COCO_17
from rehab_pose_lab.methods.biomechanics.joint_solver import JointAngleTracker
from rehab_pose_lab.methods.biomechanics.offline import solve_sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import JointAngles, Joints
    from rehab_pose.skeletons.skeleton import Skeleton

LEVEL = np.diag([1.0, -1.0, -1.0])
ANGLES_DEG = {
    "left_hip_flexion": 40.0,
    "left_knee_flexion": 60.0,
    "right_knee_flexion": 30.0,
    "left_shoulder_abduction": 60.0,
    "left_elbow_flexion": 70.0,
    "right_elbow_flexion": 45.0,
    "right_shoulder_flexion": 30.0,
}


def degrees(angles: JointAngles) -> dict[str, float]:
    return dict(zip(angles.names, np.rad2deg(angles.angles_rad).tolist(), strict=True))


@pytest.mark.no_cover
@pytest.mark.parametrize("skeleton", [SMPL_24, DKP_24, KINECT_25, COCO_17], ids=lambda skeleton: skeleton.name)
def test_joints_of_every_skeleton_give_the_angles_of_the_limbs(
    joints_at: Callable[..., Joints], skeleton: Skeleton
) -> None:
    solver = JointAngleTracker()
    for frame in range(5):
        solved = degrees(solver.solve(joints_at(skeleton, ANGLES_DEG, frame=frame)))
    for name in ("left_knee_flexion", "right_knee_flexion", "left_elbow_flexion", "right_elbow_flexion"):
        assert solved[name] == pytest.approx(ANGLES_DEG[name], abs=3.0)
    assert solved["left_hip_flexion"] == pytest.approx(40.0, abs=8.0)


@pytest.mark.parametrize(
    ("moved", "published"),
    [
        ({"lumbar_flexion": 45.0, "thoracic_flexion": 15.0}, {"trunk_flexion": 60.0, "lumbar_flexion": 45.0}),
        ({"lumbar_lateral_tilt": 20.0, "thoracic_lateral_tilt": 10.0}, {"trunk_lateral_tilt": 30.0}),
        ({"lumbar_lateral_tilt": -20.0, "thoracic_lateral_tilt": -10.0}, {"trunk_lateral_tilt": -30.0}),
        ({}, {"trunk_flexion": 0.0, "trunk_lateral_tilt": 0.0}),
    ],
)
@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_the_angles_of_the_trunk_are_separate_from_those_of_the_pelvis(
    joints_at: Callable[..., Joints], moved: dict[str, float], published: dict[str, float], tilt: float
) -> None:
    solver = JointAngleTracker()
    root = LEVEL @ matrices_from_axis_angles(np.deg2rad([tilt, 0.0, 0.0]))
    for frame in range(8):
        solved = degrees(solver.solve(joints_at(SMPL_24, ANGLES_DEG | moved, frame=frame, root=root)))
    assert solved["pelvis_tilt"] == pytest.approx(tilt, abs=2.0)
    assert solved["pelvis_obliquity"] == pytest.approx(0.0, abs=2.0)
    for name, value in published.items():
        assert solved[name] == pytest.approx(value, abs=2.0), name


def test_segment_lengths_are_learnt_from_the_joints(joints_at: Callable[..., Joints]) -> None:
    solver = JointAngleTracker()
    for frame in range(8):
        solved = degrees(solver.solve(joints_at(SMPL_24, ANGLES_DEG, frame=frame, scale=0.85)))
    assert solved["left_knee_flexion"] == pytest.approx(60.0, abs=2.0)
    assert solver.tracker.offsets_m[solver.body.chain.index("left_knee"), 1] == pytest.approx(-0.34, abs=0.01)


def test_a_steady_rotation_of_the_pelvis_has_its_velocity(joints_at: Callable[..., Joints]) -> None:
    solver = JointAngleTracker()
    for frame in range(90):
        root = LEVEL @ matrices_from_axis_angles(np.array([0.0, frame / 30.0, 0.0]))
        angles = solver.solve(joints_at(SMPL_24, ANGLES_DEG, frame=frame, root=root))
    place = angles.names.index("pelvis_rotation")
    assert angles.velocities_rad_s[place] == pytest.approx(1.0, rel=0.01)


def test_angles_stay_in_their_limits_with_noisy_joints(joints_at: Callable[..., Joints]) -> None:
    solver = JointAngleTracker()
    for frame in range(10):
        solved = solver.solve(joints_at(SMPL_24, ANGLES_DEG, frame=frame, noise_m=0.15))
        for spec, angle in zip(solver.model.angles, solved.angles_rad, strict=True):
            assert spec.lower_rad <= angle <= spec.upper_rad


def test_with_too_few_points_no_angle_is_known(joints_at: Callable[..., Joints]) -> None:
    joints = joints_at(SMPL_24, ANGLES_DEG)
    missing = np.full((24, 3), np.nan)
    missing[:2] = joints.positions_m[:2]
    solved = JointAngleTracker().solve(
        type(joints)(
            stamp_ns=0,
            frame_id="camera",
            skeleton=SMPL_24,
            positions_m=missing,
            confidence=joints.confidence,
            sigma_m=joints.sigma_m,
            visibility=joints.visibility,
        )
    )
    assert np.isnan(solved.angles_rad).all()
    assert (solved.confidence == 0.0).all()


@pytest.mark.no_cover
def test_a_recording_is_solved_at_once(joints_at: Callable[..., Joints]) -> None:
    bend_deg = 40.0 + 30.0 * np.sin(np.linspace(0.0, np.pi, 25))
    frames = [
        joints_at(SMPL_24, ANGLES_DEG | {"left_knee_flexion": float(bend)}, frame=frame, noise_m=0.01)
        for frame, bend in enumerate(bend_deg)
    ]
    solved = solve_sequence(frames)
    place = solved[0].names.index("left_knee_flexion")
    knees = np.rad2deg([angles.angles_rad[place] for angles in solved])
    assert np.abs(knees - bend_deg).mean() < 2.5
    rates = np.rad2deg([angles.velocities_rad_s[place] for angles in solved])
    truth = np.gradient(bend_deg, 1.0 / 30.0)
    assert np.corrcoef(rates[2:-2], truth[2:-2])[0, 1] > 0.95
    assert [angles.stamp_ns for angles in solved] == [frame.stamp_ns for frame in frames]
    with pytest.raises(InputError, match="order"):
        solve_sequence(frames[::-1])
    assert solve_sequence([]) == []


def test_the_side_difference_is_left_minus_right(joints_at: Callable[..., Joints]) -> None:
    angles = JointAngleTracker().solve(joints_at(SMPL_24, ANGLES_DEG))
    apart = dict(zip(angles.names, angles.side_differences_rad.tolist(), strict=True))
    assert np.rad2deg(apart["left_knee_flexion"]) == pytest.approx(30.0, abs=3.0)
    assert apart["right_knee_flexion"] == -apart["left_knee_flexion"]
    assert np.isnan(apart["trunk_flexion"])

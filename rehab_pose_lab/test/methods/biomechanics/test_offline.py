"""Angles from joints alone: the pelvis apart from the lumbar spine, every skeleton, gaps, spins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.errors import InputError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.catalogue import SKELETONS
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.methods.biomechanics.offline import solve_sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import JointAngles, Joints
    from rehab_pose.skeletons.skeleton import Skeleton

LEVEL = np.diag([1.0, -1.0, -1.0])
POSTURE = {
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


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_every_skeleton_gives_the_angles_of_the_limbs(joints_at: Callable[..., Joints], skeleton: Skeleton) -> None:
    solver = AngleSolver()
    for frame in range(5):
        found = degrees(solver.solve_joints(joints_at(skeleton, POSTURE, frame=frame)))
    for name in ("left_knee_flexion", "right_knee_flexion", "left_elbow_flexion", "right_elbow_flexion"):
        assert found[name] == pytest.approx(POSTURE[name], abs=3.0)
    assert found["left_hip_flexion"] == pytest.approx(40.0, abs=8.0)


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
def test_the_trunk_bends_apart_from_the_pelvis(
    joints_at: Callable[..., Joints], moved: dict[str, float], published: dict[str, float], tilt: float
) -> None:
    solver = AngleSolver()
    root = LEVEL @ matrices_from_axis_angles(np.deg2rad([tilt, 0.0, 0.0]))
    for frame in range(8):
        found = degrees(solver.solve_joints(joints_at(SMPL_24, POSTURE | moved, frame=frame, root=root)))
    assert found["pelvis_tilt"] == pytest.approx(tilt, abs=2.0)
    assert found["pelvis_obliquity"] == pytest.approx(0.0, abs=2.0)
    for name, value in published.items():
        assert found[name] == pytest.approx(value, abs=2.0), name


def test_segment_lengths_are_the_persons_own(joints_at: Callable[..., Joints]) -> None:
    solver = AngleSolver()
    for frame in range(8):
        found = degrees(solver.solve_joints(joints_at(SMPL_24, POSTURE, frame=frame, scale=0.85)))
    assert found["left_knee_flexion"] == pytest.approx(60.0, abs=2.0)
    assert solver._tracker.offsets_m[solver._body.chain.index("left_knee"), 1] == pytest.approx(-0.34, abs=0.01)


def test_a_steady_spin_has_its_velocity(joints_at: Callable[..., Joints]) -> None:
    solver = AngleSolver()
    for frame in range(90):
        root = LEVEL @ matrices_from_axis_angles(np.array([0.0, frame / 30.0, 0.0]))
        angles = solver.solve_joints(joints_at(SMPL_24, POSTURE, frame=frame, root=root))
    place = angles.names.index("pelvis_rotation")
    assert angles.velocities_rad_s[place] == pytest.approx(1.0, rel=0.01)


def test_angles_stay_in_their_limits_whatever_comes(joints_at: Callable[..., Joints]) -> None:
    solver = AngleSolver()
    for frame in range(10):
        found = solver.solve_joints(joints_at(SMPL_24, POSTURE, frame=frame, noise_m=0.15))
        for spec, angle in zip(solver.model.angles, found.angles_rad, strict=True):
            assert spec.lower_rad <= angle <= spec.upper_rad


def test_too_few_points_are_no_posture(joints_at: Callable[..., Joints]) -> None:
    joints = joints_at(SMPL_24, POSTURE)
    missing = np.full((24, 3), np.nan)
    missing[:2] = joints.positions_m[:2]
    found = AngleSolver().solve_joints(
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
    assert np.isnan(found.angles_rad).all()
    assert (found.confidence == 0.0).all()


def test_a_whole_recording_is_solved_at_once(joints_at: Callable[..., Joints]) -> None:
    bend_deg = 40.0 + 30.0 * np.sin(np.linspace(0.0, np.pi, 25))
    frames = [
        joints_at(SMPL_24, POSTURE | {"left_knee_flexion": float(bend)}, frame=frame, noise_m=0.01)
        for frame, bend in enumerate(bend_deg)
    ]
    found = solve_sequence(frames)
    place = found[0].names.index("left_knee_flexion")
    knees = np.rad2deg([angles.angles_rad[place] for angles in found])
    assert np.abs(knees - bend_deg).mean() < 2.5
    rates = np.rad2deg([angles.velocities_rad_s[place] for angles in found])
    truth = np.gradient(bend_deg, 1.0 / 30.0)
    assert np.corrcoef(rates[2:-2], truth[2:-2])[0, 1] > 0.95
    assert [angles.stamp_ns for angles in found] == [frame.stamp_ns for frame in frames]
    with pytest.raises(InputError, match="order"):
        solve_sequence(frames[::-1])
    assert solve_sequence([]) == []


def test_symmetry_is_left_less_right(joints_at: Callable[..., Joints]) -> None:
    angles = AngleSolver().solve_joints(joints_at(SMPL_24, POSTURE))
    apart = dict(zip(angles.names, angles.side_differences_rad.tolist(), strict=True))
    assert np.rad2deg(apart["left_knee_flexion"]) == pytest.approx(30.0, abs=3.0)
    assert apart["right_knee_flexion"] == -apart["left_knee_flexion"]
    assert np.isnan(apart["trunk_flexion"])

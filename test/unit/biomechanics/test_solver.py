"""Angles of known rotations, invariance to the camera, mirror symmetry, limits, velocities, confidences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehab_pose.biomechanics.angle_model import load_angle_model
from rehab_pose.biomechanics.angles import anatomical_angles, flexion_side_axial, rotation_tilts, world_axes
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.datatypes import Body, BodyParameters, JointAngles
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

CAMERA_FROM_WORLD = np.diag([1.0, -1.0, -1.0])
"""camera_from_world of a person who faces a level camera."""
FLOOR = np.array([0.0, -1.0, 0.0, 1.2])
FRAME_NS = 33_333_333
SOLVED_DEG = 1e-3
"""Accuracy of the solver where two of a joint's axes coincide (an arm held sideways) [deg]."""
MIRROR = np.diag([-1.0, 1.0, 1.0])

Rotations = NDArray[np.float64]


def chain(local: dict[str, tuple[float, float, float]], root: Rotations = CAMERA_FROM_WORLD) -> Rotations:
    """Return camera_from_joint (24, 3, 3) from axis-angles of some joints against their parents [deg]."""
    rotations = np.empty((24, 3, 3))
    for joint, (name, parent) in enumerate(zip(SMPL_24.joint_names, SMPL_24.parents, strict=True)):
        local_rotation = matrices_from_axis_angles(np.deg2rad(np.array(local.get(name, (0.0, 0.0, 0.0)))))
        rotations[joint] = (root if parent < 0 else rotations[parent]) @ local_rotation
    return rotations


def body(rotations: Rotations, *, stamp_ns: int = 0, residual_m: float = 0.0) -> Body:
    return Body(
        stamp_ns=stamp_ns,
        frame_id="camera",
        model_id="test",
        parameters=BodyParameters(np.zeros(10), np.zeros((24, 3)), np.zeros(3)),
        vertices_m=np.zeros((0, 3), dtype=np.float32),
        joint_positions_m=np.zeros((24, 3)),
        joint_rotations=rotations,
        residual_m=residual_m,
        iterations=1,
        converged=True,
    )


def solver_above(floor: NDArray[np.float64] = FLOOR) -> AngleSolver:
    """Return a solver that knows the floor plane."""
    solver = AngleSolver()
    solver.set_floor_plane(floor)
    return solver


def degrees(angles: JointAngles) -> dict[str, float]:
    return dict(zip(angles.names, np.rad2deg(angles.angles_rad).tolist(), strict=True))


@pytest.mark.parametrize(
    ("joint", "rotation_deg", "name", "expected_deg"),
    [
        ("spine1", (30.0, 0.0, 0.0), "trunk_flexion", 30.0),
        ("spine2", (0.0, 0.0, -20.0), "trunk_lateral_tilt", 20.0),
        ("spine3", (0.0, 40.0, 0.0), "trunk_axial_rotation", 40.0),
        ("pelvis", (15.0, 0.0, 0.0), "pelvis_tilt", 15.0),
        ("pelvis", (0.0, 0.0, 10.0), "pelvis_obliquity", 10.0),
        ("pelvis", (0.0, 50.0, 0.0), "pelvis_rotation", 50.0),
        ("left_hip", (-90.0, 0.0, 0.0), "left_hip_flexion", 90.0),
        ("right_hip", (-60.0, 0.0, 0.0), "right_hip_flexion", 60.0),
        ("left_hip", (0.0, 0.0, 25.0), "left_hip_abduction", 25.0),
        ("right_hip", (0.0, 0.0, -25.0), "right_hip_abduction", 25.0),
        ("left_hip", (0.0, -30.0, 0.0), "left_hip_rotation", 30.0),
        ("right_hip", (0.0, 30.0, 0.0), "right_hip_rotation", 30.0),
        ("left_knee", (100.0, 0.0, 0.0), "left_knee_flexion", 100.0),
        ("right_knee", (-5.0, 0.0, 0.0), "right_knee_flexion", -5.0),
        ("left_ankle", (-15.0, 0.0, 0.0), "left_ankle_dorsiflexion", 15.0),
        ("left_shoulder", (0.0, 0.0, -70.0), "left_shoulder_elevation", 20.0),
        ("right_shoulder", (0.0, 0.0, -60.0), "right_shoulder_elevation", 150.0),
        ("left_shoulder", (0.0, -90.0, 0.0), "left_shoulder_elevation_plane", 90.0),
        ("right_shoulder", (0.0, 90.0, 0.0), "right_shoulder_elevation_plane", 90.0),
        ("left_elbow", (0.0, -110.0, 0.0), "left_elbow_flexion", 110.0),
        ("right_elbow", (0.0, 45.0, 0.0), "right_elbow_flexion", 45.0),
    ],
)
def test_one_rotation_gives_one_angle(
    joint: str, rotation_deg: tuple[float, float, float], name: str, expected_deg: float
) -> None:
    solved = degrees(solver_above().solve(body(chain({joint: rotation_deg}))))
    neutral = degrees(solver_above().solve(body(chain({}))))
    assert solved[name] == pytest.approx(expected_deg, abs=1e-6)
    expected_to_move = {name}
    if joint in {"left_shoulder", "right_shoulder"}:  # elevation and its plane describe one direction together
        expected_to_move = {f"{joint}_elevation", f"{joint}_elevation_plane"}
    if joint.startswith("spine"):  # the lumbar spine bends by a fraction of the trunk's angle
        expected_to_move |= {name.replace("trunk", "lumbar")}
    moved = {key for key in solved if abs(solved[key] - neutral[key]) > SOLVED_DEG}
    assert moved <= expected_to_move


def test_the_rest_pose_has_the_neutral_angles() -> None:
    solved = degrees(solver_above().solve(body(chain({}))))
    for name, value in solved.items():
        expected = 90.0 if name.endswith("shoulder_elevation") else 0.0  # arms sideways in the rest pose
        assert value == pytest.approx(expected, abs=1e-9), name


rotation_vectors = st.lists(st.floats(-1.0, 1.0), min_size=72, max_size=72)


def random_rotations(values: list[float]) -> Rotations:
    joints = np.array(values).reshape(24, 3) * 40.0
    return chain({name: tuple(row) for name, row in zip(SMPL_24.joint_names, joints.tolist(), strict=True)})


@given(values=rotation_vectors, camera=st.tuples(*[st.floats(-3.0, 3.0)] * 3))
def test_a_rigid_motion_of_the_camera_changes_no_anatomical_angle(
    values: list[float], camera: tuple[float, float, float]
) -> None:
    rotations = random_rotations(values)
    camera_rotation = matrices_from_axis_angles(np.array(camera))
    before, after = anatomical_angles(rotations), anatomical_angles(camera_rotation @ rotations)
    np.testing.assert_allclose(list(after.values()), list(before.values()), atol=1e-9)


@given(values=rotation_vectors, tilt=st.floats(-0.6, 0.6))
def test_tilting_the_camera_changes_no_angle_while_the_floor_is_seen(values: list[float], tilt: float) -> None:
    rotations = random_rotations(values)
    camera_rotation = matrices_from_axis_angles(np.array([tilt, 0.0, 0.0]))
    floor = np.array([*(camera_rotation @ FLOOR[:3]), FLOOR[3]])
    before = solver_above().solve(body(rotations))
    after = solver_above(floor).solve(body(camera_rotation @ rotations))
    np.testing.assert_allclose(after.angles_rad, before.angles_rad, atol=1e-7)


@given(values=rotation_vectors)
def test_the_mirrored_body_has_the_angles_of_the_other_side(values: list[float]) -> None:
    rotations = random_rotations(values)
    mirrored = (MIRROR @ rotations @ MIRROR)[SMPL_24.mirror]
    solved = degrees(solver_above().solve(body(rotations)))
    opposite = degrees(solver_above().solve(body(mirrored)))
    sideways = {"trunk_lateral_tilt", "trunk_axial_rotation", "pelvis_obliquity", "pelvis_rotation"}
    sideways |= {"lumbar_lateral_tilt", "lumbar_axial_rotation"}
    for name, value in solved.items():
        side, _, rest = name.partition("_")
        partner = {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)
        expected = -value if name in sideways else value
        assert abs((opposite[partner] - expected + 180.0) % 360.0 - 180.0) < SOLVED_DEG, name


@given(a=st.floats(-3.0, 3.0), b=st.floats(-1.5, 1.5), c=st.floats(-3.0, 3.0))
def test_the_cardan_angles_of_a_product_are_its_factors(a: float, b: float, c: float) -> None:
    x, y, z = (matrices_from_axis_angles(np.eye(3)[axis] * angle) for axis, angle in ((0, a), (1, c), (2, b)))
    np.testing.assert_allclose(flexion_side_axial(x @ z @ y), (a, b, c), atol=1e-6)
    np.testing.assert_allclose(rotation_tilts(y @ z @ x), (c, b, a), atol=1e-6)


@given(angle=st.floats(-3.0, 3.0), side=st.sampled_from([-90.0, 90.0]))
def test_angles_are_finite_and_exact_in_gimbal_lock(angle: float, side: float) -> None:
    lock = {"left_hip": (0.0, 0.0, side), "spine1": (0.0, 0.0, side), "pelvis": (0.0, np.rad2deg(angle), side)}
    solved = solver_above().solve(body(chain(lock)))
    assert np.isfinite(solved.angles_rad).all()
    rotation = matrices_from_axis_angles(np.array([angle, 0.0, 0.0])) @ matrices_from_axis_angles(
        np.array([0.0, 0.0, np.deg2rad(side)])
    )
    a, b, c = flexion_side_axial(rotation)
    rebuilt = matrices_from_axis_angles(np.array([a, 0.0, 0.0])) @ matrices_from_axis_angles(np.array([0.0, 0.0, b]))
    np.testing.assert_allclose(rebuilt, rotation, atol=1e-6)
    assert c == 0.0


@given(values=rotation_vectors)
def test_no_angle_leaves_its_limits(values: list[float]) -> None:
    solver = solver_above()
    joints = np.array(values).reshape(24, 3) * 170.0
    rotations = chain({name: tuple(row) for name, row in zip(SMPL_24.joint_names, joints.tolist(), strict=True)})
    solved = solver.solve(body(rotations))
    for spec, angle in zip(solver.model.angles, solved.angles_rad, strict=True):
        assert spec.lower_rad <= angle <= spec.upper_rad


def test_a_hyperextended_knee_is_bounded_with_a_lower_confidence() -> None:
    solver = solver_above()
    bent = solver.solve(body(chain({"left_knee": (-60.0, 0.0, 0.0)})))
    place = bent.names.index("left_knee_flexion")
    assert bent.angles_rad[place] == pytest.approx(np.deg2rad(-15.0))
    assert bent.confidence[place] < solver_above().solve(body(chain({}))).confidence[place]


def test_the_velocity_is_continuous_across_half_a_turn() -> None:
    solver = solver_above()
    for index in range(90):
        angles = solver.solve(body(chain({"pelvis": (0.0, 150.0 + index, 0.0)}), stamp_ns=index * FRAME_NS))
    place = angles.names.index("pelvis_rotation")
    assert angles.velocities_rad_s[place] == pytest.approx(np.deg2rad(30.0), rel=1e-3)
    assert np.rad2deg(angles.angles_rad[place]) == pytest.approx(150.0 + 89.0 - 360.0)


def test_the_first_frame_and_a_jump_back_have_no_velocity() -> None:
    solver = solver_above()
    assert np.isnan(solver.solve(body(chain({}), stamp_ns=FRAME_NS)).velocities_rad_s).all()
    assert np.isfinite(solver.solve(body(chain({}), stamp_ns=2 * FRAME_NS)).velocities_rad_s).all()
    assert np.isnan(solver.solve(body(chain({}), stamp_ns=FRAME_NS)).velocities_rad_s).all()


def test_confidence_falls_without_a_floor_and_with_a_misfit() -> None:
    known = solver_above().solve(body(chain({})))
    unknown = AngleSolver().solve(body(chain({})))
    misfit = solver_above().solve(body(chain({}), residual_m=0.1))
    for name, full, without_floor, poor in zip(
        known.names, known.confidence, unknown.confidence, misfit.confidence, strict=True
    ):
        assert without_floor == pytest.approx(full * (0.5 if name.startswith("pelvis_") else 1.0))
        assert poor == pytest.approx(full / np.e)
    assert known.confidence[known.names.index("left_hip_rotation")] == pytest.approx(0.3)


def test_world_axes_are_a_rotation_for_every_camera_direction() -> None:
    for up in ([0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [0.3, -0.8, 0.2], [0.0, 0.0, -1.0]):
        axes = world_axes(np.array(up) / np.linalg.norm(up))
        np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1.0)


def test_a_damaged_model_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="expected a file"):
        load_angle_model(str(tmp_path / "absent.yaml"))
    for content in (
        "angles: [",
        "angles: [{name: x}]",
        "[1, 2]",
        "angles: [{name: x, lower: 3, upper: 1, normal: [0, 1]}]",
    ):
        damaged = tmp_path / "damaged.yaml"
        damaged.write_text(content)
        with pytest.raises(ModelFileError):
            AngleSolver(BiomechanicsSettings(model_path=str(damaged)))


def test_every_range_has_a_source_and_contains_the_normal_range() -> None:
    for spec in load_angle_model().angles:
        assert spec.source
        assert spec.lower_rad <= spec.normal_rad[0] < spec.normal_rad[1] <= spec.upper_rad

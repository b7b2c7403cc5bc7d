"""Inferred bones: their ends, lengths, joints, symmetry and motion with the body."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.bones.articulations import BALL_JOINTS, parent_of
from rehab_pose.bones.curvature import spinal_curves_rad
from rehab_pose.bones.inferrer import BoneInferrer
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.datatypes import Body, BodyParameters, Bones
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.bone_errors import joint_gaps_m, lumbar_rotations_rad

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIRROR = np.diag([-1.0, 1.0, 1.0])
OFFSETS_M = {
    "pelvis": (0.0, 0.0, 2.5),
    "left_hip": (0.09, -0.08, 0.0),
    "spine1": (0.0, 0.11, -0.02),
    "left_knee": (0.03, -0.40, 0.0),
    "spine2": (0.0, 0.14, 0.02),
    "left_ankle": (-0.01, -0.41, -0.03),
    "spine3": (0.0, 0.06, 0.01),
    "left_foot": (0.02, -0.06, 0.13),
    "neck": (0.0, 0.21, -0.03),
    "left_collar": (0.08, 0.12, -0.02),
    "head": (0.0, 0.09, 0.04),
    "left_shoulder": (0.11, 0.03, -0.01),
    "left_elbow": (0.26, -0.01, -0.02),
    "left_wrist": (0.25, 0.01, 0.0),
    "left_hand": (0.09, -0.01, -0.01),
}
"""Offsets from the parent at rest, near SMPL's mean shape; x changes sign on the right [m]."""

angles = st.lists(st.floats(-1.2, 1.2), min_size=72, max_size=72)
vectors = st.tuples(*[st.floats(-2.0, 2.0)] * 3)


def body(values: list[float], size: float = 1.0) -> Body:
    local = matrices_from_axis_angles(np.array(values).reshape(24, 3))
    rotations, positions = np.empty((24, 3, 3)), np.empty((24, 3))
    for joint, (name, parent) in enumerate(zip(SMPL_24.joint_names, SMPL_24.parents, strict=True)):
        left = np.array(OFFSETS_M[name.replace("right", "left")]) * (MIRROR.diagonal() if "right" in name else 1.0)
        rotations[joint] = local[joint] if parent < 0 else rotations[parent] @ local[joint]
        positions[joint] = left if parent < 0 else positions[parent] + rotations[parent] @ (size * left)
    return fitted_body(positions, rotations, size)


def fitted_body(positions: NDArray[np.float64], rotations: NDArray[np.float64], size: float = 1.0) -> Body:
    return Body(
        stamp_ns=5,
        frame_id="camera",
        model_id="test",
        parameters=BodyParameters(np.array([size]), np.zeros((24, 3)), np.zeros(3)),
        vertices_m=np.zeros((0, 3), dtype=np.float32),
        joint_positions_m=positions,
        joint_rotations=rotations,
        residual_m=0.0,
        iterations=1,
        converged=True,
    )


def ends(bones: Bones, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    place = bones.names.index(name)
    pose = bones.camera_from_bone[place]
    return pose[:3, 3], pose[:3, 3] + bones.length_m[place] * pose[:3, 1]


REST = [0.0] * 72


@given(values=angles)
def test_long_bones_end_at_their_joints(values: list[float]) -> None:
    person = body(values)
    bones = BoneInferrer().infer(person)
    for side in ("left", "right"):
        for bone, start, end in (
            ("femur", "hip", "knee"),
            ("tibia", "knee", "ankle"),
            ("humerus", "shoulder", "elbow"),
            ("foot", "ankle", "foot"),
        ):
            for point, joint in zip(ends(bones, f"{side}_{bone}"), (start, end), strict=True):
                np.testing.assert_allclose(point, person.joint_positions_m[SMPL_24.index(f"{side}_{joint}")], atol=1e-9)


@given(values=angles, other=angles)
def test_lengths_do_not_depend_on_the_pose(values: list[float], other: list[float]) -> None:
    first, second = BoneInferrer().infer(body(values)), BoneInferrer().infer(body(other))
    np.testing.assert_allclose(second.length_m, first.length_m, atol=1e-9)


@given(values=angles, vector=vectors, shift=vectors)
def test_a_rigid_motion_of_the_body_moves_the_bones_by_the_same_motion(
    values: list[float], vector: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    person = body(values)
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = matrices_from_axis_angles(np.array(vector)), shift
    moved = fitted_body(
        person.joint_positions_m @ motion[:3, :3].T + motion[:3, 3], motion[:3, :3] @ person.joint_rotations
    )
    expected = motion @ BoneInferrer().infer(person).camera_from_bone
    np.testing.assert_allclose(BoneInferrer().infer(moved).camera_from_bone, expected, atol=1e-8)


@given(values=angles)
def test_a_mirrored_body_has_mirrored_bones(values: list[float]) -> None:
    person = body(values)
    bones = BoneInferrer().infer(person)
    opposite = BoneInferrer().infer(
        fitted_body(
            (person.joint_positions_m @ MIRROR)[SMPL_24.mirror],
            (MIRROR @ person.joint_rotations @ MIRROR)[SMPL_24.mirror],
        )
    )
    swap = {"left": "right", "right": "left"}
    for name in bones.names:
        side, _, rest = name.partition("_")
        partner = f"{swap[side]}_{rest}" if side in swap else name
        for point, reflected in zip(ends(bones, name), ends(opposite, partner), strict=True):
            np.testing.assert_allclose(reflected, MIRROR @ point, atol=1e-8)


@given(values=angles)
def test_every_bone_pose_is_a_rotation(values: list[float]) -> None:
    poses = BoneInferrer().infer(body(values)).camera_from_bone
    rotations = poses[:, :3, :3]
    np.testing.assert_allclose(
        rotations.transpose(0, 2, 1) @ rotations, np.tile(np.eye(3), (len(poses), 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-9)


def test_all_bones_are_inferred() -> None:
    names = BoneInferrer().infer(body(REST)).names
    assert len(set(names)) == len(names)
    vertebrae = [f"C{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
    sides = (
        *("hip_bone", "femur", "patella", "tibia", "fibula", "foot"),
        *("clavicle", "scapula", "humerus", "radius", "ulna", "hand"),
        *(f"rib_{number}" for number in range(1, 13)),
    )
    expected = {"skull", "mandible", "sacrum", "sternum", *vertebrae} | {
        f"{s}_{b}" for s in ("left", "right") for b in sides
    }
    assert set(names) == expected
    assert len(BoneInferrer(BoneSettings(with_ribs=False)).infer(body(REST)).names) == len(names) - 24


def test_vertebrae_connect_pelvis_and_head_without_gaps() -> None:
    person = body(REST)
    bones = BoneInferrer().infer(person)
    order = (
        [f"L{n}" for n in range(5, 0, -1)] + [f"T{n}" for n in range(12, 0, -1)] + [f"C{n}" for n in range(7, 0, -1)]
    )
    points = [ends(bones, name) for name in order]
    np.testing.assert_allclose(points[0][0], person.joint_positions_m[SMPL_24.index("pelvis")])
    head = person.joint_positions_m[SMPL_24.index("head")]
    assert 0.0 < (points[-1][1] - head)[1] < 0.02  # the skull begins a little above SMPL's joint
    for (_, upper), (lower, _) in itertools.pairwise(points):
        np.testing.assert_allclose(upper, lower, atol=1e-9)


@given(values=angles)
def test_joints_have_no_gaps(values: list[float]) -> None:
    gaps = joint_gaps_m(body(values))
    assert max(gaps[name] for name in BALL_JOINTS) < 1e-9
    assert gaps["left_ankle"] < 1e-9
    assert gaps["left_sternoclavicular"] < 1e-9
    assert gaps["L5_S1"] < 1e-9


small = st.lists(st.floats(-0.3, 0.3), min_size=72, max_size=72)


@given(values=small)
def test_lumbar_rotations_sum_to_trunk_minus_pelvis(values: list[float]) -> None:
    person = body(values)
    inferrer = BoneInferrer()
    lumbar = lumbar_rotations_rad(inferrer.infer(person), inferrer.infer(body(REST)))
    pelvis, chest = (person.joint_rotations[SMPL_24.index(name)] for name in ("pelvis", "spine3"))
    trunk = axis_angles_from_matrices(pelvis.T @ chest)
    np.testing.assert_allclose(lumbar.sum(axis=0), trunk, atol=np.radians(0.1))
    np.testing.assert_allclose(lumbar[0], 17.0 / 74.0 * trunk, atol=1e-6)


def test_the_spine_at_rest_has_the_curves_of_standing_people() -> None:
    bones = BoneInferrer().infer(body(REST))
    curves = {name: float(np.degrees(angle)) for name, angle in spinal_curves_rad(bones, np.eye(3)).items()}
    assert 15.0 < curves["lumbar_lordosis"] < 65.0
    assert 0.0 < curves["thoracic_kyphosis"] < 60.0
    bent = [0.0] * 72
    bent[3 * SMPL_24.index("spine1")] = 0.4
    flexed = spinal_curves_rad(BoneInferrer().infer(body(bent)), np.eye(3))
    assert np.degrees(flexed["lumbar_lordosis"]) == pytest.approx(curves["lumbar_lordosis"] - np.degrees(0.4), abs=0.1)


def test_the_radius_rotates_about_the_ulna_with_the_hand() -> None:
    rotated = [0.0] * 72
    rotated[3 * SMPL_24.index("left_wrist")] = -1.4  # palm forwards: the thumb's side goes up
    before, after = BoneInferrer().infer(body(REST)), BoneInferrer().infer(body(rotated))
    assert ends(after, "left_radius")[1][1] > ends(before, "left_radius")[1][1] + 0.01
    np.testing.assert_allclose(ends(after, "left_radius")[0], ends(before, "left_radius")[0], atol=1e-9)
    np.testing.assert_allclose(ends(after, "left_ulna")[1], ends(before, "left_ulna")[1], atol=1e-9)
    distance = np.linalg.norm(ends(after, "left_radius")[1] - ends(after, "left_ulna")[1])
    assert distance == pytest.approx(
        np.linalg.norm(ends(before, "left_radius")[1] - ends(before, "left_ulna")[1]), abs=0.002
    )


def test_the_patella_rotates_by_half_the_knees_angle() -> None:
    bent = [0.0] * 72
    bent[3 * SMPL_24.index("right_knee")] = 1.2
    bones, rest = BoneInferrer().infer(body(bent)), BoneInferrer().infer(body(REST))
    place = bones.names.index("right_patella")
    rotation = bones.camera_from_bone[place, :3, :3] @ rest.camera_from_bone[place, :3, :3].T
    np.testing.assert_allclose(axis_angles_from_matrices(rotation), [0.6, 0.0, 0.0], atol=1e-9)


def test_every_bone_but_the_sacrum_has_a_parent() -> None:
    names = BoneInferrer().infer(body(REST)).names
    for name in names:
        visited = {name}
        while parent_of(name):
            name = parent_of(name)  # noqa: PLW2901  (going up)
            assert name in names
            assert name not in visited
            visited.add(name)
        assert name == "sacrum"


def test_joint_centres_are_named_and_at_the_joints() -> None:
    person = body(REST)
    bones = BoneInferrer().infer(person)
    assert bones.joint_centres_m is not None
    centres = dict(zip(bones.joint_names, bones.joint_centres_m, strict=True))
    np.testing.assert_allclose(centres["left_hip"], person.joint_positions_m[SMPL_24.index("left_hip")])
    assert {"L5_S1", "T12_L1", "C7_T1", "atlanto_occipital", "right_acromioclavicular", "right_wrist"} <= set(centres)
    assert bones.source == "procedural"
    assert bones.sigma_m is not None
    assert (bones.sigma_m > 0).all()


def test_bones_have_their_anatomical_order() -> None:
    bones = BoneInferrer().infer(body(REST))
    x, y, z = 0, 1, 2
    start, end = ends(bones, "sternum")
    assert end[y] < start[y]
    assert start[z] > ends(bones, "T3")[0][z]  # in front of the spine
    assert ends(bones, "left_scapula")[1][z] < ends(bones, "left_rib_5")[1][z]  # behind the chest
    assert ends(bones, "left_fibula")[0][x] > ends(bones, "left_tibia")[0][x]  # on the outside
    assert ends(bones, "left_radius")[1][z] > ends(bones, "left_ulna")[1][z]  # palm down, thumb in front
    assert ends(bones, "left_patella")[0][z] > ends(bones, "left_femur")[1][z]
    assert ends(bones, "left_clavicle")[1][x] > ends(bones, "left_clavicle")[0][x] > 0.0
    assert ends(bones, "skull")[1][y] == max(ends(bones, name)[1][y] for name in bones.names)


def test_lengths_scale_with_the_body() -> None:
    inferrer = BoneInferrer()
    small, large = inferrer.infer(body(REST)), inferrer.infer(body(REST, size=1.2))
    np.testing.assert_allclose(large.length_m, 1.2 * small.length_m, rtol=1e-9)
    assert small.length_m[small.names.index("left_femur")] == pytest.approx(0.401, abs=0.001)

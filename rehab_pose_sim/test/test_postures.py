"""Postures of the simulated person: contact with the surface, angles that the name says, the camera's aim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.free_pose import BodyRegions
from rehab_pose_sim.postures import POSTURES
from rehab_pose_sim.settings import POSTURE_CHOICES, SimulationSettings
from rehab_pose_sim.supports import SEAT_HEIGHT_M, TABLE_TOP_M, support_height_m

SMALL = SimulationSettings(
    width_px=320, height_px=240, fx=230.0, fy=230.0, noise="none", exercise="none", sway=0.0, aim="pitch"
)
JOINT = SMPL_24.index
RESTING = [name for name, posture in POSTURES.items() if posture.pose is not None]
CONTACTS = {
    "supine": ("head", "trunk", "right_foot", "left_hand", "right_hand"),
    "prone": ("head", "trunk", "left_foot", "left_hand", "right_hand"),
    "side_lying": ("right_arm", "right_foot"),
    "crook_lying": ("head", "trunk", "left_foot", "right_foot"),
    "bridge": ("head", "shoulders", "left_foot", "right_foot"),
    "all_fours": ("left_knee", "right_knee", "left_hand", "right_hand", "left_foot"),
    "all_fours_side": ("left_knee", "right_knee", "left_hand", "right_hand", "left_foot"),
    "bird_dog": ("left_knee", "right_hand", "left_foot"),
    "kneeling": ("left_knee", "right_knee", "left_foot", "right_foot"),
    "half_kneeling": ("right_knee", "right_foot", "left_foot"),
    "long_sitting": ("seat", "right_foot"),
    "one_foot": ("right_foot",),
    "arms_crossed": ("left_foot", "right_foot"),
}
KNEES_DEG = {
    "supine": (5, 5), "prone": (5, 5), "side_lying": (74, 72), "crook_lying": (66, 100), "bridge": (97, 97),
    "all_fours": (85, 85), "all_fours_side": (85, 85), "bird_dog": (84, 3), "kneeling": (85, 85),
    "half_kneeling": (98, 85), "long_sitting": (5, 5), "one_foot": (86, 5), "arms_crossed": (3, 3),
    "behind_table": (90, 90),
}  # fmt: skip
"""Flexion of the left and the right knee in the middle of the movement."""
HIPS_DEG = {
    "supine": (34, 3), "prone": (2, -15), "crook_lying": (30, 45), "bridge": (-4, -4), "all_fours": (74, 74),
    "bird_dog": (74, -10), "kneeling": (0, 0), "half_kneeling": (86, 2), "long_sitting": (100, 100),
    "one_foot": (83, 2), "behind_table": (90, 90),
}  # fmt: skip
"""Flexion of the hips in the middle of the movement."""


def camera_of(posture: str, **changes: object) -> SimulatedCamera:
    return SimulatedCamera(replace(SMALL, posture=posture, **changes))  # type: ignore[arg-type]


def test_every_posture_of_the_settings_has_an_entry() -> None:
    assert set(POSTURE_CHOICES) == set(POSTURES)


@pytest.mark.parametrize("shape_seed", [0, 3])
@pytest.mark.parametrize("posture", RESTING)
def test_the_body_touches_its_support_and_does_not_sink_into_it(posture: str, shape_seed: int) -> None:
    camera = camera_of(posture, shape_seed=shape_seed)
    regions, height_m = BodyRegions(camera.model), support_height_m(replace(SMALL, posture=posture))
    for index in range(0, camera.length_frames // 3, 37):
        vertices = pose_vertices(camera.model, camera.motion_at(index).parameters)
        assert vertices[:, 1].min() == pytest.approx(height_m, abs=1e-3)
        for region in CONTACTS[posture]:
            assert regions.lowest_m(vertices, region) - height_m < 0.03, region


@pytest.mark.parametrize("posture", ["chair", "behind_table"])
@pytest.mark.parametrize("shape_seed", [0, 3])
def test_a_seated_person_sits_on_the_seat_with_the_feet_on_the_floor(posture: str, shape_seed: int) -> None:
    camera = camera_of(posture, shape_seed=shape_seed)
    vertices = pose_vertices(camera.model, camera.motion_at(0).parameters)
    regions = BodyRegions(camera.model)
    assert regions.lowest_m(vertices, "seat") == pytest.approx(SEAT_HEIGHT_M, abs=0.01)
    assert regions.lowest_m(vertices, "feet") == pytest.approx(0.0, abs=0.01)


def test_the_person_on_the_chair_stands_up() -> None:
    camera = camera_of("chair")
    pelvis = [pose_joints(camera.model, camera.motion_at(i).parameters)[0][0] for i in range(0, 180, 5)]
    assert np.ptp(pelvis, axis=0)[1] > 0.3
    steps = np.linalg.norm(np.diff(pelvis, axis=0), axis=1)
    assert steps.max() < 0.25


def test_of_the_person_behind_a_table_less_than_70_centimetres_are_visible() -> None:
    shot = camera_of("behind_table").frame(3)
    points = shot.frame.intrinsics.back_project_image(shot.frame.depth_m)[shot.truth.silhouette].astype(np.float64)
    height = points @ shot.truth.floor_plane[:3] + shot.truth.floor_plane[3]
    assert 0.4 < np.ptp(height) < 0.7
    assert height.min() > TABLE_TOP_M - 0.1
    assert not shot.truth.joint_visible[[JOINT("left_knee"), JOINT("right_ankle")]].any()


def knee_deg(joints: np.ndarray, side: str) -> float:
    hip, knee, ankle = (joints[JOINT(f"{side}_{name}")] for name in ("hip", "knee", "ankle"))
    return angle_deg(knee - hip, ankle - knee)


def angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.degrees(np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second))))


def hip_deg(joints: np.ndarray, side: str) -> float:
    """Flexion of the thigh relative to the line from the spine to the hips' middle, about the line between the hips."""
    left, right = joints[JOINT("left_hip")], joints[JOINT("right_hip")]
    across = (left - right) / np.linalg.norm(left - right)
    down = 0.5 * (left + right) - joints[JOINT("spine1")]
    front = np.cross(across, -down)
    thigh = joints[JOINT(f"{side}_knee")] - joints[JOINT(f"{side}_hip")]
    return float(np.degrees(np.arctan2(thigh @ front / np.linalg.norm(front), thigh @ down / np.linalg.norm(down))))


@pytest.mark.parametrize("posture", KNEES_DEG)
def test_knees_and_hips_are_bent_as_the_name_says(posture: str) -> None:
    camera = camera_of(posture)
    joints = pose_joints(camera.model, camera.motion_at(camera.length_frames // 6).parameters)[0]
    for place, side in enumerate(("left", "right")):
        assert knee_deg(joints, side) == pytest.approx(KNEES_DEG[posture][place], abs=12)
        if posture in HIPS_DEG:
            assert hip_deg(joints, side) == pytest.approx(HIPS_DEG[posture][place], abs=14)


@pytest.mark.parametrize("posture", RESTING)
def test_a_posture_moves_smoothly_and_visibly(posture: str) -> None:
    camera = camera_of(posture)
    joints = [pose_joints(camera.model, camera.motion_at(i).parameters)[0] for i in range(0, 75, 5)]
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=2)
    assert steps.max() < 0.25, "a joint moves faster than 1.5 m/s"
    assert np.ptp(joints, axis=0).max() > 0.03


@pytest.mark.parametrize("posture", POSTURES)
@pytest.mark.parametrize("aim", ["pitch", "height"])
def test_an_aimed_camera_sees_the_whole_person(posture: str, aim: str) -> None:
    pitch_deg = 40.0 if aim == "height" else 3.0
    camera = camera_of(posture, aim=aim, pitch_deg=pitch_deg, distance_m=2.8, wall_distance_m=5.0)
    truth = camera.frame(20).truth
    rows, columns = np.nonzero(truth.silhouette)
    assert (rows.min() > 0, rows.max() < 239, columns.min() > 0, columns.max() < 319) == (True, True, True, True)


@pytest.mark.parametrize(("posture", "sign"), [("back_view", -1.0), ("standing", 1.0)])
def test_from_behind_the_sides_are_exchanged_in_the_image(posture: str, sign: float) -> None:
    truth = camera_of(posture).frame(0).truth
    across = truth.joints_m[JOINT("left_hip"), 0] - truth.joints_m[JOINT("right_hip"), 0]
    assert sign * across > 0.1, "the left hip of a person who faces the camera is on the image's right"


@pytest.mark.parametrize("support", ["floor", "mat", "couch", "bed"])
def test_the_setting_support_lifts_the_person(support: str) -> None:
    camera = camera_of("supine", support=support)
    shot = camera.frame(0)
    height_m = support_height_m(replace(SMALL, posture="supine", support=support))
    vertices = shot.truth.vertices_m.astype(np.float64) @ shot.truth.floor_plane[:3] + shot.truth.floor_plane[3]
    assert vertices.min() == pytest.approx(height_m, abs=2e-3)
    points = shot.frame.intrinsics.back_project_image(shot.frame.depth_m).astype(np.float64)
    height = points @ shot.truth.floor_plane[:3] + shot.truth.floor_plane[3]
    on_top = ~shot.truth.silhouette & (np.abs(height - height_m) < 2e-3)
    assert on_top.mean() > 0.01, "the surface next to the person is visible at its height"

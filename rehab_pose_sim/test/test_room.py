"""Rooms, furniture, clothes and injected motions: occlusion, visibility, and what must not change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.skinning import pose_joints
from rehab_pose.errors import SettingsError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.clothes import cloth_fractions
from rehab_pose_sim.furniture import Box, draw_boxes
from rehab_pose_sim.motions import MotionSample
from rehab_pose_sim.settings import SimulationSettings
from rehab_pose_sim.surfaces import PATTERNS, SurfaceLook

if TYPE_CHECKING:
    from rehab_pose.datatypes import BodyParameters

SMALL = SimulationSettings(
    width_px=320, height_px=240, fx=230.0, fy=230.0, noise="none", exercise="none", sway=0.0, pitch_deg=6.0
)
JOINT = SMPL_24.index
LEGS = [JOINT(f"{side}_{name}") for side in ("left", "right") for name in ("knee", "ankle", "foot")]


def test_all_joints_are_visible_in_the_plain_room() -> None:
    assert SimulatedCamera(SMALL).frame(2).truth.joint_visible.all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_table_hides_the_legs_and_nothing_else(seed: int) -> None:
    settings = replace(SMALL, seed=seed)
    plain = SimulatedCamera(settings).frame(2).truth
    behind = SimulatedCamera(replace(settings, furniture="front")).frame(2)
    truth = behind.truth
    np.testing.assert_array_equal(truth.joints_m, plain.joints_m)
    assert not truth.joint_visible[LEGS].any()
    others = np.setdiff1d(np.arange(24), LEGS)
    assert truth.joint_visible[others].all()
    assert not (truth.silhouette & ~plain.silhouette).any()
    assert 0.5 < truth.silhouette.sum() / plain.silhouette.sum() < 0.9
    hidden = plain.silhouette & ~truth.silhouette
    assert (truth.depth_m[hidden] < plain.depth_m[hidden]).all()
    assert (truth.parts[hidden] == 0).all()


@pytest.mark.parametrize("furniture", ["beside", "around"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_furniture_at_the_side_and_behind_hides_no_part_of_a_standing_person(furniture: str, seed: int) -> None:
    settings = replace(SMALL, seed=seed)
    plain = SimulatedCamera(settings).frame(2)
    furnished = SimulatedCamera(replace(settings, furniture=furniture)).frame(2)
    np.testing.assert_array_equal(furnished.truth.silhouette, plain.truth.silhouette)
    assert furnished.truth.joint_visible.all()
    changed = furnished.truth.depth_m < plain.truth.depth_m
    assert changed.mean() > 0.01
    near = np.abs(furnished.truth.depth_m[changed] - plain.truth.joints_m[0, 2])
    assert near.min() < 0.8, "furniture is at about the person's distance"


def test_background_seeds_give_different_rooms_behind_the_same_person() -> None:
    colors = set()
    plain = SimulatedCamera(SMALL).frame(0).truth
    for seed in range(1, 6):
        shot = SimulatedCamera(replace(SMALL, background_seed=seed)).frame(0)
        np.testing.assert_array_equal(shot.truth.silhouette, plain.silhouette)
        background = shot.frame.color[~shot.truth.silhouette]
        colors.add(tuple(background.mean(axis=0).round().astype(int)))
    assert len(colors) == 5


def test_clothes_widen_the_silhouette_but_do_not_change_joints_hands_feet_and_face() -> None:
    plain = SimulatedCamera(SMALL).frame(0).truth
    dressed = SimulatedCamera(replace(SMALL, clothing_m=0.04)).frame(0).truth
    np.testing.assert_array_equal(dressed.joints_m, plain.joints_m)
    np.testing.assert_array_equal(dressed.vertices_m, plain.vertices_m)
    assert 1.05 < dressed.silhouette.sum() / plain.silhouette.sum() < 1.5
    model = SimulatedCamera(SMALL).model
    fractions = cloth_fractions(model, 1)
    assert fractions.min() >= 0.0
    assert fractions.max() <= 1.0
    heaviest = model.weights.argmax(axis=1)
    bare = np.isin(heaviest, [JOINT(name) for name in ("head", "left_hand", "right_hand", "left_foot", "right_foot")])
    assert fractions[bare].mean() < 0.01
    assert fractions[bare].max() < 0.2
    assert fractions[heaviest == JOINT("spine2")].min() > 0.2
    edges = np.concatenate([model.faces[:, [0, 1]], model.faces[:, [1, 2]]])
    assert np.abs(np.diff(fractions[edges], axis=1)).max() < 0.3, "the cloth has no steps"


def test_a_joint_behind_another_limb_is_not_visible() -> None:
    camera = SimulatedCamera(replace(SMALL, yaw_deg=90.0))
    truth = camera.frame(0).truth
    hidden = [SMPL_24.joint_names[index] for index in np.flatnonzero(~truth.joint_visible)]
    # Turned to their left, a person shows their right side: of the arms only the left one can be hidden.
    assert all(not name.startswith("right") for name in hidden)


def test_a_joint_outside_the_image_is_not_visible() -> None:
    truth = SimulatedCamera(replace(SMALL, distance_m=1.2)).frame(0).truth
    assert not truth.joint_visible[[JOINT("left_foot"), JOINT("right_foot")]].any()
    assert truth.joint_visible[JOINT("spine2")]


@dataclass(frozen=True)
class Still:
    parameters: BodyParameters
    length_s: float = 2.0

    def at(self, time_s: float) -> MotionSample:
        return MotionSample(self.parameters, "held", time_s / self.length_s, 0, {})


def test_an_injected_motion_replaces_the_script() -> None:
    scripted = SimulatedCamera(replace(SMALL, exercise="squat"))
    parameters = scripted.motion_at(100).parameters
    camera = SimulatedCamera(SMALL, motion=Still(parameters))
    assert camera.length_frames == 60
    shot = camera.frame(7)
    assert shot.truth.label == "held"
    distances = np.linalg.norm(np.diff(shot.truth.joints_m, axis=0), axis=1)
    posed = pose_joints(camera.model, parameters)[0]
    np.testing.assert_allclose(distances, np.linalg.norm(np.diff(posed, axis=0), axis=1), atol=1e-9)


def test_a_wall_in_front_of_the_person_is_refused() -> None:
    with pytest.raises(SettingsError, match="wall_distance_m"):
        SimulatedCamera(replace(SMALL, distance_m=4.0))


@pytest.mark.parametrize("distance_m", [2.4, 4.0])
@pytest.mark.parametrize("camera_height_m", [0.6, 2.0])
@pytest.mark.parametrize("yaw_deg", [-60.0, 60.0])
def test_a_camera_aimed_at_the_middle_sees_the_whole_person(
    distance_m: float, camera_height_m: float, yaw_deg: float
) -> None:
    pitch_deg = float(np.degrees(np.arctan2(camera_height_m - 0.95, distance_m)))
    changes = {"distance_m": distance_m, "camera_height_m": camera_height_m, "yaw_deg": yaw_deg}
    settings = replace(SMALL, **changes, pitch_deg=pitch_deg, wall_distance_m=distance_m + 1.0)  # type: ignore[arg-type]
    truth = SimulatedCamera(settings).frame(0).truth
    rows, columns = np.nonzero(truth.silhouette)
    assert (rows.min() > 0, rows.max() < 239, columns.min() > 0, columns.max() < 319) == (True, True, True, True)
    left, right = truth.joints_m[[JOINT("left_shoulder"), JOINT("right_shoulder")], 2]
    # Turned to their left, people show their right side: the left shoulder is farther away.
    assert (left > right) == (yaw_deg > 0.0)


def test_a_box_has_its_exact_depth() -> None:
    depth, color = np.full((21, 31), 9.0, np.float32), np.zeros((21, 31, 3), np.uint8)
    columns, rows = np.meshgrid(np.arange(31) - 15, np.arange(21) - 10)
    rays = np.stack([columns / 30.0, -rows / 30.0, -np.ones(columns.shape)], axis=-1)
    look = SurfaceLook((200.0, 100.0, 50.0), "plain", 0.1, 0.0)
    draw_boxes([Box((0.0, 0.6, -1.0), (0.8, 0.8, 1.0), 0.0, look)], np.array([0.0, 1.0, 2.0]), rays, depth, color)
    # The front face is at z = -0.5, 2.5 m in front of the camera, 0.4 m to each side: 4.8 pixels.
    inside = (np.abs(columns) <= 4) & (np.abs(rows) <= 4)
    np.testing.assert_allclose(depth[inside], 2.5, rtol=1e-6)
    assert (depth[~inside] == 9.0).all()
    assert (color[inside] > 0).all()
    assert (color[~inside] == 0).all()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_stay_around_their_colour(pattern: str) -> None:
    across, along = np.meshgrid(np.linspace(0.0, 2.0, 80), np.linspace(0.0, 2.0, 80))
    painted = SurfaceLook((100.0, 150.0, 200.0), pattern, 0.21, 0.2).paint(across, along)
    assert painted.shape == (80, 80, 3)
    np.testing.assert_allclose(painted.mean(axis=(0, 1)), (100.0, 150.0, 200.0), rtol=0.1)
    assert (painted.std(axis=(0, 1)) > 2.0).all() == (pattern != "plain")

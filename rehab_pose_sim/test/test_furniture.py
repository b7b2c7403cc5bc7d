"""Furniture: what it hides, and the depth of a box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.furniture import Box, draw_boxes
from rehab_pose_sim.settings import SimulationSettings
from rehab_pose_sim.surfaces import SurfaceLook

SMALL = SimulationSettings(
    width_px=320, height_px=240, fx=230.0, fy=230.0, noise="none", exercise="none", sway=0.0, pitch_deg=6.0
)
JOINT = SMPL_24.index
LEGS = [JOINT(f"{side}_{name}") for side in ("left", "right") for name in ("knee", "ankle", "foot")]


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

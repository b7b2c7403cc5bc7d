"""Clothes of the simulated person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.clothes import cloth_fractions
from rehab_pose_sim.settings import SimulationSettings

SMALL = SimulationSettings(
    width_px=320, height_px=240, fx=230.0, fy=230.0, noise="none", exercise="none", sway=0.0, pitch_deg=6.0
)
JOINT = SMPL_24.index


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

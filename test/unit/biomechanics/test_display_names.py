"""Tests of the clinical names of the angles."""

from __future__ import annotations

from rehab_pose.biomechanics.angle_model import load_angle_model
from rehab_pose.biomechanics.display_names import angle_display_name


def test_every_angle_has_its_own_name_without_underscores() -> None:
    names = load_angle_model().names
    displayed = [angle_display_name(name) for name in names]
    assert len(set(displayed)) == len(names)
    assert all("_" not in name for name in displayed)


def test_sides_come_first() -> None:
    assert angle_display_name("left_knee_flexion") == "left knee flexion"
    assert angle_display_name("right_hip_rotation") == "right hip internal rotation"
    assert angle_display_name("trunk_lateral_tilt") == "trunk lateral flexion"

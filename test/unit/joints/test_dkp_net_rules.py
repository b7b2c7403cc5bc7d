"""Rules of DKP-Net-24 on drawn figures with known limbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.joints.dkp_net_rules import arms_are_raised, points_lowered_arms, points_raised_arms
from rehab_pose.skeletons.dkp24 import DKP_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT = 300
MIDDLE = 100


def figure(hand_row: int) -> NDArray[np.bool_]:
    """Return the mask of a person 300 px tall who faces the camera, with straight arms and the hands at a row."""
    canvas = np.zeros((HEIGHT, 2 * MIDDLE + 1), np.uint8)
    cv2.circle(canvas, (MIDDLE, 20), 20, 1, -1)
    cv2.rectangle(canvas, (MIDDLE - 35, 38), (MIDDLE + 35, 190), 1, -1)
    for sign in (-1, 1):
        cv2.line(canvas, (MIDDLE + sign * 30, 50), (MIDDLE + sign * 92, hand_row), 1, 14)
        cv2.line(canvas, (MIDDLE + sign * 18, 190), (MIDDLE + sign * 25, HEIGHT - 1), 1, 22)
    columns = np.flatnonzero(canvas.any(axis=0))
    return canvas[:, columns[0] : columns[-1] + 1].astype(np.bool_)


@pytest.mark.parametrize(("hand_row", "raised"), [(170, False), (10, True)])
def test_the_table_is_selected_by_the_height_of_the_hands(hand_row: int, raised: bool) -> None:
    assert arms_are_raised(figure(hand_row)) is raised


@pytest.mark.parametrize(("hand_row", "rule"), [(170, points_lowered_arms), (10, points_raised_arms)])
def test_all_points_exist_and_left_and_right_are_anatomical(hand_row: int, rule: object) -> None:
    assert callable(rule)
    inside = figure(hand_row)
    points = rule(inside)
    assert set(points) == set(DKP_24.joint_names)
    for name in ("shoulder", "hip", "ankle", "wrist", "elbow", "hand", "knee"):
        # The left side of a person who faces the camera is at the larger column.
        assert points[f"left_{name}"][0] > points[f"right_{name}"][0], name
    for x, y in points.values():
        assert -1 <= x <= inside.shape[1]
        assert -1 <= y <= HEIGHT + 12
    assert points["head"][1] < points["neck"][1] < points["spine"][1] < points["pelvis"][1]


def test_points_scale_with_the_silhouette() -> None:
    # A rectangle, so that the row of no rule is at a step of the outline.
    small = np.ones((HEIGHT, 80), np.bool_)
    large = np.ones((2 * HEIGHT, 160), np.bool_)
    first, second = points_lowered_arms(small), points_lowered_arms(large)
    for name in DKP_24.joint_names:
        np.testing.assert_allclose(np.array(second[name]) / 2.0, first[name], atol=1.0)

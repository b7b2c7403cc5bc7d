"""Visibility and confidence of joints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import JointVisibility, Silhouette
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.joint_confidence import OCCLUDER_GAP_M, joint_confidence, joint_visibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA = CameraIntrinsics(64, 48, 60.0, 61.0, 31.5, 23.5)
BOX_PX = (20, 10, 24, 30)


def silhouette() -> Silhouette:
    """Return a person whose surface is 2 m away, with a hole without returns."""
    _, _, width, height = BOX_PX
    depth_m = np.full((height, width), 2.0, np.float32)
    depth_m[:5, :5] = np.nan
    color = np.zeros((height, width, 3), np.uint8)
    inside = np.ones((height, width), np.bool_)
    up = np.array([0.0, -1.0, 0.0])
    return Silhouette(
        stamp_ns=1,
        frame_id="cam",
        intrinsics=CAMERA,
        box_px=BOX_PX,
        inside=inside,
        color=color,
        depth_m=depth_m,
        confidence=1.0,
        up=up,
    )


def obvious_visibility(positions_m: NDArray[np.float64], person: Silhouette) -> list[int]:
    """Return the visibility of joints by the definition, one by one."""
    x0, y0, width, height = person.box_px
    found = []
    for position in positions_m:
        if not np.isfinite(position).all() or position[2] <= 0.0:
            found.append(JointVisibility.MISSING)
            continue
        u, v = (int(np.floor(value + 0.5)) for value in CAMERA.project(position))
        if not (0 <= u < CAMERA.width_px and 0 <= v < CAMERA.height_px):
            found.append(JointVisibility.PREDICTED)
            continue
        in_box = x0 <= u < x0 + width and y0 <= v < y0 + height
        if not in_box or position[2] - person.depth_m[v - y0, u - x0] > OCCLUDER_GAP_M:
            found.append(JointVisibility.OCCLUDED)
        else:
            found.append(JointVisibility.OBSERVED)
    return [int(value) for value in found]


def test_the_compiled_visibility_is_that_of_the_definition() -> None:
    random = np.random.default_rng(3)
    positions_m = random.uniform((-1.5, -1.2, -0.5), (1.5, 1.2, 3.5), (2000, 3))
    positions_m[random.random(2000) < 0.1] = np.nan
    person = silhouette()
    visibility = joint_visibility(positions_m, person)
    assert visibility.tolist() == obvious_visibility(positions_m, person)
    assert set(visibility.tolist()) == {int(value) for value in JointVisibility}


def test_confidence_falls_with_the_error_and_with_what_hides_the_joint() -> None:
    sigma_m = np.array([0.0, 0.12, 0.0, 0.0, np.nan])
    visibility = np.array(
        [
            JointVisibility.OBSERVED,
            JointVisibility.OBSERVED,
            JointVisibility.OCCLUDED,
            JointVisibility.PREDICTED,
            JointVisibility.MISSING,
        ],
        np.uint8,
    )
    assert joint_confidence(sigma_m, visibility) == pytest.approx([1.0, np.exp(-1.0), 0.5, 0.2, 0.0])

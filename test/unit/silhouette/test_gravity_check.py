"""GravityCheck: which postures contradict a floor plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.silhouette.gravity_check import FRAMES, GravityCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints

CAMERA = CameraIntrinsics(320, 240, 240.0, 240.0, 159.5, 119.5)
FRAME = RgbdFrame(1, "camera", CAMERA, np.zeros((240, 320, 3), np.uint8), np.ones((240, 320), np.float32))
STANDING = {11: (180.0, 80.0), 12: (140.0, 80.0), 23: (175.0, 150.0), 24: (145.0, 150.0)}
UPSIDE_DOWN = {index: (u, 240.0 - v) for index, (u, v) in STANDING.items()}
LYING = {index: (v, u) for index, (u, v) in STANDING.items()}
UPRIGHT, TURNED, UNKNOWN = np.array([0.0, -0.95, -0.3]), np.array([1.0, 0.0, 0.0]), np.full(3, np.nan)


def contradicted(
    joints: ImageJoints, up: NDArray[np.float64], measured: NDArray[np.float64] = UNKNOWN, frames: int = FRAMES
) -> bool:
    check = GravityCheck()
    return [check.contradicts(joints, up, measured) for _ in range(frames)][-1]


def test_people_are_not_upside_down_for_long(joints_with_mask: Callable[..., ImageJoints]) -> None:
    joints = joints_with_mask(FRAME, None, visible=UPSIDE_DOWN)
    assert contradicted(joints, UPRIGHT)
    assert not contradicted(joints, UPRIGHT, frames=FRAMES - 1)
    assert not contradicted(joints, -UPRIGHT)


def test_a_lying_person_contradicts_a_turned_camera_only(joints_with_mask: Callable[..., ImageJoints]) -> None:
    lying, standing = joints_with_mask(FRAME, None, visible=LYING), joints_with_mask(FRAME, None, visible=STANDING)
    assert not contradicted(lying, UPRIGHT)
    assert not contradicted(standing, UPRIGHT)
    # The floor of a turned camera is a side wall if the person stands in the image as it is.
    assert contradicted(standing, TURNED)


def test_measurements_and_doubtful_landmarks_are_not_contradicted(
    joints_with_mask: Callable[..., ImageJoints],
) -> None:
    assert not contradicted(joints_with_mask(FRAME, None, visible=UPSIDE_DOWN), UPRIGHT, UPRIGHT)
    assert not contradicted(joints_with_mask(FRAME, None, visible=UPSIDE_DOWN, score=0.6), UPRIGHT)
    assert not contradicted(joints_with_mask(FRAME, None), UPRIGHT)
    assert not contradicted(joints_with_mask(FRAME, None, visible=UPSIDE_DOWN), UNKNOWN)

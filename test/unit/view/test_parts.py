"""Records of a frame as the page gets them."""

from __future__ import annotations

import json

import cv2
import numpy as np

from rehab_pose.datatypes import JointAngles, Joints, JointVisibility
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.view.parts import MESH_STEPS_PER_M, angle_names_part, angles_part, image_part, joints_part, mesh_part
from rehab_pose.view.tracking_words import GOOD, NO_PERSON, tracking_words

CAMERA = CameraIntrinsics(width_px=64, height_px=48, fx=50.0, fy=50.0, cx=31.5, cy=23.5)


def person(confidence: float = 0.9, **visibility: JointVisibility) -> Joints:
    count = len(SMPL_24)
    seen = np.full(count, JointVisibility.OBSERVED, np.uint8)
    for name, kind in visibility.items():
        seen[SMPL_24.index(name)] = kind
    positions = np.tile([0.1, 0.2, 2.0], (count, 1))
    positions[SMPL_24.index("left_hand")] = np.nan
    return Joints(0, "camera", SMPL_24, positions, np.full(count, confidence), np.full(count, np.nan), seen)


def test_joints_have_places_in_the_image_and_missing_ones_are_null() -> None:
    content = json.loads(json.dumps(joints_part(5_000_000, person(), CAMERA).content, allow_nan=False))
    assert content["stamp_ms"] == 5
    assert content["pixels"][0] == [34.0, 28.5]
    assert content["pixels"][SMPL_24.index("left_hand")] == [None, None]
    assert content["positions_m"][SMPL_24.index("left_hand")] == [None, None, None]


def test_tracking_is_named_in_words() -> None:
    assert tracking_words(None) == ("none", NO_PERSON)
    assert tracking_words(person()) == ("good", GOOD)
    hidden = person(left_wrist=JointVisibility.OCCLUDED)
    assert tracking_words(hidden) == ("fair", "Fair: left arm is hidden")
    both = person(left_wrist=JointVisibility.OCCLUDED, left_ankle=JointVisibility.PREDICTED)
    assert tracking_words(both) == ("fair", "Fair: left leg is outside the picture, left arm is hidden")
    assert tracking_words(person(0.2))[0] == "poor"


def test_angles_are_in_degrees_with_clinical_names() -> None:
    angles = JointAngles(
        0, "camera", ("left_knee_flexion", "trunk_lateral_tilt"), np.array([np.pi / 2, np.nan]), *np.zeros((3, 2))
    )
    assert angles_part(0, angles).content["degrees"] == [90.0, None]
    assert angle_names_part(angles.names).content["displayed"] == ["left knee flexion", "trunk lateral flexion"]
    assert "degrees" not in angles_part(0, None).content


def test_the_mesh_is_kept_within_a_tenth_of_a_millimetre() -> None:
    vertices_m = np.random.default_rng(3).uniform([-0.5, -1.0, 2.0], [0.5, 1.0, 3.0], (100, 3)).astype(np.float32)
    part = mesh_part(vertices_m)
    assert part.payload is not None
    steps = np.frombuffer(part.payload.get(), "<i2").reshape(-1, 3)
    centre_m = np.array(part.content["centre_m"])
    error_m = np.abs(steps / MESH_STEPS_PER_M + centre_m - vertices_m).max()
    assert error_m < 1e-4
    assert mesh_part(np.empty((0, 3), np.float32)).payload is None


def test_the_image_keeps_its_colours() -> None:
    color = np.zeros((48, 64, 3), np.uint8)
    color[..., 0] = 200
    part = image_part(color, 90)
    assert part.payload is not None
    bgr = cv2.imdecode(np.frombuffer(part.payload.get(), np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    assert abs(int(bgr[20, 20, 2]) - 200) < 10
    assert bgr[20, 20, 0] < 30

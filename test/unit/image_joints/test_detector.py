"""Detector of landmarks on simulated people, whose joints are known."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import RgbdFrame, Silhouette
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.image_joints.detector import DEFAULT_MASK, ImageJointDetector
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.skeletons.blazepose33 import landmark
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from rehab_pose_sim.camera import SimulatedFrame

LIMBS = [f"{side}_{name}" for side in ("left", "right") for name in ("shoulder", "elbow", "wrist", "knee", "ankle")]
MAX_ERROR_PX = 15.0
"""Largest mean distance of landmarks from the true joints: 8 cm at 2.6 m."""


@cache
def shots(posture: str = "standing") -> list[SimulatedFrame]:
    settings = SimulationSettings(posture=posture, exercise="none", noise="none", background_seed=4, start_ns=1)
    camera = SimulatedCamera(settings)
    return [camera.frame(index) for index in range(4)]


def silhouette_of(shot: SimulatedFrame) -> Silhouette:
    mask, frame = shot.truth.silhouette, shot.frame
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y, width, height = int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    part = slice(y, y + height), slice(x, x + width)
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=(x, y, width, height),
        inside=mask[part],
        color=frame.color[part],
        depth_m=frame.depth_m[part],
    )


def mean_error_px(shot: SimulatedFrame, pixels: np.ndarray) -> float:
    truth_px = shot.frame.intrinsics.project(shot.truth.joints_m)
    errors = [np.hypot(*(pixels[landmark(name)] - truth_px[SMPL_24.index(name)])) for name in LIMBS]
    return float(np.mean(errors))


def test_no_person_is_followed_before_a_silhouette_is_given() -> None:
    detector = ImageJointDetector()
    assert detector.detect(shots()[0].frame) is None
    assert not detector.tracking


def test_the_person_of_a_silhouette_is_found_and_then_followed_without_it() -> None:
    detector, (first, *others) = ImageJointDetector(), shots()
    found = detector.seed(first.frame, silhouette_of(first))
    assert found is not None
    assert found.mask is not None
    assert mean_error_px(first, found.pixels) < MAX_ERROR_PX
    for shot in others:
        followed = detector.detect(shot.frame)
        assert followed is not None
        assert followed.stamp_ns == shot.frame.stamp_ns
        assert mean_error_px(shot, followed.pixels) < MAX_ERROR_PX


def test_a_lying_person_is_found_although_the_first_orientation_is_wrong() -> None:
    shot = shots("supine")[0]
    found = ImageJointDetector().seed(shot.frame, silhouette_of(shot))
    assert found is not None
    assert mean_error_px(shot, found.pixels) < MAX_ERROR_PX


def test_landmarks_turn_with_the_image() -> None:
    shot = shots()[0]
    frame = shot.frame
    upright = ImageJointDetector().seed(frame, silhouette_of(shot))
    height, width = frame.depth_m.shape
    camera = frame.intrinsics
    turned_camera = CameraIntrinsics(height, width, camera.fy, camera.fx, height - 1 - camera.cy, camera.cx)
    turned = RgbdFrame(
        frame.stamp_ns,
        frame.frame_id,
        turned_camera,
        np.ascontiguousarray(np.rot90(frame.color, -1)),
        np.ascontiguousarray(np.rot90(frame.depth_m, -1)),
    )
    original = silhouette_of(shot)
    x, y, box_width, box_height = original.box_px
    silhouette = dataclasses.replace(
        original,
        intrinsics=turned_camera,
        box_px=(height - y - box_height, x, box_height, box_width),
        inside=np.rot90(original.inside, -1),
        color=np.rot90(original.color, -1),
        depth_m=np.rot90(original.depth_m, -1),
        up=np.array([1.0, 0.0, 0.0]),
    )
    found = ImageJointDetector().seed(turned, silhouette)
    assert upright is not None
    assert found is not None
    # A turn by a quarter clockwise maps column u, row v to column height - 1 - v, row u.
    expected_px = np.stack([height - 1 - upright.pixels[:, 1], upright.pixels[:, 0]], axis=1)
    assert np.abs(found.pixels - expected_px).mean() < 3.0
    expected_m = np.stack([-upright.relative_m[:, 1], upright.relative_m[:, 0], upright.relative_m[:, 2]], axis=1)
    assert np.abs(found.relative_m - expected_m).mean() < 0.03


def test_the_mask_is_computed_in_every_nth_frame_and_covers_the_person() -> None:
    detector, (first, *others) = ImageJointDetector(ImageJointSettings(mask_interval=2, extrapolation_s=0.0)), shots()
    results = [detector.seed(first.frame, silhouette_of(first)), *(detector.detect(shot.frame) for shot in others)]
    masks = [result.mask for result in results if result is not None]
    assert [mask is not None for mask in masks] == [True, False, True, False]
    mask = masks[0]
    assert mask is not None
    truth_rows, truth_columns = np.nonzero(first.truth.silhouette)
    inverse = np.linalg.inv(np.vstack([mask.image_from_mask, [0.0, 0.0, 1.0]]))
    points = inverse @ np.stack([truth_columns, truth_rows, np.ones(len(truth_rows))])
    column, row = np.rint(points[:2]).astype(int).clip(0, mask.logits.shape[0] - 1)
    assert (mask.logits[row, column] > 0.0).mean() > 0.9


def test_a_camera_with_60_hz_gets_masks_as_often_as_one_with_30_hz() -> None:
    shot = shots()[0]
    for rate_hz, expected in ((30, [0, 4, 8, 12]), (60, [0, 8, 16, 24]), (45, [0, 6, 12, 18])):
        detector = ImageJointDetector(ImageJointSettings(extrapolation_s=0.0))
        stamps_ns = [1 + round(index * 1e9 / rate_hz) for index in range(25)]
        frames = [dataclasses.replace(shot.frame, stamp_ns=stamp_ns) for stamp_ns in stamps_ns]
        results = [detector.seed(frames[0], silhouette_of(shot)), *map(detector.detect, frames[1:])]
        with_mask = [index for index, result in enumerate(results) if result is not None and result.mask is not None]
        assert with_mask[: len(expected)] == expected, rate_hz


def test_an_empty_image_is_no_person() -> None:
    shot = shots()[0]
    blank = dataclasses.replace(shot.frame, color=np.full_like(shot.frame.color, 120))
    assert ImageJointDetector().seed(blank, silhouette_of(shot)) is None


def test_a_person_who_disappears_is_lost_and_not_replaced_by_the_background() -> None:
    detector, (first, second, *_) = ImageJointDetector(), shots()
    assert detector.seed(first.frame, silhouette_of(first)) is not None
    blank = dataclasses.replace(second.frame, color=np.full_like(second.frame.color, 120))
    assert detector.detect(blank) is None
    assert not detector.tracking


def test_after_a_long_gap_the_person_is_looked_for_again() -> None:
    detector, (first, second, *_) = ImageJointDetector(), shots()
    assert detector.seed(first.frame, silhouette_of(first)) is not None
    late = dataclasses.replace(second.frame, stamp_ns=first.frame.stamp_ns + 2_000_000_000)
    assert detector.detect(late) is None


def test_without_colour_nothing_is_loaded() -> None:
    detector = ImageJointDetector(ImageJointSettings(enabled=False, landmarks_path="missing.onnx"))
    shot = shots()[0]
    assert detector.seed(shot.frame, silhouette_of(shot)) is None
    assert detector.model_id == ""


def test_weights_of_another_stage_are_refused() -> None:
    with pytest.raises(ModelFileError, match="belongs to another stage"):
        ImageJointDetector(ImageJointSettings(landmarks_path=str(DEFAULT_MASK)))


def test_the_mask_is_computed_again_when_an_arm_has_moved_far() -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="arm_lifting", gap_s=0.0, noise="none", start_ns=1))
    still = ImageJointDetector(ImageJointSettings(mask_interval=30, extrapolation_s=0.0))
    first = camera.frame(0)
    assert still.seed(first.frame, silhouette_of(first)) is not None
    masks = 0
    for index in range(1, 40):
        frame = dataclasses.replace(camera.frame(index).frame, stamp_ns=first.frame.stamp_ns + index * 3_800_000)
        found = still.detect(frame)
        masks += found is not None and found.mask is not None
    # All stamps are within 150 ms, so that neither the age nor the interval of a mask is the reason.
    assert masks == 2, "60 ms between two of them at least"

"""PartLabeller by the nearest bone, compared with the truth of the simulation and with an implementation in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rehab_pose.datatypes import Joints, Silhouette
from rehab_pose.errors import ContractError
from rehab_pose.parts.classes import lip_class
from rehab_pose.parts.contours import part_contours
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.nearest_bone import BONES, HAIR_ABOVE_HEAD_M
from rehab_pose.parts.settings import PartSettings
from rehab_pose.skeletons.kinect import KINECT_25

Person = tuple[Silhouette, Joints, NDArray[np.uint8]]
PersonMaker = Callable[[str, int, float, int], Person]


def nearest_parts(points_m: NDArray[np.float64], joints: Joints) -> NDArray[np.uint8]:
    """Return the LIP class (N) of surface points (N, 3) by the distances to all bones, in double precision."""
    position = {name: joints.positions_m[index] for index, name in enumerate(joints.skeleton.joint_names)}
    best = np.full(len(points_m), np.inf)
    part = np.full(len(points_m), lip_class("upper_clothes"), dtype=np.uint8)
    for first, second, begin, end, radius_m, name in BONES:
        bone = position[second] - position[first]
        if not np.isfinite(bone).all():
            continue
        start, vector = position[first] + begin * bone, (end - begin) * bone
        fraction = np.clip((points_m - start) @ vector / max(float(vector @ vector), 1e-9), 0.0, 1.0)
        distance = np.linalg.norm(points_m - start - fraction[:, None] * vector, axis=1) - radius_m
        part[distance < best] = lip_class(name)
        best = np.minimum(best, distance)
    up = position["head"] - position["neck"]
    forward = np.cross(position["left_shoulder"] - position["right_shoulder"], up)
    above = (points_m - position["head"]) @ (up / np.linalg.norm(up))
    behind = (points_m - position["head"]) @ forward < 0
    part[(part == lip_class("face")) & ((above > HAIR_ABOVE_HEAD_M) | ((above > 0) & behind))] = lip_class("hair")
    return part


@pytest.mark.parametrize("stride_px", [1, 2, 3])
@pytest.mark.parametrize("yaw_deg", [0.0, 140.0])
def test_measured_pixels_take_the_part_of_the_nearest_bone(
    person_at: PersonMaker, yaw_deg: float, stride_px: int
) -> None:
    silhouette, joints, _ = person_at("arm_lifting", 120, yaw_deg, 0)
    labels = PartLabeller(PartSettings(stride_px=stride_px)).label(silhouette, joints).labels
    points_m = silhouette.intrinsics.cropped(silhouette.box_px).back_project_image(silhouette.depth_m)
    # The first pixel of each cell represents it if it has a depth.
    measured = np.zeros_like(silhouette.inside)
    measured[::stride_px, ::stride_px] = np.isfinite(points_m[::stride_px, ::stride_px, 2])
    assert measured.sum() > 1000
    expected = nearest_parts(points_m[measured].astype(np.float64), joints)
    # Where two bones are equally near, single precision can give the other one.
    assert (labels[measured] == expected).mean() > 0.999


def test_a_cell_has_one_part_and_pixels_outside_have_none(lifting: Person) -> None:
    silhouette, joints, _ = lifting
    labels = PartLabeller(PartSettings(stride_px=4)).label(silhouette, joints).labels
    assert (labels[~silhouette.inside] == 0).all()
    assert (labels[silhouette.inside] > 0).all()
    height, width = labels.shape
    for y in range(0, height, 4):
        for x in range(0, width, 4):
            assert len(np.setdiff1d(labels[y : y + 4, x : x + 4], [0])) <= 1


def test_pixels_without_depth_use_the_nearest_depth(standing: Person) -> None:
    silhouette, joints, _ = standing
    labels = PartLabeller().label(silhouette, joints).labels
    depth_m = silhouette.depth_m.copy()
    height = len(depth_m)
    depth_m[2 * height // 5 : 2 * height // 5 + 16] = np.nan
    with_hole = PartLabeller().label(replace(silhouette, depth_m=depth_m), joints).labels
    assert (with_hole[silhouette.inside] > 0).all()
    assert (with_hole == labels)[silhouette.inside].mean() > 0.98
    without_depth = PartLabeller().label(replace(silhouette, depth_m=np.full_like(depth_m, np.nan)), joints).labels
    assert set(np.unique(without_depth[silhouette.inside])) == {lip_class("upper_clothes")}


@pytest.mark.parametrize(
    ("exercise", "index", "yaw_deg", "shape_seed"),
    [
        ("none", 0, 0.0, 0),
        ("arm_lifting", 120, 0.0, 0),
        ("squat", 100, 30.0, 3),
        ("trunk_rotation", 100, -60.0, 5),
        ("lateral_trunk_tilt", 100, 180.0, 7),
    ],
)
def test_more_than_92_percent_of_the_pixels_have_their_true_part(
    person_at: PersonMaker, exercise: str, index: int, yaw_deg: float, shape_seed: int
) -> None:
    silhouette, joints, truth = person_at(exercise, index, yaw_deg, shape_seed)
    labels = PartLabeller().label(silhouette, joints).labels
    inside = silhouette.inside
    # Measured: 0.935 to 0.97.
    assert (labels[inside] == truth[inside]).mean() > 0.92


def test_left_and_right_are_anatomical(lifting: Person) -> None:
    silhouette, joints, truth = lifting
    labels = PartLabeller().label(silhouette, joints).labels
    for side in ("left", "right"):
        arm = lip_class(f"{side}_arm")
        assert (labels[truth == arm] == arm).mean() > 0.9


def test_joints_with_20_mm_noise_give_85_percent_true_parts(lifting: Person) -> None:
    silhouette, joints, truth = lifting
    random = np.random.default_rng(1)
    noisy = replace(joints, positions_m=joints.positions_m + random.normal(0.0, 0.02, (24, 3)))
    labels = PartLabeller().label(silhouette, noisy).labels
    assert (labels[silhouette.inside] == truth[silhouette.inside]).mean() > 0.85


def test_all_pixels_are_labelled_with_missing_joints(standing: Person) -> None:
    silhouette, joints, _ = standing
    every_other = joints.positions_m.copy()
    every_other[::2] = np.nan
    for positions in (every_other, np.full((24, 3), np.nan)):
        parts = PartLabeller().label(silhouette, replace(joints, positions_m=positions))
        assert (parts.labels[silhouette.inside] > 0).all()


def test_joints_of_another_skeleton_are_refused(standing: Person) -> None:
    silhouette, joints, _ = standing
    other = Joints(
        stamp_ns=joints.stamp_ns,
        frame_id=joints.frame_id,
        skeleton=KINECT_25,
        positions_m=np.zeros((25, 3)),
        confidence=np.ones(25),
        sigma_m=np.ones(25),
        visibility=np.ones(25, np.uint8),
    )
    with pytest.raises(ContractError, match="expected joints of SMPL_24 or DKP_24, got"):
        PartLabeller().label(silhouette, other)


def evenly_spaced(contour_px: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Return points (count, 2) at equal steps along a closed contour (M, 2)."""
    closed = np.vstack([contour_px, contour_px[:1]]).astype(np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    targets = np.linspace(0.0, along[-1], count, endpoint=False)
    return np.stack([np.interp(targets, along, closed[:, axis]) for axis in range(2)], axis=1)


@pytest.mark.parametrize("count", [3, 20, 500])
def test_contours_equal_those_found_in_the_full_box(lifting: Person, count: int) -> None:
    silhouette, joints, _ = lifting
    labels = PartLabeller().label(silhouette, joints).labels.copy()
    labels[0, 0] = lip_class("scarf")  # one pixel, in a corner
    contours_px = part_contours(labels, (100, 50, *labels.shape[::-1]), count)
    for part in range(20):
        contours, _ = cv2.findContours((labels == part).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if part == 0 or not contours:
            assert np.isnan(contours_px[part]).all()
        else:
            longest = max(contours, key=len).reshape(-1, 2).astype(np.int32)
            np.testing.assert_allclose(
                contours_px[part], np.array([100, 50]) + evenly_spaced(longest, count), atol=1e-3
            )


def test_contour_points_are_evenly_spaced_and_absent_parts_are_nan(standing: Person) -> None:
    silhouette, joints, _ = standing
    parts = PartLabeller(PartSettings(points_per_contour=40)).label(silhouette, joints)
    assert parts.contours_px.shape == (20, 40, 2)
    assert np.isnan(parts.contours_px[lip_class("hat")]).all()
    pants = parts.contours_px[lip_class("pants")]
    steps = np.linalg.norm(np.diff(np.vstack([pants, pants[:1]]), axis=0), axis=1)
    assert steps.max() < 1.8 * np.median(steps)

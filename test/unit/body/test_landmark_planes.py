"""Landmarks of the colour image in the body fit: terms against the projection, and fits with known truth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.image_evidence import agreement, landmarks_with_depth
from rehab_pose.body.landmark_planes import LandmarkPlanes
from rehab_pose.body.limb_lengths import LENGTH_STD, SEGMENTS, with_limb_lengths
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters, ImageJoints, Joints, Silhouette
from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.blazepose33 import BLAZEPOSE_33
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREE_MODEL = load_body_model()
MODEL = with_limb_lengths(FREE_MODEL)
CAMERA = CameraIntrinsics(320, 240, 230.0, 230.0, 159.5, 119.5)
FACING_RAD = np.array([np.pi, 0.0, 0.0])


def parameters(*, raised_rad: float = 0.6, turned_rad: float = 0.0) -> BodyParameters:
    """Return a person 2.5 m in front of the camera with the left arm raised to the side."""
    rotations = np.zeros((24, 3))
    rotations[0] = FACING_RAD
    rotations[SMPL_24.index("left_shoulder")] = [0.0, 0.0, raised_rad - 1.2]
    rotations[SMPL_24.index("right_shoulder")] = [0.0, 0.0, 1.2]
    rotations[SMPL_24.index("spine1")] = [0.0, turned_rad, 0.0]
    return BodyParameters(np.zeros(MODEL.shape_count), rotations, np.array([0.0, 0.1, 2.5]))


def seen(body: BodyParameters) -> tuple[Silhouette, ImageJoints, NDArray[np.float64]]:
    """Return silhouette, exact landmarks and true joints (24, 3) [m] of a person."""
    joints_m, rotations = pose_joints(MODEL, body)
    depth_m, _ = render_person(MODEL, pose_vertices(MODEL, body), CAMERA)
    inside = np.isfinite(depth_m)
    planes = LandmarkPlanes(MODEL)
    points_m = planes.posed(body.betas, MODEL.joints(body.betas), joints_m, rotations)
    pixels, relative_m = np.full((33, 2), np.nan), np.zeros((33, 3))
    for point, sources in zip(points_m, planes.sources, strict=True):
        for source in sources:
            pixels[source] = CAMERA.project(point)
            relative_m[source] = point - joints_m[[1, 2]].mean(axis=0)
    visibility = np.where(np.isfinite(pixels).all(axis=1), 1.0, 0.0)
    image_joints = ImageJoints(1, "camera", pixels, visibility, relative_m, 1.0)
    silhouette = Silhouette(
        stamp_ns=1,
        frame_id="camera",
        intrinsics=CAMERA,
        box_px=(0, 0, CAMERA.width_px, CAMERA.height_px),
        inside=inside,
        color=np.zeros((*inside.shape, 3), np.uint8),
        depth_m=depth_m,
    )
    return silhouette, image_joints, joints_m


def depth_joints(positions_m: NDArray[np.float64], sigma_m: float = 0.05) -> Joints:
    return Joints(1, "camera", SMPL_24, positions_m, np.ones(24), np.full(24, sigma_m), np.ones(24, np.uint8))


def errors_m(body_joints_m: NDArray[np.float64], truth_m: NDArray[np.float64], *names: str) -> NDArray[np.float64]:
    indices = [SMPL_24.index(name) for name in names]
    return np.asarray(np.linalg.norm(body_joints_m[indices] - truth_m[indices], axis=1))


def test_the_terms_of_exact_landmarks_are_zero_and_grow_as_the_reprojection_error() -> None:
    body = parameters()
    silhouette, image_joints, joints_m = seen(body)
    planes = LandmarkPlanes(MODEL)
    surface_m = np.full(33, np.nan)
    targets = planes.targets(image_joints, CAMERA, distance_m=float(joints_m[0, 2]), surface_m=surface_m)
    terms = planes.terms(targets, body.betas, None, shapes=0)
    _, rotations = pose_joints(MODEL, body)
    points_m = planes.posed(body.betas, MODEL.joints(body.betas), joints_m, rotations)
    count = len(points_m)
    moved_m = points_m + np.array([0.01, 0.0, 0.0])
    for points, expected_px in ((points_m, 0.0), (moved_m, 1.0)):
        across = np.einsum("pi,pi->p", terms.normals[:count], points - terms.targets_m[:count])
        weighted = np.sqrt(terms.precision[:count]) * across
        pixels = CAMERA.project(points) - CAMERA.project(points_m)
        # The square root of a term is the error in pixels, at the distance of the point, over the landmark's sigma.
        sigma_px = CAMERA.fx / points[:, 2] * targets.sigma_m
        assert weighted == pytest.approx(pixels[:, 0] / sigma_px, abs=1e-9)
        assert np.abs(pixels[:, 0]).mean() == pytest.approx(expected_px, abs=0.2)
    assert silhouette.area_px > 0


def test_landmarks_correct_an_arm_that_the_depth_network_has_wrong() -> None:
    silhouette, image_joints, truth_m = seen(parameters(raised_rad=0.9))
    _, _, wrong_m = seen(parameters(raised_rad=-0.3))
    wrong = depth_joints(wrong_m)
    alone = BodyFitter(BodySettings(surface_rounds=0)).fit(wrong, silhouette)
    fused = BodyFitter().fit(wrong, silhouette, image_joints)
    assert alone is not None
    assert fused is not None
    names = ("left_elbow", "left_wrist")
    assert errors_m(alone.joint_positions_m, truth_m, *names).min() > 0.1
    assert errors_m(fused.joint_positions_m, truth_m, *names).max() < 0.04


def test_a_body_is_fitted_to_landmarks_without_joints_of_the_depth_network() -> None:
    silhouette, image_joints, truth_m = seen(parameters(turned_rad=0.3))
    missing = depth_joints(np.full((24, 3), np.nan))
    body = BodyFitter().fit(missing, silhouette, image_joints)
    assert body is not None
    assert np.linalg.norm(body.joint_positions_m - truth_m, axis=1).mean() < 0.03


def test_a_landmark_hidden_behind_another_part_does_not_take_the_depth_of_that_part() -> None:
    silhouette, image_joints, joints_m = seen(parameters())
    wrist = BLAZEPOSE_33.index("right_wrist")
    column, row = np.rint(image_joints.pixels[wrist]).astype(int)
    nearer_m = np.array(silhouette.depth_m)
    nearer_m[row - 8 : row + 9, column - 8 : column + 9] = joints_m[SMPL_24.index("right_wrist"), 2] - 0.6
    covered = dataclasses.replace(silhouette, depth_m=nearer_m)
    open_view = landmarks_with_depth(image_joints, silhouette, depth_joints(joints_m))
    hidden = landmarks_with_depth(image_joints, covered, depth_joints(joints_m))
    assert open_view is not None
    assert hidden is not None
    assert open_view.surface_m[wrist] == pytest.approx(joints_m[SMPL_24.index("right_wrist"), 2], abs=0.06)
    assert np.isnan(hidden.surface_m[wrist])


def test_joints_that_disagree_with_their_landmarks_lose_weight() -> None:
    _, image_joints, joints_m = seen(parameters())
    assert agreement(depth_joints(joints_m), image_joints, CAMERA).min() > 0.6
    swapped = depth_joints(joints_m[SMPL_24.mirror])
    weights = agreement(swapped, image_joints, CAMERA)
    assert weights[[SMPL_24.index("left_wrist"), SMPL_24.index("right_wrist")]].max() < 0.05
    # Joints without a landmark are judged by the others.
    assert weights[SMPL_24.index("spine1")] < 0.6


@pytest.mark.parametrize("segment", range(len(SEGMENTS)))
def test_a_length_coefficient_changes_its_segment_and_no_other(segment: int) -> None:
    betas = np.zeros(MODEL.shape_count)
    betas[FREE_MODEL.shape_count + segment] = 1.0
    before, after = MODEL.joints(np.zeros(MODEL.shape_count)), MODEL.joints(betas)
    for index, (upper, lower) in enumerate(SEGMENTS):
        first, second = SMPL_24.index(f"left_{upper}"), SMPL_24.index(f"left_{lower}")
        ratio = np.linalg.norm(after[second] - after[first]) / np.linalg.norm(before[second] - before[first])
        expected = 1.0 + LENGTH_STD if index == segment else 1.0
        assert ratio == pytest.approx(expected, abs=0.15 * LENGTH_STD)


def test_a_person_with_short_forearms_is_learnt() -> None:
    betas = np.zeros(MODEL.shape_count)
    betas[FREE_MODEL.shape_count + 1] = -1.5
    body = dataclasses.replace(parameters(), betas=betas)
    silhouette, image_joints, truth_m = seen(body)
    average = depth_joints(pose_joints(MODEL, parameters())[0], sigma_m=0.1)
    fitter = BodyFitter()
    for frame in range(1, 30):
        joints = dataclasses.replace(average, stamp_ns=frame * 33_000_000)
        fitted = fitter.fit(joints, silhouette, image_joints)
    assert fitted is not None
    elbow, wrist = SMPL_24.index("left_elbow"), SMPL_24.index("left_wrist")
    length_m = np.linalg.norm(fitted.joint_positions_m[elbow] - fitted.joint_positions_m[wrist])
    true_m, average_m = (np.linalg.norm(p[elbow] - p[wrist]) for p in (truth_m, average.positions_m))
    assert abs(length_m - true_m) < 0.6 * abs(average_m - true_m)

"""JointPredictor compared with the truth of the simulation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rehab_pose.datatypes import JointVisibility, Silhouette
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings


def errors_m(method: str, exercise: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the errors (frames, 24) [m] of a method during an exercise."""
    camera = SimulatedCamera(SimulationSettings(exercise=exercise))
    segmenter, predictor = SilhouetteSegmenter(), JointPredictor(JointSettings(method=method, smooth=False))
    rows = []
    for index in range(60, 240, 20):
        simulated = camera.frame(index)
        silhouette = segmenter.segment(simulated.frame)
        assert silhouette is not None
        joints = predictor.predict(silhouette)
        rows.append(np.linalg.norm(joints.positions_m - simulated.truth.joints_m, axis=1))
    return np.array(rows)


@pytest.mark.parametrize("exercise", ["arm_lifting", "trunk_rotation", "squat"])
def test_the_network_has_less_than_half_the_error_of_the_rules(exercise: str) -> None:
    by_network, by_rules = errors_m("network", exercise), errors_m("paper", exercise)
    assert np.isfinite(by_network).all()
    assert by_network.mean() < 0.06
    assert by_network.mean() < 0.5 * np.nanmean(by_rules)


def test_left_and_right_are_anatomical() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    silhouette = SilhouetteSegmenter().segment(simulated.frame)
    assert silhouette is not None
    joints = JointPredictor().predict(silhouette)
    for name in ("shoulder", "hip", "knee", "ankle", "wrist"):
        # The left side of a person who faces the camera has the larger x.
        left, right = (joints.positions_m[SMPL_24.index(f"{side}_{name}"), 0] for side in ("left", "right"))
        assert left > right + 0.05


def test_joints_outside_the_image_are_predicted_with_low_confidence() -> None:
    near = SimulatedCamera(SimulationSettings(exercise="none", distance_m=1.5, pitch_deg=-8.0)).frame(0)
    silhouette = SilhouetteSegmenter().segment(near.frame)
    assert silhouette is not None
    joints = JointPredictor().predict(silhouette)
    outside = near.frame.intrinsics.project(near.truth.joints_m)[:, 1] > near.frame.intrinsics.height_px + 40
    assert outside.any()
    assert (joints.visibility[outside] == JointVisibility.PREDICTED).all()
    assert joints.confidence[outside].max() < joints.confidence[~outside].min()


def test_a_silhouette_without_depth_gives_missing_joints() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    silhouette = SilhouetteSegmenter().segment(simulated.frame)
    assert silhouette is not None
    without_depth = Silhouette(
        stamp_ns=silhouette.stamp_ns,
        frame_id=silhouette.frame_id,
        intrinsics=silhouette.intrinsics,
        box_px=silhouette.box_px,
        inside=silhouette.inside,
        color=silhouette.color,
        depth_m=np.full_like(silhouette.depth_m, np.nan),
    )
    joints = JointPredictor().predict(without_depth)
    assert np.isnan(joints.positions_m).all()
    assert (joints.visibility == JointVisibility.MISSING).all()
    assert (joints.confidence == 0.0).all()


def seen_silhouette(camera: SimulatedCamera, index: int) -> tuple[Silhouette, np.ndarray]:
    """Return the true silhouette of a frame with the direction of gravity, and the true joints (24, 3) [m]."""
    shot = camera.frame(index)
    x, y, width, height = cv2.boundingRect(shot.truth.silhouette.astype(np.uint8))
    region = (slice(y, y + height), slice(x, x + width))
    inside = shot.truth.silhouette[region]
    silhouette = Silhouette(
        stamp_ns=shot.frame.stamp_ns,
        frame_id=shot.frame.frame_id,
        intrinsics=shot.frame.intrinsics,
        box_px=(x, y, width, height),
        inside=inside,
        color=shot.frame.color[region],
        depth_m=np.where(inside, shot.frame.depth_m[region], np.float32(np.nan)),
        up=shot.truth.floor_plane[:3],
    )
    return silhouette, shot.truth.joints_m


@pytest.mark.parametrize("roll_deg", [0.0, 90.0, 180.0])
@pytest.mark.parametrize(
    "posture", ["supine", "prone", "side_lying", "bridge", "all_fours_side", "kneeling", "back_view"]
)
def test_every_posture_is_right_for_a_camera_that_is_turned(posture: str, roll_deg: float) -> None:
    settings = SimulationSettings(posture=posture, exercise="none", aim="pitch", roll_deg=roll_deg, shape_seed=4)
    camera, predictor = SimulatedCamera(settings), JointPredictor(JointSettings(smooth=False, method="network"))
    silhouette, truth = seen_silhouette(camera, 40)
    joints = predictor.predict(silhouette)
    errors = np.linalg.norm(joints.positions_m - truth, axis=1)
    assert errors.mean() < 0.06
    assert (errors > 4.0 * joints.sigma_m).mean() < 0.1, "sigma says where the errors are"
    left, right = SMPL_24.index("left_hip"), SMPL_24.index("right_hip")
    across, true_across = (points[left] - points[right] for points in (joints.positions_m, truth))
    assert across @ true_across > 0.5 * np.linalg.norm(true_across) ** 2, "left and right are the person's own"


def test_joints_of_a_slow_movement_are_extrapolated_over_one_frame_only() -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", gap_s=0.0))
    segmenter, predictor = SilhouetteSegmenter(), JointPredictor(JointSettings(extrapolation_s=0.07))
    silhouettes = [segmenter.segment(camera.frame(index).frame) for index in range(30, 36)]
    assert all(silhouettes)
    first, _, third, fourth, fifth, sixth = (silhouette for silhouette in silhouettes if silhouette is not None)
    assert predictor.extrapolate(first) is None
    predictor.predict(first)
    assert predictor.extrapolate(third) is None
    predictor.predict(third)
    extrapolated = predictor.extrapolate(fourth)
    assert predictor.extrapolate(fifth) is None
    predicted = predictor.predict(fourth)
    assert predictor.extrapolate(sixth) is not None, "frames that come at half the rate take turns too"
    assert extrapolated is not None
    assert extrapolated.stamp_ns == fourth.stamp_ns
    assert np.linalg.norm(extrapolated.positions_m - predicted.positions_m, axis=1).mean() < 0.01
    predictor.reset()
    assert predictor.extrapolate(fifth) is None

"""SilhouetteSegmenter with the image network's results: tests of the mask, turned cameras, and a second person."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.gravity import turned_points
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.status import SilhouetteSource
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, Silhouette
    from rehab_pose_sim.camera import SimulatedFrame

    Joints = Callable[..., ImageJoints]

STEP_NS = 33_333_333
MIN_OVERLAP = 0.95


@lru_cache(maxsize=16)
def simulated(index: int, exercise: str = "squat", distance_m: float = 2.6) -> SimulatedFrame:
    return SimulatedCamera(SimulationSettings(exercise=exercise, distance_m=distance_m, start_ns=1)).frame(index)


def overlap(silhouette: Silhouette | None, truth: NDArray[np.bool_]) -> float:
    assert silhouette is not None
    inside = silhouette.full_mask()
    return float(np.count_nonzero(inside & truth) / np.count_nonzero(inside | truth))


def turned(frame: RgbdFrame, turns: int, up: NDArray[np.float64]) -> RgbdFrame:
    """Return the frame of a camera that is turned clockwise by quarter turns, with a measured direction `up`."""
    size = frame.depth_m.shape[::-1] if turns % 2 else frame.depth_m.shape
    camera = frame.intrinsics
    fx, fy = (camera.fy, camera.fx) if turns % 2 else (camera.fx, camera.fy)
    centres = {
        0: (camera.cx, camera.cy),
        1: (camera.cy, camera.width_px - 1 - camera.cx),
        2: (camera.width_px - 1 - camera.cx, camera.height_px - 1 - camera.cy),
        3: (camera.height_px - 1 - camera.cy, camera.cx),
    }
    return RgbdFrame(
        frame.stamp_ns,
        frame.frame_id,
        CameraIntrinsics(size[1], size[0], fx, fy, *centres[turns]),
        np.ascontiguousarray(np.rot90(frame.color, turns)),
        np.ascontiguousarray(np.rot90(frame.depth_m, turns)),
        turned_points(up, turns),
    )


def test_mask_and_depth_give_the_simulated_person(joints_with_mask: Joints) -> None:
    segmenter = SilhouetteSegmenter()
    for index in (60, 61, 62, 63):
        entry = simulated(index)
        mask = entry.truth.silhouette if index == 60 else None
        silhouette = segmenter.segment(entry.frame, joints_with_mask(entry.frame, mask))
        assert overlap(silhouette, entry.truth.silhouette) > MIN_OVERLAP
        assert segmenter.status.source is SilhouetteSource.FUSED
        assert silhouette is not None
        assert silhouette.confidence > 0.9
        np.testing.assert_allclose(silhouette.up, entry.truth.floor_plane[:3], atol=0.02)
        assert np.isnan(silhouette.depth_m[~silhouette.inside]).all()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda frame: replace(frame, color=np.full_like(frame.color, 90)), "uniform"),
        (lambda frame: replace(frame, color=np.zeros_like(frame.color)), "uniform"),
        (lambda frame: replace(frame, color=(frame.color // 24).astype(np.uint8)), "dark"),
    ],
)
def test_unusable_colour_leaves_depth_with_less_confidence(
    joints_with_mask: Joints, damage: Callable[[RgbdFrame], RgbdFrame], reason: str
) -> None:
    entry = simulated(60)
    usual = SilhouetteSegmenter(SilhouetteSettings(method="rgbd")).segment(entry.frame)
    segmenter = SilhouetteSegmenter()
    frame = damage(entry.frame)
    silhouette = segmenter.segment(frame, joints_with_mask(frame, entry.truth.silhouette))
    assert overlap(silhouette, entry.truth.silhouette) > 0.9
    assert segmenter.status.source is SilhouetteSource.DEPTH
    assert reason in segmenter.status.reason
    assert segmenter.status.wrong_person
    assert silhouette is not None
    assert usual is not None
    assert silhouette.confidence < 0.8 * usual.confidence


def test_a_low_score_or_another_frames_landmarks_are_not_used(joints_with_mask: Joints) -> None:
    entry, segmenter = simulated(60), SilhouetteSegmenter()
    truth = entry.truth.silhouette
    assert segmenter.segment(entry.frame, joints_with_mask(entry.frame, truth, score=0.3)) is not None
    assert segmenter.status.source is SilhouetteSource.DEPTH
    assert "score" in segmenter.status.reason
    late = replace(entry.frame, stamp_ns=entry.frame.stamp_ns + 1)
    assert segmenter.segment(late, joints_with_mask(entry.frame, truth)) is not None
    assert "no person was found in the colour image" in str(segmenter.status)


def test_a_mask_that_disagrees_with_depth_is_not_used(joints_with_mask: Joints) -> None:
    entry, segmenter = simulated(60), SilhouetteSegmenter()
    empty = entry.truth.silhouette & False
    empty[20:200, 20:200] = True
    silhouette = segmenter.segment(entry.frame, joints_with_mask(entry.frame, empty))
    assert overlap(silhouette, entry.truth.silhouette) > 0.9
    assert segmenter.status.source is SilhouetteSource.DEPTH
    assert segmenter.status.wrong_person
    assert "flat" in segmenter.status.reason


def test_landmarks_without_a_mask_are_used_only_after_one(joints_with_mask: Joints) -> None:
    segmenter = SilhouetteSegmenter()
    entry = simulated(60)
    segmenter.segment(entry.frame, joints_with_mask(entry.frame, None))
    assert "no recent mask" in segmenter.status.reason
    segmenter.segment(entry.frame, joints_with_mask(entry.frame, entry.truth.silhouette))
    assert segmenter.status.source is SilhouetteSource.FUSED
    much_later = replace(entry.frame, stamp_ns=entry.frame.stamp_ns + 600_000_000)
    segmenter.segment(much_later, joints_with_mask(much_later, None))
    assert "no recent mask" in segmenter.status.reason


def test_a_mask_on_a_second_person_is_refused(joints_with_mask: Joints) -> None:
    segmenter = SilhouetteSegmenter()
    first = SimulatedCamera(SimulationSettings(exercise="squat", people=2, start_ns=1))
    entry = first.frame(60)
    segmenter.segment(entry.frame, joints_with_mask(entry.frame, entry.truth.silhouette))
    assert segmenter.status.source is SilhouetteSource.FUSED
    entry = first.frame(61)
    near = np.nan_to_num(entry.frame.depth_m, nan=9.0) < np.nan_to_num(simulated(61).frame.depth_m, nan=9.0) - 0.2
    other = near & ~entry.truth.silhouette
    assert np.count_nonzero(other) > 5000
    silhouette = segmenter.segment(entry.frame, joints_with_mask(entry.frame, other))
    assert segmenter.status.wrong_person
    assert "not the subject" in segmenter.status.reason
    assert overlap(silhouette, entry.truth.silhouette) > 0.8


def test_a_person_who_passes_close_in_front_does_not_become_the_subject(joints_with_mask: Joints) -> None:
    segmenter = SilhouetteSegmenter()
    behind, front = simulated(60), simulated(60, "none", 2.2)
    for index in range(3):
        frame = replace(behind.frame, stamp_ns=1 + index * STEP_NS)
        segmenter.segment(frame, joints_with_mask(frame, behind.truth.silhouette))
    passing = np.roll(front.truth.silhouette, 60, axis=1)
    depth_m = np.where(passing, np.roll(front.frame.depth_m, 60, axis=1), behind.frame.depth_m)
    color = np.where(passing[..., None], 255 - np.roll(front.frame.color, 60, axis=1), behind.frame.color)
    frame = replace(frame, stamp_ns=1 + 3 * STEP_NS, depth_m=depth_m.astype(np.float32), color=color.astype(np.uint8))
    segmenter.segment(frame, joints_with_mask(frame, passing))
    assert segmenter.status.wrong_person
    visible = behind.truth.silhouette & ~passing
    silhouette = segmenter.segment(frame, joints_with_mask(frame, visible))
    assert segmenter.status.source is SilhouetteSource.FUSED
    assert overlap(silhouette, visible) > 0.85


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("method", ["fused", "rgbd"])
def test_turning_the_camera_turns_the_silhouette(joints_with_mask: Joints, method: str, turns: int) -> None:
    entry = simulated(60)
    truth = entry.truth.silhouette
    frame = turned(entry.frame, turns, entry.truth.floor_plane[:3])
    joints = joints_with_mask(frame, np.rot90(truth, turns)) if method == "fused" else None
    silhouette = SilhouetteSegmenter(SilhouetteSettings(method=method)).segment(frame, joints)
    assert overlap(silhouette, np.rot90(truth, turns)) > 0.92
    assert silhouette is not None
    np.testing.assert_allclose(silhouette.up, frame.up, atol=0.02)


def test_a_turned_camera_without_a_measurement_is_recognised_by_its_floor() -> None:
    entry = simulated(60)
    frame = replace(turned(entry.frame, 1, entry.truth.floor_plane[:3]), up=np.full(3, np.nan))
    silhouette = SilhouetteSegmenter(SilhouetteSettings(method="rgbd")).segment(frame)
    assert overlap(silhouette, np.rot90(entry.truth.silhouette, 1)) > 0.92


def test_where_no_person_is_found_the_reason_is_given_and_surfaces_are_proposed() -> None:
    entry, segmenter = simulated(60), SilhouetteSegmenter()
    assert segmenter.segment(entry.frame) is not None
    wall = replace(entry.frame, depth_m=np.full_like(entry.frame.depth_m, 3.6), stamp_ns=entry.frame.stamp_ns + STEP_NS)
    assert segmenter.segment(wall) is None
    assert segmenter.status.source is SilhouetteSource.NONE
    assert "no surface in the depth image belongs to a person" in segmenter.status.reason
    assert segmenter.proposal is not None
    assert SilhouetteSegmenter(SilhouetteSettings(method="rgbd")).proposal is None

"""Landmarks between two runs of the network: extrapolated while they move slowly, and for a short time only."""

from __future__ import annotations

import numpy as np

from rehab_pose.image_joints.landmark_track import LandmarkSample, LandmarkTrack

FRAME_NS = 33_333_333
SIDE_PX, HORIZON_S = 400.0, 0.045


def sample(index: int, step_px: float, moving: int = 15) -> LandmarkSample:
    pixels = np.tile([300.0, 200.0], (35, 1))
    pixels[moving, 0] += index * step_px
    relative_m = np.zeros((33, 3))
    relative_m[moving, 0] = index * step_px / 300.0
    return LandmarkSample(index * FRAME_NS, pixels, np.full(33, 0.9), relative_m, score=0.95)


def track(step_px: float, *, indices: tuple[int, ...] = (2, 4), moving: int = 15) -> LandmarkTrack:
    result = LandmarkTrack()
    for index in indices:
        result.add(sample(index, step_px, moving))
    return result


def test_a_moving_landmark_is_extrapolated_and_the_others_are_held() -> None:
    predicted = track(step_px=5.0).predict(5 * FRAME_NS, SIDE_PX, HORIZON_S)
    truth = sample(5, 5.0)
    assert predicted is not None
    assert predicted.stamp_ns == truth.stamp_ns
    np.testing.assert_allclose(predicted.pixels, truth.pixels, atol=0.2)
    np.testing.assert_allclose(predicted.relative_m, truth.relative_m, atol=0.001)
    np.testing.assert_array_equal(predicted.visibility, truth.visibility)


def test_the_network_has_to_run_for_a_fast_landmark_unless_it_is_hidden() -> None:
    fast = track(step_px=12.0)
    assert fast.predict(5 * FRAME_NS, SIDE_PX, HORIZON_S) is None
    hidden = LandmarkTrack()
    for index in (2, 4):
        moved = sample(index, 12.0)
        moved.visibility[15] = 0.1
        hidden.add(moved)
    assert hidden.predict(5 * FRAME_NS, SIDE_PX, HORIZON_S) is not None


def test_the_network_has_to_run_after_the_horizon_and_without_a_velocity() -> None:
    assert track(2.0).predict(6 * FRAME_NS, SIDE_PX, HORIZON_S) is None
    assert track(2.0).predict(5 * FRAME_NS, SIDE_PX, 0.0) is None
    assert track(2.0, indices=(4,)).predict(5 * FRAME_NS, SIDE_PX, HORIZON_S) is None
    assert track(2.0, indices=(-2, 4)).predict(5 * FRAME_NS, SIDE_PX, HORIZON_S) is None
    assert track(2.0).predict(4 * FRAME_NS, SIDE_PX, HORIZON_S) is None


def test_the_network_has_to_run_after_an_extrapolated_frame_and_then_not_in_the_next() -> None:
    slow = track(2.0)
    assert slow.predict(5 * FRAME_NS, SIDE_PX, 0.07) is not None
    assert slow.predict(6 * FRAME_NS, SIDE_PX, 0.07) is None
    slow.add(sample(6, 2.0))
    assert slow.predict(8 * FRAME_NS, SIDE_PX, 0.07) is not None, "frames that come at half the rate take turns too"

"""The fused feature vector of Eq 30: sizes, content of each stream, and missing streams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.pipeline import Pipeline, PipelineResult
from rehab_pose_lab.methods.exercise.fusion import DETECTORS, FrameFindings, FusionLayout, fused_features, gather_frame
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 6
VERTICES = np.arange(0, 6000, 50)
LAYOUT = FusionLayout(vertices=len(VERTICES))
UP = np.array([0.0, -1.0, 0.0])


@pytest.fixture(scope="module")
def results() -> list[PipelineResult]:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", rate_hz=10.0, gap_s=0.0, background_seed=3))
    pipeline = Pipeline()
    return [pipeline.process(camera.frame(10 + index).frame) for index in range(SAMPLES)]


@pytest.fixture(scope="module")
def frames(results: list[PipelineResult]) -> list[FrameFindings]:
    return [gather_frame(result.keypoints, result.parts, result.body, VERTICES) for result in results]


@pytest.fixture(scope="module")
def positions_m(results: list[PipelineResult]) -> NDArray[np.floating]:
    found = [result.joints.positions_m[SMPL_INDICES] for result in results if result.joints is not None]
    assert len(found) == SAMPLES
    return np.array(found)


def parts_of(features: NDArray[np.floating], layout: FusionLayout) -> dict[str, NDArray[np.floating]]:
    found, start = {}, 0
    for name, size in layout.sizes.items():
        found[name] = features[:, start : start + size]
        start += size
    assert start == features.shape[1]
    return found


def test_every_stream_varies_for_a_person(positions_m: NDArray[np.floating], frames: list[FrameFindings]) -> None:
    features, present = fused_features(positions_m, UP, frames, LAYOUT)
    assert features.shape == (SAMPLES, LAYOUT.count)
    assert (present == 1.0).all()
    assert np.isfinite(features).all()
    for name, part in parts_of(features, LAYOUT).items():
        assert part.std() > 0.05, name
    assert LAYOUT.sizes["joints"] == STREAM_COUNT


def test_image_positions_do_not_depend_on_place_and_scale_of_the_person(
    positions_m: NDArray[np.floating], frames: list[FrameFindings]
) -> None:
    shift, zoom = np.array([40.0, -25.0], dtype=np.float32), np.float32(1.7)
    moved = []
    for frame in frames:
        families = frame.families.copy()
        families[:, :2] = zoom * families[:, :2] + shift
        families[:, 2:4] *= zoom
        box = np.concatenate([zoom * frame.box_px[:2] + shift, zoom * frame.box_px[2:]])
        moved.append(replace(frame, families=families, contours_px=zoom * frame.contours_px + shift, box_px=box))
    first, _ = fused_features(positions_m, UP, frames, LAYOUT)
    second, _ = fused_features(positions_m, UP, moved, LAYOUT)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_a_stream_that_is_left_out_is_zero_and_the_others_are_unchanged(
    positions_m: NDArray[np.floating], frames: list[FrameFindings]
) -> None:
    whole, _ = fused_features(positions_m, UP, frames, LAYOUT)
    for name in LAYOUT.sizes:
        layout = replace(LAYOUT, streams=tuple(stream for stream in LAYOUT.streams if stream != name))
        less, _ = fused_features(positions_m, UP, frames, layout)
        before, after = parts_of(whole, LAYOUT), parts_of(less, layout)
        assert not after[name].any()
        for other in set(LAYOUT.sizes) - {name}:
            np.testing.assert_array_equal(before[other], after[other])


def test_a_detector_that_is_left_out_is_zero_and_the_others_are_unchanged(
    positions_m: NDArray[np.floating], frames: list[FrameFindings]
) -> None:
    layout = replace(LAYOUT, detectors=tuple(name for name in DETECTORS if name != "orb"))
    before = parts_of(fused_features(positions_m, UP, frames, LAYOUT)[0], LAYOUT)["keypoints"]
    after = parts_of(fused_features(positions_m, UP, frames, layout)[0], layout)["keypoints"]
    place = DETECTORS.index("orb")
    before, after = (part.reshape(SAMPLES, len(DETECTORS), -1) for part in (before, after))
    assert before[:, place].any()
    assert not after[:, place].any()
    np.testing.assert_array_equal(np.delete(before, place, axis=1), np.delete(after, place, axis=1))


def test_without_a_person_all_streams_are_zero(frames: list[FrameFindings]) -> None:
    points = frames[0].contours_px.shape[1]
    empty = gather_frame(None, None, None, VERTICES)
    empty = replace(empty, contours_px=np.full((20, points, 2), np.nan, dtype=np.float32))
    missing_m = np.full((SAMPLES, len(SMPL_INDICES), 3), np.nan)
    features, present = fused_features(missing_m, UP, [empty] * SAMPLES, LAYOUT)
    assert not present.any()
    assert not features[:, STREAM_COUNT:].any()

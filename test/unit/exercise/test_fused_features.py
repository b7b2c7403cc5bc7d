"""The fused feature vector of Eq 30: sizes, content of each stream, and missing streams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.feature_streams import STREAM_COUNT, window_streams
from rehab_pose.exercise.fused_features import (
    CONTOUR_POINTS,
    DETECTORS,
    FUSED_COUNT,
    FUSED_STREAMS,
    OTHER_STREAMS,
    VERTEX_COUNT,
    Findings,
    contour_points,
    coverage,
    fused_features,
    keypoint_summary,
)
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.pipeline import Pipeline, PipelineResult
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 6
UP = np.array([[0.0, -1.0, 0.0]])


@pytest.fixture(scope="module")
def results() -> list[PipelineResult]:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", rate_hz=10.0, gap_s=0.0, background_seed=3))
    pipeline = Pipeline()
    return [pipeline.process(camera.frame(10 + index).frame) for index in range(SAMPLES)]


@pytest.fixture(scope="module")
def findings(results: list[PipelineResult]) -> Findings:
    vertices = np.linspace(0, len(load_body_model().v_template) - 1, VERTEX_COUNT).astype(np.int64)
    found = Findings.missing(1, SAMPLES)
    for sample, result in enumerate(results):
        assert result.parts is not None
        assert result.keypoints is not None
        assert result.body is not None
        found.boxes_px[0, sample] = result.parts.box_px
        found.contours_px[0, sample] = contour_points(result.parts)
        found.families[0, sample] = keypoint_summary(result.keypoints, np.array(result.parts.box_px))
        found.rotations_rad[0, sample] = result.body.parameters.rotations_rad[1:]
        found.vertices_m[0, sample] = result.body.vertices_m[vertices]
    return found


@pytest.fixture(scope="module")
def positions_m(results: list[PipelineResult]) -> NDArray[np.floating]:
    found = [result.joints.positions_m[SMPL_INDICES] for result in results if result.joints is not None]
    assert len(found) == SAMPLES
    return np.array(found, dtype=np.float32)[None]


def parts_of(features: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    ends = np.cumsum([stream.size for stream in FUSED_STREAMS])
    assert features.shape[-1] == ends[-1] == FUSED_COUNT
    return dict(zip([stream.name for stream in FUSED_STREAMS], np.split(features, ends[:-1], axis=-1), strict=True))


def test_every_stream_varies_for_a_person(positions_m: NDArray[np.floating], findings: Findings) -> None:
    features, present = fused_features(positions_m, UP, findings)
    assert features.shape == (1, SAMPLES, FUSED_COUNT)
    assert features.dtype == np.float32
    assert (present == 1.0).all()
    assert np.isfinite(features).all()
    for name, part in parts_of(features).items():
        assert part.std() > 0.05, name
    assert parts_of(features)["joints"].shape[-1] == STREAM_COUNT
    assert coverage(features, present) == 1.0


def test_image_positions_do_not_depend_on_place_and_scale_of_the_person(
    positions_m: NDArray[np.floating], findings: Findings
) -> None:
    shift, zoom = np.array([40.0, -25.0], dtype=np.float32), np.float32(1.7)
    families = findings.families.copy()
    families[..., :2] = zoom * families[..., :2] + shift
    families[..., 2:4] *= zoom
    boxes = np.concatenate([zoom * findings.boxes_px[..., :2] + shift, zoom * findings.boxes_px[..., 2:]], axis=-1)
    moved = replace(findings, families=families, contours_px=zoom * findings.contours_px + shift, boxes_px=boxes)
    first, _ = fused_features(positions_m, UP, findings)
    second, _ = fused_features(positions_m, UP, moved)
    np.testing.assert_allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("hidden", OTHER_STREAMS)
def test_a_stream_that_is_left_out_is_zero_and_the_others_are_unchanged(
    positions_m: NDArray[np.floating], findings: Findings, hidden: str
) -> None:
    whole = parts_of(fused_features(positions_m, UP, findings)[0])
    shown = findings.only([name for name in OTHER_STREAMS if name != hidden])
    less = parts_of(fused_features(positions_m, UP, shown)[0])
    assert whole[hidden].any()
    assert not less.pop(hidden).any()
    for name, part in less.items():
        np.testing.assert_array_equal(part, whole[name])


def test_a_detector_without_points_has_a_count_but_no_validity(results: list[PipelineResult]) -> None:
    keypoints = results[0].keypoints
    assert keypoints is not None
    empty = [
        replace(
            family,
            **{name: getattr(family, name)[:0] for name in ("pixels", "size_px", "angle_rad", "response", "depth_m")},
            descriptors=None,
        )
        for family in keypoints.families
    ]
    summary = keypoint_summary(replace(keypoints, families=tuple(empty)), np.array([0.0, 0.0, 10.0, 10.0]))
    assert (summary[:, 4] == 0.0).all()
    assert np.isnan(np.delete(summary, 4, axis=1)).all()


def test_the_numbers_of_a_detector_are_those_of_its_points(results: list[PipelineResult]) -> None:
    keypoints, parts = results[0].keypoints, results[0].parts
    assert keypoints is not None
    assert parts is not None
    x, y, width, height = parts.box_px
    summary = keypoint_summary(keypoints, np.array(parts.box_px))
    for family in keypoints.families:
        numbers, pixels = summary[DETECTORS.index(family.detector)], family.pixels
        assert len(pixels)
        np.testing.assert_allclose(numbers[:2], pixels.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(numbers[2:4], pixels.std(axis=0), rtol=1e-3, atol=1e-3)
        lower = (pixels[:, 1] >= y + 2 * height / 3) & (pixels[:, 0] < x + width / 3)
        assert numbers[5 + 6] == pytest.approx(lower.mean(), abs=1e-6)
        assert numbers[5:].sum() == pytest.approx(1.0, abs=1e-5)


def test_contour_points_are_spread_over_the_whole_contour(results: list[PipelineResult]) -> None:
    parts = results[0].parts
    assert parts is not None
    chosen, available = contour_points(parts), parts.contours_px.shape[1]
    np.testing.assert_array_equal(chosen[:, CONTOUR_POINTS // 2], parts.contours_px[:, available // 2])


def test_coverage_counts_samples_with_joints_only(positions_m: NDArray[np.floating], findings: Findings) -> None:
    late = Findings(**{name: array.copy() for name, array in vars(findings).items()})
    for array in vars(late).values():
        array[:, -2:] = np.nan
    features, present = fused_features(positions_m, UP, late)
    assert coverage(features, present)[0] == pytest.approx((SAMPLES - 2) / SAMPLES)
    present[:, :2] = 0.0
    assert coverage(features, present)[0] == pytest.approx((SAMPLES - 4) / (SAMPLES - 2))
    for stream in OTHER_STREAMS:
        assert coverage(fused_features(positions_m, UP, findings.only([stream]))[0], present)[0] == 1.0, stream
    assert coverage(fused_features(positions_m, UP, findings.only([]))[0], present)[0] == 0.0


def test_joints_that_were_computed_before_give_the_same_vector(
    positions_m: NDArray[np.floating], findings: Findings
) -> None:
    first, _ = fused_features(positions_m, UP, findings)
    second, _ = fused_features(positions_m, UP, findings, window_streams(positions_m, UP))
    np.testing.assert_array_equal(first, second)


def test_without_a_person_all_streams_are_zero() -> None:
    missing_m = np.full((1, SAMPLES, len(SMPL_INDICES), 3), np.nan, dtype=np.float32)
    features, present = fused_features(missing_m, UP, Findings.missing(1, SAMPLES))
    assert not present.any()
    assert not features[..., STREAM_COUNT:].any()

"""SilhouetteSegmenter compared with the truth of the simulation, and without a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError
from rehab_pose.silhouette.border_refinement import ReducedSilhouette, refine_to_full_resolution
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.datatypes import RgbdFrame

METHODS = ("rgbd", "depth")
MIN_OVERLAP = {"rgbd": 0.93, "depth": 0.8}
"""Intersection over union. Measured: 0.94 to 0.99 with the network on single frames, 0.84 to 0.99 without weights."""
FRAMES = (90, 135, 180)
"""Frames within an exercise of the simulated person."""


def overlap(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], truth: object) -> float:
    expected = np.asarray(truth, np.bool_)
    return float(np.count_nonzero(inside & expected) / np.count_nonzero(inside | expected))


def empty_room(frame: RgbdFrame) -> RgbdFrame:
    """Return a frame that shows a wall only."""
    return replace(frame, depth_m=np.full(frame.depth_m.shape, 3.6, np.float32))


@pytest.mark.parametrize(
    ("method", "exercise"),
    [
        ("rgbd", "arm_lifting"),
        ("rgbd", "lateral_trunk_tilt"),
        ("rgbd", "squat"),
        ("depth", "arm_lifting"),
        ("depth", "lateral_trunk_tilt"),
    ],
)
def test_the_silhouette_overlaps_the_simulated_person(method: str, exercise: str) -> None:
    camera = SimulatedCamera(SimulationSettings(exercise=exercise))
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method=method))
    for index in FRAMES:
        simulated = camera.frame(index)
        silhouette = segmenter.segment(simulated.frame)
        assert silhouette is not None
        assert overlap(silhouette.full_mask(), simulated.truth.silhouette) > MIN_OVERLAP[method]
        assert np.isnan(silhouette.depth_m[~silhouette.inside]).all()
        assert not silhouette.color[~silhouette.inside].any()


def test_the_floor_plane_is_estimated() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    segmenter = SilhouetteSegmenter()
    assert segmenter.segment(simulated.frame) is not None
    np.testing.assert_allclose(segmenter.floor_plane, simulated.truth.floor_plane, atol=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_room_gives_none(method: str) -> None:
    frame = SimulatedCamera().frame(0).frame
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method=method))
    assert segmenter.segment(empty_room(frame)) is None
    assert segmenter.segment(replace(frame, depth_m=np.full(frame.depth_m.shape, np.nan, np.float32))) is None


def test_the_subject_is_kept_when_a_second_person_is_in_view() -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", people=2))
    segmenter = SilhouetteSegmenter()
    for index in range(0, 150, 15):
        simulated = camera.frame(index)
        silhouette = segmenter.segment(simulated.frame)
        assert silhouette is not None
        assert overlap(silhouette.full_mask(), simulated.truth.silhouette) > 0.8


def test_after_the_subject_left_another_person_is_selected_after_a_delay() -> None:
    frame = SimulatedCamera(SimulationSettings(exercise="none")).frame(0).frame
    segmenter = SilhouetteSegmenter()
    first = segmenter.segment(frame)
    assert first is not None
    # Shift the person by about a metre.
    moved = replace(frame, depth_m=np.roll(frame.depth_m, 180, axis=1), color=np.roll(frame.color, 180, axis=1))
    stamps_ns = [frame.stamp_ns + 33_333_333 * step for step in range(1, 61)]
    silhouettes = [segmenter.segment(replace(moved, stamp_ns=stamp_ns)) for stamp_ns in stamps_ns]
    assert silhouettes[0] is None
    assert silhouettes[-1] is not None


def test_the_refined_border_is_better_than_enlarged_pixels() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="arm_lifting", noise="none")).frame(120)
    truth, depth_m = simulated.truth.silhouette, simulated.frame.depth_m
    rows, columns = np.arange(2, truth.shape[0], 4), np.arange(2, truth.shape[1], 4)
    reduced = truth[2::4, 2::4]
    box_px, inside = refine_to_full_resolution(
        ReducedSilhouette(reduced, reduced, ~reduced, depth_m[2::4, 2::4], rows, columns),
        depth_m,
        simulated.frame.color,
    )
    x, y, width, height = box_px
    refined = np.zeros_like(truth)
    refined[y : y + height, x : x + width] = inside
    enlarged = np.kron(reduced, np.ones((4, 4), np.bool_))[: truth.shape[0], : truth.shape[1]]
    assert overlap(refined, truth) > 0.99
    assert overlap(refined, truth) > overlap(enlarged.astype(np.bool_), truth)


def test_missing_and_damaged_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is none"):
        SilhouetteSegmenter(SilhouetteSettings(weights_path=str(tmp_path / "none.onnx")))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a network")
    with pytest.raises(ModelFileError, match="not a usable ONNX file"):
        SilhouetteSegmenter(SilhouetteSettings(weights_path=str(damaged)))

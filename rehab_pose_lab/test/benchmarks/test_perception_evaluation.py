"""The perception benchmark on results with known errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose_lab.benchmarks.kinect_frame import kinect_frames
from rehab_pose_lab.benchmarks.perception_evaluation import FrameResult, evaluate_scenes, metrics_of_frames
from rehab_pose_lab.benchmarks.perception_pictures import PictureBook
from rehab_pose_lab.benchmarks.perception_scenes import perception_scenes
from rehab_pose_lab.benchmarks.perception_tables import joint_table, scene_table
from rehab_pose_lab.datasets.location import data_folder

if TYPE_CHECKING:
    from pathlib import Path

OPEN_SCENE = perception_scenes()[0]
HIDDEN_SCENE = next(scene for scene in perception_scenes() if scene.occluded)


def result(error_m: float = 0.02, **changes: object) -> FrameResult:
    first = FrameResult(
        scene=OPEN_SCENE,
        detected=True,
        overlap=0.9,
        overlap_depth=0.8,
        errors_m=np.full(24, error_m),
        published_errors_m=np.full(24, 0.2),
        visible=np.ones(24, np.bool_),
        hidden=np.zeros(24, np.bool_),
        observed=np.ones(24, np.bool_),
        complete=True,
        swapped=False,
        published_swapped=True,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def not_detected() -> FrameResult:
    missing = np.full(24, np.nan)
    return result(detected=False, overlap=0.0, errors_m=missing, published_errors_m=missing, published_swapped=False)


def test_the_metrics_of_known_errors_are_correct() -> None:
    metrics = metrics_of_frames([result(0.02), result(0.06), not_detected()])
    assert metrics["joint_error_mm_mean"] == pytest.approx(40.0)
    assert metrics["pck100"] == pytest.approx(200 / 3)
    assert metrics["found_pct"] == pytest.approx(100 * 2 / 3)
    assert metrics["silhouette_iou_median"] == pytest.approx(0.9)
    assert metrics["published_joint_error_mm_mean"] == pytest.approx(200.0)
    assert metrics["published_pck100"] == 0.0
    assert (metrics["swaps"], metrics["published_swaps"]) == (0.0, 2.0)
    assert np.isnan(metrics["occluded_visible_error_mm"])


def test_a_person_cut_by_the_image_is_evaluated_on_the_visible_joints() -> None:
    visible = np.arange(24) < 12
    errors = np.where(visible, 0.01, 0.5)
    metrics = metrics_of_frames([result(0.03), result(errors_m=errors, visible=visible, complete=False)])
    assert metrics["joint_error_mm_mean"] == pytest.approx(30.0)
    assert metrics["joint_error_visible_mm_mean"] == pytest.approx((24 * 30.0 + 12 * 10.0) / 36)
    assert metrics["frames_whole_person"] == 1.0


def test_hidden_joints_are_evaluated_by_their_reported_visibility() -> None:
    hidden = np.arange(24) < 8
    observed = np.arange(24) >= 6
    errors = np.where(hidden, 1.0, 0.05)
    entry = result(scene=HIDDEN_SCENE, errors_m=errors, visible=~hidden, hidden=hidden, observed=observed)
    metrics = metrics_of_frames([entry])
    assert metrics["occluded_visible_error_mm"] == pytest.approx(50.0)
    assert metrics["occluded_said_pct"] == pytest.approx(75.0)
    assert np.isnan(metrics["joint_error_mm_mean"]), "frames with furniture in front are not in the main metric"


def test_the_tables_have_one_line_per_scene_and_one_per_joint() -> None:
    results = [result(), result(), result(scene=HIDDEN_SCENE)]
    assert len(scene_table(results, {})) == 2 + 2
    lines = joint_table(results)
    assert len(lines) == 1 + 24
    assert len({len(line) for line in lines}) == 1


def test_the_plain_scene_gives_the_same_results_every_time_and_a_picture(tmp_path: Path) -> None:
    book = PictureBook(tmp_path, load_body_model())
    both = [
        evaluate_scenes([OPEN_SCENE], {}, method="depth", times=2, show=show, quiet=True) for show in (book.show, None)
    ]
    assert len(both[0]) == 2
    for first, second in zip(*both, strict=True):
        np.testing.assert_array_equal(first.errors_m, second.errors_m)
        assert first.overlap == first.overlap_depth == second.overlap
        assert first.overlap > 0.8
        assert first.complete
    assert book.finish().is_file()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not (data_folder() / "irds/irds_depth").is_dir(), reason="needs the public data sets")
def test_the_kinects_joints_are_behind_the_surface_of_its_depth_image() -> None:
    for given in kinect_frames(data_folder() / "irds/irds_depth"):
        known = np.isfinite(given.joints_m).all(axis=1)
        assert known.sum() == 20
        u, v = np.rint(given.frame.intrinsics.project(given.joints_m[known])).astype(int).T
        surface_m = given.frame.depth_m[v.clip(0, 423), u.clip(0, 511)]
        assert 0.0 < np.nanmedian(given.joints_m[known, 2] - surface_m) < 0.2
        left = given.joints_m[16, 0]
        assert left > given.joints_m[17, 0], (
            "the left shoulder of a person who faces the camera is on the image's right"
        )

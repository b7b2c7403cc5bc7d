"""The benchmark of perception on answers made up here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose_lab.benchmarks.kinect_frame import kinect_frames
from rehab_pose_lab.benchmarks.perception import Shot, figures_of, shots_of_scenes
from rehab_pose_lab.benchmarks.perception_pictures import PictureBook
from rehab_pose_lab.benchmarks.perception_scenes import data_folder, perception_scenes
from rehab_pose_lab.benchmarks.perception_tables import joint_table, scene_table

if TYPE_CHECKING:
    from pathlib import Path

OPEN_SCENE = perception_scenes()[0]
HIDDEN_SCENE = next(scene for scene in perception_scenes() if scene.occluded)


def shot(error_m: float = 0.02, **changes: object) -> Shot:
    first = Shot(
        scene=OPEN_SCENE,
        found=True,
        overlap=0.9,
        overlap_depth=0.8,
        errors_m=np.full(24, error_m),
        published_errors_m=np.full(24, 0.2),
        visible=np.ones(24, np.bool_),
        hidden=np.zeros(24, np.bool_),
        observed=np.ones(24, np.bool_),
        whole=True,
        swapped=False,
        published_swapped=True,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def lost() -> Shot:
    nothing = np.full(24, np.nan)
    return shot(found=False, overlap=0.0, errors_m=nothing, published_errors_m=nothing, published_swapped=False)


def test_the_figures_of_known_answers() -> None:
    figures = figures_of([shot(0.02), shot(0.06), lost()])
    assert figures["joint_error_mm_mean"] == pytest.approx(40.0)
    assert figures["pck100"] == pytest.approx(200 / 3)
    assert figures["found_pct"] == pytest.approx(100 * 2 / 3)
    assert figures["silhouette_iou_median"] == pytest.approx(0.9)
    assert figures["published_joint_error_mm_mean"] == pytest.approx(200.0)
    assert figures["published_pck100"] == 0.0
    assert (figures["swaps"], figures["published_swaps"]) == (0.0, 2.0)
    assert np.isnan(figures["occluded_visible_error_mm"])


def test_a_person_cut_by_the_image_counts_by_what_is_visible() -> None:
    visible = np.arange(24) < 12
    errors = np.where(visible, 0.01, 0.5)
    figures = figures_of([shot(0.03), shot(errors_m=errors, visible=visible, whole=False)])
    assert figures["joint_error_mm_mean"] == pytest.approx(30.0)
    assert figures["joint_error_visible_mm_mean"] == pytest.approx((24 * 30.0 + 12 * 10.0) / 36)
    assert figures["frames_whole_person"] == 1.0


def test_hidden_joints_are_asked_whether_they_were_said_to_be_hidden() -> None:
    hidden = np.arange(24) < 8
    observed = np.arange(24) >= 6
    errors = np.where(hidden, 1.0, 0.05)
    entry = shot(scene=HIDDEN_SCENE, errors_m=errors, visible=~hidden, hidden=hidden, observed=observed)
    figures = figures_of([entry])
    assert figures["occluded_visible_error_mm"] == pytest.approx(50.0)
    assert figures["occluded_said_pct"] == pytest.approx(75.0)
    assert np.isnan(figures["joint_error_mm_mean"]), "furniture before the person stays out of the main figure"


def test_the_tables_have_a_line_a_scene_and_a_line_a_joint() -> None:
    shots = [shot(), shot(), shot(scene=HIDDEN_SCENE)]
    assert len(scene_table(shots, {})) == 2 + 2
    lines = joint_table(shots)
    assert len(lines) == 1 + 24
    assert len({len(line) for line in lines}) == 1


def test_the_plain_scene_is_measured_the_same_every_time_and_drawn(tmp_path: Path) -> None:
    book = PictureBook(tmp_path, load_body_model())
    both = [
        shots_of_scenes([OPEN_SCENE], {}, method="depth", times=2, show=show, quiet=True) for show in (book.show, None)
    ]
    assert len(both[0]) == 2
    for first, second in zip(*both, strict=True):
        np.testing.assert_array_equal(first.errors_m, second.errors_m)
        assert first.overlap == first.overlap_depth == second.overlap
        assert first.overlap > 0.8
        assert first.whole
    assert book.finish().is_file()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not (data_folder() / "irds/irds_depth").is_dir(), reason="the public data are not on this machine")
def test_the_kinects_joints_lie_behind_the_surface_of_its_picture() -> None:
    for given in kinect_frames(data_folder() / "irds/irds_depth"):
        known = np.isfinite(given.joints_m).all(axis=1)
        assert known.sum() == 20
        u, v = np.rint(given.frame.intrinsics.project(given.joints_m[known])).astype(int).T
        surface_m = given.frame.depth_m[v.clip(0, 423), u.clip(0, 511)]
        assert 0.0 < np.nanmedian(given.joints_m[known, 2] - surface_m) < 0.2
        left = given.joints_m[16, 0]
        assert left > given.joints_m[17, 0], "the left shoulder of somebody who faces the camera is on its right"

"""Random sensor and segmentation errors: surfaces keep their distance, silhouettes keep most of their pixels."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose_sim.random_depth_noise import add_random_depth_errors, add_random_outline_errors


@pytest.mark.parametrize("seed", range(10))
def test_surfaces_keep_their_distance(seed: int) -> None:
    depth_m = np.full((128, 160), 2.0, np.float32)
    measured_m = add_random_depth_errors(depth_m, np.random.default_rng(seed))
    known = np.isfinite(measured_m)
    assert known.mean() > 0.8
    assert np.abs(measured_m[known] - 2.0).max() < 0.2
    assert measured_m[known].std() > 0.0, "errors are added"


def test_silhouettes_change_only_near_their_border_in_most_cases() -> None:
    inside = np.zeros((128, 160), np.bool_)
    inside[30:100, 60:100] = True
    changed = []
    for seed in range(40):
        mask = add_random_outline_errors(inside, np.random.default_rng(seed))
        changed.append(np.count_nonzero(mask ^ inside) / np.count_nonzero(inside))
    assert min(changed) == 0.0, "some silhouettes are unchanged"
    assert np.median(changed) > 0.0
    assert max(changed) < 0.3

"""Errors of real silhouettes: what is lost and what is added."""

from __future__ import annotations

import numpy as np

from rehab_pose_sim.random_mask_errors import add_real_mask_errors

ENDS = {
    "head": np.array([[50.0, 12.0]]),
    "hand": np.array([[35.0, 60.0], [65.0, 60.0]]),
    "foot": np.full((2, 2), np.nan),
}


def person() -> tuple[np.ndarray, np.ndarray]:
    inside = np.zeros((120, 100), dtype=bool)
    inside[10:110, 35:47] = True
    inside[10:110, 53:65] = True
    inside[10:50, 35:65] = True
    depth = np.where(inside, 2.0, 4.0).astype(np.float32)
    depth[80:, :30] = 2.1
    return inside, depth


def test_real_errors_remove_and_add_pixels_and_leave_some_people_whole() -> None:
    inside, depth = person()
    random = np.random.default_rng(0)
    results = [add_real_mask_errors(inside, depth, ENDS, random) for _ in range(200)]
    lost = np.array([(inside & ~mask).mean() for mask in results])
    added = np.array([mask & ~inside for mask in results])
    assert (lost == 0.0).mean() > 0.2
    assert (lost > 0.0).mean() > 0.3
    assert lost.max() < 0.6 * inside.mean()
    assert added.any(axis=(1, 2)).mean() > 0.1
    gap = np.zeros_like(inside)
    gap[52:110, 47:53] = True
    assert any((mask & gap).sum() > 0.8 * gap.sum() for mask in results), "the gap between the legs is closed in some"
    assert not added[:, :8, :].any(), "far background is not added away from the person"


def test_an_empty_silhouette_stays_empty() -> None:
    inside, depth = person()
    empty = np.zeros_like(inside)
    assert not add_real_mask_errors(empty, depth, ENDS, np.random.default_rng(1)).any()

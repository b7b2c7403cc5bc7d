"""The smallest box around a mask."""

from __future__ import annotations

import numpy as np

from rehab_pose.silhouette.bounding_box import bounding_box


def test_the_box_holds_all_pixels_and_no_row_or_column_more() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        inside = random.random((9, 13)) < 0.03
        box = bounding_box(inside)
        part = inside[box]
        assert np.count_nonzero(part) == np.count_nonzero(inside)
        if part.size:
            assert part[0].any()
            assert part[-1].any()
            assert part[:, 0].any()
            assert part[:, -1].any()


def test_a_mask_without_pixels_or_not_contiguous_is_accepted() -> None:
    assert np.zeros((4, 5), np.bool_)[bounding_box(np.zeros((4, 5), np.bool_))].shape == (0, 0)
    inside = np.zeros((4, 6), np.bool_)
    inside[2, 4] = True
    assert bounding_box(inside[:, ::2]) == (slice(2, 3), slice(2, 3))

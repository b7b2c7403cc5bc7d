"""Merging of surfaces: limbs belong to the person, furniture and other people do not."""

from __future__ import annotations

import numpy as np

from rehab_pose.silhouette.surface_merging import merge_surfaces

Labels = np.ndarray[tuple[int, ...], np.dtype[np.int32]]
Points = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
METRES_PER_PX = 0.02


def scene(*surfaces: tuple[slice, slice, float]) -> tuple[Labels, Points]:
    """Return labels and points of rectangles at given depths [m]."""
    labels = np.zeros((128, 160), np.int32)
    points_m = np.full((128, 160, 3), np.nan, np.float32)
    rows, columns = np.mgrid[0:128, 0:160]
    for number, (down, right, depth_m) in enumerate(surfaces, start=1):
        labels[down, right] = number
        points_m[down, right] = np.stack(
            [columns * METRES_PER_PX, rows * METRES_PER_PX, np.full(rows.shape, depth_m)], axis=-1
        )[down, right]
    return labels, points_m


TRUNK = (np.s_[20:100], np.s_[60:85], 2.5)


def test_a_hand_in_front_of_the_trunk_is_the_same_person() -> None:
    people = merge_surfaces(*scene(TRUNK, (np.s_[40:50], np.s_[86:96], 1.9)))
    assert set(np.unique(people)) == {0, 1}


def test_head_and_legs_separated_by_an_arm_are_one_person() -> None:
    parts = (np.s_[20:45], np.s_[60:85], 2.5), (np.s_[46:52], np.s_[55:90], 2.0), (np.s_[53:100], np.s_[60:85], 2.55)
    people = merge_surfaces(*scene(*parts))
    assert set(np.unique(people)) == {0, 3}


def test_a_chain_of_limb_surfaces_is_merged_with_the_trunk() -> None:
    parts = TRUNK, (np.s_[40:46], np.s_[86:100], 2.2), (np.s_[40:44], np.s_[101:106], 1.9)
    assert set(np.unique(merge_surfaces(*scene(*parts)))) == {0, 1}


def test_surfaces_behind_at_the_side_or_apart_are_not_merged() -> None:
    behind = np.s_[30:100], np.s_[86:110], 3.3
    at_the_side = np.s_[20:100], np.s_[86:111], 2.6
    apart = np.s_[40:50], np.s_[100:108], 2.5
    for other in (behind, at_the_side, apart):
        assert set(np.unique(merge_surfaces(*scene(TRUNK, other)))) == {0, 1, 2}


def test_without_surfaces_there_is_no_person() -> None:
    labels, points_m = scene()
    assert not merge_surfaces(labels, points_m).any()

"""Watershed compared with a shortest-path search, and on images with a known result."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from rehab_pose.silhouette.watershed import (
    COST_PER_COLOR,
    COST_PER_M,
    HIGHEST_COST,
    LEVELS,
    OTHER,
    PERSON,
    UNDECIDED,
    flood,
)

Image = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Colors = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def step(depth_m: Image, color: Colors, one: tuple[int, int], other: tuple[int, int]) -> int:
    levels = int(np.abs(color[one].astype(int) - color[other].astype(int)).sum())
    cost = COST_PER_COLOR * levels + COST_PER_M * abs(float(depth_m[one]) - float(depth_m[other]))
    return int(min(float(np.float32(cost)), float(LEVELS - 1)))


def lowest_barriers(
    label: Colors, depth_m: Image, color: Colors, value: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return for every pixel the lowest cost of a path to a marker of a label: Dijkstra with max instead of plus."""
    height, width = label.shape
    barrier = np.full(label.shape, LEVELS)
    heap = [(0, int(row), int(column)) for row, column in np.argwhere(label == value)]
    for _, row, column in heap:
        barrier[row, column] = 0
    heapq.heapify(heap)
    while heap:
        level, row, column = heapq.heappop(heap)
        for y, x in ((row, column + 1), (row, column - 1), (row + 1, column), (row - 1, column)):
            # Paths cross neither the outermost pixels nor markers of the other label.
            if 0 < y < height - 1 and 0 < x < width - 1 and label[y, x] in (UNDECIDED, value):
                reached = max(level, step(depth_m, color, (row, column), (y, x)))
                if reached < barrier[y, x]:
                    barrier[y, x] = reached
                    heapq.heappush(heap, (reached, y, x))
    return barrier


@pytest.mark.parametrize("seed", range(5))
def test_each_pixel_takes_the_label_with_the_lower_barrier(seed: int) -> None:
    random = np.random.default_rng(seed)
    depth_m = random.choice([2.0, 2.05, 2.4], (12, 14)).astype(np.float32)
    color = random.integers(0, 60, (12, 14, 3)).astype(np.uint8)
    label = np.full((12, 14), UNDECIDED, np.uint8)
    label[3, 3], label[8, 10] = PERSON, OTHER
    to_person, to_other = (lowest_barriers(label, depth_m, color, value) for value in (PERSON, OTHER))
    flooded = label.copy()
    flood(flooded, depth_m, color, HIGHEST_COST)
    inner = np.s_[1:-1, 1:-1]
    # Where both barriers are equal, both labels are correct.
    assert (flooded[inner][(to_person < to_other)[inner]] == PERSON).all()
    assert (flooded[inner][(to_other < to_person)[inner]] == OTHER).all()


def test_the_border_is_at_the_jump_in_depth() -> None:
    depth_m = np.full((9, 40), 2.0, np.float32)
    depth_m[:, 30:] = 3.0
    label = np.full(depth_m.shape, UNDECIDED, np.uint8)
    label[:, 2], label[:, 37] = PERSON, OTHER
    flood(label, depth_m, np.zeros((9, 40, 3), np.uint8), HIGHEST_COST)
    assert (label[:, :30] == PERSON).all()
    assert (label[:, 30:] == OTHER).all()


def test_the_border_is_at_the_edge_in_colour_where_depth_is_missing() -> None:
    depth_m = np.full((9, 40), np.nan, np.float32)
    color = np.zeros((9, 40, 3), np.uint8)
    color[:, 25:] = 200
    label = np.full(depth_m.shape, UNDECIDED, np.uint8)
    label[:, 2], label[:, 37] = PERSON, OTHER
    flood(label, depth_m, color, HIGHEST_COST)
    assert (label[:, :25] == PERSON).all()
    assert (label[:, 25:] == OTHER).all()


def test_with_limited_depth_an_edge_in_colour_wins_over_a_jump_beside_it() -> None:
    depth_m = np.full((9, 40), 2.0, np.float32)
    depth_m[:, 30:] = 3.0
    color = np.zeros((9, 40, 3), np.uint8)
    color[:, 25:] = 30
    for highest, border in ((HIGHEST_COST, 30), (50.0, 25)):
        label = np.full(depth_m.shape, UNDECIDED, np.uint8)
        label[:, 2], label[:, 37] = PERSON, OTHER
        flood(label, depth_m, color, highest)
        assert (label[:, :border] == PERSON).all()
        assert (label[:, border:] == OTHER).all()


def test_without_edges_the_labels_meet_in_the_middle() -> None:
    label = np.full((9, 41), UNDECIDED, np.uint8)
    label[:, 5], label[:, 35] = PERSON, OTHER
    flood(label, np.full(label.shape, 2.0, np.float32), np.zeros((*label.shape, 3), np.uint8), HIGHEST_COST)
    assert abs(int((label[4] == PERSON).sum()) - 20) <= 1


def test_the_person_does_not_grow_into_pixels_without_return() -> None:
    depth_m = np.full((9, 40), np.nan, np.float32)
    depth_m[:, :20] = 2.0
    label = np.full(depth_m.shape, UNDECIDED, np.uint8)
    label[:, 2], label[:, 37] = PERSON, OTHER
    flood(label, depth_m, np.zeros((9, 40, 3), np.uint8), HIGHEST_COST)
    assert (label[:, :20] == PERSON).all()
    assert (label[:, 20:] == OTHER).all()

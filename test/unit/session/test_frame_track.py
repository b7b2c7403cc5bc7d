"""The newest frames as rows of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.session import frame_track
from rehab_pose.session.frame_track import FrameTrack

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_NS, MAX_FRAMES, FIRST_FRAMES = 20, 7, 3


@pytest.fixture(autouse=True, scope="module")
def small_tracks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_track, "FIRST_FRAMES", FIRST_FRAMES)
        yield


@given(
    st.lists(st.integers(1, 9), max_size=40),
    st.lists(st.integers(0, 39), max_size=2),
    st.tuples(st.integers(-5, 150), st.integers(-5, 150)),
)
def test_the_newest_frames_between_two_times(steps: list[int], jumps: list[int], times: tuple[int, int]) -> None:
    track, expected, stamp_ns = FrameTrack(KEPT_NS, MAX_FRAMES, 2), list[tuple[int, list[float]]](), 0
    for index, step in enumerate(steps):
        if index in jumps:
            stamp_ns, expected = stamp_ns - 2 * step, []  # time jumped back
        stamp_ns += step
        track.add(stamp_ns, [stamp_ns, index])
        expected.append((stamp_ns, [stamp_ns, index]))
    expected = [frame for frame in expected if stamp_ns - frame[0] <= KEPT_NS][-MAX_FRAMES:]
    start_ns, end_ns = max(min(times), stamp_ns - KEPT_NS), max(times)
    expected = [frame for frame in expected if start_ns <= frame[0] <= end_ns]
    stamps_ns, values = track.between(start_ns, end_ns)
    assert stamps_ns.tolist() == [frame[0] for frame in expected]
    assert values.tolist() == [frame[1] for frame in expected]


def test_memory_is_bounded_by_the_kept_time_and_the_number_of_frames() -> None:
    slow, fast = FrameTrack(KEPT_NS, MAX_FRAMES, 1), FrameTrack(KEPT_NS, MAX_FRAMES, 1)
    for index in range(100):
        slow.add(KEPT_NS * index, [0.0])
        fast.add(index, [0.0])
    assert len(slow.between(0, 100 * KEPT_NS)[0]) == FIRST_FRAMES
    assert len(fast.between(0, 100)[0]) == MAX_FRAMES


def test_values_are_copies_and_a_cleared_track_is_empty() -> None:
    track = FrameTrack(0, 2, 1)
    track.add(1, [1.0])
    track.add(2, [np.nan])
    values = track.between(1, 2)[1]
    track.add(3, [3.0])
    track.add(4, [4.0])
    np.testing.assert_array_equal(values, [[1.0], [np.nan]])
    track.clear()
    assert len(track.between(0, 9)[0]) == 0
    track.add(1, [5.0])
    assert track.between(0, 9)[1].tolist() == [[5.0]]

"""The newest frames as rows of arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.session.frame_track import FrameTrack

FRAMES = 7


@given(
    st.lists(st.integers(1, 5), max_size=40),
    st.lists(st.integers(0, 39), max_size=2),
    st.tuples(st.integers(-5, 150), st.integers(-5, 150)),
)
def test_the_newest_frames_between_two_times(steps: list[int], jumps: list[int], times: tuple[int, int]) -> None:
    track, expected, stamp_ns = FrameTrack(FRAMES, 2), list[tuple[int, list[float]]](), 0
    for index, step in enumerate(steps):
        if index in jumps:
            stamp_ns, expected = stamp_ns - 2 * step, []  # time jumped back
        stamp_ns += step
        track.add(stamp_ns, [stamp_ns, index])
        expected.append((stamp_ns, [stamp_ns, index]))
    start_ns, end_ns = min(times), max(times)
    expected = [frame for frame in expected[-FRAMES:] if start_ns <= frame[0] <= end_ns]
    stamps_ns, values = track.between(start_ns, end_ns)
    assert stamps_ns.tolist() == [frame[0] for frame in expected]
    assert values.tolist() == [frame[1] for frame in expected]


def test_values_are_copies_and_a_cleared_track_is_empty() -> None:
    track = FrameTrack(2, 1)
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

"""StampFilter: which frames are processed, and under which reason the others are counted."""

from __future__ import annotations

import pytest

from rehab_pose.exercise.stamp_filter import StampFilter, StampVerdict

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("stamps_s", "expected"),
    [
        ((1.0, 1.1, 1.1), StampVerdict.REPEATED),
        ((1.0, 2.0, 1.0), StampVerdict.LATE),
        ((1.0, 2.5, 1.0), StampVerdict.JUMP_BACK),
        ((5.0, 5.1, 0.0), StampVerdict.ZERO),
        ((0.0, 0.0), StampVerdict.ZERO),
        ((0.0, 0.1), StampVerdict.NEW),
    ],
)
def test_the_verdict_on_the_last_stamp(stamps_s: tuple[float, ...], expected: StampVerdict) -> None:
    stamps = StampFilter()
    verdicts = [stamps.check(round(stamp_s * SECOND_NS)) for stamp_s in stamps_s]
    assert verdicts[-1] is expected
    assert all(verdict is StampVerdict.NEW for verdict in verdicts[:-1])
    assert stamps.dropped.total() == expected.drops


def test_the_counts_survive_a_reset() -> None:
    stamps = StampFilter()
    for stamp_ns in (10, 10, 9):
        stamps.check(stamp_ns)
    stamps.reset()
    assert stamps.check(5) is StampVerdict.NEW
    assert stamps.dropped == {StampVerdict.REPEATED: 1, StampVerdict.LATE: 1}

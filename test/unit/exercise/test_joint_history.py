"""JointHistory: the kept samples, also when its buffer is full."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.datatypes import Joints
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.skeletons.smpl24 import SMPL_24


def joints(value: float) -> Joints:
    ones = np.ones(24)
    return Joints(0, "camera", SMPL_24, np.full((24, 3), value), ones, ones, np.ones(24, np.uint8))


@given(
    steps_ms=st.lists(st.integers(1, 400), min_size=1, max_size=120),
    missing=st.integers(0, 5),
)
def test_the_samples_are_those_of_the_last_second(steps_ms: list[int], missing: int) -> None:
    stamps_ns = np.cumsum(steps_ms) * 1_000_000
    history = JointHistory(1.0, capacity=4096)
    small = JointHistory(1.0, capacity=16)
    for index, stamp_ns in enumerate(stamps_ns.tolist()):
        sample = None if index % 7 < missing else joints(float(index))
        history.append(stamp_ns, sample)
        small.append(stamp_ns, sample)
    kept = np.flatnonzero(stamps_ns >= stamps_ns[-1] - 1_000_000_000)
    np.testing.assert_array_equal(history.stamps_ns, stamps_ns[kept])
    expected = np.where(kept % 7 < missing, np.nan, kept)
    np.testing.assert_array_equal(history.positions_m[:, 0, 0], expected)
    assert history.positions_m.shape == (len(history), len(SMPL_INDICES), 3)
    # A small buffer keeps at least half of its capacity.
    count = min(len(kept), 8)
    assert len(small) >= count
    np.testing.assert_array_equal(small.stamps_ns[-count:], history.stamps_ns[-count:])
    np.testing.assert_array_equal(small.positions_m[-count:], history.positions_m[-count:])


def test_reset_discards_all_samples() -> None:
    history = JointHistory(1.0)
    history.append(1, joints(1.0))
    history.reset()
    assert len(history) == 0

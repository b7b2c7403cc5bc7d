"""Values in place of missing ones."""

from __future__ import annotations

import numpy as np

from rehab_pose.arrays import without_nan


def test_only_nan_is_replaced_and_the_array_is_a_new_one() -> None:
    values = np.array([1.0, np.nan, -np.inf, 0.0])
    np.testing.assert_array_equal(without_nan(values), [1.0, 0.0, -np.inf, 0.0])
    np.testing.assert_array_equal(without_nan(values, 5.0), [1.0, 5.0, -np.inf, 0.0])
    assert np.isnan(values[1])

"""The benchmark of people names its parts."""

from __future__ import annotations

import pytest

from rehab_pose.errors import SettingsError
from rehab_pose_lab.benchmarks.people import people_metrics


def test_an_unknown_part_is_refused_before_anything_runs() -> None:
    with pytest.raises(SettingsError, match="expected --part page, browser, exports, batch, got soak"):
        people_metrics(lambda _: None, ["page", "soak"])

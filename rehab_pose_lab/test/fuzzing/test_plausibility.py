"""Accepted values are checked independently of the code under test."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.datatypes import FloorPlane, Joints, Repetition
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.fuzzing.plausibility import implausible


def joints(depth_m: float = 2.0, confidence: float = 1.0) -> Joints:
    positions_m = np.full((24, 3), depth_m)
    return Joints(5, "cam", SMPL_24, positions_m, np.full(24, confidence), np.zeros(24), np.ones(24, np.uint8))


def test_plausible_records_give_no_sentence() -> None:
    repetition = Repetition(5, "cam", "squat", 1, 1, 4, "trunk_m", 0.1, 0.2, 0.5)
    assert not implausible([joints(), joints(float("nan")), repetition])


@pytest.mark.parametrize(
    "record",
    [
        joints(2000.0),
        joints(float("inf")),
        joints(confidence=1.5),
        Repetition(5, "cam", "squat", 1, 4, 1, "trunk_m", 0.1, 0.2, 0.5),
        Repetition(5, "cam", "squat", 1, 1, 4, "trunk_m", 0.1, 0.2, -5.0),
        FloorPlane(5, "cam", np.array([0.0, -2.0, 0.0, 1.0])),
    ],
)
def test_implausible_records_give_a_sentence(record: object) -> None:
    assert implausible(record)

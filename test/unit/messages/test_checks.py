"""Messages of other programs that are no records are refused with one kind of error."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.datatypes import Joints, Repetition
from rehab_pose.errors import InputError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages.camera_info import calibration_from_message, camera_info_message
from rehab_pose.messages.exercise import repetition_from_message, repetition_message
from rehab_pose.messages.factory import header, stamp_ns
from rehab_pose.messages.joints import joints_from_message, joints_message
from rehab_pose.skeletons.smpl24 import SMPL_24

STAMP_NS = 5_000_000_000
CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=20.0, fy=20.0, cx=7.5, cy=5.5)


def joints() -> Any:  # noqa: ANN401
    positions_m = np.tile([0.1, -0.2, 2.0], (24, 1))
    record = Joints(STAMP_NS, "cam", SMPL_24, positions_m, np.ones(24), np.full(24, 0.02), np.ones(24, np.uint8))
    return joints_message(BagMessageFactory(), STAMP_NS, "cam", record)


def repetition() -> Any:  # noqa: ANN401
    record = Repetition(STAMP_NS, "cam", "squat", 1, STAMP_NS - 10, STAMP_NS, "trunk_m", 0.1, 0.3, 0.8)
    return repetition_message(BagMessageFactory(), record)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("positions", np.full(72, 1500.0, np.float32), "from -20 to 20"),
        ("positions", np.full(72, np.inf, np.float32), "from -20 to 20"),
        ("positions", np.zeros(71, np.float32), "reshape"),
        ("confidence", np.full(24, 1.5, np.float32), "from 0 to 1"),
        ("sigma", np.full(24, -0.1, np.float32), "from 0 to"),
        ("visibility", np.full(24, 9, np.uint8), "visibility of at most 3"),
        ("visibility", np.ones(3, np.uint8), "visibility"),
        ("format", 77, "expected the format"),
    ],
)
def test_impossible_joints_are_refused(field: str, value: Any, reason: str) -> None:  # noqa: ANN401
    assert joints_from_message(joints()) is not None
    with pytest.raises(InputError, match=reason):
        joints_from_message(dataclasses.replace(joints(), **{field: value}))


def test_missing_joints_are_accepted() -> None:
    read = joints_from_message(dataclasses.replace(joints(), positions=np.full(72, np.nan, np.float32)))
    assert read is not None
    assert np.isnan(read.positions_m).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [("side", 7), ("quality", -5.0), ("quality_high", float("inf")), ("count", 0), ("asymmetry", 3.0)],
)
def test_impossible_repetitions_are_refused(field: str, value: float) -> None:
    assert repetition_from_message(repetition()).count == 1
    with pytest.raises(InputError):
        repetition_from_message(dataclasses.replace(repetition(), **{field: value}))


def test_a_repetition_that_ends_before_its_start_is_refused() -> None:
    message = repetition()
    with pytest.raises(InputError, match="increasing stamps"):
        repetition_from_message(dataclasses.replace(message, start=message.end, end=message.start))


@pytest.mark.parametrize(("seconds", "nanoseconds"), [(-1, 0), (1, 1_000_000_000), (1, 4_294_967_295)])
def test_a_stamp_that_is_no_time_is_refused(seconds: int, nanoseconds: int) -> None:
    time = header(BagMessageFactory(), STAMP_NS, "").stamp
    with pytest.raises(InputError, match="nanoseconds below"):
        stamp_ns(dataclasses.replace(time, sec=seconds, nanosec=nanoseconds))


@pytest.mark.parametrize(
    ("field", "place", "value"),
    [("k", 0, np.nan), ("k", 5, np.inf), ("p", 2, np.nan), ("r", 0, 2.0), ("d", 1, np.nan), ("k", 0, 1e9)],
)
def test_impossible_calibrations_are_refused(field: str, place: int, value: float) -> None:
    factory = BagMessageFactory()
    message = camera_info_message(factory, header(factory, STAMP_NS, "cam"), CAMERA)
    calibration_from_message(message)
    numbers = getattr(message, field).copy()
    numbers[place] = value
    with pytest.raises(InputError):
        calibration_from_message(dataclasses.replace(message, **{field: numbers}))

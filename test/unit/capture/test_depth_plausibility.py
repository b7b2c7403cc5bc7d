"""Depth in another unit, and of another camera than colour, is refused with the figure that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.capture.depth_plausibility import check_depth_frame, check_depth_unit, depth_unit_fault
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def room_m() -> NDArray[np.float32]:
    depth_m = np.random.default_rng(1).uniform(0.8, 5.5, (120, 160))
    depth_m[::3] = np.nan
    return np.asarray(depth_m, dtype=np.float32)


def test_depth_of_a_room_is_accepted_in_both_units() -> None:
    assert not depth_unit_fault(room_m())
    assert not depth_unit_fault((1000 * np.nan_to_num(room_m())).astype(np.uint16))


def test_a_hall_with_a_person_is_accepted() -> None:
    depth_m = np.full((120, 160), 9.0, np.float32)
    depth_m[40:, 60:90] = 2.5
    assert not depth_unit_fault(depth_m)


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.001])
def test_another_unit_is_refused_with_the_figure(factor: float) -> None:
    with pytest.raises(InputError, match=r"% of the depth is .* median"):
        check_depth_unit((factor * room_m()).astype(np.float32))


def test_an_image_without_returns_says_nothing() -> None:
    assert not depth_unit_fault(np.zeros((120, 160), np.uint16))


def test_depth_in_another_frame_than_colour_is_refused() -> None:
    check_depth_frame("color", "color")
    check_depth_frame("color", "")
    with pytest.raises(InputError, match="registered"):
        check_depth_frame("color", "depth")

"""Results of the image network for tests: masks of a known person, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.datatypes import ImageJoints, PersonMask, RgbdFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIDE = 256
"""Side of a mask [px]."""
LOGIT = 20.0
"""Absolute value of the logits."""


def _mask_of(inside: NDArray[Any]) -> PersonMask:
    """Return the mask of a person (H, W), in a square around the whole image."""
    height, width = inside.shape
    scale = max(height, width) / SIDE
    offset = np.array([(width - max(height, width)) / 2.0, (height - max(height, width)) / 2.0]) + 0.5 * (scale - 1.0)
    nodes = np.arange(SIDE) * scale
    columns, rows = np.round(nodes + offset[0]).astype(int), np.round(nodes + offset[1]).astype(int)
    seen = np.zeros((SIDE, SIDE), np.bool_)
    in_rows, in_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    seen[np.ix_(in_rows, in_columns)] = inside[np.ix_(rows[in_rows], columns[in_columns])]
    return PersonMask(
        np.where(seen, LOGIT, -LOGIT).astype(np.float32), np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
    )


def _joints_with_mask(
    frame: RgbdFrame,
    inside: NDArray[Any] | None,
    *,
    score: float = 1.0,
    visible: dict[int, tuple[float, float]] | None = None,
) -> ImageJoints:
    """Return landmarks of a frame, those of `visible` (index: pixel) only, with the mask of a person or without one."""
    pixels, visibility = np.full((33, 2), np.nan), np.zeros(33)
    for index, pixel in (visible or {}).items():
        pixels[index], visibility[index] = pixel, 1.0
    return ImageJoints(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        pixels=pixels,
        visibility=visibility,
        relative_m=np.full((33, 3), np.nan),
        score=score,
        mask=None if inside is None else _mask_of(inside),
    )


@pytest.fixture
def joints_with_mask() -> Callable[..., ImageJoints]:
    """Return a function that makes landmarks with the mask of a person."""
    return _joints_with_mask

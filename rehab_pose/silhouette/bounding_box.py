"""The smallest part of an image that holds a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bounding_box"]


def bounding_box(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns of the smallest box around the pixels of a mask (h, w); both empty without a pixel."""
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(inside).view(np.uint8))
    return slice(y, y + height), slice(x, x + width)

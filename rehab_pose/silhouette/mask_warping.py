"""The person's mask of the image network in the full image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.silhouette.bounding_box import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import PersonMask

__all__ = ["HALF", "MaskInBox", "mask_in_box"]

MARGIN_MASK_PX = 6
"""Margin around the person's pixels of the mask, for the flooding of its border [px of the mask]."""
HALF = 127
"""A pixel is a person's above this level of the mask, which is resampled as 0 to 255."""
LEVELS_PER_LOGIT = 32.0
"""Levels of the mask for a logit of 1: it is clipped at logits of 4, a probability of 0.98. Interpolated logits, which
reach several hundred, would move the border towards the side with the smaller ones."""


@dataclass(frozen=True, eq=False)
class MaskInBox:
    """The mask in a box of the full image."""

    box_px: tuple[int, int, int, int]
    """x, y, width, height [px]."""
    level: NDArray[np.uint8]
    """(height, width) 0 to 255; above HALF where the person is more likely than the rest."""
    scale_px: float
    """Size of a pixel of the mask in the full image [px]."""


def mask_in_box(mask: PersonMask, width_px: int, height_px: int) -> MaskInBox | None:
    """Return the mask resampled in the person's box of an image of this size; None where no pixel is a person's."""
    scaled = mask.logits * np.float32(LEVELS_PER_LOGIT) + np.float32(HALF + 0.5)
    level = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
    rows, columns = bounding_box(level > HALF)
    if rows.stop == rows.start:
        return None
    left, right = columns.start - MARGIN_MASK_PX, columns.stop + MARGIN_MASK_PX
    top, bottom = rows.start - MARGIN_MASK_PX, rows.stop + MARGIN_MASK_PX
    corners = np.array([(left, top, 1), (right, top, 1), (left, bottom, 1), (right, bottom, 1)], dtype=np.float64)
    pixels = corners @ mask.image_from_mask.T
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, (width_px, height_px))
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, (width_px, height_px))
    width, height = (high - low).tolist()
    if min(width, height) < MARGIN_MASK_PX:
        return None
    inverse = np.linalg.inv(mask.image_from_mask[:, :2])
    mask_from_box = np.column_stack([inverse, inverse @ (low - mask.image_from_mask[:, 2])])
    resampled = cv2.warpAffine(
        level,
        mask_from_box,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    ).astype(np.uint8, copy=False)
    scale_px = float(np.sqrt(abs(np.linalg.det(mask.image_from_mask[:, :2]))))
    return MaskInBox((int(low[0]), int(low[1]), width, height), resampled, scale_px)

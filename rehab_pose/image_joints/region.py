"""The square region of the colour image that the network sees: rotated so that the person is upright in it.

The region of the next frame follows from two auxiliary landmarks: the middle of the hips, and a point on the circle
around the whole person (Bazarevsky et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CROP_PX", "Region"]

CROP_PX = 256
"""Side of the network's input [px]."""
MARGIN = 1.25
"""Side of the region relative to the diameter of the circle around the person, as the network was trained."""


@dataclass(frozen=True)
class Region:
    """A square in the image."""

    centre_x_px: float
    centre_y_px: float
    side_px: float
    angle_rad: float
    """Rotation of the region's down direction from the image's, clockwise in the image."""

    @classmethod
    def around_box(cls, box_px: tuple[int, int, int, int], angle_rad: float) -> Region:
        """Return a region around a box (x, y, width, height) [px]."""
        x, y, width, height = box_px
        return cls(x + width / 2.0, y + height / 2.0, MARGIN * max(width, height), angle_rad)

    @classmethod
    def around_person(cls, hips_px: NDArray[np.float64], circle_px: NDArray[np.float64]) -> Region:
        """Return the region of a person from the middle of the hips (2) and the point on the circle above (2) [px]."""
        up = circle_px - hips_px
        angle_rad = float(np.arctan2(up[0], -up[1]))
        return cls(float(hips_px[0]), float(hips_px[1]), 2.0 * MARGIN * float(np.hypot(*up)), angle_rad)

    @property
    def image_from_crop(self) -> NDArray[np.float64]:
        """(2, 3) affine map from a pixel of the crop to a pixel of the image; integer coordinates are pixel centres."""
        scale = self.side_px / CROP_PX
        cosine, sine = scale * np.cos(self.angle_rad), scale * np.sin(self.angle_rad)
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        middle = np.full(2, (CROP_PX - 1) / 2.0)
        offset = np.array([self.centre_x_px, self.centre_y_px]) - rotation @ middle
        return np.column_stack([rotation, offset])

    def cut(self, color: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's input (1, CROP_PX, CROP_PX, 3), 0-1, from an image (H, W, 3); black outside it."""
        crop = cv2.warpAffine(
            color, self.image_from_crop, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return np.multiply(crop, np.float32(1.0 / 255.0), dtype=np.float32)[None]

    def in_image(self, crop_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return landmarks (N, 2) of the crop as pixels (N, 2) of the image.

        The network counts from the corner of its input, this package from the centre of the first pixel.
        """
        transform = self.image_from_crop
        pixels: NDArray[np.float64] = (crop_px - 0.5) @ transform[:, :2].T + transform[:, 2]
        return pixels

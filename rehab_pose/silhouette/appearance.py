"""Colour of the clothes and size of a person, by which the same person is recognised after an absence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MIN_PIXELS", "Appearance", "appearance_of", "blended", "difference"]

HUES, GREYS = 12, 4
"""Classes of coloured pixels by hue, and of grey ones by brightness."""
HUE_LEVELS = 180.0
"""Levels of a hue in OpenCV's 8-bit images."""
LOW_CHROMA, HIGH_CHROMA = 20.0, 50.0
"""A pixel below the first chroma (saturation times brightness, 0-255) is grey, one above the second is coloured."""
MIN_PIXELS = 40
"""Smallest number of pixels of each half of a person whose colours are compared."""
COLUMN_M = 0.1
"""The top of the head is looked for at most this far to the side of the body's middle, beside raised arms [m]."""
TOP_FRACTION = 0.98
"""Fraction of the points in that column that are not higher than the top of the head: the rest may be noise."""
FEET_FRACTION, MAX_FEET_M = 0.05, 0.45
"""The height of the body is known only with the legs in view: this fraction of the points is lower [m]."""
OTHER_COLORS = 0.3
"""Distance of colours from which on they are another person's. Simulated people in the same clothes, from all sides: at
most 0.23; in other clothes: at least 0.31."""
TALLER_M, SHORTER_M = 0.15, 0.45
"""Difference of heights from which on it is another person [m]. The height of one who stands is measured to 0.02 m; one
who squats is up to 0.45 m less high."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """Features of a person that stay the same over minutes."""

    colors: NDArray[np.float64]
    """(2, HUES + GREYS) fraction of the pixels in each class of colours, of the upper and of the lower half."""
    height_m: float
    """Height of the head above the floor [m]; NaN = unknown, as where the legs are hidden."""


def appearance_of(
    color: NDArray[np.uint8], side_m: NDArray[Any], height_m: NDArray[Any], *, above_floor: bool
) -> Appearance | None:
    """Return the appearance of a person; None with fewer than MIN_PIXELS pixels in a half.

    Args:
        color: (N, 3) RGB of the person's pixels.
        side_m: (N) horizontal position of their points across the line of sight [m].
        height_m: (N) height of their points [m], from any level where the floor is unknown.
        above_floor: True if the heights are those above the floor.
    """
    upper = height_m > np.median(height_m) if len(height_m) else np.zeros(0, np.bool_)
    if min(np.count_nonzero(upper), np.count_nonzero(~upper)) < MIN_PIXELS:
        return None
    colors = np.stack([_color_classes(color[half]) for half in (upper, ~upper)])
    column = height_m[np.abs(side_m - np.median(side_m)) < COLUMN_M]
    known = above_floor and len(column) >= MIN_PIXELS and np.quantile(height_m, FEET_FRACTION) < MAX_FEET_M
    return Appearance(colors, float(np.quantile(column, TOP_FRACTION)) if known else float("nan"))


def blended(before: Appearance, new: Appearance, weight: float) -> Appearance:
    """Return what is remembered of a person after another look.

    The colours follow changes of light: `weight` (0-1) of the new ones. The height is the largest one, of standing.
    """
    colors = (1.0 - weight) * before.colors + weight * new.colors
    return Appearance(colors, float(np.fmax(before.height_m, new.height_m)))


def difference(known: Appearance, seen: Appearance) -> float:
    """Return how different a person looks from a known one: 0 = the same, 1 and more = another person."""
    overlap = np.sqrt(known.colors * seen.colors).sum(axis=1)
    distance = float(np.sqrt(np.maximum(0.0, 1.0 - overlap)).mean())  # Hellinger's
    taller_m = seen.height_m - known.height_m
    height = 0.0 if np.isnan(taller_m) else max(taller_m / TALLER_M, -taller_m / SHORTER_M)
    return max(distance / OTHER_COLORS, height)


def _color_classes(color: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the fraction (HUES + GREYS) of pixels (N, 3) in each class; one between two classes counts for both."""
    hsv = cv2.cvtColor(np.ascontiguousarray(color)[:, None], cv2.COLOR_RGB2HSV)[:, 0].astype(np.float64)
    hue, saturation, brightness = hsv.T
    colored = np.clip((saturation * brightness / 255.0 - LOW_CHROMA) / (HIGH_CHROMA - LOW_CHROMA), 0.0, 1.0)
    result = np.zeros(HUES + GREYS)
    place = hue / HUE_LEVELS * HUES
    low = np.floor(place).astype(np.intp)
    result[:HUES] += np.bincount(low % HUES, colored * (1.0 - (place - low)), HUES)
    result[:HUES] += np.bincount((low + 1) % HUES, colored * (place - low), HUES)
    place = brightness / 255.0 * (GREYS - 1)
    low = np.minimum(np.floor(place).astype(np.intp), GREYS - 2)
    result[HUES:] += np.bincount(low, (1.0 - colored) * (1.0 - (place - low)), GREYS)
    result[HUES:] += np.bincount(low + 1, (1.0 - colored) * (place - low), GREYS)
    return result / len(color)

"""Colours and patterns of walls, floors and furniture; a pattern is defined in metres along the surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PATTERNS", "SurfaceLook", "random_look"]

PATTERNS = ("plain", "stripes", "checks", "tiles", "grain")
GROUT_FRACTION = 0.06
"""Width of the dark lines between tiles as a fraction of a tile."""
PLAIN_STRENGTH = 0.02
"""Contrast of the slow brightness changes of every surface, 0-1."""


@dataclass(frozen=True)
class SurfaceLook:
    """Colour and pattern of a surface."""

    color_rgb: tuple[float, float, float]
    """Mean colour, 0-255."""
    pattern: str
    """One of PATTERNS."""
    period_m: float
    """Size of the pattern [m]."""
    strength: float
    """Contrast of the pattern, 0-1."""

    def paint(self, across_m: NDArray[np.float64], along_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return RGB (..., 3), 0-255 before lighting, of points given by two coordinates on their surface (...) [m]."""
        across, along = across_m / self.period_m, along_m / self.period_m
        uneven = np.sin(3.1 * across_m + 1.7 * along_m) * np.sin(2.3 * along_m - 0.9 * across_m)
        brightness = 1.0 + PLAIN_STRENGTH * uneven + self.strength * self._wave(across, along)
        return np.asarray(brightness[..., None] * np.array(self.color_rgb))

    def _wave(self, across: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pattern (...), -1 to 1, at coordinates in periods."""
        if self.pattern == "stripes":
            return np.asarray(np.sign(np.sin(2.0 * np.pi * across)))
        if self.pattern == "checks":
            return np.asarray(np.sign(np.sin(np.pi * across) * np.sin(np.pi * along)))
        if self.pattern == "tiles":
            joint = (across % 1.0 < GROUT_FRACTION) | (along % 1.0 < GROUT_FRACTION)
            return np.where(joint, -1.0, 0.2 * np.sin(12.9898 * np.floor(across) + 78.233 * np.floor(along)))
        if self.pattern == "grain":
            boards = np.sin(12.9898 * np.floor(along))
            return np.asarray(0.6 * np.sin(2.0 * np.pi * (across + 0.15 * np.sin(5.0 * along))) + 0.4 * boards)
        return np.zeros_like(across)


def random_look(random: np.random.Generator, *, min_level: float = 50.0) -> SurfaceLook:
    """Return a random look whose mean brightness is at least `min_level` (0-255)."""
    level = random.uniform(min_level, 215.0)
    tint = random.normal(0.0, 0.16, 3)
    red, green, blue = (float(value) for value in np.clip(level * (1.0 + tint), 15.0, 250.0))
    pattern = PATTERNS[int(random.integers(len(PATTERNS)))]
    return SurfaceLook((red, green, blue), pattern, float(random.uniform(0.05, 0.4)), float(random.uniform(0.05, 0.3)))

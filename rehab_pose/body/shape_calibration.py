"""Learns a person's shape coefficients during their first frames and keeps them fixed from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ShapeCalibration"]

INFORMATION_PER_FRAME = 1.0
"""Information that a frame adds about each coefficient, relative to the population prior (1 / shape_sigma^2): less than
a frame contains, so that the first frames do not decide."""


class ShapeCalibration:
    """The shape coefficients known so far, and the Gaussian prior that they give the next frame's fit."""

    def __init__(self, shape_count: int, frames: int, shape_sigma: float) -> None:
        """Start from the mean body.

        Args:
            shape_count: Coefficients of the body model.
            frames: Frames from which the shape is learnt.
            shape_sigma: Standard deviation of the coefficients in the population.
        """
        self._shape_count = shape_count
        self._frames_needed = frames
        self._shape_sigma = shape_sigma
        self.reset()

    def reset(self) -> None:
        """Forget the person's shape."""
        self.betas: NDArray[np.float64] = np.zeros(self._shape_count)
        self._frames = 0

    @property
    def complete(self) -> bool:
        """True once the shape is fixed."""
        return self._frames >= self._frames_needed

    @property
    def free_count(self) -> int:
        """Number of coefficients that are unknowns of the fit: all or none."""
        return 0 if self.complete else self._shape_count

    def prior(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and 1 / variance of the free coefficients (`free_count` each)."""
        known = 1.0 + INFORMATION_PER_FRAME * self._frames
        mean = self.betas[: self.free_count] * (known - 1.0) / known
        return mean, np.full(self.free_count, known / self._shape_sigma**2)

    def learn(self, betas: NDArray[np.float64]) -> None:
        """Take the coefficients of a fitted frame, until the shape is fixed."""
        if not self.complete:
            self.betas = np.array(betas)
            self._frames += 1

"""Choose the subject among the people in view, and do not jump between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.silhouette.settings import SilhouetteSettings

__all__ = ["Candidate", "SubjectChooser"]

FOLLOW_RADIUS_M = 0.6
"""The followed person's centre moves less than this between frames (a fall at 3 m/s over 0.2 s) [m]."""
FORGET_AFTER_FRAMES = 45
"""A subject hidden for longer than this (1.5 s at 30 Hz) is given up and chosen anew."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One connected person in the reduced image."""

    label: int
    centre_m: NDArray[np.float64]
    """(3) median of its points in the camera's frame."""
    height_m: float
    """Visible extent along the image's vertical."""
    area_m2: float
    """Visible surface as seen, frontal."""
    column_offset: float
    """Distance of its centre from the image's middle column, 0 (middle) to 1 (border)."""


class SubjectChooser:
    """Applies the subject policy over time."""

    def __init__(self, settings: SilhouetteSettings) -> None:
        self._policy = settings.subject
        self._centre_m: NDArray[np.float64] | None = None
        self._frames_missing = 0

    def reset(self) -> None:
        """Forget whom we followed."""
        self._centre_m = None
        self._frames_missing = 0

    def choose(self, candidates: list[Candidate]) -> Candidate | None:
        """Return the subject, or None when nobody (or only somebody else than the one followed) is there."""
        chosen = self._follow(candidates, self._centre_m) if self._centre_m is not None else None
        if chosen is None and self._centre_m is not None:
            self._frames_missing += 1
            if self._frames_missing <= FORGET_AFTER_FRAMES:
                return None
            self.reset()
        if chosen is None:
            chosen = self._first(candidates)
        if chosen is not None:
            self._centre_m = chosen.centre_m
            self._frames_missing = 0
        return chosen

    @staticmethod
    def _follow(candidates: list[Candidate], centre_m: NDArray[np.float64]) -> Candidate | None:
        near = [c for c in candidates if np.linalg.norm(c.centre_m - centre_m) < FOLLOW_RADIUS_M]
        return min(near, key=lambda c: float(np.linalg.norm(c.centre_m - centre_m)), default=None)

    def _first(self, candidates: list[Candidate]) -> Candidate | None:
        if self._policy == "nearest":
            return min(candidates, key=lambda c: float(c.centre_m[2]), default=None)
        if self._policy == "central":
            return min(candidates, key=lambda c: c.column_offset, default=None)
        # An exerciser stands near the camera: height and surface win over somebody who sits, nearness over passers-by.
        return max(candidates, key=lambda c: c.height_m * np.sqrt(c.area_m2) / c.centre_m[2] ** 2, default=None)

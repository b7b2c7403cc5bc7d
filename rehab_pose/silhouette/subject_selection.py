"""Selection of the subject among the people in view, and tracking of the subject between frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.silhouette.settings import SilhouetteSettings

__all__ = ["Candidate", "SubjectSelector"]

FOLLOW_RADIUS_M = 0.6
"""Largest movement of the subject's centre between frames: a fall at 3 m/s over 0.2 s [m]."""
CENTRE_ERROR_M, MAX_CENTRE_SPEED_M_S = 0.3, 3.0
"""Change of the centre when a limb or the legs come into view, and speed of a falling person [m, m/s]."""
FORGET_AFTER_FRAMES = 45
"""After this many frames without the subject (1.5 s at 30 Hz) a new subject is selected."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One connected person in the reduced image."""

    label: int
    centre_m: NDArray[np.float64]
    """(3) median of its points in the camera's frame [m]."""
    extent_m: float
    """Largest visible extent in any direction: the height of a standing person, the length of a lying one [m]."""
    relative_area: float
    """Visible area up to a factor that is the same for all candidates: number of points times depth squared [m^2]."""
    column_offset: float
    """Distance of its centre from the middle column of the image, 0 (middle) to 1 (border)."""


class SubjectSelector:
    """Selects the subject by the policy of the settings and follows it."""

    def __init__(self, settings: SilhouetteSettings) -> None:
        self._policy = settings.subject
        self._centre_m: NDArray[np.float64] | None = None
        self._stamp_ns = 0
        self._exact = False
        self._frames_missing = 0

    def reset(self) -> None:
        """Forget the subject."""
        self._centre_m = None
        self._stamp_ns = 0
        self._exact = False
        self._frames_missing = 0

    def select(self, candidates: list[Candidate], stamp_ns: int = 0) -> Candidate | None:
        """Return the subject; None if there is no candidate, or the followed person is not among them."""
        selected = self._follow(candidates, self._centre_m) if self._centre_m is not None else None
        if selected is None and self._centre_m is not None:
            self._frames_missing += 1
            if self._frames_missing <= FORGET_AFTER_FRAMES:
                return None
            self.reset()
        if selected is None:
            selected = self._first(candidates)
        if selected is not None:
            self.confirm(selected.centre_m, stamp_ns)
            self._exact = False
        return selected

    def accepts(self, centre_m: NDArray[np.float64], stamp_ns: int) -> bool:
        """Return whether a person with this centre (3) [m] can be the subject; any person can where none is followed.

        The test is stricter than that of `select`, because two people who touch are closer than FOLLOW_RADIUS_M; but
        not after a frame in which the person was found in depth alone, with furniture or without legs.
        """
        if self._centre_m is None:
            return True
        elapsed_s = max(0.0, 1e-9 * (stamp_ns - self._stamp_ns))
        reach_m = min(FOLLOW_RADIUS_M, CENTRE_ERROR_M + MAX_CENTRE_SPEED_M_S * elapsed_s)
        if not self._exact:
            reach_m = FOLLOW_RADIUS_M
        return bool(np.linalg.norm(centre_m - self._centre_m) < reach_m)

    def confirm(self, centre_m: NDArray[np.float64], stamp_ns: int) -> None:
        """Take a person with this centre (3) [m] as the subject."""
        self._centre_m, self._stamp_ns, self._exact = centre_m, stamp_ns, True
        self._frames_missing = 0

    @staticmethod
    def _follow(candidates: list[Candidate], centre_m: NDArray[np.float64]) -> Candidate | None:
        near = [c for c in candidates if np.linalg.norm(c.centre_m - centre_m) < FOLLOW_RADIUS_M]
        return min(near, key=lambda c: float(np.linalg.norm(c.centre_m - centre_m)), default=None)

    def _first(self, candidates: list[Candidate]) -> Candidate | None:
        if self._policy == "nearest":
            return min(candidates, key=lambda c: float(c.centre_m[2]), default=None)
        if self._policy == "central":
            return min(candidates, key=lambda c: c.column_offset, default=None)
        # Extent and area favour a standing or lying person over a sitting one; nearness favours the subject of the
        # exercise over people in the background.
        return max(candidates, key=lambda c: c.extent_m * np.sqrt(c.relative_area) / c.centre_m[2] ** 2, default=None)

"""Selection of the subject among the people in view, and tracking of the subject between frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.silhouette.settings import SilhouetteSettings

__all__ = ["Candidate", "SubjectSelector"]

FOLLOW_RADIUS_M = 0.6
"""Largest movement of the subject's centre between frames: a fall at 3 m/s over 0.2 s [m]."""
CENTRE_ERROR_M, MAX_CENTRE_SPEED_M_S = 0.3, 3.0
"""Change of the centre when a limb or the legs come into view, and speed of a falling person [m, m/s]."""
FORGET_S = 1.5
"""For this long without the subject only its place is looked at; then it is looked for everywhere [s]."""
NEARER_M, MORE_CENTRAL = 0.3, 0.15
"""A person becomes the subject by the policy nearest or central who is nearer than the subject by this much [m], or
whose column offset is smaller by this much."""
DECISION_S = 1.0
"""A person has to be nearer or more central for this long to become the subject [s]."""


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
    person_id: int = 0
    """Number in the register of people; 0 = not looked up."""


class SubjectSelector:
    """Selects the subject by the policy of the settings and follows it.

    A subject that left is waited for, recognised by its number in the register of people. With the policies nearest and
    central another person can become the subject at any time.
    """

    def __init__(self, settings: SilhouetteSettings) -> None:
        self._policy, self._resume_s = settings.subject, settings.resume_s
        self.reset()

    @property
    def person_id(self) -> int:
        """Number of the subject in the register of people; 0 = there is none, or it was not looked up."""
        return self._person_id

    @property
    def compares(self) -> bool:
        """True if the policy compares the subject with the other people in view all the time."""
        return self._policy != "followed" and not self._chosen

    def reset(self) -> None:
        """Forget the subject."""
        self._centre_m: NDArray[np.float64] | None = None
        self._stamp_ns = 0
        self._exact = False
        self._missing = False
        self._person_id = 0
        self._chosen = False
        self._better_since: tuple[int, int] | None = None

    def is_missing(self, stamp_ns: int) -> bool:
        """Return whether the subject has been out of view for so long that it is looked for everywhere."""
        return self._centre_m is not None and stamp_ns - self._stamp_ns > FORGET_S * NS_PER_S

    def choose(self, person_id: int, centre_m: NDArray[np.float64], stamp_ns: int) -> None:
        """Make a person the subject, whatever the policy says, until it has been out of view for `resume_s`.

        Args:
            person_id: Its number in the register of people.
            centre_m: (3) where it was seen last [m].
            stamp_ns: When that was [ns].
        """
        self.reset()
        self._centre_m, self._stamp_ns, self._person_id = centre_m, stamp_ns, person_id
        self._exact = self._missing = self._chosen = True

    def select(self, candidates: list[Candidate], stamp_ns: int) -> Candidate | None:
        """Return the subject; None if there is no candidate, or the followed person is not among them."""
        selected = self._again(candidates, stamp_ns) if self._centre_m is not None else None
        if selected is None and self._centre_m is not None:
            self._missing = True
            elapsed_s = (stamp_ns - self._stamp_ns) / NS_PER_S
            waits = self._person_id and not self.compares and elapsed_s <= self._resume_s
            if elapsed_s <= FORGET_S or waits:
                return None
            self.reset()
        if selected is None:
            selected = self._first(candidates)
        if selected is not None:
            self.confirm(selected.centre_m, stamp_ns, selected.person_id)
            self._exact = False
        return selected

    def compare(self, candidates: list[Candidate], stamp_ns: int) -> None:
        """Make another person the subject that has been nearer or more central for DECISION_S, by the policy.

        Args:
            candidates: All people in view.
            stamp_ns: Stamp of the frame [ns].
        """
        best = self._first(candidates) if self.compares else None
        subject = None if self._centre_m is None else _nearest(candidates, self._centre_m)
        if best is None or subject is None or best is subject or not self._is_better(best, subject):
            self._better_since = None
        elif self._better_since is None or self._better_since[0] != best.person_id:
            self._better_since = best.person_id, stamp_ns
        elif stamp_ns - self._better_since[1] >= DECISION_S * NS_PER_S:
            self.reset()
            self.confirm(best.centre_m, stamp_ns, best.person_id)

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

    def confirm(self, centre_m: NDArray[np.float64], stamp_ns: int, person_id: int = 0) -> None:
        """Take a person with this centre (3) [m] as the subject.

        Args:
            centre_m: (3) centre [m].
            stamp_ns: Stamp of the frame [ns].
            person_id: Its number in the register of people; 0 = not looked up, which keeps the number.
        """
        self._centre_m, self._stamp_ns, self._exact = centre_m, stamp_ns, True
        self._missing = False
        self._person_id = person_id or self._person_id

    def _again(self, candidates: list[Candidate], stamp_ns: int) -> Candidate | None:
        """Return the subject among people: who is at its place, or after an absence the one who looks like it."""
        assert self._centre_m is not None  # noqa: S101  (the caller checks it; narrows the type)
        wanted = self._person_id
        if self.is_missing(stamp_ns) and wanted:
            return next((candidate for candidate in candidates if candidate.person_id == wanted), None)
        near = _nearest(candidates, self._centre_m)
        another = near is not None and self._missing and 0 not in {near.person_id, wanted} and near.person_id != wanted
        return None if another else near

    def _is_better(self, candidate: Candidate, subject: Candidate) -> bool:
        if self._policy == "nearest":
            return bool(candidate.centre_m[2] < subject.centre_m[2] - NEARER_M)
        return candidate.column_offset < subject.column_offset - MORE_CENTRAL

    def _first(self, candidates: list[Candidate]) -> Candidate | None:
        if self._policy == "nearest":
            return min(candidates, key=lambda c: float(c.centre_m[2]), default=None)
        if self._policy == "central":
            return min(candidates, key=lambda c: c.column_offset, default=None)
        # Extent and area favour a standing or lying person over a sitting one; nearness favours the subject of the
        # exercise over people in the background.
        return max(candidates, key=lambda c: c.extent_m * np.sqrt(c.relative_area) / c.centre_m[2] ** 2, default=None)


def _nearest(candidates: list[Candidate], centre_m: NDArray[np.float64]) -> Candidate | None:
    """Return the candidate nearest to a place (3) [m] within FOLLOW_RADIUS_M."""
    near = [c for c in candidates if np.linalg.norm(c.centre_m - centre_m) < FOLLOW_RADIUS_M]
    return min(near, key=lambda c: float(np.linalg.norm(c.centre_m - centre_m)), default=None)

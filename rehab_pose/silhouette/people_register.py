"""The people that were seen: where, when, and what they look like, so that a person can be recognised and chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import SeenPerson
from rehab_pose.silhouette.appearance import blended, difference
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.silhouette.appearance import Appearance

__all__ = ["Look", "PeopleRegister"]

NEAR_M = 0.6
"""Largest movement of a person's centre between two looks that are less than RECENT_S apart [m]."""
RECENT_S = 1.5
"""A person who was seen this short a time ago is recognised by the position too [s]."""
OTHER = 1.0
"""Difference of appearances from which on it is another person."""
LEARNING = 0.1
"""Weight of one look in the remembered colours."""
MAX_PEOPLE = 20
"""Number of people that are remembered; those seen longest ago are forgotten."""


@dataclass(frozen=True, eq=False)
class Look:
    """One person in one frame."""

    centre_m: NDArray[np.float64]
    """(3) as in `Candidate.centre_m` [m]."""
    appearance: Appearance | None
    """None where too little of the person is in view."""


@dataclass(eq=False)
class _Known:
    person_id: int
    centre_m: NDArray[np.float64]
    stamp_ns: int
    appearance: Appearance
    in_view: bool = True


@dataclass(eq=False)
class PeopleRegister:
    """Gives every person a number and recognises them again."""

    _known: list[_Known] = field(default_factory=list)
    _next_id: int = 1

    def reset(self) -> None:
        """Forget everybody; numbers go on, so that none is given twice."""
        self._known.clear()

    def observe(self, looks: Sequence[Look], stamp_ns: int, *, everybody: bool) -> list[int]:
        """Enter the people of a frame.

        Args:
            looks: The people.
            stamp_ns: Stamp of the frame [ns].
            everybody: True if all people in view are among them; others are then out of view.

        Returns:
            The number of each person, in the order of the looks; 0 = too little of it is in view to recognise it.
        """
        pairs = sorted(
            (
                (cost, look_index, known_index)
                for look_index, look in enumerate(looks)
                for known_index, known in enumerate(self._known)
                if (cost := _cost(known, look, stamp_ns)) < OTHER
            ),
        )
        of_look: dict[int, _Known] = {}
        for _, look_index, known_index in pairs:
            known = self._known[known_index]
            if look_index not in of_look and all(known is not taken for taken in of_look.values()):
                of_look[look_index] = known
        if everybody:
            for known in self._known:
                known.in_view = False
        for look_index, look in enumerate(looks):
            if look_index in of_look:
                _update(of_look[look_index], look, stamp_ns)
            elif look.appearance is not None:
                of_look[look_index] = self._added(look.centre_m, look.appearance, stamp_ns)
        self._known = sorted(self._known, key=lambda known: known.stamp_ns)[-MAX_PEOPLE:]
        return [of_look[index].person_id if index in of_look else 0 for index in range(len(looks))]

    def people(self, followed_id: int) -> tuple[SeenPerson, ...]:
        """Return the people by number."""
        return tuple(
            SeenPerson(known.person_id, known.stamp_ns, known.centre_m, known.in_view, known.person_id == followed_id)
            for known in sorted(self._known, key=lambda known: known.person_id)
        )

    def _added(self, centre_m: NDArray[np.float64], appearance: Appearance, stamp_ns: int) -> _Known:
        known = _Known(self._next_id, centre_m, stamp_ns, appearance)
        self._next_id += 1
        self._known.append(known)
        return known


def _cost(known: _Known, look: Look, stamp_ns: int) -> float:
    """Return how improbable it is that a look shows a known person: OTHER and more = it does not."""
    away_m = float(np.linalg.norm(known.centre_m - look.centre_m))
    recent = abs(stamp_ns - known.stamp_ns) < RECENT_S * NS_PER_S
    if look.appearance is None:
        return away_m / NEAR_M if recent else OTHER
    unlike = difference(known.appearance, look.appearance)
    # Next to the place of a moment ago a person may look different for a moment: half hidden, or arms in front.
    return min(unlike, away_m / NEAR_M) if recent and away_m < NEAR_M and unlike < 2.0 * OTHER else unlike


def _update(known: _Known, look: Look, stamp_ns: int) -> None:
    known.centre_m, known.stamp_ns, known.in_view = look.centre_m, stamp_ns, True
    if look.appearance is not None and difference(known.appearance, look.appearance) < OTHER:
        known.appearance = blended(known.appearance, look.appearance, LEARNING)

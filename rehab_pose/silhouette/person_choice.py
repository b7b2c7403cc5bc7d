"""Finds the person whom a request means among those who were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import SeenPerson

__all__ = ["requested_person"]

MAX_AWAY_M = 1.0
"""Largest distance of a person's middle from the requested position [m]."""


def requested_person(people: Sequence[SeenPerson], person_id: int, position_m: NDArray[np.floating]) -> SeenPerson:
    """Return a person by number, or the one in view who is nearest to a position.

    Args:
        people: Everybody who was seen.
        person_id: Number of the person; 0 = by position.
        position_m: (3) in the camera's frame [m]; used if the number is 0.

    Raises:
        InputError: The number is unknown, the position is not finite, or no person is near it.
    """
    if person_id:
        for person in people:
            if person.person_id == person_id:
                return person
        numbers = ", ".join(str(person.person_id) for person in people) or "none yet"
        msg = f"id: expected one of the people that were seen ({numbers}), got {person_id}"
        raise InputError(msg)
    if not np.isfinite(position_m).all():
        msg = f"position: expected three finite numbers [m], got {np.asarray(position_m).tolist()}"
        raise InputError(msg)
    in_view = [person for person in people if person.in_view]
    nearest = min(in_view, key=lambda person: float(np.linalg.norm(person.position_m - position_m)), default=None)
    if nearest is None or np.linalg.norm(nearest.position_m - position_m) > MAX_AWAY_M:
        places = (
            "; ".join(f"{one.person_id} at {np.round(one.position_m, 1).tolist()} m" for one in in_view) or "no one"
        )
        msg = f"position: expected a person within {MAX_AWAY_M:g} m of it, in view: {places}"
        raise InputError(msg)
    return nearest

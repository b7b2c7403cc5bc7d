"""The movement of a repetition as the journal keeps it: joints at the far point, ranges of angles, hold, tracking.

In a journal's line `repetition` the field `movement` is optional: it is left out where joints were not received, and in
journals of versions before it.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LARGEST_CM", "LARGEST_DEG", "RepetitionMovement"]

MISSING = -(2**15)
"""Stands for each coordinate of a missing joint among the 16-bit integers."""
LARGEST_CM = 500
"""Beyond the reach of any body from its pelvis [cm]."""
LARGEST_DEG = 720
"""Two turns [degrees]."""
LONGEST_S = 600.0
"""Beyond any hold [s]."""
MAX_ANGLES = 100
"""More joint angles than the biomechanical model has."""
AXES = 3


class RepetitionMovement:
    """Body at the far point of a repetition, and the course of the repetition in few numbers.

    A session keeps one for each repetition: the numbers are held as 16-bit integers, and the names once for all.

    Attributes:
        hold_s: Time at the far point [s]: the signal was within a tenth of its range of that value; NaN = not measured.
        tracking: Median confidence of the joints during the repetition, 0 to 1; NaN = no joints were received.
    """

    __slots__ = ("_angles_deg", "_joints_cm", "_names", "hold_s", "tracking")

    def __init__(
        self,
        joints_cm: Sequence[tuple[int, int, int] | None] = (),
        angles_deg: Sequence[tuple[str, int, int]] = (),
        hold_s: float = math.nan,
        tracking: float = math.nan,
    ) -> None:
        """Take joints up to LARGEST_CM and angles up to LARGEST_DEG, as the properties give them."""
        missing = (MISSING,) * AXES
        self._joints_cm = array("h", [place for joint in joints_cm for place in joint or missing])
        self._names = _kept_once(tuple(name for name, _, _ in angles_deg))
        self._angles_deg = array("h", [end for _, low, high in angles_deg for end in (low, high)])
        self.hold_s, self.tracking = hold_s, tracking

    @property
    def joints_cm(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Joints (24) of SMPL_24 at the far point [cm]; None = missing, empty = not received.

        They are measured from the pelvis: to the right in the image, against gravity, away from the camera.
        """
        places = iter(self._joints_cm)
        return tuple(None if x == MISSING else (x, y, z) for x, y, z in zip(places, places, places, strict=True))

    @property
    def angles_deg(self) -> tuple[tuple[str, int, int], ...]:
        """Name, smallest and largest value of each joint angle during the repetition [degrees]."""
        return tuple(zip(self._names, self._angles_deg[::2], self._angles_deg[1::2], strict=True))

    def fields(self) -> dict[str, Any]:
        """Return the fields for JSON; NaN becomes None."""
        return {
            "joints_cm": [None if joint is None else list(joint) for joint in self.joints_cm],
            "angles_deg": {name: [low, high] for name, low, high in self.angles_deg},
            "hold_s": round(self.hold_s, 2) if math.isfinite(self.hold_s) else None,
            "tracking": round(self.tracking, 3) if math.isfinite(self.tracking) else None,
        }

    @classmethod
    def from_fields(cls, fields: object) -> RepetitionMovement:
        """Return the movement of a journal's line.

        Raises:
            ValueError: It has another form, or a number is out of its range.
        """
        if not isinstance(fields, dict):
            msg = f"expected an object in movement, got {type(fields).__name__}"
            raise ValueError(msg)  # noqa: TRY004  (all errors of a line are ValueErrors)
        return cls(
            _joints(fields.get("joints_cm")),
            _angles(fields.get("angles_deg")),
            _number(fields, "hold_s", LONGEST_S),
            _number(fields, "tracking", 1.0),
        )


@lru_cache(maxsize=64)
def _kept_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same object for equal names."""
    return names


def _joints(value: object) -> tuple[tuple[int, int, int] | None, ...]:
    if not isinstance(value, list) or len(value) not in {0, len(SMPL_24)}:
        msg = f"expected {len(SMPL_24)} joints in joints_cm"
        raise ValueError(msg)
    joints: list[tuple[int, int, int] | None] = []
    for entry in value:
        if entry is None:
            joints.append(None)
        elif isinstance(entry, list) and len(entry) == AXES and all(_within(place, LARGEST_CM) for place in entry):
            joints.append((entry[0], entry[1], entry[2]))
        else:
            msg = f"expected three whole centimetres up to {LARGEST_CM} for a joint, got {entry!r}"
            raise ValueError(msg)
    return tuple(joints)


def _angles(value: object) -> tuple[tuple[str, int, int], ...]:
    if not isinstance(value, dict) or len(value) > MAX_ANGLES:
        msg = f"expected at most {MAX_ANGLES} angles in angles_deg"
        raise ValueError(msg)
    angles = []
    for name, ends in value.items():
        if not (isinstance(ends, list) and len(ends) == 2 and all(_within(end, LARGEST_DEG) for end in ends)):
            msg = f"expected the smallest and the largest value of {name!r} in whole degrees, got {ends!r}"
            raise ValueError(msg)
        angles.append((str(name), ends[0], ends[1]))
    return tuple(angles)


def _within(value: object, largest: int) -> bool:
    return type(value) is int and -largest <= value <= largest


def _number(fields: Mapping[str, Any], name: str, largest: float) -> float:
    value = fields.get(name)
    if value is None:
        return math.nan
    if type(value) not in {int, float} or not 0.0 <= value <= largest:
        msg = f"expected a number from 0 to {largest:g} in {name}, got {value!r}"
        raise ValueError(msg)
    return float(value)

"""The phase of a repetition over time: out, hold at the far point, back; to one side, or to both in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RepetitionTiming"]

LEFT_TURN, RIGHT_TURN, MIDDLE = 0.25, 0.75, 0.5
"""Phases of the far points of a movement that goes to the left and then to the right, and between them."""


@dataclass(frozen=True)
class RepetitionTiming:
    """Piecewise linear phase of one repetition, constant during the holds."""

    hold_s: float
    """Time at each far point [s]."""
    start: float = 0.0
    end: float = 1.0
    """Phases at which the repetition starts and ends."""
    turns: tuple[float, ...] = (MIDDLE,)
    """Phases of its far points."""

    @classmethod
    def of(cls, *, two_sided: bool, side: str, hold_s: float) -> RepetitionTiming:
        """Return the timing of an exercise.

        Args:
            two_sided: True if a repetition goes to the left and then to the right.
            side: both, or the side alone to which a two-sided exercise goes: left or right.
            hold_s: Time at each far point [s].
        """
        if not two_sided:
            return cls(hold_s)
        if side == "left":
            return cls(hold_s, 0.0, MIDDLE, (LEFT_TURN,))
        if side == "right":
            return cls(hold_s, MIDDLE, 1.0, (RIGHT_TURN,))
        return cls(hold_s, turns=(LEFT_TURN, RIGHT_TURN))

    @property
    def share(self) -> float:
        """Fraction of a full repetition's movement that this one does: 0.5 for one side of two."""
        return self.end - self.start

    def length_s(self, moving_s: float) -> float:
        """Return the length of a repetition that moves for a time [s]."""
        return moving_s + self.hold_s * len(self.turns)

    def phase(self, elapsed_s: float | NDArray[np.float64], length_s: float) -> NDArray[np.float64]:
        """Return the phase at times from the start of a repetition whose length is given [s]."""
        speed = self.share / max(length_s - self.hold_s * len(self.turns), 1e-9)
        times, phases = [0.0], [self.start]
        for turn in self.turns:
            times.append(times[-1] + (turn - phases[-1]) / speed)
            times.append(times[-1] + self.hold_s)
            phases += [turn, turn]
        times.append(length_s)
        phases.append(self.end)
        return np.asarray(np.interp(elapsed_s, times, phases), dtype=np.float64)

    def far_points_s(self, length_s: float) -> tuple[float, ...]:
        """Return the times from the start at which the far points are reached [s]."""
        speed = self.share / max(length_s - self.hold_s * len(self.turns), 1e-9)
        return tuple((turn - self.start) / speed + place * self.hold_s for place, turn in enumerate(self.turns))

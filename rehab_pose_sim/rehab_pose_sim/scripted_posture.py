"""The posture that the settings ask for: that of the exercise where it has its own, else that of `posture`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose_sim.postures import POSTURES, Posture
from rehab_pose_sim.resting_exercises import RESTING_EXERCISES
from rehab_pose_sim.upright_exercises import UPRIGHT_EXERCISES

if TYPE_CHECKING:
    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["posture_of"]

SEATED_AIM_M = 0.75
"""Height of the middle of a person who sits and stands up [m]."""


def posture_of(settings: SimulationSettings) -> Posture:
    """Return posture, support and view of the subject."""
    resting = RESTING_EXERCISES.get(settings.exercise)
    if resting is not None:
        return resting.posture
    upright = UPRIGHT_EXERCISES.get(settings.exercise)
    if upright is not None and upright.seated:
        return Posture(seated="exercises", facing_rad=upright.facing_rad, aim_m=SEATED_AIM_M)
    if upright is not None and settings.posture == "standing":
        return Posture(facing_rad=upright.facing_rad)
    return POSTURES[settings.posture]

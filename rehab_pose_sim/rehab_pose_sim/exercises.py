"""The five exercises of KIMORE as functions of the phase of one repetition.

Shapes, sizes and tempo follow the recordings of KIMORE's healthy experts (Capecci et al. 2019), measured relative
to the pelvis after removal of the camera's tilt: the joints that move, their range, the shape of the cycle (flat tops)
and its duration. Axes as in `pose`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose_sim.pose import HANGING, ScriptedPose, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Phase = TypeVar("Phase", float, "NDArray[np.float64]")

__all__ = ["EXERCISES", "MAX_AMPLITUDE", "Exercise", "about_axis", "one_sided", "rotated", "side_to_side"]

FORWARD = mirrored(((0.38, -0.1, 1.0), (0.02, -0.12, 1.0)))
ON_HIPS = mirrored(((0.75, -0.66, -0.28), (-0.42, -0.74, 0.45)))
OVERHEAD = mirrored(((0.42, 1.0, 0.2), (0.2, 1.0, 0.35)))
"""Directions of both arms in the starting pose of the exercises."""
ONE_SIDED_FLATNESS, TWO_SIDED_FLATNESS = 1.3, 1.6
"""Flatness of the two ends of a cycle; 0 is a sine."""
MAX_AMPLITUDE = 1.1
"""Larger movements are limited to this, where the joints reach the end of their range."""


@dataclass(frozen=True)
class Exercise:
    """The scripted movement of one exercise."""

    pose: Callable[[float, float, float], ScriptedPose]
    """Pose from phase (0-1), amplitude (1: as healthy people) and asymmetry (-1 to 1)."""
    period_s: float
    """Median length of a repetition in KIMORE's experts [s]."""
    lead_s: float
    """Time from standing to the first repetition [s]."""
    two_sided: bool = False
    """True if a repetition goes to the left and then to the right."""
    one_limb: bool = False
    """True if one side can do the movement alone."""
    left_only: bool = False
    """True if `pose` is the movement of the left side, which is mirrored for the right one."""
    seated: bool = False
    """True if the person sits on a chair before and after it."""
    facing_rad: float = 0.0
    """Angle by which the person is turned to the left where the settings turn it by zero [rad]."""
    holds: bool = True
    """False if the movement has no far point to hold."""


def one_sided(phase: Phase) -> Phase:
    """Return 0 at rest, 1 at the far end, 0 at rest, at phases of a repetition."""
    k = ONE_SIDED_FLATNESS
    lift: Phase = 0.5 - 0.5 * np.tanh(k * np.cos(2.0 * np.pi * phase)) / np.tanh(k)
    return lift


def two_sided(phase: Phase) -> Phase:
    """Return 0, then 1 (the left end), 0, -1 (the right end), 0, at phases of a repetition."""
    k = TWO_SIDED_FLATNESS
    swing: Phase = np.tanh(k * np.sin(2.0 * np.pi * phase)) / np.tanh(k)
    return swing


def sides(amplitude: float, asymmetry: float) -> tuple[float, float]:
    """Return the amplitudes of left and right."""
    return amplitude * (1.0 + asymmetry), amplitude * (1.0 - asymmetry)


def sided(swing: Phase, amplitude: float, asymmetry: float) -> Phase:
    """Return a movement, positive to the left, scaled by the amplitude of its side."""
    scale: Any = np.where(swing > 0.0, *sides(amplitude, asymmetry))  # a number or (T), as the movement
    scaled: Phase = swing * scale
    return scaled


def side_to_side(phase: Phase, amplitude: float, asymmetry: float) -> Phase:
    """Return the movement to the left, then to the right (negative), at phases of a repetition."""
    return sided(two_sided(phase), amplitude, asymmetry)


def about_axis(axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Return the rotation vector (3) about a coordinate axis (0 x, 1 y, 2 z) [rad]."""
    return np.asarray(np.eye(3)[axis] * angle_rad)


def rotated(directions: NDArray[np.float64], axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Return directions (..., 3) turned about a coordinate axis by an angle [rad]."""
    return np.asarray(directions @ matrices_from_axis_angles(about_axis(axis, angle_rad)).T)


def arm_lifting(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return both straight arms lifted forward and up over the head, then lowered."""
    arms = mirrored(HANGING)
    for side, size in enumerate(sides(amplitude, asymmetry)):
        lift = min(size, MAX_AMPLITUDE) * one_sided(phase)
        angle = 2.95 * lift
        sign = 1.0 if side == 0 else -1.0
        outward = 0.25 + 0.25 * np.sin(0.5 * angle)
        arms[side, 0] = (sign * outward, -np.cos(angle), np.sin(angle))
        arms[side, 1] = (sign * (0.12 - 0.04 * lift), -np.cos(angle + 0.15), np.sin(angle + 0.15))
    both = min(amplitude, MAX_AMPLITUDE) * one_sided(phase)
    return ScriptedPose(spine_rad=about_axis(0, -0.06 * both), arms=arms)


def lateral_trunk_tilt(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return arms up in a V, with trunk and arms tilted to the left, then to the right."""
    sway = side_to_side(phase, amplitude, asymmetry)
    arms = rotated(OVERHEAD, 2, -0.45 * sway)
    return ScriptedPose(
        pelvis_m=np.array([-0.025 * sway, 0.0, 0.0]),
        pelvis_rad=about_axis(2, -0.05 * sway),
        spine_rad=about_axis(2, -0.46 * sway),
        neck_rad=about_axis(2, -0.2 * sway),
        arms=arms,
    )


def trunk_rotation(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return arms held forward, with the trunk rotated to the left, then to the right."""
    yaw = side_to_side(phase, amplitude, asymmetry)
    return ScriptedPose(
        pelvis_rad=about_axis(1, 0.3 * yaw),
        spine_rad=about_axis(1, 0.75 * yaw),
        neck_rad=about_axis(1, 0.1 * yaw),
        arms=FORWARD,
    )


def pelvis_rotation(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return hands on the hips, with the pelvis moving in a circle under resting shoulders."""
    angle = 2.0 * np.pi * phase
    sideways, forward = np.sin(angle), np.cos(angle)
    sideways = sided(sideways, amplitude, asymmetry)
    forward *= amplitude
    # The shoulders, half a metre above, hardly move: the trunk leans against the movement of the pelvis.
    lean = np.array([-0.16 * forward + 0.12, 0.0, 0.22 * sideways])
    return ScriptedPose(
        pelvis_m=np.array([0.1 * sideways, 0.0, 0.06 * forward]),
        pelvis_rad=0.5 * lean,
        spine_rad=0.5 * lean,
        neck_rad=-0.8 * lean,
        arms=ON_HIPS,
    )


def squat(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return arms held forward, with the pelvis lowered until the knees are at about a right angle, then raised."""
    left, right = sides(amplitude, asymmetry)
    depth = min(amplitude, MAX_AMPLITUDE) * one_sided(phase)
    lean = 0.5 * depth
    arms = rotated(FORWARD, 0, -lean)
    return ScriptedPose(
        pelvis_m=np.array([0.05 * (left - right) * depth, -0.31 * depth, -0.14 * depth]),
        pelvis_rad=about_axis(0, 0.6 * lean),
        spine_rad=about_axis(0, 0.4 * lean),
        neck_rad=about_axis(0, -0.5 * lean),
        arms=arms,
    )


EXERCISES = {
    "arm_lifting": Exercise(arm_lifting, 3.0, 0.0, one_limb=True),
    "lateral_trunk_tilt": Exercise(lateral_trunk_tilt, 5.0, 0.9, two_sided=True),
    "trunk_rotation": Exercise(trunk_rotation, 4.8, 0.8, two_sided=True),
    "pelvis_rotation": Exercise(pelvis_rotation, 2.4, 0.8, holds=False),
    "squat": Exercise(squat, 2.6, 0.8),
}
"""By label, in the order of KIMORE's numbers."""

"""Exercises on the feet or on a chair that KIMORE does not have, as functions of the phase of one repetition.

Axes as in `pose`. Movements of one side are those of the left.
"""

from __future__ import annotations

import numpy as np

from rehab_pose_sim.exercises import (
    EXERCISES,
    MAX_AMPLITUDE,
    Exercise,
    about_axis,
    one_sided,
    rotated,
    side_to_side,
)
from rehab_pose_sim.pose import HANGING, ScriptedPose, mirrored, mirrored_pose, smoothstep

__all__ = ["UPRIGHT_EXERCISES"]

CROSSED = np.array([[[0.3, -0.95, 0.35], [-0.9, 0.3, 0.42]], [[-0.3, -0.95, 0.25], [0.92, 0.42, 0.3]]])
"""Directions of both arms crossed in front of the chest."""
BALANCING = mirrored(((0.55, -0.85, 0.05), (0.4, -0.85, 0.3)))
"""Directions of both arms held away from the body."""
ON_THIGHS = mirrored(((0.25, -1.0, 0.25), (0.0, -0.45, 0.9)))
"""Directions of both arms of a seated person."""
TOE_M = 0.155
"""Length from the ankle to the toes on which a raised heel turns [m]."""
STEP_FRACTION = 0.45
"""Fraction of a lunge's way out in which the foot steps forward."""


def _lift(phase: float, amplitude: float) -> float:
    """Return 0 at rest, the amplitude at the far point."""
    return min(amplitude, MAX_AMPLITUDE) * one_sided(phase)


def sit_to_stand(phase: float, amplitude: float, _asymmetry: float) -> ScriptedPose:
    """Return arms crossed, standing up from a seat and sitting down again; the trunk leans forward between them."""
    rise = one_sided(phase)  # the seat and the standing height are fixed: only the trunk follows the amplitude
    lean = 0.05 * (1.0 - rise) + 2.4 * min(amplitude, MAX_AMPLITUDE) * rise * (1.0 - rise)
    return ScriptedPose(
        pelvis_rad=about_axis(0, 0.6 * lean),
        spine_rad=about_axis(0, 0.4 * lean),
        neck_rad=about_axis(0, -0.5 * lean),
        arms=CROSSED,
        seated=1.0 - rise,
    )


def seated_trunk_rotation(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return sitting with the arms crossed, with the trunk rotated to the left, then to the right."""
    yaw = side_to_side(phase, amplitude, asymmetry)
    return ScriptedPose(
        pelvis_rad=about_axis(1, 0.06 * yaw),
        spine_rad=about_axis(1, 0.6 * yaw),
        neck_rad=about_axis(1, 0.15 * yaw),
        arms=CROSSED,
        seated=1.0,
    )


def hip_hinge(phase: float, amplitude: float, _asymmetry: float) -> ScriptedPose:
    """Return the trunk inclined forward at the hips with a straight back and slightly bent knees, then raised."""
    hinge = _lift(phase, amplitude)
    lean = 0.95 * hinge
    return ScriptedPose(
        pelvis_m=np.array([0.0, -0.05 * hinge, -0.16 * hinge]),
        pelvis_rad=about_axis(0, 0.92 * lean),
        spine_rad=about_axis(0, 0.08 * lean),
        neck_rad=about_axis(0, -0.15 * lean),
        arms=rotated(mirrored(HANGING), 0, -0.9 * lean),
    )


def lunge(phase: float, amplitude: float, _asymmetry: float) -> ScriptedPose:
    """Return a step forward with the left foot, the pelvis lowered until both knees are bent, and the way back."""
    out = one_sided(phase)
    step = smoothstep(min(out / STEP_FRACTION, 1.0))
    drop = min(amplitude, MAX_AMPLITUDE) * smoothstep(max(out - STEP_FRACTION, 0.0) / (1.0 - STEP_FRACTION))
    in_air = 4.0 * step * (1.0 - step)
    heel = 0.35 * step + 0.75 * drop
    return ScriptedPose(
        pelvis_m=np.array([0.0, -0.1 * step - 0.26 * drop, 0.3 * step + 0.06 * drop]),
        pelvis_rad=about_axis(0, 0.05 * drop),
        spine_rad=about_axis(0, 0.05 * drop),
        arms=BALANCING,
        feet_m=np.array([[0.0, 0.09 * in_air, 0.66 * step], [0.0, TOE_M * np.sin(heel), TOE_M * (1.0 - np.cos(heel))]]),
        feet_rad=np.array([-0.15 * in_air, heel]),
    )


def single_leg_stance(phase: float, amplitude: float, _asymmetry: float) -> ScriptedPose:
    """Return standing on the right foot with the left one lifted from the floor, then both feet on it."""
    lift = _lift(phase, amplitude)
    shift = smoothstep(min(2.0 * lift, 1.0))
    return ScriptedPose(
        pelvis_m=np.array([-0.085 * shift, 0.0, 0.0]),
        pelvis_rad=about_axis(2, 0.03 * shift),
        spine_rad=about_axis(2, 0.03 * shift),
        arms=BALANCING,
        feet_m=np.array([[-0.02 * shift, 0.26 * lift, -0.12 * lift], [0.0, 0.0, 0.0]]),
        feet_rad=np.array([0.55 * lift, 0.0]),
    )


def marching(phase: float, amplitude: float, asymmetry: float) -> ScriptedPose:
    """Return marching in place: the left knee lifted to the height of the hip and lowered, then the right one."""
    lift = side_to_side(phase, amplitude, asymmetry)
    size = min(abs(lift), MAX_AMPLITUDE)
    arms = mirrored(HANGING)
    arms[1] = rotated(arms[1], 0, -0.5 * size)  # the arm of the other side swings forward
    arms[0] = rotated(arms[0], 0, 0.25 * size)
    pose = ScriptedPose(
        pelvis_m=np.array([-0.05 * size, 0.0, 0.0]),
        pelvis_rad=about_axis(2, 0.03 * size),
        arms=arms,
        feet_m=np.array([[0.0, 0.36 * size, 0.24 * size], [0.0, 0.0, 0.0]]),
        feet_rad=np.array([0.35 * size, 0.0]),
    )
    return pose if lift >= 0.0 else mirrored_pose(pose)


UPRIGHT_EXERCISES = {
    **EXERCISES,
    "hip_hinge": Exercise(hip_hinge, 4.0, 0.3, facing_rad=0.8),
    "lunge": Exercise(lunge, 4.0, 0.5, one_limb=True, left_only=True, facing_rad=0.7),
    "marching": Exercise(marching, 2.6, 0.3, two_sided=True),
    "seated_trunk_rotation": Exercise(seated_trunk_rotation, 5.0, 0.6, two_sided=True, seated=True, facing_rad=0.3),
    "single_leg_stance": Exercise(single_leg_stance, 3.6, 0.5, one_limb=True, left_only=True),
    "sit_to_stand": Exercise(sit_to_stand, 4.0, 0.3, seated=True, facing_rad=0.3),
}
"""By label: KIMORE's, and those of the library that are done on the feet or on a chair."""

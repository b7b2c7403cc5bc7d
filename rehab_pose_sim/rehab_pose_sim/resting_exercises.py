"""Exercises on the floor: lying, on all fours and on one side, as functions of how far the movement has gone.

The movements follow the usual instructions, as the product's library of exercises cites them. Axes as in `free_pose`;
movements of one side are those of the left, but for the side plank, which is scripted on the right elbow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose_sim.free_pose import LEFT, RIGHT, FreePose, Leveller, about, turned_hip, turned_knee
from rehab_pose_sim.pose import mirrored
from rehab_pose_sim.postures import (
    AT_THE_SIDES,
    FEET_BY_KNEES,
    FEET_PLANTED,
    HANDS_BY_TRUNK,
    HEAD_ASIDE,
    HEAD_BACK,
    PALMS_ON_FLOOR,
    RIGHT_ANGLE,
    TOES_BACK_RAD,
    Posture,
    arms_down,
    between,
    flat_foot_rad,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RESTING_EXERCISES", "RestingExercise"]

FOOT_ON_FOOT_M = 0.09
"""Height of a foot that rests on the other one [m]."""
CROOK_KNEE_RAD, CROOK_HIP_RAD = 1.75, 0.755
"""Flexion of knees and hips of a person on the back with the feet on the surface [rad]."""
TO_CEILING = mirrored(((0.12, 0.05, 1.0), (0.02, 0.05, 1.0)))
"""Directions of both arms held vertically by a person on the back."""
THIGH_M, SHANK_M = 0.41, 0.42
"""Lengths of the leg's segments of the mean body [m]."""
UPPER_ARM_ON_HIP = np.array([[0.45, -0.85, -0.1], [-0.35, -0.85, 0.4]])
"""Directions of an arm whose hand is on the hip."""


@dataclass(frozen=True)
class RestingExercise:
    """The scripted movement of one exercise of a body that rests on a surface."""

    posture: Posture
    """Its `pose` is a function of how far the movement has gone: 0 at rest, 1 as healthy people do it."""
    period_s: float
    """Usual length of a repetition without a hold [s]."""
    lead_s: float = 0.5
    """Time in the posture before the first repetition [s]."""
    two_sided: bool = False
    """True if a repetition goes to the left and then to the right."""
    one_limb: bool = False
    """True if a set is done by one side, the left or the right."""
    scripted_side: str = "left"
    """Side that does the movement in `posture.pose`; the other one is its mirror image."""

    def pose(self, lift: float) -> FreePose:
        """Return the pose when the movement has gone so far.

        Raises:
            ValueError: The posture has no pose.
        """
        if self.posture.pose is None:
            msg = "expected a posture with a pose, got one without; give it one"
            raise ValueError(msg)
        return self.posture.pose(lift)


def _crook(tilt_rad: float = 0.0) -> FreePose:
    """Return lying on the back with the feet on the surface, and the pelvis tilted backward [rad]."""
    root = -RIGHT_ANGLE - tilt_rad
    hip = CROOK_HIP_RAD - tilt_rad
    ankle = flat_foot_rad(root, hip, CROOK_KNEE_RAD)
    return FreePose(
        root=about(0, root), spine_rad=np.array([tilt_rad, 0.0, 0.0]), arms=AT_THE_SIDES,
        hips_rad=np.array([[hip, 0.05, 0.0]] * 2), knees_rad=np.full(2, CROOK_KNEE_RAD), ankles_rad=np.full(2, ankle),
    )  # fmt: skip


def pelvic_tilt(lift: float) -> FreePose:
    """Return lying on the back with the feet on the surface, and the lower back pressed on it."""
    return _crook(-0.1 + 0.27 * lift)


def bridge(lift: float) -> FreePose:
    """Return shoulders and feet on the surface, and the pelvis lifted until trunk and thighs are in line."""
    rise = 0.5 * lift
    knee, hip = CROOK_KNEE_RAD, CROOK_HIP_RAD - 1.3 * rise
    ankle = flat_foot_rad(-RIGHT_ANGLE - rise, hip, knee)
    return FreePose(
        root=about(0, -RIGHT_ANGLE - rise), arms=AT_THE_SIDES @ about(0, rise).T, neck_rad=np.array([rise, 0.0, 0.0]),
        hips_rad=np.array([[hip, 0.05, 0.0]] * 2), knees_rad=np.full(2, knee), ankles_rad=np.full(2, ankle),
    )  # fmt: skip


def _all_fours(arch_rad: float) -> FreePose:
    """Return hands and knees on the surface with the back arched upward [rad]."""
    arms = mirrored(((0.12, 0.0, 1.0), (0.0, 0.0, 1.0))) @ about(0, -arch_rad).T
    return FreePose(
        root=about(0, RIGHT_ANGLE - 0.5 * arch_rad), spine_rad=np.array([arch_rad, 0.0, 0.0]),
        arms=arms @ about(0, 0.5 * arch_rad).T, neck_rad=np.array([-0.35 + 0.8 * arch_rad, 0.0, 0.0]),
        hands=PALMS_ON_FLOOR, hips_rad=np.array([[RIGHT_ANGLE - 0.5 * arch_rad, 0.06, 0.0]] * 2),
        knees_rad=np.full(2, RIGHT_ANGLE), ankles_rad=np.full(2, TOES_BACK_RAD),
    )  # fmt: skip


def cat_camel(lift: float) -> FreePose:
    """Return hands and knees on the surface, with the back hollowed at rest and arched at the far point."""
    return _all_fours(-0.32 + 0.85 * lift)


def bird_dog(lift: float) -> FreePose:
    """Return hands and knees, with the left arm lifted forward and the right leg backward."""
    pose = _all_fours(0.0)
    arms = pose.arms.copy()
    arms[LEFT] = between(arms[LEFT], np.array([[0.15, 1.0, 0.0], [0.1, 1.0, 0.05]]), lift)
    hips, knees, ankles = pose.hips_rad.copy(), pose.knees_rad.copy(), pose.ankles_rad.copy()
    hips[RIGHT, 0] = RIGHT_ANGLE * (1.0 - lift)
    knees[RIGHT] = RIGHT_ANGLE * (1.0 - lift) + 0.05 * lift
    ankles[RIGHT] = TOES_BACK_RAD - 0.7 * lift
    return replace(pose, arms=arms, hips_rad=hips, knees_rad=knees, ankles_rad=ankles)


def dead_bug(lift: float) -> FreePose:
    """Return lying on the back, hips and knees at right angles, with left arm and right leg lowered straight."""
    arms = TO_CEILING.copy()
    arms[LEFT] = between(arms[LEFT], np.array([[0.2, 1.0, 0.12], [0.1, 1.0, 0.08]]), lift)
    hips = np.array([[RIGHT_ANGLE, 0.05, 0.0], [RIGHT_ANGLE - 1.3 * lift, 0.05, 0.0]])
    return FreePose(
        root=about(0, -RIGHT_ANGLE), arms=arms, hips_rad=hips,
        knees_rad=np.array([RIGHT_ANGLE, RIGHT_ANGLE - 1.45 * lift]), ankles_rad=np.array([0.3, 0.3]),
    )  # fmt: skip


def curl_up(lift: float) -> FreePose:
    """Return lying on the back with the left knee bent, and head and shoulders lifted a little from the surface."""
    pose = _crook(0.0)
    hips, knees, ankles = pose.hips_rad.copy(), pose.knees_rad.copy(), pose.ankles_rad.copy()
    hips[RIGHT], knees[RIGHT], ankles[RIGHT] = (0.02, 0.08, 0.2), 0.05, 0.3
    return replace(
        pose, spine_rad=np.array([0.5 * lift, 0.0, 0.0]), neck_rad=np.array([0.1 * lift, 0.0, 0.0]), hips_rad=hips,
        arms=AT_THE_SIDES @ about(0, -0.35 * lift).T, knees_rad=knees, ankles_rad=ankles,
    )  # fmt: skip


def side_plank(lift: float) -> FreePose:
    """Return lying on the right elbow, with the pelvis lifted until trunk and legs are in line."""
    down = 1.0 - min(lift, 1.0)
    slope = 0.24 * lift + 0.36 * down
    bend = 0.4 * down
    chest = slope + bend  # inclination of the chest
    forearm = np.array([0.0, 0.0, 1.0])
    arms = np.array([UPPER_ARM_ON_HIP, [[-np.cos(chest), -np.sin(chest), 0.0], forearm]])
    return FreePose(
        root=about(2, RIGHT_ANGLE - slope), spine_rad=np.array([0.0, 0.0, -bend]), arms=arms,
        neck_rad=np.array([0.0, 0.0, 0.12]),
        hips_rad=np.array([[0.0, 0.36 * down - 0.08, 0.0], [0.05, -0.36 * down, 0.0]]),
        knees_rad=np.array([0.04, 0.08]), ankles_rad=np.array([0.1, 0.1]),
    )  # fmt: skip


def prone_press_up(lift: float) -> FreePose:
    """Return lying on the belly, with the chest pushed up by the arms while the pelvis stays on the surface."""
    extension, tilt = 0.85 * lift, 0.2 * lift
    root = RIGHT_ANGLE - tilt
    chest = about(0, root - extension)
    low = mirrored(((0.55, -0.85, 0.1), (0.0, 0.95, 0.3)))
    # In the world: the head points to +z at rest, and the hands stay under the shoulders.
    high = mirrored(((0.3, -0.7, -0.6), (-0.05, -0.85, 0.5))) @ chest
    return FreePose(
        root=about(0, root), spine_rad=np.array([-extension, 0.0, 0.0]), arms=between(low, high, min(lift, 1.0)),
        neck_rad=np.array([-0.15 - 0.1 * lift, 0.0, 0.0]), hips_rad=np.array([[-tilt, 0.08, -0.1]] * 2),
        knees_rad=np.full(2, 0.05), ankles_rad=np.full(2, TOES_BACK_RAD),
    )  # fmt: skip


def knee_to_chest(lift: float) -> FreePose:
    """Return lying on the back with the feet on the surface, and the left knee drawn to the chest with both hands."""
    pose = _crook(0.0)
    hips, knees, ankles = pose.hips_rad.copy(), pose.knees_rad.copy(), pose.ankles_rad.copy()
    hips[LEFT, 0] = CROOK_HIP_RAD + 1.4 * lift
    knees[LEFT] = CROOK_KNEE_RAD + 0.45 * lift
    ankles[LEFT] = ankles[LEFT] * (1.0 - lift) + 0.3 * lift
    on_knee = np.array([[[0.15, -0.8, 0.58], [-0.44, -0.42, 0.83]], [[0.2, -0.8, 0.56], [0.55, -0.4, 0.8]]])
    arms = between(AT_THE_SIDES, on_knee, min(2.0 * lift, 1.0))
    return replace(pose, hips_rad=hips, knees_rad=knees, ankles_rad=ankles, arms=arms)


def clamshell(lift: float) -> FreePose:
    """Return lying on the right side with bent legs, and the upper knee lifted while the feet stay together."""
    arms = np.array([[[-0.1, -0.7, 0.75], [-0.75, 0.1, 0.6]], [[0.1, 0.35, 0.9], [0.0, 0.95, -0.3]]])
    knee = 1.5
    closed = about(0, -0.75) @ about(2, -0.3)
    ankle = closed @ (np.array([0.0, -THIGH_M, 0.0]) + SHANK_M * np.array([0.0, -np.cos(knee), -np.sin(knee)]))
    # The leg turns about the line from the hip to the ankle, so that the foot keeps its place.
    opened = matrices_from_axis_angles(-0.85 * lift * ankle / np.linalg.norm(ankle)) @ closed
    return FreePose(
        root=about(2, RIGHT_ANGLE), arms=arms, hips_rad=np.array([_hip_angles(opened), [0.7, 0.05, 0.0]]),
        knees_rad=np.array([knee, 1.45]), ankles_rad=np.array([0.3, 0.3]),
    )  # fmt: skip


def _hip_angles(left: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return flexion, abduction and external rotation (3) [rad] of the left hip from its rotation (3, 3)."""
    return np.array([-np.arctan2(left[2, 1], left[1, 1]), -np.arcsin(left[0, 1]), np.arctan2(left[0, 2], left[0, 0])])


def _straightened(side: int) -> Leveller:
    """Return the turn that lowers a straight leg by the hip."""
    return Leveller(("left_foot", "right_foot")[side], lambda pose, angle: turned_hip(pose, side, -angle), 0.85)


def _abducted(pose: FreePose, angle: float) -> FreePose:
    """Abduct the right hip."""
    hips = pose.hips_rad.copy()
    hips[RIGHT, 1] += angle
    return replace(pose, hips_rad=hips)


def _adducted(pose: FreePose, angle: float) -> FreePose:
    """Adduct the left hip."""
    hips = pose.hips_rad.copy()
    hips[LEFT, 1] -= angle
    return replace(pose, hips_rad=hips)


def _feet_behind(pose: FreePose, angle: float) -> FreePose:
    """Flex both hips of a person on the belly, which lowers the feet."""
    return turned_hip(turned_hip(pose, LEFT, angle), RIGHT, angle)


def _lowered_shins(pose: FreePose, angle: float) -> FreePose:
    """Lower the left foot by the knee, and the right one as far as its knee is still bent."""
    share = float(np.clip(pose.knees_rad[RIGHT] / RIGHT_ANGLE, 0.0, 1.0))
    return turned_knee(turned_knee(pose, LEFT, -angle), RIGHT, -angle * share)


RESTING_EXERCISES = {
    "bird_dog": RestingExercise(
        Posture(
            bird_dog, (HANDS_BY_TRUNK, Leveller("left_foot", _lowered_shins, 0.45)), "knees", RIGHT_ANGLE, "mat",
            aim_m=0.4,
        ),
        6.0, two_sided=True,
    ),
    "bridge": RestingExercise(
        Posture(bridge, (HEAD_BACK, *FEET_PLANTED, *arms_down()), "shoulders", RIGHT_ANGLE, "mat", aim_m=0.25), 4.0
    ),
    "cat_camel": RestingExercise(
        Posture(cat_camel, (HANDS_BY_TRUNK, FEET_BY_KNEES), "knees", RIGHT_ANGLE, "mat", aim_m=0.35), 5.0
    ),
    "clamshell": RestingExercise(
        Posture(
            clamshell, (HEAD_ASIDE, Leveller("right_foot", _abducted, 0.6)), "right_arm", 0.0, "mat", aim_m=0.2,
            across=True,
        ),
        3.5, one_limb=True,
    ),
    "curl_up": RestingExercise(
        Posture(
            curl_up, (FEET_PLANTED[LEFT], _straightened(RIGHT), *arms_down()), "seat", RIGHT_ANGLE, "mat", aim_m=0.2
        ),
        3.5, one_limb=True,
    ),
    "dead_bug": RestingExercise(
        Posture(dead_bug, (HEAD_BACK,), "trunk", RIGHT_ANGLE, "mat", aim_m=0.3), 6.0, two_sided=True
    ),
    "knee_to_chest": RestingExercise(
        Posture(knee_to_chest, (HEAD_BACK, FEET_PLANTED[RIGHT]), "trunk", RIGHT_ANGLE, "mat", aim_m=0.25), 4.5,
        one_limb=True,
    ),
    "pelvic_tilt": RestingExercise(
        Posture(pelvic_tilt, (HEAD_BACK, *FEET_PLANTED, *arms_down()), "trunk", RIGHT_ANGLE, "mat", aim_m=0.2), 4.0
    ),
    "prone_press_up": RestingExercise(
        Posture(
            prone_press_up, (Leveller("feet", _feet_behind, 0.9), *arms_down()), "seat", RIGHT_ANGLE, "mat", aim_m=0.25
        ),
        4.0,
    ),
    "side_plank": RestingExercise(
        Posture(
            side_plank,
            (Leveller("right_foot", _abducted, 0.85), Leveller("left_foot", _adducted, 0.85, FOOT_ON_FOOT_M)),
            "right_elbow", 0.0, "mat", aim_m=0.25, across=True,
        ),
        4.0, one_limb=True, scripted_side="right",
    ),
}  # fmt: skip
"""By label: the exercises of the library that are done on the floor."""

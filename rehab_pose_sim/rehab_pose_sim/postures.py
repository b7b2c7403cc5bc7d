"""Postures of rehabilitation as small movements: each is a pose as a function of the phase of its movement.

Lying and kneeling exercises against low back pain follow the usual instructions (bridge, bird-dog, heel slide, clam,
straight-leg raise). Axes as in `free_pose`; a person who lies on the back has the feet towards +z, one who lies on the
belly or is on all fours the head, before `facing_rad` turns them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_sim.free_pose import (
    LEFT,
    RIGHT,
    FreePose,
    Leveller,
    about,
    tilted_trunk,
    turned_arm,
    turned_hip,
    turned_knee,
    turned_neck,
)
from rehab_pose_sim.pose import HANGING, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "AT_THE_SIDES",
    "FEET_BY_KNEES",
    "FEET_PLANTED",
    "HANDS_BY_TRUNK",
    "HEAD_ASIDE",
    "HEAD_BACK",
    "PALMS_ON_FLOOR",
    "POSTURES",
    "RIGHT_ANGLE",
    "TOES_BACK_RAD",
    "Posture",
    "arms_down",
    "between",
    "flat_foot_rad",
    "standing",
]

RIGHT_ANGLE = np.pi / 2.0
TOES_BACK_RAD = 1.15
"""Plantar flexion of a foot that lies on its back [rad]."""
HEAD_ON_ARM_M = 0.06
"""Height of a head that lies on an arm [m]."""
HANDS_OVER_LEGS_M = 0.06
"""Height of the hands of a person who sits with straight legs [m]."""
AT_THE_SIDES = mirrored(((0.3, -1.0, 0.0), (0.15, -1.0, 0.1)))
UNDER_FOREHEAD = mirrored(((0.9, 0.45, 0.25), (-0.75, 0.65, 0.05)))
PALMS_ON_FLOOR = (
    np.array([[0.1, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    np.array([[-0.1, 0.0, 1.0], [0.0, -1.0, 0.0]]),
)
"""Directions of fingers and palm of both hands of a person whose head points to +z."""


@dataclass(frozen=True, eq=False)
class Posture:
    """A posture, its movement and its surroundings."""

    pose: Callable[[float], FreePose] | None = None
    """Pose at a phase (0-1) of the movement; None: the scripted exercises, or sitting."""
    levels: tuple[Leveller, ...] = ()
    base: str = "all"
    """Region that rests on the surface."""
    facing_rad: float = 0.0
    """Angle by which the person is turned to the left where the settings turn it by zero [rad]."""
    support: str = "floor"
    """Surface under the person: floor, mat, couch or bed."""
    seated: str = ""
    """On a chair: `stands_up` and sits down again; `table`: behind a table; `exercises`: does an exercise."""
    aim_m: float = 0.95
    """Height of the body's middle above the surface that it rests on [m]; cameras aim at it."""
    across: bool = False
    """True if the person lies across the direction that the face points to."""
    period_s: float = 5.0
    """Length of one movement [s]."""


def _wave(phase: float) -> float:
    """Return 0 at phase 0, 1 at phase 0.5."""
    return float(0.5 - 0.5 * np.cos(2.0 * np.pi * phase))


def between(first: object, second: object, fraction: float) -> NDArray[np.float64]:
    """Return directions (..., 3) at a fraction of the way along the great circle from the first to the second."""
    a, b = (np.asarray(entry, dtype=np.float64) for entry in (first, second))
    a, b = (entry / np.linalg.norm(entry, axis=-1, keepdims=True) for entry in (a, b))
    angle = np.arccos(np.clip((a * b).sum(axis=-1, keepdims=True), -1.0 + 1e-9, 1.0 - 1e-9))
    return np.asarray((np.sin((1.0 - fraction) * angle) * a + np.sin(fraction * angle) * b) / np.sin(angle))


def flat_foot_rad(root_rad: float, hip_rad: float, knee_rad: float) -> float:
    """Return the plantar flexion with which the sole is level, for a pelvis turned about x by `root_rad` [rad]."""
    return hip_rad - knee_rad - root_rad


def standing(phase: float) -> FreePose:
    """Return standing upright, with the arms moving a little."""
    return FreePose(arms=AT_THE_SIDES @ about(0, 0.1 * _wave(phase)).T)


def supine(phase: float) -> FreePose:
    """Return lying on the back, with a straight-leg raise of the left leg."""
    hips = np.array([[0.02 + 0.6 * _wave(phase), 0.12, 0.25], [0.02, 0.12, 0.25]])
    return FreePose(
        root=about(0, -RIGHT_ANGLE), arms=AT_THE_SIDES, hips_rad=hips,
        knees_rad=np.array([0.03, 0.08]), ankles_rad=np.array([0.25, 0.35]),
    )  # fmt: skip


def prone(phase: float) -> FreePose:
    """Return lying on the belly with the hands under the forehead, and the right leg lifted behind."""
    lift = 0.3 * _wave(phase)
    return FreePose(
        root=about(0, RIGHT_ANGLE), arms=UNDER_FOREHEAD, neck_rad=np.array([-0.1, 0.5, 0.0]),
        hips_rad=np.array([[0.0, 0.1, -0.1], [-lift, 0.1, -0.1]]), knees_rad=np.array([0.05, 0.1]),
        ankles_rad=np.full(2, TOES_BACK_RAD),
    )  # fmt: skip


def side_lying(phase: float) -> FreePose:
    """Return lying on the right side with bent legs, and the upper knee lifted (clam)."""
    lift = _wave(phase)
    arms = np.array([[[-0.1, -0.7, 0.75], [-0.75, 0.1, 0.6]], [[0.1, 0.35, 0.9], [0.0, 0.95, -0.3]]])
    return FreePose(
        root=about(2, RIGHT_ANGLE), arms=arms,
        hips_rad=np.array([[0.75, -0.22 + 0.55 * lift, 0.35 * lift], [0.7, 0.05, 0.0]]),
        knees_rad=np.array([1.3, 1.25]), ankles_rad=np.array([0.3, 0.3]),
    )  # fmt: skip


def crook_lying(phase: float) -> FreePose:
    """Return lying on the back with the feet on the surface, and the left heel sliding away and back."""
    knees = np.array([1.75 - 0.6 * _wave(phase), 1.75])
    hips = np.array([[0.5 * knee - 0.12, 0.05, 0.0] for knee in knees])
    ankles = np.array([flat_foot_rad(-RIGHT_ANGLE, hip, knee) for (hip, _, _), knee in zip(hips, knees, strict=True)])
    return FreePose(
        root=about(0, -RIGHT_ANGLE), arms=AT_THE_SIDES, hips_rad=hips, knees_rad=knees, ankles_rad=ankles
    )  # fmt: skip


def bridge(phase: float) -> FreePose:
    """Return shoulders and feet on the surface and the pelvis lifted between them."""
    rise = 0.1 + 0.42 * _wave(phase)
    knee, hip = 1.7, 0.7 - 1.15 * rise
    ankle = flat_foot_rad(-RIGHT_ANGLE - rise, hip, knee)
    return FreePose(
        root=about(0, -RIGHT_ANGLE - rise), arms=AT_THE_SIDES @ about(0, rise).T, neck_rad=np.array([rise, 0.0, 0.0]),
        hips_rad=np.array([[hip, 0.05, 0.0]] * 2), knees_rad=np.full(2, knee), ankles_rad=np.full(2, ankle),
    )  # fmt: skip


def all_fours(phase: float) -> FreePose:
    """Return kneeling on hands and knees, with the back arched and hollowed in turn."""
    arch = 0.45 * float(np.sin(2.0 * np.pi * phase))
    arms = mirrored(((0.12, 0.0, 1.0), (0.0, 0.0, 1.0))) @ about(0, -arch).T
    return FreePose(
        root=about(0, RIGHT_ANGLE - 0.5 * arch), spine_rad=np.array([arch, 0.0, 0.0]),
        arms=arms @ about(0, 0.5 * arch).T, neck_rad=np.array([-0.35 + 0.8 * arch, 0.0, 0.0]), hands=PALMS_ON_FLOOR,
        hips_rad=np.array([[RIGHT_ANGLE - 0.5 * arch, 0.06, 0.0]] * 2), knees_rad=np.full(2, RIGHT_ANGLE),
        ankles_rad=np.full(2, TOES_BACK_RAD),
    )  # fmt: skip


def bird_dog(phase: float) -> FreePose:
    """Return hands and knees, with the left arm lifted forward and the right leg backward."""
    pose, lift = all_fours(0.0), _wave(phase)
    arms = pose.arms.copy()
    arms[LEFT] = between(arms[LEFT], np.array([[0.15, 1.0, -0.05], [0.1, 1.0, 0.0]]), lift)
    hips, knees, ankles = pose.hips_rad.copy(), pose.knees_rad.copy(), pose.ankles_rad.copy()
    hips[RIGHT, 0] = RIGHT_ANGLE * (1.0 - lift)
    knees[RIGHT] = (RIGHT_ANGLE - 0.12) * (1.0 - lift) + 0.05
    ankles[RIGHT] = TOES_BACK_RAD - 0.7 * lift
    return replace(pose, arms=arms, hips_rad=hips, knees_rad=knees, ankles_rad=ankles)


def kneeling(phase: float) -> FreePose:
    """Return upright on both knees, with both arms lifted to the front."""
    arms = between(mirrored(HANGING), mirrored(((0.3, 0.15, 1.0), (0.05, 0.15, 1.0))), _wave(phase))
    return FreePose(
        arms=arms, hips_rad=np.array([[0.02, 0.12, 0.0]] * 2), knees_rad=np.full(2, RIGHT_ANGLE),
        ankles_rad=np.full(2, TOES_BACK_RAD),
    )  # fmt: skip


def half_kneeling(phase: float) -> FreePose:
    """Return upright on the right knee with the left foot in front, and the trunk turned to both sides."""
    turn = 0.35 * float(np.sin(2.0 * np.pi * phase))
    return FreePose(
        spine_rad=np.array([0.05, turn, 0.0]), arms=mirrored(((0.55, -0.8, 0.1), (-0.6, -0.15, 0.75))),
        hips_rad=np.array([[RIGHT_ANGLE, 0.1, 0.0], [0.0, 0.08, 0.0]]), knees_rad=np.full(2, RIGHT_ANGLE),
        ankles_rad=np.array([0.0, TOES_BACK_RAD]),
    )  # fmt: skip


def long_sitting(phase: float) -> FreePose:
    """Return sitting with straight legs, reaching towards the toes."""
    reach = _wave(phase)
    lean = -0.12 + 0.25 * reach
    arms = between(
        mirrored(((0.35, -1.0, 0.1), (0.1, -0.7, 0.7))), mirrored(((0.2, -0.35, 1.0), (0.0, -0.3, 1.0))), reach
    )
    return FreePose(
        root=about(0, lean), spine_rad=np.array([0.1 + 0.35 * reach, 0.0, 0.0]), arms=arms,
        hips_rad=np.array([[RIGHT_ANGLE + lean, 0.1, 0.1]] * 2), knees_rad=np.array([0.06, 0.1]),
        ankles_rad=np.array([0.2, 0.25]),
    )  # fmt: skip


def one_foot(phase: float) -> FreePose:
    """Return standing on the right foot with the left knee lifted and the arms out for balance."""
    lift = 0.6 + 0.4 * _wave(phase)
    return FreePose(
        root=about(2, 0.03), arms=mirrored(((0.8, -0.75, 0.05), (0.65, -0.7, 0.3))),
        hips_rad=np.array([[1.45 * lift, 0.05, 0.1], [0.02, 0.03, 0.1]]), knees_rad=np.array([1.5 * lift, 0.05]),
        ankles_rad=np.array([0.3, -0.03]),
    )  # fmt: skip


def arms_crossed(phase: float) -> FreePose:
    """Return standing with the arms crossed in front of the chest, swaying a little from side to side."""
    sway = 0.08 * float(np.sin(2.0 * np.pi * phase))
    arms = np.array([[[0.3, -0.95, 0.35], [-0.9, 0.1, 0.42]], [[-0.3, -0.95, 0.25], [0.92, 0.22, 0.3]]])
    return FreePose(
        root=about(2, 0.3 * sway), spine_rad=np.array([0.0, 2.0 * sway, sway]), arms=arms,
        hips_rad=np.array([[0.02, 0.05 + 0.3 * sway, 0.12], [0.02, 0.05 - 0.3 * sway, 0.12]]),
        knees_rad=np.full(2, 0.03),
    )  # fmt: skip


def _both(turn: Callable[[FreePose, int, float], FreePose], sign: float) -> Callable[[FreePose, float], FreePose]:
    """Return the turn of both sides by the angle times a sign."""
    return lambda pose, angle: turn(turn(pose, LEFT, sign * angle), RIGHT, sign * angle)


def _planted_foot(side: int) -> Callable[[FreePose, float], FreePose]:
    """Return the turn that lowers a foot by the hip and keeps the sole's inclination."""

    def turn(pose: FreePose, angle: float) -> FreePose:
        ankles = pose.ankles_rad.copy()
        ankles[side] -= angle
        return replace(turned_hip(pose, side, -angle), ankles_rad=ankles)

    return turn


def _foot_in_front(pose: FreePose, angle: float) -> FreePose:
    """Lower the left foot by thigh and knee together, so that the shank keeps its direction."""
    return turned_knee(turned_hip(pose, LEFT, -angle), LEFT, -angle)


def _abducted(pose: FreePose, angle: float) -> FreePose:
    """Abduct the right hip."""
    hips = pose.hips_rad.copy()
    hips[RIGHT, 1] += angle
    return replace(pose, hips_rad=hips)


def _arm(side: int) -> Callable[[FreePose, float], FreePose]:
    """Return the turn of an arm about the body's x axis; one to the front, the feet or the head is lowered."""
    return lambda pose, angle: turned_arm(pose, side, 0, angle)


def arms_down(height_m: float = 0.0) -> tuple[Leveller, Leveller]:
    """Return the turns that bring the hands to a height [m]."""
    return Leveller("left_hand", _arm(LEFT), 0.5, height_m), Leveller("right_hand", _arm(RIGHT), 0.5, height_m)


HEAD_BACK = Leveller("head", lambda pose, angle: turned_neck(pose, 0, -angle), 0.3)
HEAD_FORWARD = Leveller("head", lambda pose, angle: turned_neck(pose, 0, angle), 0.3)
HEAD_ASIDE = Leveller("head", lambda pose, angle: turned_neck(pose, 2, angle), 0.3, HEAD_ON_ARM_M)
HANDS_BY_TRUNK = Leveller("hands", tilted_trunk, 0.45)
FEET_BY_KNEES = Leveller("feet", _both(turned_knee, -1.0), 0.45)
FEET_PLANTED = tuple(
    Leveller(name, _planted_foot(side), 0.6) for side, name in ((LEFT, "left_foot"), (RIGHT, "right_foot"))
)

POSTURES = {
    "standing": Posture(),
    "supine": Posture(
        supine, (HEAD_BACK, Leveller("feet", _both(turned_hip, -1.0), 0.85), *arms_down()), "trunk", RIGHT_ANGLE,
        "couch", aim_m=0.1,
    ),
    "prone": Posture(
        prone, (HEAD_FORWARD, Leveller("feet", _both(turned_hip, 1.0), 0.9), *arms_down()), "trunk", RIGHT_ANGLE,
        "couch", aim_m=0.1,
    ),
    "side_lying": Posture(
        side_lying, (HEAD_ASIDE, Leveller("right_foot", _abducted, 0.6)), "right_arm", 0.0, "bed", aim_m=0.2,
        across=True,
    ),
    "crook_lying": Posture(
        crook_lying, (HEAD_BACK, *FEET_PLANTED, *arms_down()), "trunk", RIGHT_ANGLE, "mat", aim_m=0.2
    ),
    "bridge": Posture(bridge, (HEAD_BACK, *FEET_PLANTED, *arms_down()), "shoulders", RIGHT_ANGLE, "mat", aim_m=0.25),
    "all_fours": Posture(all_fours, (HANDS_BY_TRUNK, FEET_BY_KNEES), "knees", 0.0, "mat", aim_m=0.35),
    "all_fours_side": Posture(all_fours, (HANDS_BY_TRUNK, FEET_BY_KNEES), "knees", RIGHT_ANGLE, "mat", aim_m=0.35),
    "bird_dog": Posture(
        bird_dog,
        (HANDS_BY_TRUNK, Leveller("left_foot", lambda pose, angle: turned_knee(pose, LEFT, -angle), 0.45)),
        "knees", RIGHT_ANGLE, "mat", aim_m=0.4,
    ),
    "kneeling": Posture(kneeling, (FEET_BY_KNEES,), "knees", 0.0, "mat", aim_m=0.65),
    "half_kneeling": Posture(
        half_kneeling,
        (
            Leveller("left_foot", _foot_in_front, 0.45),
            Leveller("right_foot", lambda pose, angle: turned_knee(pose, RIGHT, -angle), 0.45),
        ),
        "right_knee", 0.4, "mat", aim_m=0.65,
    ),
    "long_sitting": Posture(
        long_sitting, (Leveller("feet", _both(turned_hip, -1.0), 0.85), *arms_down(HANDS_OVER_LEGS_M)), "seat", 1.1,
        "mat", aim_m=0.4,
    ),
    "chair": Posture(seated="stands_up", facing_rad=0.3, aim_m=0.75, period_s=6.0),
    "behind_table": Posture(seated="table", aim_m=0.95),
    "back_view": Posture(facing_rad=np.pi),
    "side_view": Posture(facing_rad=RIGHT_ANGLE),
    "one_foot": Posture(one_foot, base="right_foot"),
    "arms_crossed": Posture(arms_crossed, base="feet"),
}  # fmt: skip
"""By name, as the setting `posture` names them."""

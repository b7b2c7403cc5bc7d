"""A standing pose in clinical terms, and the body parameters of that pose with both feet on the floor.

Axes: x to the person's left, y up, z to the front. The legs are solved, not scripted: for any position of the pelvis
the feet keep their places (two-bone inverse kinematics by the law of cosines).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rehab_pose.body.skinning import pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles, smallest_rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["ScriptedPose", "Stance", "blended", "mirrored", "mirrored_pose", "set_arms", "smoothstep"]

Fraction = TypeVar("Fraction", float, "NDArray[np.float64]")

TOES_OUT_RAD = 0.12
"""Rotation of each foot to the outside [rad]."""
KNEES_UNLOCKED_M = 0.006
"""Height of the pelvis below that of straight legs when standing [m]."""
MAX_REACH_FRACTION = 0.9995
"""Longest reach of a leg as a fraction of its length; keeps the direction of the knee defined."""
GIRDLE_RAISE_RAD, GIRDLE_FORWARD_RAD = 0.25, 0.15
"""Rotation of the shoulder girdle for an arm that points straight up, and for one straight ahead [rad]."""
TWIST_BEND_RANGE = (0.1, 0.4)
"""Sine of the elbow's flexion from which the upper arm begins to twist with it, and from which it does so fully."""
REFERENCE_LEG_M = 0.85
"""Pelvis movements are given for a leg of this length (hip to ankle) [m]."""
HANGING = ((0.25, -1.0, 0.0), (0.12, -1.0, 0.25))
"""Directions of the left upper arm and forearm when the arms hang."""


def mirrored(left: object) -> NDArray[np.float64]:
    """Return directions of both arms (2, 2, 3) from the left arm's upper arm and forearm (2, 3)."""
    side = np.asarray(left, dtype=np.float64)
    return np.stack([side, side * [-1.0, 1.0, 1.0]])


@dataclass(frozen=True, eq=False)
class ScriptedPose:
    """Position and rotations of pelvis, trunk and arms; the default is standing with the arms hanging."""

    pelvis_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) displacement of the pelvis from standing [m for a leg of REFERENCE_LEG_M]."""
    pelvis_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) rotation vector of the pelvis [rad]."""
    spine_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) rotation vector of the chest relative to the pelvis, divided among three spine joints [rad]."""
    neck_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) rotation vector of the head relative to the chest [rad]."""
    arms: NDArray[np.float64] = field(default_factory=lambda: mirrored(HANGING))
    """(2, 2, 3) left and right: directions of upper arm and forearm in the chest's frame, of any length."""
    feet_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 3)))
    """(2, 3) left and right: displacement of the ankles from standing [m for a leg of REFERENCE_LEG_M]."""
    feet_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    """(2) left and right: angle by which the toes point down from a level sole [rad]."""
    seated: float = 0.0
    """From 0 (standing) to 1 (on a seat), for a person who has one."""


def mirrored_pose(pose: ScriptedPose) -> ScriptedPose:
    """Return the pose with left and right exchanged."""
    turn, shift = np.array([1.0, -1.0, -1.0]), np.array([-1.0, 1.0, 1.0])
    return ScriptedPose(
        pelvis_m=pose.pelvis_m * shift,
        pelvis_rad=pose.pelvis_rad * turn,
        spine_rad=pose.spine_rad * turn,
        neck_rad=pose.neck_rad * turn,
        arms=pose.arms[::-1] * shift,
        feet_m=pose.feet_m[::-1] * shift,
        feet_rad=pose.feet_rad[::-1],
        seated=pose.seated,
    )


def smoothstep(fraction: Fraction) -> Fraction:
    """Return 3 x^2 - 2 x^3, which rises from 0 to 1 over x from 0 to 1 with zero slope at both ends."""
    return fraction * fraction * (3.0 - 2.0 * fraction)


def blended(first: ScriptedPose, second: ScriptedPose, fraction: float) -> ScriptedPose:
    """Return the pose at a fraction (0-1) of the way from the first to the second."""
    values: dict[str, Any] = {}
    for entry in fields(ScriptedPose):
        a, b = getattr(first, entry.name), getattr(second, entry.name)
        values[entry.name] = _slerp(a, b, fraction) if entry.name == "arms" else (1.0 - fraction) * a + fraction * b
    return ScriptedPose(**values)


def _slerp(first: NDArray[np.float64], second: NDArray[np.float64], fraction: float) -> NDArray[np.float64]:
    """Return the spherical linear interpolation between two sets of directions (..., 3)."""
    a, b = _unit(first), _unit(second)
    angle = np.arccos(np.clip((a * b).sum(axis=-1, keepdims=True), -1.0 + 1e-9, 1.0 - 1e-9))
    return np.asarray((np.sin((1.0 - fraction) * angle) * a + np.sin(fraction * angle) * b) / np.sin(angle))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


class Stance:
    """A person who stands at a point of the floor of a y-up world; converts poses into body parameters."""

    def __init__(
        self, model: BodyModel, betas: NDArray[np.float64], *, place_m: tuple[float, float], heading_rad: float
    ) -> None:
        """Measure the body.

        Args:
            model: The body model.
            betas: Shape coefficients.
            place_m: x, z of the point under the pelvis [m].
            heading_rad: Rotation about y [rad]; 0 faces +z.
        """
        self._betas = betas
        self._rest = model.joints(betas)
        at_rest = BodyParameters(betas=betas, rotations_rad=np.zeros((24, 3)), translation_m=np.zeros(3))
        self._sole_m = float(pose_vertices(model, at_rest)[:, 1].min())
        self._origin = np.array([place_m[0], 0.0, place_m[1]])
        self._heading = matrices_from_axis_angles(np.array([0.0, heading_rad, 0.0]))
        self._leg_m = float(
            np.linalg.norm(self._rest[4] - self._rest[1]) + np.linalg.norm(self._rest[7] - self._rest[4])
        )

    def parameters(self, pose: ScriptedPose) -> BodyParameters:
        """Return the body parameters of a pose in the world."""
        rest, local = self._rest, np.tile(np.eye(3), (24, 1, 1))
        local[0] = self._heading @ matrices_from_axis_angles(pose.pelvis_rad)
        local[[3, 6, 9]] = matrices_from_axis_angles(pose.spine_rad / 3.0)
        local[[12, 15]] = matrices_from_axis_angles(pose.neck_rad / 2.0)
        chest = local[0] @ local[3] @ local[6] @ local[9]
        set_arms(rest, local, chest, pose.arms)
        pelvis = self._set_legs(local, pose)
        return BodyParameters(
            betas=self._betas, rotations_rad=axis_angles_from_matrices(local), translation_m=pelvis - rest[0]
        )

    def _set_legs(self, local: NDArray[np.float64], pose: ScriptedPose) -> NDArray[np.float64]:
        """Set the legs' rotations so that the feet keep their places; return the pelvis' position (3) in the world [m].

        A pelvis that is too high for the legs is lowered.
        """
        rest = self._rest
        standing = self._origin + np.array([0.0, rest[0, 1] - self._sole_m - KNEES_UNLOCKED_M, 0.0])
        pelvis = standing + self._heading @ pose.pelvis_m * (self._leg_m / REFERENCE_LEG_M)
        ankles = [
            self._origin
            + self._heading @ (rest[7 + s] - rest[0]) * [1.0, 0.0, 1.0]
            + np.array([0.0, rest[7 + s, 1] - self._sole_m, 0.0])
            + self._heading @ pose.feet_m[s] * (self._leg_m / REFERENCE_LEG_M)
            for s in (0, 1)
        ]
        for side in (0, 1):
            hip = pelvis + local[0] @ (rest[1 + side] - rest[0])
            away = ankles[side] - hip
            sideways = float(np.hypot(away[0], away[2]))
            reach = MAX_REACH_FRACTION * self._reach_m(side)
            highest = ankles[side][1] + np.sqrt(max(reach**2 - sideways**2, 0.0))
            pelvis[1] -= max(0.0, hip[1] - highest)
        for side, sign in enumerate((1.0, -1.0)):
            foot = self._heading @ matrices_from_axis_angles(np.array([0.0, sign * TOES_OUT_RAD, 0.0]))
            hip = pelvis + local[0] @ (rest[1 + side] - rest[0])
            self._set_leg(local, side, ankles[side] - hip, foot)
            local[7 + side] = local[7 + side] @ matrices_from_axis_angles(np.array([pose.feet_rad[side], 0.0, 0.0]))
        return np.asarray(pelvis)

    def _reach_m(self, side: int) -> float:
        rest = self._rest
        return float(np.linalg.norm(rest[4 + side] - rest[1 + side]) + np.linalg.norm(rest[7 + side] - rest[4 + side]))

    def _set_leg(
        self, local: NDArray[np.float64], side: int, hip_to_ankle: NDArray[np.float64], foot: NDArray[np.float64]
    ) -> None:
        thigh_bone = self._rest[4 + side] - self._rest[1 + side]
        shank_bone = self._rest[7 + side] - self._rest[4 + side]
        thigh, shank = float(np.linalg.norm(thigh_bone)), float(np.linalg.norm(shank_bone))
        distance = min(float(np.linalg.norm(hip_to_ankle)), MAX_REACH_FRACTION * (thigh + shank))
        along = hip_to_ankle / np.linalg.norm(hip_to_ankle)
        toes = foot[:, 2]
        forward = toes - (toes @ along) * along
        forward /= np.linalg.norm(forward)
        cosine = (thigh**2 + distance**2 - shank**2) / (2.0 * thigh * distance)
        knee = thigh * (cosine * along + np.sqrt(max(1.0 - cosine**2, 0.0)) * forward)
        bend_axis = np.cross(forward, along)
        rotation = _frame(knee, bend_axis) @ _frame(thigh_bone, np.array([1.0, 0.0, 0.0])).T
        local[1 + side] = local[0].T @ rotation
        local[4 + side] = smallest_rotation(shank_bone, rotation.T @ (distance * along - knee))
        local[7 + side] = (rotation @ local[4 + side]).T @ foot


def set_arms(
    rest_m: NDArray[np.float64],
    local: NDArray[np.float64],
    chest: NDArray[np.float64],
    arms: NDArray[np.float64],
) -> None:
    """Set the rotations of girdle, shoulders and elbows so that the arms point to given directions.

    Args:
        rest_m: (24, 3) joints at rest [m].
        local: (24, 3, 3) rotations relative to the parents; changed.
        chest: (3, 3) rotation of the chest.
        arms: (2, 2, 3) left and right: directions of upper arm and forearm in the chest's frame, of any length.
    """
    for side, sign in enumerate((1.0, -1.0)):
        upper, fore = _unit(arms[side])
        girdle = np.array([0.0, -sign * GIRDLE_FORWARD_RAD * upper[2], sign * GIRDLE_RAISE_RAD * upper[1]])
        local[13 + side] = matrices_from_axis_angles(girdle)
        above = chest @ local[13 + side]
        upper_bone, fore_bone = (rest_m[joint + 2] - rest_m[joint] for joint in (16 + side, 18 + side))
        swung = smallest_rotation(upper_bone, above.T @ chest @ upper)
        forearm = (above @ swung).T @ chest @ fore
        local[16 + side] = swung @ _upper_arm_twist(upper_bone, forearm)
        local[18 + side] = smallest_rotation(fore_bone, (above @ local[16 + side]).T @ chest @ fore)


def _upper_arm_twist(upper_bone: NDArray[np.float64], forearm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) about the upper arm with which the elbow bends as a hinge: to the front at rest.

    A straight arm has no plane of flexion: the twist decreases to zero there.

    Args:
        upper_bone: (3) direction at rest.
        forearm: (3) direction of the forearm in the frame of the untwisted upper arm.
    """
    along, direction = _unit(upper_bone), _unit(forearm)
    aside = direction - (direction @ along) * along
    sine = float(np.linalg.norm(aside))
    low, high = TWIST_BEND_RANGE
    fraction = float(np.clip((sine - low) / (high - low), 0.0, 1.0))
    front = np.array([0.0, 0.0, 1.0])
    angle = np.arctan2(np.cross(front, aside) @ along, front @ aside)
    return np.asarray(matrices_from_axis_angles(along * angle * fraction * fraction * (3.0 - 2.0 * fraction)))


def _frame(along: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal frame (3, 3): first column along a bone, second as near as possible to an axis."""
    first = along / np.linalg.norm(along)
    second = axis - (axis @ first) * first
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)

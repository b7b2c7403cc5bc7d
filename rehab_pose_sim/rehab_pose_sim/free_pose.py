"""Poses without fixed feet: lying, kneeling and on all fours, and how such a body rests on a surface.

Axes of the body as in `pose`: x to the person's left, y up (towards the head), z to the front. A pose is first set by
its angles; then limbs are turned until they touch the surface as well (`rest_on`), as gravity does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.geometry.rotations import (
    axis_angles_from_matrices,
    matrices_from_axis_angles,
    quaternions_from_matrices,
)
from rehab_pose_sim.pose import HANGING, mirrored, set_arms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = [
    "LEFT",
    "RIGHT",
    "BodyRegions",
    "FreePose",
    "Leveller",
    "about",
    "rest_on",
    "tilted_trunk",
    "turned_arm",
    "turned_hip",
    "turned_knee",
    "turned_neck",
]

LEVEL_ROUNDS = 7
"""Rounds in which the limbs are turned to the surface; the last one moves a limb by about a millimetre."""
MAX_LEVEL_RAD = 0.9
"""Largest rotation by which a limb is brought to the surface [rad]."""
FOREARM_TWIST_FRACTION = 0.6
"""Fraction of the hand's twist about the forearm that the forearm takes: the radius turns about the ulna."""
NEAR_KNEE_M, NEAR_SHOULDER_M = 0.09, 0.13
"""Radius of the surface that counts as a knee or a shoulder [m]."""
LEFT, RIGHT = 0, 1


def about(axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Return the rotation (3, 3) about a coordinate axis (0 x, 1 y, 2 z)."""
    return np.asarray(matrices_from_axis_angles(np.eye(3)[axis] * angle_rad))


@dataclass(frozen=True, eq=False)
class FreePose:
    """Rotations of a body; the default stands upright with the arms hanging. Arrays of two: left, right."""

    root: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    """(3, 3) of the pelvis in the world."""
    spine_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) rotation vector of the chest relative to the pelvis, divided among three spine joints [rad]."""
    neck_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3) rotation vector of the head relative to the chest [rad]."""
    arms: NDArray[np.float64] = field(default_factory=lambda: mirrored(HANGING))
    """(2, 2, 3) directions of upper arm and forearm in the chest's frame, of any length."""
    hands: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None] = (None, None)
    """(2, 3) directions in the world of the fingers and away from the palm's skin; None: in line with the forearm."""
    hips_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 3)))
    """(2, 3) flexion, abduction and external rotation [rad]."""
    knees_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    """(2) flexion [rad]."""
    ankles_rad: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    """(2) plantar flexion [rad]."""

    def local_rotations(self, rest_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the joints' rotations relative to their parents (24, 3, 3) for joints at rest (24, 3) [m]."""
        local = np.tile(np.eye(3), (24, 1, 1))
        local[0] = self.root
        local[[3, 6, 9]] = matrices_from_axis_angles(self.spine_rad / 3.0)
        local[[12, 15]] = matrices_from_axis_angles(self.neck_rad / 2.0)
        chest = local[0] @ local[3] @ local[6] @ local[9]
        set_arms(rest_m, local, chest, self.arms)
        for side, sign in enumerate((1.0, -1.0)):
            flexion, abduction, external = self.hips_rad[side]
            local[1 + side] = about(0, -flexion) @ about(2, sign * abduction) @ about(1, sign * external)
            local[4 + side] = about(0, self.knees_rad[side])
            local[7 + side] = about(0, self.ankles_rad[side])
            hand = self.hands[side]
            if hand is not None:
                forearm = chest @ local[13 + side] @ local[16 + side]
                _set_hand(local, side, forearm, hand)
        return local


def _set_hand(
    local: NDArray[np.float64], side: int, above_elbow: NDArray[np.float64], hand: NDArray[np.float64]
) -> None:
    """Turn a hand so that fingers and palm point to given directions (2, 3); the forearm takes a part of the twist."""
    fingers, palm = hand / np.linalg.norm(hand, axis=1, keepdims=True)
    # At rest the left fingers point to +x, the right ones to -x, and both palms down.
    along = fingers if side == LEFT else -fingers
    wanted = np.stack([along, -palm, np.cross(along, -palm)], axis=1)
    wrist = (above_elbow @ local[18 + side]).T @ wanted
    x, _, _, w = quaternions_from_matrices(wrist)
    twist = (2.0 * np.arctan2(x, w) + np.pi) % (2.0 * np.pi) - np.pi
    local[18 + side] = local[18 + side] @ about(0, FOREARM_TWIST_FRACTION * twist)
    local[20 + side] = (above_elbow @ local[18 + side]).T @ wanted


@dataclass(frozen=True)
class Leveller:
    """A rotation that brings a region of the body to a height above the surface that the body rests on."""

    region: str
    """Key of `BodyRegions`."""
    turn: Callable[[FreePose, float], FreePose]
    """Returns the pose turned by an angle [rad] that lowers the region."""
    lever_m: float
    """Length of the lever: the region comes down by about this much for each radian [m]."""
    height_m: float = 0.0
    """Height that the region's lowest point shall have above the surface [m]."""


class BodyRegions:
    """The vertices of named regions of a body's surface."""

    def __init__(self, model: BodyModel) -> None:
        self._joint = np.argmax(model.weights, axis=1)
        rest, template = model.joints(np.zeros(model.shape_count)), model.v_template
        self._regions = {
            "all": np.arange(len(template)),
            "head": self._moved_by(15),
            "trunk": self._moved_by(0, 3, 6, 9, 13, 14),
            "seat": self._moved_by(0, 1, 2),
            "knees": np.concatenate([_near(template, rest[joint], NEAR_KNEE_M) for joint in (4, 5)]),
            "shoulders": np.concatenate([_near(template, rest[joint], NEAR_SHOULDER_M) for joint in (13, 14)]),
        }
        for side, name in ((LEFT, "left"), (RIGHT, "right")):
            self._regions[f"{name}_foot"] = self._moved_by(7 + side, 10 + side)
            self._regions[f"{name}_arm"] = self._moved_by(13 + side, 16 + side, 18 + side)
            self._regions[f"{name}_knee"] = _near(template, rest[4 + side], NEAR_KNEE_M)
            self._regions[f"{name}_hand"] = self._moved_by(20 + side, 22 + side)
            self._regions[f"{name}_elbow"] = _near(template, rest[18 + side], NEAR_KNEE_M)
        for name in ("foot", "hand"):
            both = (self._regions[f"left_{name}"], self._regions[f"right_{name}"])
            self._regions["feet" if name == "foot" else "hands"] = np.concatenate(both)

    def _moved_by(self, *joints: int) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self._joint, joints))

    def lowest_m(self, vertices_m: NDArray[np.floating], region: str) -> float:
        """Return the height of the lowest vertex of a region [m]."""
        return float(vertices_m[self._regions[region], 1].min())


def _near(template: NDArray[np.floating], centre: NDArray[np.float64], radius_m: float) -> NDArray[np.intp]:
    return np.flatnonzero(np.linalg.norm(template - centre, axis=1) < radius_m)


def rest_on(
    model: BodyModel,
    regions: BodyRegions,
    betas: NDArray[np.float64],
    pose: FreePose,
    levels: Sequence[Leveller],
    *,
    base: str,
    rounds: int = LEVEL_ROUNDS,
) -> tuple[FreePose, BodyParameters]:
    """Return a pose and its body parameters with the limbs turned to the surface y = 0 and the lowest point on it.

    Args:
        model: The body model.
        regions: Regions of the same model.
        betas: Shape coefficients.
        pose: Pose before the limbs are turned.
        levels: Rotations that bring regions to their heights.
        base: Region that rests on the surface while the others are brought to it.
        rounds: Rounds in which the limbs are turned.
    """
    rest = model.joints(betas)

    def parameters(turned: FreePose, translation_m: NDArray[np.float64]) -> BodyParameters:
        vectors = axis_angles_from_matrices(turned.local_rotations(rest))
        return BodyParameters(betas=betas, rotations_rad=vectors, translation_m=translation_m)

    angles = np.zeros(len(levels))
    turned = pose
    for _ in range(rounds if levels else 0):
        vertices = pose_vertices(model, parameters(turned, np.zeros(3)))
        ground = regions.lowest_m(vertices, base)
        gaps = [regions.lowest_m(vertices, level.region) - ground - level.height_m for level in levels]
        angles += [gap / level.lever_m for gap, level in zip(gaps, levels, strict=True)]
        angles = np.clip(angles, -MAX_LEVEL_RAD, MAX_LEVEL_RAD)
        turned = pose
        for level, angle in zip(levels, angles, strict=True):
            turned = level.turn(turned, float(angle))
    lowest = float(pose_vertices(model, parameters(turned, np.zeros(3)))[:, 1].min())
    return turned, parameters(turned, np.array([0.0, -lowest, 0.0]))


def turned_hip(pose: FreePose, side: int, angle_rad: float) -> FreePose:
    """Return a pose with one hip flexed by a further angle [rad]."""
    hips = pose.hips_rad.copy()
    hips[side, 0] += angle_rad
    return replace(pose, hips_rad=hips)


def turned_knee(pose: FreePose, side: int, angle_rad: float) -> FreePose:
    """Return a pose with one knee flexed by a further angle [rad]."""
    knees = pose.knees_rad.copy()
    knees[side] += angle_rad
    return replace(pose, knees_rad=knees)


def turned_arm(pose: FreePose, side: int, axis: int, angle_rad: float) -> FreePose:
    """Return a pose with one whole arm turned about an axis of the chest [rad]."""
    arms = pose.arms.copy()
    arms[side] = arms[side] @ about(axis, angle_rad).T
    return replace(pose, arms=arms)


def turned_neck(pose: FreePose, axis: int, angle_rad: float) -> FreePose:
    """Return a pose with the head turned by a further angle [rad]."""
    neck = pose.neck_rad.copy()
    neck[axis] += angle_rad
    return replace(pose, neck_rad=neck)


def tilted_trunk(pose: FreePose, angle_rad: float) -> FreePose:
    """Return a pose with the trunk turned about the body's x axis while thighs and arms keep their directions [rad]."""
    hips = pose.hips_rad + np.array([angle_rad, 0.0, 0.0])
    arms = pose.arms @ about(0, -angle_rad).T
    return replace(pose, root=pose.root @ about(0, angle_rad), hips_rad=hips, arms=arms)

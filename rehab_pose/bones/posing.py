"""Computes the frames that carry the bones of a posed body.

The joints carry most bones. The others: the rotations between pelvis, chest and head are divided among the vertebrae,
whose positions are those of beads connected by springs; a clavicle stays on the sternum and points to its shoulder; a
patella rotates by half the knee's angle; a radius rotates about the ulna with the hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.layout import FRAMES, SPINE, frame_index
from rehab_pose.bones.proportions import CERVICAL, LUMBAR, LUMBAR_FRACTIONS, THORACIC
from rehab_pose.geometry.rotations import (
    axis_angles_from_matrices,
    matrices_from_axis_angles,
    quaternions_from_matrices,
)
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.layout import BoneLayout

__all__ = ["BonePoser", "Frames"]

PELVIS, CHEST, HEAD = (SMPL_24.index(name) for name in ("pelvis", "spine3", "head"))
SPINE_JOINTS = tuple(SMPL_24.index(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head"))
FIRST_VERTEBRA = frame_index(SPINE[0])
BLEND_M = 0.05
"""Length over which the trunk's motion changes from one joint's to the next [m]."""
TETHER = 0.05
"""Stiffness of a vertebra's connection to its position in the trunk, relative to that to its neighbours."""
CERVICAL_FRACTION = 1.0 / (len(CERVICAL) + 1)
"""Fraction of the head's rotation relative to the chest: seven vertebrae and the skull rotate equally."""
SIDES = ("left_", "right_")
PATELLA_SINK_M = 0.024
"""Displacement of a patella towards the knee's axis, extrapolated to half a turn of the knee [m]."""
MIN_COSINE_SUM = 1e-6
"""Least 1 + cosine of the angle between two directions: keeps a division from zero; bones never reverse direction."""


def _both(name: str) -> list[int]:
    return [frame_index(side + name) for side in SIDES]


HIPS, KNEES, PATELLAE, COLLARS = _both("hip"), _both("knee"), _both("patella"), _both("collar")
CLAVICLES, ELBOWS, WRISTS, RADII = _both("clavicle"), _both("elbow"), _both("wrist"), _both("radius")
BENDING, BENT = [PELVIS, CHEST, *HIPS], [CHEST, HEAD, *KNEES]
"""Parent and child joints of the rotations that are divided: trunk, neck, knees."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The F frames of `layout.FRAMES` in a posed body."""

    rotations: NDArray[np.float64]
    """(F, 3, 3) camera_from_frame."""
    positions_m: NDArray[np.float64]
    """(F, 3) in the camera frame [m]."""


class BonePoser:
    """Poses the bones of one body shape."""

    def __init__(self, layout: BoneLayout) -> None:
        self._layout = layout
        self._points_m = layout.origins_m[FIRST_VERTEBRA : FIRST_VERTEBRA + len(SPINE)]
        place = {name: index for index, name in enumerate(layout.names)}
        top = layout.ends_m[place[SPINE[-1]]]
        self._links_m = np.diff(np.concatenate([self._points_m, top[None]]), axis=0)
        self._top_from_head_m = top - layout.origins_m[HEAD]
        rest = layout.origins_m
        self._carried = _blend_weights(rest[list(SPINE_JOINTS), 1], self._points_m[:, 1])
        self._from_joints_m = self._points_m[:, None] - rest[list(SPINE_JOINTS)]
        self._collar_to_end_m = layout.ends_m[[place[f"{side}clavicle"] for side in SIDES]] - rest[COLLARS]
        self._clavicle_m = layout.ends_m[[place[f"{side}clavicle"] for side in SIDES]] - rest[CLAVICLES]
        self._radius_m = layout.ends_m[[place[f"{side}radius"] for side in SIDES]] - rest[RADII]
        self._ulna_end_m = layout.ends_m[[place[f"{side}ulna"] for side in SIDES]] - rest[RADII]
        forearm = rest[WRISTS] - rest[ELBOWS]
        self._forearm = forearm / np.linalg.norm(forearm, axis=1, keepdims=True)

    def frames(self, positions_m: NDArray[Any], rotations: NDArray[Any]) -> Frames:
        """Return all frames of a body.

        Args:
            positions_m: (24, 3) joints [m].
            rotations: (24, 3, 3) camera_from_joint.
        """
        frame_rotations = np.empty((len(FRAMES), 3, 3))
        places = np.empty((len(FRAMES), 3))
        frame_rotations[: len(rotations)], places[: len(rotations)] = rotations, positions_m
        relative = frame_rotations[BENDING].transpose(0, 2, 1) @ frame_rotations[BENT]
        bends = axis_angles_from_matrices(relative)
        self._place_spine(frame_rotations, places, bends[0], bends[1])
        frame_rotations[PATELLAE] = frame_rotations[HIPS] @ matrices_from_axis_angles(0.5 * bends[2:])
        # In the bent knee the patella moves into the groove between the condyles.
        sunk_m = PATELLA_SINK_M * self._layout.scale * (1.0 - np.cos(0.5 * np.linalg.norm(bends[2:], axis=1)))
        places[PATELLAE] = places[KNEES] - sunk_m[:, None] * frame_rotations[PATELLAE][:, :, 2]
        self._place_clavicles_and_radii(frame_rotations, places)
        return Frames(frame_rotations, places)

    @staticmethod
    def bone_poses(frames: Frames, layout: BoneLayout) -> NDArray[np.float64]:
        """Return camera_from_bone (B, 4, 4) of the bones of a layout."""
        rotations = frames.rotations[layout.frames]
        poses = np.zeros((len(layout.names), 4, 4))
        poses[:, :3, :3] = rotations @ layout.axes
        shift = layout.starts_m - layout.origins_m[layout.frames]
        poses[:, :3, 3] = frames.positions_m[layout.frames] + np.einsum("bij,bj->bi", rotations, shift)
        poses[:, 3, 3] = 1.0
        return poses

    def _place_spine(
        self,
        rotations: NDArray[np.float64],
        places: NDArray[np.float64],
        lumbar: NDArray[np.float64],
        neck: NDArray[np.float64],
    ) -> None:
        fractions = np.cumsum(LUMBAR_FRACTIONS) / np.sum(LUMBAR_FRACTIONS)
        first = FIRST_VERTEBRA
        rotations[first : first + len(LUMBAR)] = rotations[PELVIS] @ matrices_from_axis_angles(
            fractions[:, None] * lumbar
        )
        first += len(LUMBAR)
        rotations[first - 1 : first + len(THORACIC)] = rotations[CHEST]
        first += len(THORACIC)
        fractions = CERVICAL_FRACTION * np.arange(1, len(CERVICAL) + 1)
        rotations[first : first + len(CERVICAL)] = rotations[CHEST] @ matrices_from_axis_angles(
            fractions[:, None] * neck
        )
        joints = list(SPINE_JOINTS)
        moved = np.einsum("jab,vjb->vja", rotations[joints], self._from_joints_m) + places[joints]
        targets = np.einsum("vj,vja->va", self._carried, moved)
        top = places[HEAD] + rotations[HEAD] @ self._top_from_head_m
        spine = slice(FIRST_VERTEBRA, FIRST_VERTEBRA + len(SPINE))
        links = np.einsum("vab,vb->va", rotations[spine], self._links_m)
        # Least squares of (next - this - link) and TETHER (this - target), the first vertebra and the skull fixed.
        right = TETHER * targets[1:]
        right += links[:-1] - links[1:]
        right[0] += targets[0]
        right[-1] += top
        places[spine.start] = targets[0]
        places[spine.start + 1 : spine.stop] = SPRINGS @ right

    def _place_clavicles_and_radii(self, rotations: NDArray[np.float64], places: NDArray[np.float64]) -> None:
        rest = self._layout.origins_m
        places[CLAVICLES] = places[CHEST] + (rest[CLAVICLES] - rest[CHEST]) @ rotations[CHEST].T
        to_shoulder = places[COLLARS] + _rotated(rotations[COLLARS], self._collar_to_end_m) - places[CLAVICLES]
        with_collar = _rotated(rotations[COLLARS], self._clavicle_m)
        twist = _twists_rad(rotations[ELBOWS].transpose(0, 2, 1) @ rotations[WRISTS], self._forearm)
        twist_rotation = matrices_from_axis_angles(twist[:, None] * self._forearm)
        # The radius' lower end rotates about the ulna's.
        rotated_end = self._ulna_end_m + _rotated(twist_rotation, self._radius_m - self._ulna_end_m)
        aims = _between(
            np.concatenate([with_collar, _rotated(twist_rotation, self._radius_m)]),
            np.concatenate([to_shoulder, rotated_end]),
        )
        rotations[CLAVICLES] = aims[:2] @ rotations[COLLARS]
        rotations[RADII] = rotations[ELBOWS] @ aims[2:] @ twist_rotation
        places[RADII] = places[ELBOWS] + _rotated(rotations[ELBOWS], rest[RADII] - rest[ELBOWS])


def _rotated(rotations: NDArray[Any], vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Return each vector (N, 3) rotated by its matrix (N, 3, 3)."""
    return np.asarray((rotations @ vectors[:, :, None])[:, :, 0])


def _between(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rotations (N, 3, 3) by the smallest angle from each source (N, 3) to its target direction (N, 3)."""
    a = source / np.linalg.norm(source, axis=1, keepdims=True)
    b = target / np.linalg.norm(target, axis=1, keepdims=True)
    outer = b[:, :, None] * a[:, None, :]
    skew = outer - outer.transpose(0, 2, 1)
    cosine = np.maximum(np.trace(outer, axis1=1, axis2=2), MIN_COSINE_SUM - 1.0)[:, None, None]
    return np.asarray(np.eye(3) + skew + skew @ skew / (1.0 + cosine))


def _twists_rad(rotations: NDArray[Any], axes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the twist of each rotation (N, 3, 3) about its axis (N, 3, unit), in -pi..pi [rad]."""
    quaternions = quaternions_from_matrices(rotations)
    return np.asarray(2.0 * np.arctan2((quaternions[:, :3] * axes).sum(axis=1), quaternions[:, 3]))


def _blend_weights(joint_heights_m: NDArray[Any], heights_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weights (V, 6) of the trunk's joints in the motion of points at given heights; rows sum to 1."""
    passed = np.clip((heights_m[:, None] - joint_heights_m[None, 1:]) / BLEND_M + 0.5, 0.0, 1.0)
    passed = passed * passed * (3.0 - 2.0 * passed)
    passed = np.minimum.accumulate(np.concatenate([np.ones((len(passed), 1)), passed], axis=1), axis=1)
    return np.asarray(passed - np.concatenate([passed[:, 1:], np.zeros((len(passed), 1))], axis=1))


def _spring_inverse(count: int) -> NDArray[np.float64]:
    """Return the inverse of the normal equations of `count - 1` free beads between two fixed ends."""
    free = count - 1
    system = (2.0 + TETHER) * np.eye(free) - np.eye(free, k=1) - np.eye(free, k=-1)
    return np.asarray(np.linalg.inv(system))


SPRINGS = _spring_inverse(len(SPINE))

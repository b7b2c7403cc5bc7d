"""Parts without weights: each pixel of the surface takes the part of the nearest bone.

The published way is a parsing network (Single-Human-Parsing-LIP, Eq 13). This one needs only joints and depth: the
distance is measured in 3D from the pixel's surface point to every bone, less the bone's own flesh thickness, so that an
arm in front of the trunk stays an arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.datatypes import BodyParts, Joints, Silhouette
from rehab_pose.parts.classes import LIP_CLASSES, lip_class
from rehab_pose.parts.settings import PartSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PartLabeller"]

_ARM_START = 0.35
"""Sleeves end here, as a fraction of the upper arm from the shoulder."""

# Bone by its two joints, from and to fractions along it, flesh radius [m], LIP class. Radii: half of the segment
# breadths of NASA-STD-3000 (50th percentile).
_BONES: tuple[tuple[str, str, float, float, float, str], ...] = (
    ("head", "head", 0.0, 0.0, 0.10, "face"),
    ("neck", "head", 0.0, 1.0, 0.06, "face"),
    ("spine3", "neck", 0.0, 0.8, 0.10, "upper_clothes"),
    ("spine2", "spine3", 0.0, 1.0, 0.13, "upper_clothes"),
    ("spine1", "spine2", 0.0, 1.0, 0.13, "upper_clothes"),
    ("pelvis", "spine1", 0.3, 1.0, 0.13, "upper_clothes"),
    ("left_hip", "right_hip", 0.0, 1.0, 0.13, "pants"),
    ("left_collar", "left_shoulder", 0.0, 1.0, 0.08, "upper_clothes"),
    ("right_collar", "right_shoulder", 0.0, 1.0, 0.08, "upper_clothes"),
    ("left_shoulder", "left_elbow", 0.0, _ARM_START, 0.055, "upper_clothes"),
    ("right_shoulder", "right_elbow", 0.0, _ARM_START, 0.055, "upper_clothes"),
    ("left_shoulder", "left_elbow", _ARM_START, 1.0, 0.05, "left_arm"),
    ("right_shoulder", "right_elbow", _ARM_START, 1.0, 0.05, "right_arm"),
    ("left_elbow", "left_wrist", 0.0, 1.0, 0.04, "left_arm"),
    ("right_elbow", "right_wrist", 0.0, 1.0, 0.04, "right_arm"),
    ("left_wrist", "left_hand", 0.0, 1.6, 0.04, "left_arm"),
    ("right_wrist", "right_hand", 0.0, 1.6, 0.04, "right_arm"),
    ("left_hip", "left_knee", 0.0, 1.0, 0.08, "pants"),
    ("right_hip", "right_knee", 0.0, 1.0, 0.08, "pants"),
    ("left_knee", "left_ankle", 0.0, 0.9, 0.055, "pants"),
    ("right_knee", "right_ankle", 0.0, 0.9, 0.055, "pants"),
    ("left_ankle", "left_foot", 0.0, 1.4, 0.04, "left_shoe"),
    ("right_ankle", "right_foot", 0.0, 1.4, 0.04, "right_shoe"),
)
HAIR_ABOVE_HEAD_M = 0.09
"""The hairline lies this far above the head joint along neck to head [m]."""


class PartLabeller:
    """Labels the pixels of a silhouette with the help of its joints."""

    def __init__(self, settings: PartSettings | None = None) -> None:
        self._settings = settings or PartSettings()

    def reset(self) -> None:
        """Do nothing: each frame stands alone."""

    def label(self, silhouette: Silhouette, joints: Joints) -> BodyParts:
        """Return the parts of a silhouette.

        Args:
            silhouette: The person's pixels.
            joints: The same person's SMPL_24 joints at the same stamp, in the same frame.
        """
        stride = self._settings.stride_px
        height, width = silhouette.inside.shape
        depth_m = silhouette.depth_m[::stride, ::stride]
        camera = silhouette.intrinsics.cropped(silhouette.box_px)
        # One pixel wider than the person, so that every pixel of the border has a labelled neighbour to take from.
        wide = cv2.dilate(silhouette.inside[::stride, ::stride].astype(np.uint8), np.ones((3, 3), np.uint8))
        rows, columns = np.nonzero(wide)
        labels = np.zeros(depth_m.shape, dtype=np.uint8)
        depth = _fill_holes(depth_m, silhouette.inside[::stride, ::stride])[rows, columns]
        points_m = camera.back_project(np.stack([columns * stride, rows * stride], axis=1), depth)
        labels[rows, columns] = _nearest_parts(points_m, joints)
        enlarged = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
        full: NDArray[np.uint8] = np.where(silhouette.inside, enlarged, 0).astype(np.uint8)
        return BodyParts(
            stamp_ns=silhouette.stamp_ns,
            frame_id=silhouette.frame_id,
            box_px=silhouette.box_px,
            labels=full,
            contours_px=self._contours(full, silhouette.box_px),
        )

    def _contours(self, labels: NDArray[np.uint8], box_px: tuple[int, int, int, int]) -> NDArray[np.float32]:
        count = self._settings.points_per_contour
        contours_px = np.full((len(LIP_CLASSES), count, 2), np.nan, dtype=np.float32)
        for part in np.unique(labels[labels > 0]):
            found, _ = cv2.findContours((labels == part).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            outline = max(found, key=len).reshape(-1, 2).astype(np.float32)
            contours_px[part] = _evenly_spaced(outline, count) + np.array(box_px[:2], dtype=np.float32)
        return contours_px


def _nearest_parts(points_m: NDArray[np.float64], joints: Joints) -> NDArray[np.uint8]:
    """Return the LIP class (N) of surface points (N, 3) by their nearest bone."""
    starts, vectors, radii, classes = [], [], [], []
    position = {name: joints.positions_m[index] for index, name in enumerate(joints.skeleton.joint_names)}
    for first, second, begin, end, radius_m, name in _BONES:
        bone = position[second] - position[first]
        if np.isfinite(bone).all():
            starts.append(position[first] + begin * bone)
            vectors.append((end - begin) * bone)
            radii.append(radius_m)
            classes.append(lip_class(name))
    if not starts:
        return np.full(len(points_m), lip_class("upper_clothes"), dtype=np.uint8)
    start, vector = np.array(starts, np.float32), np.array(vectors, np.float32)
    points = points_m.astype(np.float32)
    squared = np.maximum((vector**2).sum(axis=1), np.float32(1e-9))
    # |p - a - t v|^2 expanded, so that only (N, B) arrays are made.
    along = points @ vector.T - (start * vector).sum(axis=1)
    fraction = np.clip(along / squared, 0.0, 1.0)
    from_start = (points**2).sum(axis=1)[:, None] - 2.0 * points @ start.T + (start**2).sum(axis=1)
    distance = np.sqrt(np.maximum(from_start - 2.0 * fraction * along + fraction**2 * squared, 0.0))
    part = np.array(classes, dtype=np.uint8)[np.argmin(distance - np.array(radii, np.float32), axis=1)]
    return _with_hair(part, points_m, position["neck"], position["head"])


def _with_hair(
    part: NDArray[np.uint8], points_m: NDArray[np.float64], neck_m: NDArray[np.float64], head_m: NDArray[np.float64]
) -> NDArray[np.uint8]:
    axis = head_m - neck_m
    length = float(np.linalg.norm(axis))
    if np.isfinite(length) and length > 0:
        above = (points_m - head_m) @ (axis / length)
        part[(part == lip_class("face")) & (above > HAIR_ABOVE_HEAD_M)] = lip_class("hair")
    return part


def _fill_holes(depth_m: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give person pixels without a return the depth of the nearest one that has it."""
    seen = np.isfinite(depth_m) & inside
    if not seen.any() or seen[inside].all():
        return depth_m
    _, labels = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    table[labels[seen]] = depth_m[seen]
    filled: NDArray[np.float32] = table[labels]
    return filled


def _evenly_spaced(outline_px: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return `count` points (count, 2) at equal steps along a closed outline (M, 2)."""
    closed = np.vstack([outline_px, outline_px[:1]])
    steps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, along[-1], count, endpoint=False)
    points = [np.interp(wanted, along, closed[:, axis]) for axis in range(2)]
    return np.stack(points, axis=1).astype(np.float32)

"""Messages of ROS4HRI (REP-155) about a body: list of ids, 18-point Skeleton2D, region of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages.factory import header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["SKELETON_2D", "ids_message", "normalised_points", "region_message", "skeleton_message"]

SKELETON_2D = (
    "",
    "neck",
    *(f"{side}_{joint}" for side in ("right", "left") for joint in ("shoulder", "elbow", "wrist")),
    *(f"{side}_{joint}" for side in ("right", "left") for joint in ("hip", "knee", "ankle")),
    *([""] * 4),
)
"""The joint at each index of hri_msgs/Skeleton2D; '' for points that SMPL lacks: nose, eyes, ears."""


def ids_message(factory: MessageFactory, stamp_ns: int, frame_id: str, ids: Sequence[str]) -> Message:
    """Return hri_msgs/IdsList with the ids of the tracked bodies."""
    return factory.make("hri_msgs/msg/IdsList", header=header(factory, stamp_ns, frame_id), ids=list(ids))


def normalised_points(joints: Joints, camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Return (18, 3) x, y (0 to 1 over the image) and confidence; zeros for a point not known or not in the image.

    The message requires numbers from 0 to 1, so a missing point is marked by confidence 0, not by NaN.
    """
    points = np.zeros((len(SKELETON_2D), 3))
    indices = [index for index, name in enumerate(SKELETON_2D) if name]
    rows = [joints.skeleton.index(SKELETON_2D[index]) for index in indices]
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = camera.project(joints.positions_m[rows])
    points[indices, :2] = pixels / (camera.width_px, camera.height_px)
    points[indices, 2] = joints.confidence[rows]
    inside = np.all((points[:, :2] >= 0.0) & (points[:, :2] <= 1.0), axis=1) & np.isfinite(points).all(axis=1)
    points[~inside] = 0.0
    return points


def skeleton_message(factory: MessageFactory, joints: Joints, camera: CameraIntrinsics) -> Message:
    """Return hri_msgs/Skeleton2D: the joints projected into the image."""
    points = [
        factory.make("hri_msgs/msg/NormalizedPointOfInterest2D", x=x, y=y, c=c)
        for x, y, c in normalised_points(joints, camera).tolist()
    ]
    stamp = header(factory, joints.stamp_ns, joints.frame_id)
    return factory.make("hri_msgs/msg/Skeleton2D", header=stamp, skeleton=points)


def region_message(factory: MessageFactory, joints: Joints, camera: CameraIntrinsics) -> Message:
    """Return hri_msgs/NormalizedRegionOfInterest2D: the box around all joints that are in the image."""
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = camera.project(joints.positions_m) / (camera.width_px, camera.height_px)
    finite = pixels[np.isfinite(pixels).all(axis=1)]
    low, high = (finite.min(axis=0), finite.max(axis=0)) if len(finite) else (np.zeros(2), np.zeros(2))
    (x_low, y_low), (x_high, y_high) = np.clip(low, 0.0, 1.0).tolist(), np.clip(high, 0.0, 1.0).tolist()
    confidence = float(np.mean(joints.confidence)) if len(finite) else 0.0
    return factory.make(
        "hri_msgs/msg/NormalizedRegionOfInterest2D",
        header=header(factory, joints.stamp_ns, joints.frame_id),
        xmin=x_low,
        ymin=y_low,
        xmax=x_high,
        ymax=y_high,
        c=confidence,
    )

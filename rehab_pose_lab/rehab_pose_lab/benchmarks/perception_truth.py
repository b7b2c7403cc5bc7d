"""Ground truth of the simulation in the form of the stages' results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.datatypes import Joints, JointVisibility, Silhouette
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from rehab_pose_sim.camera import SimulatedFrame

__all__ = ["true_joints", "true_silhouette"]


def true_silhouette(shot: SimulatedFrame) -> Silhouette | None:
    """Return the subject's visible pixels with the sensor's colour and depth; None where no pixel is visible."""
    frame, truth = shot.frame, shot.truth
    if not truth.silhouette.any():
        return None
    x, y, width, height = cv2.boundingRect(truth.silhouette.astype(np.uint8))
    region = (slice(y, y + height), slice(x, x + width))
    inside = truth.silhouette[region]
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=(x, y, width, height),
        inside=inside,
        color=frame.color[region] * inside[..., None],
        depth_m=np.where(inside, frame.depth_m[region], np.float32(np.nan)),
    )


def true_joints(shot: SimulatedFrame) -> Joints:
    """Return the subject's joints; those that are not visible in the image are occluded."""
    frame, truth = shot.frame, shot.truth
    return Joints(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        skeleton=SMPL_24,
        positions_m=truth.joints_m,
        confidence=np.ones(len(SMPL_24)),
        sigma_m=np.zeros(len(SMPL_24)),
        visibility=np.where(truth.joint_visible, JointVisibility.OBSERVED, JointVisibility.OCCLUDED).astype(np.uint8),
    )

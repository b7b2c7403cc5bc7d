"""The joints of a fitted body as the joints that are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import without_nan
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.geometry.joint_confidence import joint_confidence, joint_visibility
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from rehab_pose.datatypes import Body, Silhouette

__all__ = ["joints_of_body"]

CUT_SIGMA_M = 0.03
"""Error that is added to both joints of a segment whose lower joint is outside the image [m]."""
UNKNOWN_SIGMA_M = 1.0
"""Standard deviation of joints for which the fit gives none: half the size of a person [m]."""


def joints_of_body(body: Body, silhouette: Silhouette) -> Joints:
    """Return the SMPL_24 joints of a body fitted to a silhouette."""
    sigma_m = without_nan(body.joint_sigma_m, UNKNOWN_SIGMA_M)
    visibility = joint_visibility(body.joint_positions_m, silhouette)
    for joint in np.flatnonzero(visibility == JointVisibility.PREDICTED).tolist():
        # The direction of a segment that is cut by the image's border is hardly seen.
        for end in (joint, SMPL_24.parents[joint]):
            sigma_m[end] = np.hypot(sigma_m[end], CUT_SIGMA_M)
    return Joints(
        stamp_ns=body.stamp_ns,
        frame_id=body.frame_id,
        skeleton=SMPL_24,
        positions_m=body.joint_positions_m,
        confidence=joint_confidence(sigma_m, visibility),
        sigma_m=sigma_m,
        visibility=visibility,
    )

"""Measure the constant offsets of another system's joints from SMPL's joints, in each joint's own frame.

A Kinect's head is the middle of the head and its spine base lies between the hips, while SMPL's head joint is at the
base of the skull and its pelvis is above the hips. A body fit to Kinect joints has to take this into account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import joints_of_clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["measure_offsets"]

ROUNDS = 4
"""Rounds of fitting and measuring; further rounds change the offsets by less than 2 mm."""


def measure_offsets(clips: Sequence[Clip], *, step: int = 5) -> NDArray[np.float64]:
    """Return the offsets (24, 3) [m] of the clips' joints from SMPL's; zero for a joint that the clips lack.

    Args:
        clips: Recordings of several people.
        step: Every `step`th frame is fitted.
    """
    offsets_m = np.zeros((len(SMPL_24), 3))
    for _ in range(ROUNDS):
        total, count = np.zeros_like(offsets_m), np.zeros(len(SMPL_24))
        for clip in tqdm(clips, unit="clip", desc="offsets", mininterval=5.0):
            fitter = BodyFitter(BodySettings(with_vertices=False), offsets_m=offsets_m)
            for joints in joints_of_clip(clip, step=step):
                body = fitter.fit(joints)
                if body is None:
                    continue
                difference = joints.positions_m - body.joint_positions_m
                local = np.einsum("jba,jb->ja", body.joint_rotations, difference)
                known = np.isfinite(local).all(axis=1)
                total[known] += local[known]
                count += known
        measured = total / np.maximum(count, 1)[:, None]
        # The offsets of left and right are averaged: they are the same by symmetry.
        mirrored = measured[np.array(SMPL_24.mirror)] * [-1.0, 1.0, 1.0]
        offsets_m = 0.5 * (measured + mirrored)
    return offsets_m

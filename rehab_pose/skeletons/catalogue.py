"""Find a skeleton by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import ContractError
from rehab_pose.skeletons.coco import COCO_17
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.h36m import H36M_17
from rehab_pose.skeletons.kinect import KINECT_20, KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["SKELETONS", "skeleton_by_name"]

SKELETONS = {skeleton.name: skeleton for skeleton in (SMPL_24, DKP_24, KINECT_25, KINECT_20, H36M_17, COCO_17)}


def skeleton_by_name(name: str) -> Skeleton:
    """Return a known skeleton.

    Raises:
        ContractError: No skeleton has this name.
    """
    if name not in SKELETONS:
        msg = f"expected one of the skeletons {', '.join(SKELETONS)}, got {name!r}"
        raise ContractError(msg)
    return SKELETONS[name]

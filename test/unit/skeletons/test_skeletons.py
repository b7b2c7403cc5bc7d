"""Skeletons: trees, sides, maps."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.errors import ContractError
from rehab_pose.skeletons.catalogue import SKELETONS, skeleton_by_name
from rehab_pose.skeletons.dkp24 import DKP_24, SMPL_NAME_FROM_DKP_NAME
from rehab_pose.skeletons.kinect import KINECT_25, SMPL_NAME_FROM_KINECT_NAME
from rehab_pose.skeletons.skeleton import Skeleton
from rehab_pose.skeletons.smpl24 import SMPL_24


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_mirroring_twice_changes_nothing(skeleton: Skeleton) -> None:
    np.testing.assert_array_equal(skeleton.mirror[skeleton.mirror], np.arange(len(skeleton)))


def test_the_papers_points_map_one_to_one_onto_smpl() -> None:
    mapped = [SMPL_NAME_FROM_DKP_NAME.get(name, name) for name in DKP_24.joint_names]
    assert mapped == list(SMPL_24.joint_names)


def test_kinect_names_map_into_smpl() -> None:
    assert set(SMPL_NAME_FROM_KINECT_NAME) <= set(KINECT_25.joint_names)
    assert set(SMPL_NAME_FROM_KINECT_NAME.values()) <= set(SMPL_24.joint_names)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ContractError, match="no joint 'tail'; it has pelvis"):
        SMPL_24.index("tail")
    with pytest.raises(ContractError, match="SMPL_24"):
        skeleton_by_name("COCO")


def test_a_parent_must_come_first() -> None:
    with pytest.raises(ContractError, match="parent before its child"):
        Skeleton("broken", ("a", "b"), (1, -1))

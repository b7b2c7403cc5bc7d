"""Skeleton: laws of the trees and of the mirror map."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.errors import ContractError
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.skeleton import Skeleton
from rehab_pose.skeletons.smpl24 import SMPL_24

SKELETONS = (SMPL_24, DKP_24, KINECT_25)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_mirroring_twice_is_the_identity(skeleton: Skeleton) -> None:
    np.testing.assert_array_equal(skeleton.mirror[skeleton.mirror], np.arange(len(skeleton)))


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_mirroring_swaps_left_and_right_and_keeps_the_midline(skeleton: Skeleton) -> None:
    for name, partner in zip(skeleton.joint_names, skeleton.mirror, strict=True):
        side, _, rest = name.partition("_")
        expected = {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)
        assert skeleton.joint_names[partner] == expected


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_every_joint_but_the_root_is_the_child_of_one_bone(skeleton: Skeleton) -> None:
    assert sorted(child for _, child in skeleton.bones) == list(range(1, len(skeleton)))


def test_points_of_dkp_net_have_the_index_of_the_smpl_joint_they_map_to() -> None:
    mapped = {
        "lower_spine": "spine1",
        "spine": "spine2",
        "upper_spine": "spine3",
        "left_heel": "left_foot",
        "right_heel": "right_foot",
        "left_collarbone": "left_collar",
        "right_collarbone": "right_collar",
    }
    assert tuple(mapped.get(name, name) for name in DKP_24.joint_names) == SMPL_24.joint_names
    assert DKP_24.parents == SMPL_24.parents


def test_an_unknown_joint_is_refused_with_the_known_names() -> None:
    with pytest.raises(ContractError, match="no joint 'tail'; it has pelvis"):
        SMPL_24.index("tail")


def test_a_parent_after_its_child_is_refused() -> None:
    with pytest.raises(ContractError, match="parent before its child"):
        Skeleton("broken", ("a", "b"), (1, -1))


def test_repeated_names_are_refused() -> None:
    with pytest.raises(ContractError, match="unique joint names"):
        Skeleton("broken", ("a", "a"), (-1, 0))

"""Joints of any skeleton of a person with known angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.biomechanics.body_chain import load_body_chain
from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose.datatypes import Joints
from rehab_pose_lab.methods.biomechanics.keypoint_map import keypoint_map
from rehab_pose_lab.methods.biomechanics.preset import KinePosePreset, load_kinepose_preset

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.skeletons.skeleton import Skeleton

CAMERA_FROM_WORLD = np.diag([1.0, -1.0, -1.0])
"""A person who faces a level camera."""

FRAME_NS = 33_333_333


@pytest.fixture(scope="session")
def preset() -> KinePosePreset:
    """Return KinePose's chain."""
    return load_kinepose_preset()


@pytest.fixture
def joints_at() -> Callable[..., Joints]:
    """Return a function that makes the joints of a person with given angles [deg]."""

    def make(
        skeleton: Skeleton,
        angles_deg: dict[str, float],
        *,
        frame: int = 0,
        root: NDArray[np.float64] = CAMERA_FROM_WORLD,
        scale: float = 1.0,
        noise_m: float = 0.0,
    ) -> Joints:
        body = load_body_chain()
        chain = body.chain
        unknowns = np.zeros(ROOT_UNKNOWNS + len(chain.angle_names))
        unknowns[2] = 2.5
        for name, value in angles_deg.items():
            unknowns[ROOT_UNKNOWNS + chain.angle_names.index(name)] = np.deg2rad(value)
        arrays = chain.arrays._replace(offsets_m=np.array(chain.offsets_m) * scale)
        positions, rotations = joints_of(chain, Pose(unknowns, np.ascontiguousarray(root)), arrays)
        places = keypoint_map(body, skeleton)
        points = np.full((len(skeleton), 3), np.nan)
        offsets = np.einsum("pij,pj->pi", rotations[places.joints], places.offsets_m * scale)
        points[places.rows] = positions[places.joints] + offsets
        if noise_m:
            points += np.random.default_rng(frame).normal(0.0, noise_m, points.shape)
        count = len(skeleton)
        return Joints(
            stamp_ns=frame * FRAME_NS,
            frame_id="camera",
            skeleton=skeleton,
            positions_m=points,
            confidence=np.ones(count),
            sigma_m=np.full(count, np.nan),
            visibility=np.ones(count, dtype=np.uint8),
        )

    return make

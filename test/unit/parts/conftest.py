"""True silhouette, joints and parts of the simulated person."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from rehab_pose.datatypes import Joints, Silhouette
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera, SimulatedFrame
from rehab_pose_sim.settings import SimulationSettings

Person = tuple[Silhouette, Joints, NDArray[np.uint8]]
PersonMaker = Callable[[str, int, float, int], Person]


def true_silhouette(simulated: SimulatedFrame) -> Silhouette:
    frame, mask = simulated.frame, simulated.truth.silhouette
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside = mask[window]
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=(int(columns[0]), int(rows[0]), inside.shape[1], inside.shape[0]),
        inside=inside,
        color=frame.color[window] * inside[..., None],
        depth_m=np.where(inside, frame.depth_m[window], np.float32(np.nan)),
    )


@lru_cache
def person(exercise: str, index: int, yaw_deg: float, shape_seed: int) -> Person:
    settings = SimulationSettings(exercise=exercise, yaw_deg=yaw_deg, shape_seed=shape_seed)
    simulated = SimulatedCamera(settings).frame(index)
    silhouette = true_silhouette(simulated)
    joints = Joints(
        stamp_ns=simulated.frame.stamp_ns,
        frame_id=simulated.frame.frame_id,
        skeleton=SMPL_24,
        positions_m=simulated.truth.joints_m,
        confidence=np.ones(24),
        sigma_m=np.full(24, 0.02),
        visibility=np.ones(24, np.uint8),
    )
    x, y, width, height = silhouette.box_px
    return silhouette, joints, simulated.truth.parts[y : y + height, x : x + width]


@pytest.fixture(scope="session")
def person_at() -> PersonMaker:
    """Return a function from exercise, frame, yaw [deg] and shape seed to silhouette, joints and LIP classes (h, w)."""
    return person


@pytest.fixture(scope="session")
def standing() -> Person:
    return person("none", 0, 0.0, 0)


@pytest.fixture(scope="session")
def lifting() -> Person:
    return person("arm_lifting", 120, 0.0, 0)

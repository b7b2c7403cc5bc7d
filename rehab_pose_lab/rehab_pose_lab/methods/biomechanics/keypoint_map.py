"""Points of the known skeletons on the segments of the product's body chain, read from keypoints.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rehab_pose.biomechanics.body_chain import both_sides
from rehab_pose.errors import ContractError
from rehab_pose_lab.methods.biomechanics.observations import points_observed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.body_chain import BodyChain
    from rehab_pose.datatypes import Joints
    from rehab_pose.skeletons.skeleton import Skeleton
    from rehab_pose_lab.methods.biomechanics.observations import Observations

__all__ = ["KeypointMap", "keypoint_map", "observe_joints"]

KEYPOINTS_PATH = Path(__file__).with_name("keypoints.yaml")


@dataclass(frozen=True, eq=False)
class KeypointMap:
    """P points of a skeleton on the chain's segments."""

    rows: NDArray[np.int64]
    """(P) indices of the skeleton."""
    joints: NDArray[np.int64]
    """(P) indices of the chain."""
    offsets_m: NDArray[np.float64]
    """(P, 3) from the joint, in the segment's axes [m]."""
    weights: NDArray[np.float64]
    """(P) relative to a joint centre."""


@lru_cache(maxsize=1)
def _entries() -> dict[str, dict[str, list[Any]]]:
    content: dict[str, dict[str, list[Any]]] = yaml.safe_load(KEYPOINTS_PATH.read_text(encoding="utf-8"))
    return content


def keypoint_map(body: BodyChain, skeleton: Skeleton) -> KeypointMap:
    """Return the skeleton's points on the chain.

    Raises:
        ContractError: The file has no points of this skeleton.
    """
    known = _entries()
    if skeleton.name not in known:
        msg = f"biomechanics: expected joints of {', '.join(known)}, got {skeleton.name}"
        raise ContractError(msg)
    entries = [
        (skeleton.index(joint), *_of_side(entry, joint))
        for name, entry in known[skeleton.name].items()
        for joint in both_sides(name)
    ]
    return KeypointMap(
        rows=np.array([entry[0] for entry in entries], dtype=np.int64),
        joints=np.array([body.chain.index(entry[1]) for entry in entries], dtype=np.int64),
        offsets_m=np.array([entry[2:5] for entry in entries], dtype=np.float64),
        weights=np.array([entry[5] for entry in entries], dtype=np.float64),
    )


def _of_side(entry: list[Any], joint: str) -> tuple[Any, ...]:
    segment, x, y, z, weight = entry
    if joint.startswith("right_"):
        return segment.replace("left_", "right_", 1), -x, y, z, weight
    return segment, x, y, z, weight


def observe_joints(body: BodyChain, joints: Joints) -> Observations:
    """Return joints as observations of the body chain, weighted by their confidence.

    Raises:
        ContractError: The file has no points of their skeleton.
    """
    places = keypoint_map(body, joints.skeleton)
    weights = places.weights * np.clip(joints.confidence[places.rows], 0.0, 1.0)
    return points_observed(places.joints, places.offsets_m, joints.positions_m[places.rows], weights)

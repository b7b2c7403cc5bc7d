"""KinePose's chain, limits, keypoints and loss, read from kinepose.yaml, for the comparison with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rehab_pose.biomechanics.chain import Chain, Freedom, chain_from_rest
from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KinePosePreset", "kinepose_chain", "load_kinepose_preset"]

SHIPPED_PRESET = Path(__file__).parent / "kinepose.yaml"
AXES = ("x", "y", "z")
TURN_DECIMALS = 3
"""Decimals to which KinePose's program rounds its limits, in turns."""


@dataclass(frozen=True, eq=False)
class KinePosePreset:
    """The chain, its keypoints and the terms of KinePose's loss and score."""

    chain: Chain
    keypoint_joints: tuple[int, ...]
    """(16) the joint that each keypoint marks."""
    scored_joints: tuple[int, ...]
    """(14) the joints of MPJAS."""
    links: NDArray[np.int64]
    """(25, 4) joint, joint, keypoint, keypoint."""


def kinepose_chain(
    name: str,
    joint_names: tuple[str, ...],
    parents: tuple[int, ...],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
    limits_rad: list[list[tuple[float, float]]],
) -> Chain:
    """Return a chain whose joints rotate by Rz Ry Rx about their own axes inside limits; the root is free.

    Args:
        name: Of the chain.
        joint_names: (J).
        parents: (J) -1 for the root.
        positions_m: (J, 3) at rest in the world.
        rotations: (J, 3, 3) world_from_joint at rest.
        limits_rad: One list a joint: empty, or lower and upper about x, y and z; both 0 = fixed.
    """
    freedoms, limits = [], {}
    for joint, (joint_name, ranges) in enumerate(zip(joint_names, limits_rad, strict=True)):
        for place in reversed(range(len(ranges))):
            lower, upper = ranges[place]
            if parents[joint] >= 0 and lower < upper:
                angle = f"{joint_name}_{AXES[place]}"
                x, y, z = np.eye(3)[place].tolist()
                freedoms.append(Freedom(joint_name, (x, y, z), angle))
                limits[angle] = (lower, upper)
    return chain_from_rest(name, joint_names, parents, positions_m, rotations, tuple(freedoms), limits)


def _ranges(entry: dict[str, Any], *, rounded: bool) -> list[tuple[float, float]]:
    pairs = [(0.0, 0.0) if pair == 0 else (float(pair[0]), float(pair[1])) for pair in entry.get("limits", [])]
    if not rounded:
        return pairs
    return [(_as_rounded_turns(lower), _as_rounded_turns(upper)) for lower, upper in pairs]


def _as_rounded_turns(angle_rad: float) -> float:
    return round(angle_rad / (2.0 * np.pi), TURN_DECIMALS) * 2.0 * np.pi


def load_kinepose_preset(*, rounded: bool = False) -> KinePosePreset:
    """Read the shipped preset.

    Args:
        rounded: Take the limits as KinePose's program does, rounded to thousandths of a turn.

    Raises:
        ModelFileError: The file cannot be used.
    """
    try:
        content = yaml.safe_load(SHIPPED_PRESET.read_text(encoding="utf-8"))
        joints = content["joints"]
        names = tuple(entry["name"] for entry in joints)
        chain = kinepose_chain(
            content["name"],
            names,
            tuple(-1 if entry["parent"] is None else names.index(entry["parent"]) for entry in joints),
            np.array([entry["position"] for entry in joints], dtype=np.float64),
            np.array([entry["axes"] for entry in joints], dtype=np.float64).transpose(0, 2, 1),
            [_ranges(entry, rounded=rounded) for entry in joints],
        )
        return KinePosePreset(
            chain=chain,
            keypoint_joints=tuple(names.index(name) for name in content["keypoints"]),
            scored_joints=tuple(names.index(name) for name in content["scored"]),
            links=np.array(content["links"], dtype=np.int64),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        msg = f"KinePose preset: {SHIPPED_PRESET} cannot be used ({error!r})"
        raise ModelFileError(msg) from error

"""The clinical body model of body.yaml: its chain, and where each skeleton's points lie on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rehab_pose.biomechanics.chain import Chain, Freedom, chain_from_rest
from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["BodyChain", "KeypointMap", "OrientationMap", "load_body_chain"]

SHIPPED_BODY = Path(__file__).parent / "body.yaml"


@dataclass(frozen=True, eq=False)
class KeypointMap:
    """Points of a skeleton on the chain's segments."""

    rows: NDArray[np.int64]
    """(P) of the skeleton."""
    joints: NDArray[np.int64]
    """(P) of the chain."""
    offsets_m: NDArray[np.float64]
    """(P, 3)."""
    weights: NDArray[np.float64]
    """(P)."""


@dataclass(frozen=True, eq=False)
class OrientationMap:
    """Joints of SMPL_24 whose rotation is that of a segment."""

    rows: NDArray[np.int64]
    """(R) of SMPL_24."""
    joints: NDArray[np.int64]
    """(R) of the chain."""
    smpl_from_segment: NDArray[np.float64]
    """(R, 3, 3)."""


@dataclass(frozen=True, eq=False)
class BodyChain:
    """The chain and the maps onto it."""

    chain: Chain
    orientations: OrientationMap
    _keypoints: dict[str, dict[str, list[Any]]]

    def keypoints(self, skeleton: Skeleton) -> KeypointMap:
        """Return the skeleton's points on the chain.

        Raises:
            ContractError: The model says nothing about this skeleton.
        """
        if skeleton.name not in self._keypoints:
            msg = f"biomechanics: expected joints of {', '.join(self._keypoints)}, got {skeleton.name}"
            raise ContractError(msg)
        entries = [
            (skeleton.index(joint), *_side(entry, joint))
            for name, entry in self._keypoints[skeleton.name].items()
            for joint in _both(name)
        ]
        return KeypointMap(
            rows=np.array([entry[0] for entry in entries], dtype=np.int64),
            joints=np.array([self.chain.index(entry[1]) for entry in entries], dtype=np.int64),
            offsets_m=np.array([entry[2:5] for entry in entries], dtype=np.float64),
            weights=np.array([entry[5] for entry in entries], dtype=np.float64),
        )


def _both(name: str) -> tuple[str, ...]:
    return (name, name.replace("left_", "right_", 1)) if name.startswith("left_") else (name,)


def _side(entry: list[Any], joint: str) -> tuple[Any, ...]:
    segment, x, y, z, weight = entry
    if joint.startswith("right_"):
        return segment.replace("left_", "right_", 1), -x, y, z, weight
    return segment, x, y, z, weight


@lru_cache(maxsize=1)
def load_body_chain() -> BodyChain:
    """Read the shipped body model.

    Raises:
        ModelFileError: The file cannot be used.
    """
    try:
        content = yaml.safe_load(SHIPPED_BODY.read_text(encoding="utf-8"))
        return _body_chain(content)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        msg = f"body model: {SHIPPED_BODY} cannot be used ({error!r})"
        raise ModelFileError(msg) from error


def _body_chain(content: dict[str, Any]) -> BodyChain:
    joints = content["joints"]
    names = tuple(entry["name"] for entry in joints)
    limits, expected = {}, {}
    for entry in content["angles"]:
        for angle in _both(f"left_{entry['name']}") if entry.get("side") else (entry["name"],):
            lower, upper, centre, spread = np.deg2rad([entry[key] for key in ("lower", "upper", "centre", "spread")])
            limits[angle], expected[angle] = (float(lower), float(upper)), (float(centre), float(spread))
    chain = chain_from_rest(
        "body",
        names,
        tuple(-1 if entry["parent"] is None else names.index(entry["parent"]) for entry in joints),
        np.array([entry["position"] for entry in joints], dtype=np.float64),
        np.broadcast_to(np.eye(3), (len(names), 3, 3)),
        tuple(
            Freedom(entry["name"], tuple(turn["axis"]), turn["angle"], float(turn.get("share", 1.0)))
            for entry in joints
            for turn in entry.get("turns", [])
        ),
        limits,
        expected,
    )
    rows, places, turns = [], [], []
    for name, (segment, turn_deg) in content["orientations"].items():
        for joint in _both(name):
            right = joint.startswith("right_")
            rows.append(SMPL_24.index(joint))
            places.append(chain.index(segment.replace("left_", "right_", 1) if right else segment))
            turns.append([0.0, 0.0, np.deg2rad(-turn_deg if right else turn_deg)])
    orientations = OrientationMap(
        np.array(rows), np.array(places), np.asarray(matrices_from_axis_angles(np.array(turns)))
    )
    return BodyChain(chain, orientations, content["keypoints"])

"""The clinical body model of body_chain.yaml: its chain, and the segments that SMPL's joints rotate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rehab_pose.biomechanics.chain import Chain, Freedom, chain_from_rest
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BodyChain", "OrientationMap", "both_sides", "load_body_chain"]

SHIPPED_BODY = Path(__file__).parent / "body_chain.yaml"


@dataclass(frozen=True, eq=False)
class OrientationMap:
    """R joints of SMPL_24 that rotate together with a segment of the chain."""

    rows: NDArray[np.int64]
    """(R) indices of SMPL_24."""
    joints: NDArray[np.int64]
    """(R) indices of the chain."""
    smpl_from_segment: NDArray[np.float64]
    """(R, 3, 3) constant rotation between the two."""


@dataclass(frozen=True, eq=False)
class BodyChain:
    """The chain and the segments whose orientation a fitted SMPL body gives."""

    chain: Chain
    orientations: OrientationMap


def both_sides(name: str) -> tuple[str, ...]:
    """Return a name, and its right counterpart if it is of the left."""
    return (name, name.replace("left_", "right_", 1)) if name.startswith("left_") else (name,)


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
        for angle in both_sides(f"left_{entry['name']}") if entry.get("side") else (entry["name"],):
            lower, upper, centre, std = np.deg2rad([entry[key] for key in ("lower", "upper", "centre", "std")])
            limits[angle], expected[angle] = (float(lower), float(upper)), (float(centre), float(std))
    chain = chain_from_rest(
        "body",
        names,
        tuple(-1 if entry["parent"] is None else names.index(entry["parent"]) for entry in joints),
        np.array([entry["position"] for entry in joints], dtype=np.float64),
        np.broadcast_to(np.eye(3), (len(names), 3, 3)),
        tuple(
            Freedom(entry["name"], tuple(freedom["axis"]), freedom["angle"], float(freedom.get("fraction", 1.0)))
            for entry in joints
            for freedom in entry.get("freedoms", [])
        ),
        limits,
        expected,
    )
    rows, places, vectors_rad = [], [], []
    for name, (segment, angle_deg) in content["orientations"].items():
        for joint in both_sides(name):
            right = joint.startswith("right_")
            rows.append(SMPL_24.index(joint))
            places.append(chain.index(segment.replace("left_", "right_", 1) if right else segment))
            vectors_rad.append([0.0, 0.0, np.deg2rad(-angle_deg if right else angle_deg)])
    orientations = OrientationMap(
        np.array(rows), np.array(places), np.asarray(matrices_from_axis_angles(np.array(vectors_rad)))
    )
    return BodyChain(chain, orientations)

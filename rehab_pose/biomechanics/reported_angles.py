"""The reported joint angles of a solved pose of the body chain, each with its standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angles import anatomical_angles, lumbar_angles, pelvis_angles
from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.body_chain import BodyChain

__all__ = ["ReportedAngles", "reported_angles"]

THORAX_BASE = "T12_L1"
"""Joint of the chain whose segment rests on the lumbar spine."""
ROOT_SIGMA = {"pelvis_tilt": 3, "pelvis_rotation": 4, "pelvis_obliquity": 5}
"""Index of the root's unknown whose standard deviation each pelvis angle gets: the rotations about the root's own x, y
and z equal these angles while the pelvis is upright."""


@dataclass(frozen=True, eq=False)
class ReportedAngles:
    """Angles by name [rad], and one standard deviation of each [rad]."""

    angles_rad: dict[str, float]
    sigma_rad: dict[str, float]


def reported_angles(
    body: BodyChain,
    rotations: NDArray[np.float64],
    unknowns: NDArray[np.float64],
    sigma: NDArray[np.float64],
    up: NDArray[np.float64],
) -> ReportedAngles:
    """Return the clinical angles.

    Args:
        body: The model.
        rotations: (J, 3, 3) camera_from_segment of its chain.
        unknowns: (N) of the chain.
        sigma: (N) one standard deviation of the unknowns.
        up: (3) unit vector against gravity in the camera frame.
    """
    smpl = np.broadcast_to(np.eye(3), (24, 3, 3)).copy()
    maps = body.orientations
    smpl[maps.rows] = rotations[maps.joints] @ maps.smpl_from_segment.transpose(0, 2, 1)
    angles = anatomical_angles(smpl) | pelvis_angles(smpl, up)
    angles |= lumbar_angles(rotations[body.chain.index("pelvis")], rotations[body.chain.index(THORAX_BASE)])
    chain_names = body.chain.angle_names
    std = dict(zip(chain_names, sigma[ROOT_UNKNOWNS:].tolist(), strict=True))
    solved = dict(zip(chain_names, unknowns[ROOT_UNKNOWNS:].tolist(), strict=True))
    # An unknown of one joint is its angle without rounding; the lumbar spine's are divided among its joints.
    angles |= {name: solved[name] for name in angles if name in solved and not name.startswith("lumbar_")}
    sigma_rad = {}
    for name in angles:
        if name in std:
            sigma_rad[name] = std[name]
        elif name in ROOT_SIGMA:
            sigma_rad[name] = float(sigma[ROOT_SIGMA[name]])
        elif name.startswith("trunk_"):
            motion = name.removeprefix("trunk_")
            sigma_rad[name] = float(np.hypot(std[f"lumbar_{motion}"], std[f"thoracic_{motion}"]))
        else:  # the direction of the upper arm
            side = name.split("_", maxsplit=1)[0]
            sigma_rad[name] = float(
                np.hypot(std[f"{side}_shoulder_flexion"], std[f"{side}_shoulder_abduction"]) / np.sqrt(2.0)
            )
    return ReportedAngles(angles, sigma_rad)

"""From a solved posture of the body chain to the angles that are published, each with its standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angles import anatomical_angles, lumbar_angles, pelvis_angles
from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.body_model import BodyChain

__all__ = ["Measurement", "measure"]

THORAX_BASE = "T12_L1"
ROOT_SIGMA = {"pelvis_tilt": 3, "pelvis_rotation": 4, "pelvis_obliquity": 5}
"""The root's turn about its own x, y and z stands for the pelvis's angles: exact while it is upright."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """Angles by name [rad], and one standard deviation of each [rad]."""

    angles_rad: dict[str, float]
    sigma_rad: dict[str, float]


def measure(
    body: BodyChain,
    rotations: NDArray[np.float64],
    unknowns: NDArray[np.float64],
    sigma: NDArray[np.float64],
    up: NDArray[np.float64],
) -> Measurement:
    """Return the clinical angles.

    Args:
        body: The model.
        rotations: (J, 3, 3) camera_from_segment of its chain.
        unknowns: (N) of the chain.
        sigma: (N) of the unknowns.
        up: (3) unit vector against gravity.
    """
    smpl = np.broadcast_to(np.eye(3), (24, 3, 3)).copy()
    maps = body.orientations
    smpl[maps.rows] = rotations[maps.joints] @ maps.smpl_from_segment.transpose(0, 2, 1)
    found = anatomical_angles(smpl) | pelvis_angles(smpl, up)
    found |= lumbar_angles(rotations[body.chain.index("pelvis")], rotations[body.chain.index(THORAX_BASE)])
    own = body.chain.angle_names
    spread = dict(zip(own, sigma[ROOT_UNKNOWNS:].tolist(), strict=True))
    angle = dict(zip(own, unknowns[ROOT_UNKNOWNS:].tolist(), strict=True))
    # A joint's own unknown is its angle, to the last digit; only the spine's are shared out.
    found |= {name: angle[name] for name in found if name in angle and not name.startswith("lumbar_")}
    sigma_rad = {}
    for name in found:
        if name in spread:
            sigma_rad[name] = spread[name]
        elif name in ROOT_SIGMA:
            sigma_rad[name] = float(sigma[ROOT_SIGMA[name]])
        elif name.startswith("trunk_"):
            rest = name.removeprefix("trunk_")
            sigma_rad[name] = float(np.hypot(spread[f"lumbar_{rest}"], spread[f"thoracic_{rest}"]))
        else:  # the direction of the upper arm
            side = name.split("_", maxsplit=1)[0]
            sigma_rad[name] = float(
                np.hypot(spread[f"{side}_shoulder_flexion"], spread[f"{side}_shoulder_abduction"]) / np.sqrt(2.0)
            )
    return Measurement(found, sigma_rad)

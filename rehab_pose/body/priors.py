"""Prior of the joints' rotations: how far joints rotate from rest, and to which side knees and elbows bend.

Twenty-four joint positions determine 43 of the 75 unknowns of pose and position; the twist of a straight limb, for one,
is not observed. The standard deviations below are of the order of everyday movement (a quarter to a half of the
anatomical range), wide enough that the prior moves a measured position by less than a millimetre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.objective import FIRST_ROTATION, MOVING_JOINTS, SHAPE_START
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HINGES", "rotation_std_rad"]

_STD_RAD = {
    "hip": (1.0, 0.5, 0.6),
    "knee": (1.2, 0.2, 0.1),
    "ankle": (0.5, 0.2, 0.3),
    "spine1": (0.35, 0.35, 0.35),
    "spine2": (0.35, 0.35, 0.35),
    "spine3": (0.35, 0.35, 0.35),
    "neck": (0.4, 0.4, 0.4),
    "collar": (0.25, 0.25, 0.25),
    "shoulder": (1.0, 1.2, 1.2),
    "elbow": (0.4, 1.2, 0.2),
    "wrist": (0.4, 0.4, 0.4),
}
"""Standard deviation about x, y and z at rest [rad]; the elbow bends about y, the knee about x."""
_HYPEREXTENSION_STD_RAD = 0.05
"""Standard deviation of a knee's or an elbow's angle beyond straight [rad]."""


def rotation_std_rad() -> NDArray[np.float64]:
    """Return the standard deviation (54) of every rotation unknown [rad]."""
    return np.array([_STD_RAD[SMPL_24.joint_names[joint].split("_")[-1]] for joint in MOVING_JOINTS]).ravel()


def _hinges() -> NDArray[np.float64]:
    weight = 1.0 / _HYPEREXTENSION_STD_RAD**2
    hinges = np.zeros(SHAPE_START)
    for name, axis, sign in (("left_knee", 0, 1), ("right_knee", 0, 1), ("left_elbow", 1, -1), ("right_elbow", 1, 1)):
        place = int(np.flatnonzero(SMPL_24.index(name) == MOVING_JOINTS)[0])
        hinges[FIRST_ROTATION + 3 * place + axis] = sign * weight
    return hinges


HINGES = _hinges()
"""(60) sign times weight of the one-sided terms of the objective [1/rad^2]."""

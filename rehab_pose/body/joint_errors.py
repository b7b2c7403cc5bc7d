"""Standard deviations of the joints of a body that is fitted to a person's surface, calibrated on known joints.

The covariance of the fit assumes that its model and the matches of its points are right. Where they are not, the depth
does not support the surface of the model, and the depth network is uncertain too. The coefficients were fitted to
simulated people in 23 postures and exercises (27,000 joints), and chosen so that the 90 % intervals also cover hand
marks of a real person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import without_nan
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["calibrated_sigma_m"]

FLOOR_M = np.full(len(SMPL_24), 0.008)
"""(24) error that no measurement of the frame reduces [m]; more for hips, deep inside the body, and for hands."""
FLOOR_M[[SMPL_24.index("left_hip"), SMPL_24.index("right_hip")]] = 0.018
FLOOR_M[[SMPL_24.index("left_hand"), SMPL_24.index("right_hand")]] = 0.030
FIT_FACTOR = 1.25
"""Factor of the standard deviation from the fit's covariance."""
UNSUPPORTED_M = 0.07
"""Standard deviation of a joint around which the depth supports none of the visible surface [m]."""
UNSEEN_M, UNSEEN_SUPPORT = 0.15, 0.2
"""Standard deviation [m] of a joint around which no surface is visible, or less than this fraction is supported."""
HIDDEN_M = 0.06
"""Standard deviation that is added for a joint that the image network reports as hidden [m]."""
NETWORK_FACTOR = 0.25
"""Factor of the standard deviation that the depth network gives: it is large for a kind of person or posture that the
network does not know."""
DISPUTED_SIGMAS, DISPUTED_FACTOR = 2.0, 0.7
"""A fitted joint that is farther from the depth network's than the first, in its standard deviations, gets the second
of the excess as an additional standard deviation: one of the two is wrong. Chosen on the same people; without it, legs
behind a table and hands in crossed arms had errors beyond three standard deviations."""


def calibrated_sigma_m(
    fit_sigma_m: NDArray[np.float64],
    support: NDArray[np.float64],
    network_sigma_m: NDArray[np.float64],
    visibility: NDArray[np.float64],
    network_distance_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the root mean square distance (24) of the joints from their true positions [m]; NaN = not estimated.

    Args:
        fit_sigma_m: (24) from the covariance of the fit [m].
        support: (24) fraction of the visible surface around each joint that the depth supports; NaN = none is visible.
        network_sigma_m: (24) of the depth network's joints [m]; NaN = no joint.
        visibility: (24) of each joint's landmark in the colour image, 0-1; 1 where there is none.
        network_distance_m: (24) distance of the fitted joints from those of the depth network [m]; NaN = no joint.
    """
    unseen = np.isnan(support) | (support < UNSEEN_SUPPORT)
    surface_m = np.where(unseen, UNSEEN_M, UNSUPPORTED_M * (1.0 - without_nan(support)))
    network_m = NETWORK_FACTOR * without_nan(network_sigma_m, UNSEEN_M / NETWORK_FACTOR)
    hidden_m = HIDDEN_M * (1.0 - visibility)
    excess_m = np.maximum(without_nan(network_distance_m - DISPUTED_SIGMAS * network_sigma_m), 0.0)
    disputed_m = DISPUTED_FACTOR * excess_m
    squares = FLOOR_M**2 + (FIT_FACTOR * fit_sigma_m) ** 2 + surface_m**2 + network_m**2 + hidden_m**2 + disputed_m**2
    sigma_m: NDArray[np.float64] = np.sqrt(squares)
    for joint, parent in enumerate(SMPL_24.parents):
        if parent >= 0 and unseen[joint]:
            # Nothing is seen of the joint: it is as uncertain as its parent, and its own direction adds to that.
            sigma_m[joint] = np.hypot(sigma_m[joint], sigma_m[parent])
    return sigma_m

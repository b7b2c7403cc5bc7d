"""The pose of a frame without a frame before it: the best of several starts.

Limbs can reach the same points in several poses, so the objective has several minima.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.chain_problem import Prior
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose_lab.methods.biomechanics.frame_problem import FrameFit, fit_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain, ChainArrays
    from rehab_pose_lab.methods.biomechanics.observations import Observations

__all__ = ["best_of_starts", "rest_information"]

ROOT_INFORMATION = np.array([1e-4, 1e-4, 1e-4, 1e-3, 1e-3, 1e-3])
"""Prior information about the root's translation [1/m^2] and rotation [1/rad^2], negligible but positive."""


def rest_information(chain: Chain) -> NDArray[np.float64]:
    """Return the information about a pose (N, N) before anything is measured."""
    return np.diag(np.concatenate([ROOT_INFORMATION, chain.std_rad**-2.0]))


def best_of_starts(
    chain: Chain,
    arrays: ChainArrays,
    observed: Observations,
    random: np.random.Generator,
    *,
    starts: int,
    max_iterations: int,
    tolerance: float,
) -> FrameFit:
    """Return the lowest of the minima near the expected pose and near random ones.

    Args:
        chain: The chain.
        arrays: The chain with the person's segment lengths.
        observed: The frame.
        random: Draws the angles of all starts but the first.
        starts: How many poses are tried; at least one is.
        max_iterations: Steps tried at most from each start.
        tolerance: A step that lowers E by less than this fraction is the last.
    """
    information = rest_information(chain)

    def attempt(angles_rad: NDArray[np.float64]) -> FrameFit:
        start = _aligned(chain, arrays, observed, angles_rad)
        mean = np.concatenate([start.unknowns[:ROOT_UNKNOWNS], chain.centre_rad])
        prior = Prior(mean, start.base, information)
        return fit_frame(chain, arrays, observed, prior, start, max_iterations=max_iterations, tolerance=tolerance)

    fits = [attempt(chain.centre_rad)]
    fits += [attempt(random.uniform(chain.lower_rad, chain.upper_rad)) for _ in range(starts - 1)]
    return min(fits, key=lambda fit: fit.total)


def _aligned(chain: Chain, arrays: ChainArrays, observed: Observations, angles: NDArray[np.float64]) -> Pose:
    """Return the pose with these angles (n) [rad] whose root aligns points, links and segments with the measured."""
    orientations = observed.orientations
    unknowns = np.concatenate([np.zeros(ROOT_UNKNOWNS), angles])
    positions, rotations = joints_of(chain, Pose(unknowns, np.eye(3)), arrays)
    point_rotations = rotations[observed.point_joint]
    points = positions[observed.point_joint] + np.einsum("pij,pj->pi", point_rotations, observed.point_offset_m)
    weight = observed.point_weight / max(float(observed.point_weight.sum()), 1e-300)
    centre, target_centre = weight @ points, weight @ observed.point_target_m
    links = points[observed.link_points[:, 1]] - points[observed.link_points[:, 0]]
    links /= np.linalg.norm(links, axis=1, keepdims=True) + 1e-12
    axes = rotations[orientations.joint].transpose(0, 2, 1).reshape(-1, 3)
    measured_axes = orientations.rotation.transpose(0, 2, 1).reshape(-1, 3)
    source = np.vstack([points - centre, links, axes])
    target = np.vstack([observed.point_target_m - target_centre, observed.link_target, measured_axes])
    weights = np.concatenate([observed.point_weight, observed.link_weight, np.repeat(orientations.weight, 3)])
    left, _, right = np.linalg.svd(target.T @ (weights[:, None] * source))  # Kabsch, about the origin
    rotation = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    unknowns[:3] = target_centre - rotation @ centre
    return Pose(unknowns, np.ascontiguousarray(rotation))

"""One frame from nothing: several starts, because limbs have more than one way to reach the same points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.minimiser import minimise
from rehab_pose.biomechanics.objective import Prior
from rehab_pose.biomechanics.posture import Posture, joints_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain, ChainArrays
    from rehab_pose.biomechanics.objective import Observations
    from rehab_pose.biomechanics.tracker import TrackerSettings

__all__ = ["Found", "best_of_starts", "rest_information", "run"]

UNKNOWN_ROOT = np.array([1e-4, 1e-4, 1e-4, 1e-3, 1e-3, 1e-3])
"""Information about where the root is before anything is seen [1/m^2, 1/rad^2]: none to speak of."""


@dataclass(frozen=True, eq=False)
class Found:
    """A minimum of a frame's objective."""

    posture: Posture
    total: float
    cost: float
    """The measured part of it."""
    measured: NDArray[np.float64]
    """(N, N) half the measured part's Hessian."""


def rest_information(chain: Chain) -> NDArray[np.float64]:
    """Return what is known of a posture (N, N) before anything is seen."""
    return np.diag(np.concatenate([UNKNOWN_ROOT, chain.spread_rad**-2.0]))


def run(
    chain: Chain, arrays: ChainArrays, observed: Observations, prior: Prior, start: Posture, settings: TrackerSettings
) -> Found:
    """Return the minimum below a start."""
    unknowns, base = start.unknowns.copy(), start.base.copy()
    measured = np.empty((len(unknowns), len(unknowns)))
    total, cost, _ = minimise(
        arrays,
        observed,
        prior,
        chain.lower,
        chain.upper,
        unknowns,
        base,
        measured,
        settings.max_iterations,
        settings.tolerance,
    )
    return Found(Posture(unknowns, base), total, cost, measured)


def best_of_starts(
    chain: Chain,
    arrays: ChainArrays,
    observed: Observations,
    settings: TrackerSettings,
    starts: int,
    random: np.random.Generator,
) -> Found:
    """Return the lowest of the minima below the expected posture and below random ones."""
    information = rest_information(chain)
    best: Found | None = None
    for attempt in range(max(starts, 1)):
        angles = chain.centre_rad if attempt == 0 else random.uniform(chain.lower_rad, chain.upper_rad)
        start = _aligned(chain, arrays, observed, angles)
        mean = np.concatenate([start.unknowns[:ROOT_UNKNOWNS], chain.centre_rad])
        found = run(chain, arrays, observed, Prior(mean, start.base, information), start, settings)
        if best is None or found.total < best.total:
            best = found
    assert best is not None  # noqa: S101  (there is at least one start)
    return best


def _aligned(chain: Chain, arrays: ChainArrays, observed: Observations, angles: NDArray[np.float64]) -> Posture:
    """Return the posture with these angles (n) whose root brings points, links and segments to what was seen."""
    unknowns = np.concatenate([np.zeros(ROOT_UNKNOWNS), angles])
    positions, rotations = joints_of(chain, Posture(unknowns, np.eye(3)), arrays)
    turned = rotations[observed.point_joint]
    points = positions[observed.point_joint] + np.einsum("pij,pj->pi", turned, observed.point_offset_m)
    weight = observed.point_weight / max(float(observed.point_weight.sum()), 1e-300)
    centre, target_centre = weight @ points, weight @ observed.point_target_m
    links = points[observed.link_points[:, 1]] - points[observed.link_points[:, 0]]
    links /= np.linalg.norm(links, axis=1, keepdims=True) + 1e-12
    own = rotations[observed.turn_joint].transpose(0, 2, 1).reshape(-1, 3)
    seen = observed.turn_target.transpose(0, 2, 1).reshape(-1, 3)
    source = np.vstack([points - centre, links, own])
    target = np.vstack([observed.point_target_m - target_centre, observed.link_target, seen])
    weights = np.concatenate([observed.point_weight, observed.link_weight, np.repeat(observed.turn_weight, 3)])
    left, _, right = np.linalg.svd(target.T @ (weights[:, None] * source))  # Kabsch, about the origin
    rotation = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    unknowns[:3] = target_centre - rotation @ centre
    return Posture(unknowns, np.ascontiguousarray(rotation))

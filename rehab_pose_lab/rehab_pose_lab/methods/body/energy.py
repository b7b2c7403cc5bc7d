"""The published objective of the body fit, term by term, each with its gradient (Eq 24-29 of Ashraf et al. 2025).

    E = l_J sum_t sum_i w_ti ||p_ti - m_ti||^2           weighted joints                          Eq 24
      + l_theta sum_t -log sum_k g_k N(theta_t; mu_k, Sigma_k)  mixture of recorded poses         Eq 25
      + l_beta ||beta||^2                                 bodies are near the mean               Eq 26
      + l_s sum_t sum_i ||p_ti - p_(t-1)i||^2             joints move little between frames      Eq 27
      + l_L sum_v ||v - mean of its neighbours||^2        the surface is smooth                  Eq 28

The paper prints neither the weights nor which surface Eq 28 means. Here it is the surface before it is posed: the
roughness that posing adds is no error of the fit, and the term becomes a constant quadratic in beta
(`laplacian_quadratic`). `BodyFitter` minimises a similar objective by Levenberg-Marquardt; `adam_torch` minimises this
one with the published solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose_lab.methods.body.clip_kinematics import BodyClip, pose_clip, pull_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.methods.body.mixture import MixturePrior

__all__ = [
    "BodyEnergy",
    "EnergyWeights",
    "LaplacianQuadratic",
    "joint_term",
    "laplacian_quadratic",
    "laplacian_term",
    "neighbour_pairs",
    "pose_term",
    "shape_term",
    "smoothness_term",
]


@dataclass(frozen=True)
class EnergyWeights:
    """Weights of the terms. With w = 1 / sigma^2 the first three make E twice the negative log posterior."""

    joints: float = 1.0
    pose: float = 2.0
    shape: float = 1.0
    smoothness: float = 100.0
    """[1/m^2]: a joint that moves 10 cm between frames costs 1."""
    laplacian: float = 10.0
    """[1/m^2]: over the population of bodies this term varies less than the shape prior."""


class LaplacianQuadratic(NamedTuple):
    """sum_v ||v - mean of its neighbours||^2 of the unposed surface = beta^T A beta + 2 b^T beta + c [m^2]."""

    matrix: NDArray[np.float64]
    """(B, B) A."""
    linear: NDArray[np.float64]
    """(B) b."""
    constant: float


def joint_term(
    positions_m: NDArray[np.float64], target_m: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return sum_t sum_i w_ti ||p_ti - m_ti||^2 and its gradient by the joints (T, 24, 3).

    Args:
        positions_m: (T, 24, 3) joints of the body [m].
        target_m: (T, 24, 3) measured joints [m]; not read where the weight is 0.
        weight: (T, 24) [1/m^2].
    """
    difference = np.where(weight[..., None] > 0.0, positions_m - target_m, 0.0)
    weighted = weight[..., None] * difference
    return float(np.sum(weighted * difference)), 2.0 * weighted


def smoothness_term(positions_m: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return sum_t sum_i ||p_ti - p_(t-1)i||^2 [m^2] and its gradient by the joints (T, 24, 3); 0 for one frame."""
    steps = np.diff(positions_m, axis=0)
    gradient = np.zeros_like(positions_m)
    gradient[1:] += 2.0 * steps
    gradient[:-1] -= 2.0 * steps
    return float(np.sum(steps**2)), gradient


def pose_term(rotations_rad: NDArray[np.float64], prior: MixturePrior) -> tuple[float, NDArray[np.float64]]:
    """Return -sum_t log p(theta_t) of rotations (T, 24, 3) [rad] and its gradient (T, 24, 3); the root is free."""
    values, gradients = prior.energy(rotations_rad[:, 1:].reshape(len(rotations_rad), -1))
    gradient = np.zeros_like(rotations_rad)
    gradient[:, 1:] = gradients.reshape(len(rotations_rad), -1, 3)
    return float(values.sum()), gradient


def shape_term(betas: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return ||beta||^2 and its gradient (n)."""
    return float(betas @ betas), 2.0 * betas


def laplacian_term(betas: NDArray[np.float64], quadratic: LaplacianQuadratic) -> tuple[float, NDArray[np.float64]]:
    """Return sum_v ||v - mean of its neighbours||^2 [m^2] of the unposed surface and its gradient (n)."""
    count = len(betas)
    product = quadratic.matrix[:count, :count] @ betas
    linear = quadratic.linear[:count]
    return float(betas @ product + 2.0 * linear @ betas + quadratic.constant), 2.0 * (product + linear)


def neighbour_pairs(model: BodyModel) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return vertex, neighbour and 1 / number of neighbours (P) of every pair of vertices that share an edge."""
    faces = model.faces.astype(np.int64)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(model.v_template))
    return pairs[:, 0], pairs[:, 1], 1.0 / counts[pairs[:, 0]]


@lru_cache(maxsize=4)
def laplacian_quadratic(model: BodyModel) -> LaplacianQuadratic:
    """Return the Laplacian term as a quadratic in the shape; a vertex without a triangle does not count.

    It is computed once a model.
    """
    vertex, neighbour, fraction = neighbour_pairs(model)
    shapes = model.shapedirs.astype(np.float64)
    stacked = np.concatenate([shapes, model.v_template.astype(np.float64)[..., None]], axis=-1)
    used = np.zeros((len(stacked), 1, 1))
    used[vertex] = 1.0
    difference = used * stacked
    np.subtract.at(difference, vertex, fraction[:, None, None] * stacked[neighbour])
    flat = difference.reshape(-1, stacked.shape[-1])
    gram = flat.T @ flat
    gram.flags.writeable = False
    return LaplacianQuadratic(gram[:-1, :-1], gram[:-1, -1], float(gram[-1, -1]))


class BodyEnergy:
    """The objective of a clip, the weighted sum of its terms."""

    def __init__(self, model: BodyModel, prior: MixturePrior, weights: EnergyWeights | None = None) -> None:
        """Compute the parts that do not depend on the unknowns."""
        self.model = model
        self.prior = prior
        self.weights = weights or EnergyWeights()
        self.laplacian = laplacian_quadratic(model)

    def evaluate(
        self, clip: BodyClip, target_m: NDArray[np.float64], joint_weight: NDArray[np.float64]
    ) -> tuple[float, BodyClip]:
        """Return E and its gradient by all body parameters.

        Args:
            clip: Parameters of T frames.
            target_m: (T, 24, 3) measured joints [m]; not read where the weight is 0.
            joint_weight: (T, 24) [1/m^2], 0 = missing.
        """
        weights = self.weights
        posed = pose_clip(self.model, clip)
        joints, by_joints = joint_term(posed.positions_m, target_m, joint_weight)
        steps, by_steps = smoothness_term(posed.positions_m)
        pose, by_rotations = pose_term(clip.rotations_rad, self.prior)
        shape, by_betas = shape_term(clip.betas)
        surface, by_surface = laplacian_term(clip.betas, self.laplacian)
        value = (
            weights.joints * joints
            + weights.pose * pose
            + weights.shape * shape
            + weights.smoothness * steps
            + weights.laplacian * surface
        )
        chain = pull_back(self.model, clip, posed, weights.joints * by_joints + weights.smoothness * by_steps)
        gradient = BodyClip(
            chain.betas + weights.shape * by_betas + weights.laplacian * by_surface,
            chain.rotations_rad + weights.pose * by_rotations,
            chain.translation_m,
        )
        return value, gradient

"""Levenberg-Marquardt on the published objective of one frame, the same function that `adam_torch` descends.

The mixture's -log p is no sum of squares. At a pose theta with component probabilities r_k it is below
sum_k r_k 1/2 (theta - mu_k)^T Sigma_k^-1 (theta - mu_k) + constant and touches it there (the bound of
expectation-maximisation), so that quadratic gives the exact gradient and a positive definite Hessian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.model import JOINT_COUNT, PARENTS
from rehab_pose.body.objective import add_ancestor_columns, joint_axes, shape_derivatives
from rehab_pose.errors import ContractError
from rehab_pose.geometry.joint_tree import pose_vectors
from rehab_pose.optimisation.levenberg_marquardt import Damping, Problem, Stopping, minimise
from rehab_pose_lab.methods.body.clip_kinematics import BodyClip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.body.energy import BodyEnergy

__all__ = ["EnergyFit", "minimise_energy"]

FIRST_ROTATION, FIRST_POSE, SHAPE_START = 3, 6, 3 + 3 * JOINT_COUNT
"""The unknowns: translation (3) [m], rotation vectors (24 x 3) [rad], the root's first, shape coefficients (B)."""
COLUMN_OF_JOINT = FIRST_ROTATION + 3 * np.arange(JOINT_COUNT)
DAMPING = Damping(first=1e-3, increase=8.0, decrease=0.2, maximum=1e8)
MIN_PROBABILITY = 1e-9
"""Components of the mixture that are less probable than this are left out of the Hessian."""


class EnergyFit(NamedTuple):
    """The lowest energy near a start."""

    clip: BodyClip
    """The body of one frame."""
    energy: float
    iterations: int


class _Terms(NamedTuple):
    """The constants of the objective, as arrays for compiled code; K components, B shape coefficients."""

    template: NDArray[np.float64]
    """(24, 3) joints at rest of the mean body [m]."""
    shapedirs: NDArray[np.float64]
    """(24, 3, B) their change with the shape coefficients [m]."""
    target_m: NDArray[np.float64]
    """(24, 3) measured joints [m]."""
    weight: NDArray[np.float64]
    """(24) of each joint, the weight of the joint term included [1/m^2]."""
    means: NDArray[np.float64]
    """(K, 69) of the mixture [rad]."""
    whitening: NDArray[np.float64]
    """(K, 69, 69) lower triangular, from a deviation to standard normal numbers."""
    precisions: NDArray[np.float64]
    """(K, 69, 69) inverse covariances."""
    log_scales: NDArray[np.float64]
    """(K) logarithm of each component's weight and normalisation."""
    pose_weight: float
    shape_matrix: NDArray[np.float64]
    """(B, B) A of the two shape terms, beta^T A beta + 2 b^T beta + c."""
    shape_linear: NDArray[np.float64]
    """(B) b."""
    shape_constant: float


class _Posed(NamedTuple):
    """The body at the candidate unknowns."""

    positions: NDArray[np.float64]
    """(24, 3) [m]."""
    rotations: NDArray[np.float64]
    """(24, 3, 3) global."""
    probabilities: NDArray[np.float64]
    """(K) of the mixture's components."""


class _State(NamedTuple):
    """The unknowns (N) and the arrays of the search."""

    terms: _Terms
    posed: _Posed
    current: NDArray[np.float64]
    candidate: NDArray[np.float64]
    hessian: NDArray[np.float64]
    """(N, N)."""
    gradient: NDArray[np.float64]
    """(N)."""


def _cost(state: _State) -> float:
    return float(_value(state.candidate, state.terms, state.posed))


def _linearise(state: _State) -> None:
    _equations(state.current, state.terms, state.posed, state.hessian, state.gradient)


def _step(state: _State, damping: float) -> bool:
    damped = state.hessian.copy()
    np.fill_diagonal(damped, (1.0 + damping) * np.diag(state.hessian))
    state.candidate[:] = state.current - np.linalg.solve(damped, state.gradient)
    return True


def _accept(state: _State) -> None:
    state.current[:] = state.candidate


PROBLEM = Problem(cost=_cost, linearise=_linearise, step=_step, accept=_accept)


def minimise_energy(
    energy: BodyEnergy,
    start: BodyClip,
    target_m: NDArray[np.float64],
    joint_weight: NDArray[np.float64],
    *,
    max_iterations: int = 40,
    tolerance: float = 1e-3,
    good_enough: float = -np.inf,
) -> EnergyFit:
    """Return the body of one frame with the lowest energy near a start.

    Args:
        energy: The objective.
        start: One frame.
        target_m: (24, 3) measured joints [m]; not read where the weight is 0.
        joint_weight: (24) [1/m^2], 0 = missing.
        max_iterations: Steps tried at most.
        tolerance: Stop when a step lowers E by less than this.
        good_enough: Stop when E is below this.

    Raises:
        ContractError: The start has more than one frame.
    """
    if len(start.rotations_rad) != 1 or target_m.shape != (JOINT_COUNT, 3):
        msg = f"minimise_energy: expected one frame, got {len(start.rotations_rad)} and joints {target_m.shape}"
        raise ContractError(msg)
    terms = _terms(energy, len(start.betas), target_m, joint_weight)
    unknowns = np.concatenate([start.translation_m[0], start.rotations_rad[0].ravel(), start.betas])
    size, components = len(unknowns), len(terms.means)
    posed = _Posed(np.empty((JOINT_COUNT, 3)), np.empty((JOINT_COUNT, 3, 3)), np.empty(components))
    state = _State(terms, posed, unknowns, unknowns.copy(), np.empty((size, size)), np.empty(size))
    stopping = Stopping(max_iterations, 0.0, absolute_gain=tolerance, sufficient_cost=good_enough)
    solution = minimise(PROBLEM, state, DAMPING, stopping)
    rotations_rad = state.current[FIRST_ROTATION:SHAPE_START].reshape(1, JOINT_COUNT, 3)
    clip = BodyClip(state.current[SHAPE_START:], rotations_rad, state.current[None, :FIRST_ROTATION])
    return EnergyFit(clip, solution.cost, solution.iterations)


def _terms(energy: BodyEnergy, shapes: int, target_m: NDArray[np.float64], joint_weight: NDArray[np.float64]) -> _Terms:
    model, prior, weights = energy.model, energy.prior, energy.weights
    matrix = weights.shape * np.eye(shapes) + weights.laplacian * energy.laplacian.matrix[:shapes, :shapes]
    return _Terms(
        model.joint_template,
        np.ascontiguousarray(model.joint_shapedirs[..., :shapes]),
        np.array(target_m, dtype=np.float64),
        weights.joints * joint_weight,
        np.array(prior.means),
        prior.whitening,
        prior.precisions,
        prior.log_scales,
        float(weights.pose),
        matrix,
        weights.laplacian * energy.laplacian.linear[:shapes],
        float(weights.laplacian * energy.laplacian.constant),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pose_energy(theta: NDArray[np.float64], terms: _Terms, probabilities: NDArray[np.float64]) -> float:
    """Return -log p of a pose (69) [rad] and write the components' probabilities (K)."""
    count, size = terms.means.shape
    for k in range(count):
        square = 0.0
        for i in range(size):
            white = 0.0
            for j in range(i + 1):
                white += terms.whitening[k, i, j] * (theta[j] - terms.means[k, j])
            square += white * white
        probabilities[k] = terms.log_scales[k] - 0.5 * square
    top = probabilities.max()
    total = 0.0
    for k in range(count):
        probabilities[k] = np.exp(probabilities[k] - top)
        total += probabilities[k]
    for k in range(count):
        probabilities[k] /= total
    return float(-top - np.log(total))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _value(unknowns: NDArray[np.float64], terms: _Terms, posed: _Posed) -> float:
    """Return E; write the joints and the components' probabilities."""
    betas = unknowns[SHAPE_START:]
    rest = terms.template.copy()
    for joint in range(JOINT_COUNT):
        for i in range(3):
            for b in range(betas.shape[0]):
                rest[joint, i] += terms.shapedirs[joint, i, b] * betas[b]
    rotations_rad = unknowns[FIRST_ROTATION:SHAPE_START].reshape((JOINT_COUNT, 3))
    pose_vectors(PARENTS, rest, rotations_rad, unknowns[:FIRST_ROTATION], posed.positions, posed.rotations)
    total = terms.shape_constant
    for joint in range(JOINT_COUNT):
        if terms.weight[joint] > 0.0:
            for i in range(3):
                total += terms.weight[joint] * (posed.positions[joint, i] - terms.target_m[joint, i]) ** 2
    for b in range(betas.shape[0]):
        total += 2.0 * terms.shape_linear[b] * betas[b]
        for c in range(betas.shape[0]):
            total += betas[b] * terms.shape_matrix[b, c] * betas[c]
    theta = unknowns[FIRST_POSE:SHAPE_START]
    return float(total + terms.pose_weight * _pose_energy(theta, terms, posed.probabilities))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_priors(
    unknowns: NDArray[np.float64],
    terms: _Terms,
    probabilities: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add half the Hessian and half the gradient of the mixture's bound and of the shape terms."""
    for k in range(probabilities.shape[0]):
        scale = 0.5 * terms.pose_weight * probabilities[k]
        if probabilities[k] < MIN_PROBABILITY:
            continue
        for i in range(terms.means.shape[1]):
            total = 0.0
            for j in range(terms.means.shape[1]):
                precision = scale * terms.precisions[k, i, j]
                hessian[FIRST_POSE + i, FIRST_POSE + j] += precision
                total += precision * (unknowns[FIRST_POSE + j] - terms.means[k, j])
            gradient[FIRST_POSE + i] += total
    for b in range(terms.shape_linear.shape[0]):
        gradient[SHAPE_START + b] += terms.shape_linear[b]
        for c in range(terms.shape_linear.shape[0]):
            hessian[SHAPE_START + b, SHAPE_START + c] += terms.shape_matrix[b, c]
            gradient[SHAPE_START + b] += terms.shape_matrix[b, c] * unknowns[SHAPE_START + c]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _equations(
    unknowns: NDArray[np.float64],
    terms: _Terms,
    posed: _Posed,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Write half the Hessian (Gauss-Newton; the mixture's bound) and half the gradient of E at the posed body."""
    shapes = terms.shapedirs.shape[2]
    axes, by_shape = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, shapes))
    joint_axes(unknowns, COLUMN_OF_JOINT, posed.rotations, axes)
    shape_derivatives(posed.rotations, terms.shapedirs, by_shape)
    columns, block = np.empty(unknowns.shape[0], dtype=np.int64), np.empty((3, unknowns.shape[0]))
    hessian[:] = 0.0
    gradient[:] = 0.0
    for joint in range(JOINT_COUNT):
        weight = terms.weight[joint]
        if weight <= 0.0:
            continue
        count = add_ancestor_columns(joint, posed.positions, axes, COLUMN_OF_JOINT, columns, block)
        for b in range(shapes):
            columns[count] = SHAPE_START + b
            for i in range(3):
                block[i, count] = by_shape[joint, i, b]
            count += 1
        for a in range(count):
            x, y, z = weight * block[0, a], weight * block[1, a], weight * block[2, a]
            row = columns[a]
            for i in range(3):
                gradient[row] += weight * block[i, a] * (posed.positions[joint, i] - terms.target_m[joint, i])
            for c in range(count):
                hessian[row, columns[c]] += x * block[0, c] + y * block[1, c] + z * block[2, c]
    _add_priors(unknowns, terms, posed.probabilities, hessian, gradient)

"""Levenberg-Marquardt on the published objective of one frame: the same function that `adam_torch` descends.

The mixture's -log p is no sum of squares. At a posture theta with shares r_k it lies below
sum_k r_k 1/2 (theta - mu_k)^T Sigma_k^-1 (theta - mu_k) + constant and touches it there (the bound of
expectation-maximisation), so that quadratic gives its exact gradient and a safe Hessian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.objective import left_jacobian, shape_derivatives
from rehab_pose.body.skinning import PARENTS, chain
from rehab_pose.errors import ContractError
from rehab_pose_lab.methods.body.clip_kinematics import BodyClip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.body.energy import BodyEnergy

__all__ = ["EnergyFit", "minimise_energy"]

JOINT_COUNT = len(PARENTS)
FIRST_ROTATION, FIRST_POSTURE, SHAPE_START = 3, 6, 3 + 3 * JOINT_COUNT
"""The unknowns: translation (3) [m], rotations (24 x 3) [rad], shape (B)."""
FIRST_DAMPING, DAMPING_UP, DAMPING_DOWN, MAX_DAMPING = 1e-3, 8.0, 0.2, 1e8


class EnergyFit(NamedTuple):
    """What was found."""

    clip: BodyClip
    """One frame."""
    energy: float
    iterations: int


class _Terms(NamedTuple):
    """The arrays of the objective, as compiled code takes them."""

    template: NDArray[np.float64]
    """(24, 3) joints at rest of the mean body [m]."""
    shapedirs: NDArray[np.float64]
    """(24, 3, B)."""
    target_m: NDArray[np.float64]
    """(24, 3)."""
    weight: NDArray[np.float64]
    """(24), already times the joints' weight."""
    means: NDArray[np.float64]
    whitening: NDArray[np.float64]
    precisions: NDArray[np.float64]
    log_scales: NDArray[np.float64]
    posture_weight: float
    shape_matrix: NDArray[np.float64]
    """(B, B) A of the two terms of the shape, beta^T A beta + 2 b^T beta + c."""
    shape_linear: NDArray[np.float64]
    shape_constant: float


class _Pose(NamedTuple):
    positions: NDArray[np.float64]
    """(24, 3) [m]."""
    rotations: NDArray[np.float64]
    """(24, 3, 3)."""
    shares: NDArray[np.float64]
    """(K) of the mixture's components."""


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
    size = len(unknowns)
    pose, tried_pose = _empty_pose(len(terms.means)), _empty_pose(len(terms.means))
    hessian, gradient = np.empty((size, size)), np.empty(size)
    best = _value(unknowns, terms, pose)
    damping, stale, iteration = FIRST_DAMPING, True, 0
    diagonal = np.arange(size)
    for iteration in range(1, max_iterations + 1):  # noqa: B007  (how many it took is part of the answer)
        if stale:
            _equations(unknowns, terms, pose, hessian, gradient)
        damped = hessian.copy()
        damped[diagonal, diagonal] *= 1.0 + damping
        candidate = unknowns - np.linalg.solve(damped, gradient)
        tried = _value(candidate, terms, tried_pose)
        stale = tried <= best
        if stale:
            gain, best, unknowns = best - tried, tried, candidate
            pose, tried_pose = tried_pose, pose
            damping *= DAMPING_DOWN
            if gain <= tolerance or best < good_enough:
                break
        else:
            damping *= DAMPING_UP
            if damping > MAX_DAMPING:
                break
    turns = unknowns[FIRST_ROTATION:SHAPE_START].reshape(1, JOINT_COUNT, 3)
    return EnergyFit(BodyClip(unknowns[SHAPE_START:], turns, unknowns[None, :FIRST_ROTATION]), best, iteration)


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
        float(weights.posture),
        matrix,
        weights.laplacian * energy.laplacian.linear[:shapes],
        float(weights.laplacian * energy.laplacian.constant),
    )


def _empty_pose(components: int) -> _Pose:
    return _Pose(np.empty((JOINT_COUNT, 3)), np.empty((JOINT_COUNT, 3, 3)), np.empty(components))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _posture_energy(theta: NDArray[np.float64], terms: _Terms, shares: NDArray[np.float64]) -> float:
    """Return -log p and write the components' shares."""
    count, size = terms.means.shape
    for k in range(count):
        square = 0.0
        for i in range(size):
            white = 0.0
            for j in range(i + 1):
                white += terms.whitening[k, i, j] * (theta[j] - terms.means[k, j])
            square += white * white
        shares[k] = terms.log_scales[k] - 0.5 * square
    top = shares.max()
    total = 0.0
    for k in range(count):
        shares[k] = np.exp(shares[k] - top)
        total += shares[k]
    for k in range(count):
        shares[k] /= total
    return float(-top - np.log(total))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _value(unknowns: NDArray[np.float64], terms: _Terms, pose: _Pose) -> float:
    """Return E; write joints and shares."""
    betas = unknowns[SHAPE_START:]
    rest = terms.template.copy()
    for joint in range(JOINT_COUNT):
        for i in range(3):
            for b in range(betas.shape[0]):
                rest[joint, i] += terms.shapedirs[joint, i, b] * betas[b]
    turns = unknowns[FIRST_ROTATION:SHAPE_START].reshape((JOINT_COUNT, 3))
    chain(rest, turns, unknowns[:FIRST_ROTATION], pose.positions, pose.rotations)
    total = terms.shape_constant
    for joint in range(JOINT_COUNT):
        if terms.weight[joint] > 0.0:
            for i in range(3):
                total += terms.weight[joint] * (pose.positions[joint, i] - terms.target_m[joint, i]) ** 2
    for b in range(betas.shape[0]):
        total += 2.0 * terms.shape_linear[b] * betas[b]
        for c in range(betas.shape[0]):
            total += betas[b] * terms.shape_matrix[b, c] * betas[c]
    theta = unknowns[FIRST_POSTURE:SHAPE_START]
    return float(total + terms.posture_weight * _posture_energy(theta, terms, pose.shares))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _derivatives(
    unknowns: NDArray[np.float64],
    shapedirs: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    by_shape: NDArray[np.float64],
) -> None:
    """Write the axes (24, 3, 3) about which unknowns turn what lies below, and the joints' change with shape."""
    shape_derivatives(rotations, shapedirs, by_shape)
    local = np.empty((3, 3))
    identity = np.eye(3)
    for joint in range(JOINT_COUNT):
        parent, place = PARENTS[joint], FIRST_ROTATION + 3 * joint
        left_jacobian(unknowns[place], unknowns[place + 1], unknowns[place + 2], local)
        turn = identity if parent < 0 else rotations[parent]
        for i in range(3):
            for j in range(3):
                axes[joint, i, j] = turn[i, 0] * local[0, j] + turn[i, 1] * local[1, j] + turn[i, 2] * local[2, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _row_block(
    joint: int, pose: _Pose, axes: NDArray[np.float64], columns: NDArray[np.int64], block: NDArray[np.float64]
) -> int:
    """Write the unknowns of translation and rotation that move a joint, and the derivative by them; return how many."""
    block[:, :3] = np.eye(3)
    for i in range(3):
        columns[i] = i
    count, above = 3, PARENTS[joint]
    while above >= 0:
        reach = pose.positions[joint] - pose.positions[above]
        for i in range(3):
            x, y, z = axes[above, 0, i], axes[above, 1, i], axes[above, 2, i]
            columns[count] = FIRST_ROTATION + 3 * above + i
            block[0, count] = y * reach[2] - z * reach[1]
            block[1, count] = z * reach[0] - x * reach[2]
            block[2, count] = x * reach[1] - y * reach[0]
            count += 1
        above = PARENTS[above]
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_priors(
    unknowns: NDArray[np.float64],
    terms: _Terms,
    shares: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add half the Hessian and half the gradient of the mixture's bound and of the shape's terms."""
    for k in range(shares.shape[0]):
        scale = 0.5 * terms.posture_weight * shares[k]
        if shares[k] < 1e-9:
            continue
        for i in range(terms.means.shape[1]):
            total = 0.0
            for j in range(terms.means.shape[1]):
                precision = scale * terms.precisions[k, i, j]
                hessian[FIRST_POSTURE + i, FIRST_POSTURE + j] += precision
                total += precision * (unknowns[FIRST_POSTURE + j] - terms.means[k, j])
            gradient[FIRST_POSTURE + i] += total
    for b in range(terms.shape_linear.shape[0]):
        gradient[SHAPE_START + b] += terms.shape_linear[b]
        for c in range(terms.shape_linear.shape[0]):
            hessian[SHAPE_START + b, SHAPE_START + c] += terms.shape_matrix[b, c]
            gradient[SHAPE_START + b] += terms.shape_matrix[b, c] * unknowns[SHAPE_START + c]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _equations(
    unknowns: NDArray[np.float64],
    terms: _Terms,
    pose: _Pose,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Write half the Hessian (Gauss-Newton; the mixture's bound) and half the gradient of E at a pose."""
    shapes = terms.shapedirs.shape[2]
    axes, by_shape = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, shapes))
    _derivatives(unknowns, terms.shapedirs, pose.rotations, axes, by_shape)
    columns, block = np.empty(unknowns.shape[0], dtype=np.int64), np.empty((3, unknowns.shape[0]))
    hessian[:] = 0.0
    gradient[:] = 0.0
    for joint in range(JOINT_COUNT):
        weight = terms.weight[joint]
        if weight <= 0.0:
            continue
        count = _row_block(joint, pose, axes, columns, block)
        for b in range(shapes):
            columns[count] = SHAPE_START + b
            for i in range(3):
                block[i, count] = by_shape[joint, i, b]
            count += 1
        for a in range(count):
            x, y, z = weight * block[0, a], weight * block[1, a], weight * block[2, a]
            row = columns[a]
            for i in range(3):
                gradient[row] += weight * block[i, a] * (pose.positions[joint, i] - terms.target_m[joint, i])
            for c in range(count):
                hessian[row, columns[c]] += x * block[0, c] + y * block[1, c] + z * block[2, c]
    _add_priors(unknowns, terms, pose.shares, hessian, gradient)

"""The mixture pose prior: the density of a pose among recorded people (Eq 25 of 3D-PoseFormer; SMPLify, 2016).

    E(theta) = -log sum_k g_k N(theta; mu_k, Sigma_k),   theta = rotation vectors of joints 1 to 23, 69 numbers [rad]

The mixture in this package is learnt by `rehab-pose-lab train pose-prior`; SMPLify's own `gmm_08.pkl` is read from
the user's path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import READ_ERRORS, ArrayFile
from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["POSE_MIXTURE_PATH", "POSE_SIZE", "MixturePrior", "load_mixture_prior"]

POSE_MIXTURE_PATH = Path(__file__).with_name("pose_mixture.npz")
POSE_SIZE = 3 * (len(SMPL_24) - 1)
"""Numbers in the rotation vectors of all joints but the root."""
NEEDED = ("means", "covars", "weights")


@dataclass(frozen=True, eq=False)
class MixturePrior:
    """A mixture of K Gaussians over poses."""

    means: NDArray[np.float64]
    """(K, 69) [rad]."""
    covars: NDArray[np.float64]
    """(K, 69, 69) symmetric, positive definite [rad^2]."""
    weights: NDArray[np.float64]
    """(K) positive; they are scaled to sum to 1."""

    def __post_init__(self) -> None:
        """Check shapes, and that these are Gaussians.

        Raises:
            ContractError: They are not.
        """
        means = frozen("means", self.means, ("K", POSE_SIZE), np.float64)
        covars = np.asarray(self.covars, dtype=np.float64)
        covars = frozen("covars", covars, (len(means), POSE_SIZE, POSE_SIZE), np.float64)
        weights = np.asarray(self.weights, dtype=np.float64)
        weights = frozen("weights", weights, (len(means),), np.float64)
        for name, array in (("means", means), ("covars", covars), ("weights", weights)):
            if not np.isfinite(array).all():
                msg = f"{name}: expected finite numbers, got NaN or infinity"
                raise ContractError(msg)
        if not len(weights) or (weights <= 0.0).any():
            msg = f"weights: expected positive numbers, got {weights.tolist()}"
            raise ContractError(msg)
        if not np.allclose(covars, covars.swapaxes(1, 2), rtol=1e-4, atol=1e-8):
            msg = "covars: expected symmetric matrices"
            raise ContractError(msg)
        object.__setattr__(self, "means", means)
        object.__setattr__(
            self, "covars", frozen("covars", 0.5 * (covars + covars.swapaxes(1, 2)), covars.shape, np.float64)
        )
        object.__setattr__(self, "weights", frozen("weights", weights / weights.sum(), weights.shape, np.float64))
        try:
            _ = self.whitening
        except np.linalg.LinAlgError as error:
            msg = "covars: expected positive definite matrices"
            raise ContractError(msg) from error

    @cached_property
    def whitening(self) -> NDArray[np.float64]:
        """(K, 69, 69) lower triangular U_k with U_k^T U_k = Sigma_k^-1: U_k (theta - mu_k) has unit covariance."""
        factors = np.linalg.cholesky(self.covars)
        identity = np.eye(POSE_SIZE)
        return np.tril(np.stack([np.linalg.solve(factor, identity) for factor in factors]))

    @cached_property
    def log_scales(self) -> NDArray[np.float64]:
        """(K) log g_k - 69/2 log 2 pi - 1/2 log det Sigma_k: the log density of component k at its centre."""
        determinants = np.log(np.diagonal(self.whitening, axis1=1, axis2=2)).sum(axis=1)
        scales: NDArray[np.float64] = np.log(self.weights) - 0.5 * POSE_SIZE * np.log(2.0 * np.pi) + determinants
        return scales

    @cached_property
    def precisions(self) -> NDArray[np.float64]:
        """(K, 69, 69) Sigma_k^-1 [1/rad^2]."""
        return np.ascontiguousarray(self.whitening.swapaxes(1, 2) @ self.whitening)

    def log_densities(self, theta: NDArray[Any]) -> NDArray[np.float64]:
        """Return log g_k N(theta; mu_k, Sigma_k) (..., K) of poses (..., 69) [rad]."""
        logs, _ = self._log_densities(np.asarray(theta, dtype=np.float64))
        return logs

    def energy(self, theta: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return -log p (...) of poses (..., 69) [rad] and its gradient (..., 69).

        With r_k the probability of component k at theta, the gradient is sum_k r_k Sigma_k^-1 (theta - mu_k).
        """
        logs, white = self._log_densities(np.asarray(theta, dtype=np.float64))
        top = logs.max(axis=-1, keepdims=True)
        likelihoods = np.exp(logs - top)
        total = likelihoods.sum(axis=-1, keepdims=True)
        value = -(top + np.log(total))[..., 0]
        probabilities = likelihoods / total
        return value, np.einsum("...k,...ki,kij->...j", probabilities, white, self.whitening, optimize=True)

    def quadratic(self, theta: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return centre c (69) and precision P (69, 69) of the most probable component at a pose (69).

        E is about constant + 1/2 (theta - c)^T P (theta - c) there: what Levenberg-Marquardt adds to its equations.
        """
        best = int(np.argmax(self.log_densities(theta)))
        return self.means[best], self.precisions[best]

    def _log_densities(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log densities (..., K) and the whitened differences (..., K, 69)."""
        if theta.shape[-1:] != (POSE_SIZE,):
            msg = f"theta: expected rotations of 23 joints, {POSE_SIZE} numbers, got {theta.shape}"
            raise ContractError(msg)
        white = ((theta[..., None, :] - self.means)[..., None, :] @ self.whitening.swapaxes(1, 2))[..., 0, :]
        return self.log_scales - 0.5 * (white * white).sum(axis=-1), white


def load_mixture_prior(path: str = "") -> MixturePrior:
    """Load a mixture.

    Args:
        path: SMPLify's `gmm_08.pkl`, a .npz with the same names, or '' for the one in this package.

    Raises:
        ModelFileError: The file is missing, damaged, holds code, or is not a mixture over 23 joints.
    """
    file = Path(path) if path else POSE_MIXTURE_PATH
    if not file.is_file() or file.suffix not in {".npz", ".pkl"}:
        msg = f"pose mixture: expected a .npz or .pkl file, got {file}; '' is the one in this package"
        raise ModelFileError(msg)
    arrays = _read(file, file.read_bytes())
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        msg = f"pose mixture: {file} lacks {', '.join(missing)}; expected {', '.join(NEEDED)}, as in gmm_08.pkl"
        raise ModelFileError(msg)
    try:
        return MixturePrior(**{name: np.asarray(arrays[name]).astype(np.float64) for name in NEEDED})
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        msg = f"pose mixture: {file} is not a mixture over {POSE_SIZE} rotations: {error}"
        raise ModelFileError(msg) from error


def _read(file: Path, content: bytes) -> Mapping[str, object]:
    try:
        if file.suffix == ".pkl":
            loaded = load_restricted_pickle(content)
        else:
            with ArrayFile(content) as archive:
                loaded = dict(archive)
    except RefusedPickleError as error:
        msg = f"pose mixture: {file}: {error}"
        raise ModelFileError(msg) from error
    except READ_ERRORS as error:
        msg = f"pose mixture: {file} ({len(content)} bytes) is damaged or not a .npz of plain arrays: {error}"
        raise ModelFileError(msg) from error
    if not isinstance(loaded, dict):
        msg = f"pose mixture: {file}: expected a dictionary of arrays, got {type(loaded).__name__}"
        raise ModelFileError(msg)
    return loaded

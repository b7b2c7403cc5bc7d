"""Learn the mixture pose prior: expectation-maximisation on poses of recorded people, in numpy.

The poses are fits to recorded joints (`pose_library`). Each one is also mirrored, so that the prior is symmetric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.body.objective import MOVING_JOINTS
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.methods.body.mixture import POSE_SIZE, MixturePrior
from rehab_pose_lab.training.pose_library import fit_poses, load_or_make_poses, make_pose_library, recorded_clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["MixtureFit", "fit_mixture", "poses_as_vectors", "train_pose_prior"]

COMPONENTS = 8
"""Number of Gaussians, as in SMPLify's gmm_08 (Bogo et al. 2016)."""
LIBRARY_SEED = 3
MOVING_RIDGE_RAD = 0.1
"""Standard deviation added to every component: twist, which joint positions do not determine, varies less in the fits
than in people [rad]."""
END_STD_RAD = 0.3
"""Standard deviation of head, hands and feet: joint positions do not determine their rotations, the fits leave them at
zero [rad]."""
LLOYD_ROUNDS = 10
"""Rounds of k-means before expectation-maximisation."""
MAX_ROUNDS = 200
TOLERANCE = 1e-5
"""Expectation-maximisation ends when a round adds less than this to the mean log likelihood [nats]."""
STARTS = 3
"""Random starts; the result with the highest likelihood is kept."""
HELD_OUT_FRAMES = 16
"""Frames of each held-out clip that the prior is evaluated on."""


class MixtureFit(NamedTuple):
    """Result of expectation-maximisation."""

    prior: MixturePrior
    log_likelihoods: NDArray[np.float64]
    """(rounds) mean log likelihood of the data before every round [nats]."""


def train_pose_prior(root: Path, output: Path, seed: int) -> dict[str, float]:
    """Learn the mixture, write it to `pose_mixture.npz` and return its metrics.

    Args:
        root: Folder with one folder per data set.
        output: Folder for the mixture and for the fitted poses, which are reused by later runs.
        seed: Seed of the starts.

    Raises:
        RecordingError: The folder contains none of the data sets.
    """
    library = make_pose_library(root, output / "poses.npz", LIBRARY_SEED)
    data, held_out = poses_as_vectors(library), poses_as_vectors(_held_out_poses(root, output))
    ridge = _ridge_variances()
    best = max(
        (fit_mixture(data, COMPONENTS, ridge, seed=seed + start) for start in range(STARTS)),
        key=lambda fit: float(fit.log_likelihoods[-1]),
    )
    single = fit_mixture(data, 1, ridge, seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(best.prior, name).astype(np.float32) for name in ("means", "covars", "weights")}
    np.savez_compressed(output / "pose_mixture.npz", **arrays)
    return {
        "poses": float(len(data)),
        "poses held out": float(len(held_out)),
        "log likelihood": _mean_log_likelihood(best.prior, data),
        "log likelihood held out": _mean_log_likelihood(best.prior, held_out),
        "one Gaussian held out": _mean_log_likelihood(single.prior, held_out),
        "smallest weight": float(best.prior.weights.min()),
    }


def poses_as_vectors(rotations_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return poses (N, 24, 3) [rad] and their mirror images as (2 N, 69), without the root and with angles up to pi."""
    shortest = axis_angles_from_matrices(matrices_from_axis_angles(rotations_rad))
    mirrored = shortest[:, SMPL_24.mirror] * np.array([1.0, -1.0, -1.0])
    return np.concatenate([shortest, mirrored])[:, 1:].reshape(-1, POSE_SIZE)


def fit_mixture(
    data: NDArray[np.float64], components: int, ridge: NDArray[np.float64], *, seed: int, max_rounds: int = MAX_ROUNDS
) -> MixtureFit:
    """Return the mixture that expectation-maximisation finds from a k-means++ start.

    Args:
        data: (N, 69) rotation vectors [rad].
        components: Number of Gaussians.
        ridge: (69) variance added to the diagonal of every covariance [rad^2].
        seed: Seed of the start.
        max_rounds: Maximum number of rounds.
    """
    weights = np.eye(components)[_clusters(data, components, np.random.default_rng(seed))]
    prior = _gaussians(data, weights, ridge)
    history: list[float] = []
    for _ in range(max_rounds):
        logs = prior.log_densities(data)
        top = logs.max(axis=1, keepdims=True)
        densities = np.exp(logs - top)
        total = densities.sum(axis=1, keepdims=True)
        history.append(float(np.mean(top + np.log(total))))
        if len(history) > 1 and history[-1] - history[-2] < TOLERANCE:
            break
        prior = _gaussians(data, densities / total, ridge)
    return MixtureFit(prior, np.array(history))


def _gaussians(data: NDArray[np.float64], weights: NDArray[np.float64], ridge: NDArray[np.float64]) -> MixturePrior:
    """Return the mixture that is most likely for data (N, 69) with responsibilities (N, K): the M step."""
    counts = weights.sum(axis=0) + 1e-9
    means = weights.T @ data / counts[:, None]
    covars = np.empty((len(counts), POSE_SIZE, POSE_SIZE))
    for k, mean in enumerate(means):
        centred = data - mean
        covars[k] = (weights[:, k, None] * centred).T @ centred / counts[k] + np.diag(ridge)
    return MixturePrior(means, covars, counts / counts.sum())


def _clusters(data: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return the cluster of every row (N): k-means++ start (Arthur and Vassilvitskii 2007), then Lloyd's algorithm."""
    centres = data[random.integers(len(data))][None]
    while len(centres) < count:
        nearest = _square_distances(data, centres).min(axis=1)
        chosen = random.choice(len(data), p=nearest / nearest.sum()) if nearest.sum() > 0 else 0
        centres = np.concatenate([centres, data[chosen][None]])
    labels = np.zeros(len(data), dtype=np.int64)
    for _ in range(LLOYD_ROUNDS):
        labels = np.argmin(_square_distances(data, centres), axis=1)
        centres = np.stack(
            [data[labels == k].mean(axis=0) if (labels == k).any() else centres[k] for k in range(count)]
        )
    return labels


def _square_distances(data: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared distances (N, K) of data (N, 69) from centres (K, 69)."""
    return np.stack([np.sum((data - centre) ** 2, axis=1) for centre in centres], axis=1)


def _ridge_variances() -> NDArray[np.float64]:
    """Return the variances (69) that are added to every covariance [rad^2]."""
    std_rad = np.full((len(SMPL_24), 3), END_STD_RAD)
    std_rad[MOVING_JOINTS] = MOVING_RIDGE_RAD
    return np.asarray(std_rad[1:].ravel() ** 2)


def _mean_log_likelihood(prior: MixturePrior, data: NDArray[np.float64]) -> float:
    return float(-np.mean(prior.energy(data)[0]))


def _held_out_poses(root: Path, output: Path) -> NDArray[np.float64]:
    """Return poses (N, 24, 3) [rad] of the subjects that the library leaves out, from a file if there is one."""

    def choose(_clip: Clip, count: int) -> NDArray[np.int64]:
        places = np.linspace(0, count - 1, min(HELD_OUT_FRAMES, count))
        return np.unique(places.round().astype(np.int64))

    return load_or_make_poses(
        output / "held_out_poses.npz", lambda: fit_poses(recorded_clips(root)[1], choose, "held-out poses")
    )

"""Learn the mixture pose prior: expectation-maximisation on postures of recorded people, in numpy.

The postures are fits to recorded joints (`posture_library`), each also mirrored, so that the prior favours no side.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.objective import MOVING_JOINTS
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.methods.body.mixture import POSTURE_SIZE, MixturePrior
from rehab_pose_lab.training.posture_library import make_posture_library, recorded_clips
from rehab_pose_lab.training.recorded_motion import fitted_rotations

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["MixtureFit", "fit_mixture", "postures_as_vectors", "train_posture_prior"]

logger = logging.getLogger(__name__)

COMPONENTS = 8
"""As many as SMPLify's gmm_08."""
LIBRARY_SEED = 3
MOVING_RIDGE_RAD = 0.1
"""Added to every component's spread: what a fit to joints cannot see (twist) varies less in the fits than in people."""
END_SPREAD_RAD = 0.3
"""Spread of head, hands and feet, whose own rotations no joint position shows: the fits leave them at zero."""
LLOYD_ROUNDS = 10
MAX_ROUNDS = 200
TOLERANCE = 1e-5
"""A round that adds less than this to the mean log likelihood is the last [nats]."""
STARTS = 3
"""Starts of which the likeliest result is kept."""
HELD_OUT_FRAMES, HELD_OUT_EVERY_S = 16, 0.3


class MixtureFit(NamedTuple):
    """What expectation-maximisation found."""

    prior: MixturePrior
    log_likelihoods: NDArray[np.float64]
    """Mean log likelihood of the data before every round [nats]."""


def train_posture_prior(root: Path, output: Path, seed: int) -> dict[str, float]:
    """Learn the mixture, write `posture_mixture.npz` and return its figures.

    Args:
        root: Folder with one folder a data set.
        output: Folder for the mixture and for the postures, which are fitted once.
        seed: Of the starts.

    Raises:
        RecordingError: No data set is there.
    """
    library = make_posture_library(root, output / "postures.npz", LIBRARY_SEED)
    data, held_out = postures_as_vectors(library), postures_as_vectors(_held_out_postures(root, output))
    ridge = _ridge_variances()
    best = max(
        (fit_mixture(data, COMPONENTS, ridge, seed=seed + start) for start in range(STARTS)),
        key=lambda fit: float(fit.log_likelihoods[-1]),
    )
    single = fit_mixture(data, 1, ridge, seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(best.prior, name).astype(np.float32) for name in ("means", "covars", "weights")}
    np.savez_compressed(output / "posture_mixture.npz", **arrays)
    return {
        "postures": float(len(data)),
        "postures held out": float(len(held_out)),
        "log likelihood": _mean_log_likelihood(best.prior, data),
        "log likelihood held out": _mean_log_likelihood(best.prior, held_out),
        "one Gaussian held out": _mean_log_likelihood(single.prior, held_out),
        "smallest weight": float(best.prior.weights.min()),
    }


def postures_as_vectors(rotations_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return postures (N, 24, 3) [rad] and their mirror images as (2 N, 69) without the root, no angle above pi."""
    shortest = axis_angles_from_matrices(matrices_from_axis_angles(rotations_rad))
    mirrored = shortest[:, SMPL_24.mirror] * np.array([1.0, -1.0, -1.0])
    return np.concatenate([shortest, mirrored])[:, 1:].reshape(-1, POSTURE_SIZE)


def fit_mixture(
    data: NDArray[np.float64], components: int, ridge: NDArray[np.float64], *, seed: int, max_rounds: int = MAX_ROUNDS
) -> MixtureFit:
    """Return the mixture that expectation-maximisation finds from a k-means++ start.

    Args:
        data: (N, 69).
        components: Number of Gaussians.
        ridge: (69) variance added to the diagonal of every covariance.
        seed: Of the start.
        max_rounds: Rounds at most.
    """
    shares = np.eye(components)[_clusters(data, components, np.random.default_rng(seed))]
    prior = _gaussians(data, shares, ridge)
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


def _gaussians(data: NDArray[np.float64], shares: NDArray[np.float64], ridge: NDArray[np.float64]) -> MixturePrior:
    """Return the mixture of which the data (N, 69) are drawn with shares (N, K): the M step."""
    counts = shares.sum(axis=0) + 1e-9
    means = shares.T @ data / counts[:, None]
    covars = np.empty((len(counts), POSTURE_SIZE, POSTURE_SIZE))
    for k, mean in enumerate(means):
        centred = data - mean
        covars[k] = (shares[:, k, None] * centred).T @ centred / counts[k] + np.diag(ridge)
    return MixturePrior(means, covars, counts / counts.sum())


def _clusters(data: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return a cluster (N) of every row: k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's rounds."""
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
    """Return (N, K) squared distances."""
    return np.stack([np.sum((data - centre) ** 2, axis=1) for centre in centres], axis=1)


def _ridge_variances() -> NDArray[np.float64]:
    spread = np.full((len(SMPL_24), 3), END_SPREAD_RAD)
    spread[MOVING_JOINTS] = MOVING_RIDGE_RAD
    return np.asarray(spread[1:].ravel() ** 2)


def _mean_log_likelihood(prior: MixturePrior, data: NDArray[np.float64]) -> float:
    return float(-np.mean(prior.energy(data)[0]))


def _held_out_postures(root: Path, output: Path) -> NDArray[np.float64]:
    """Return postures (N, 24, 3) [rad] of the subjects that the library leaves out, from a file if it is there."""
    path = output / "held_out_postures.npz"
    if path.is_file():
        with np.load(path) as arrays:
            kept: NDArray[np.float64] = arrays["rotations_rad"].astype(np.float64)
        return kept
    _, clips = recorded_clips(root)
    fitter = BodyFitter(BodySettings(with_vertices=False, pose_weight=2.0))
    postures = []
    for clip in tqdm(clips, unit="clip", mininterval=5.0, desc="held-out postures"):
        try:
            rotations, _ = fitted_rotations(_thinned(clip), fitter)
        except RecordingError as error:
            logger.debug("%s", error)
            continue
        places = np.linspace(0, len(rotations) - 1, min(HELD_OUT_FRAMES, len(rotations)))
        postures.append(rotations[np.unique(places.round().astype(np.int64))])
    if not postures:
        msg = f"postures: expected a usable clip of a held-out subject in {root}, found none"
        raise RecordingError(msg)
    library = np.concatenate(postures)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, rotations_rad=library.astype(np.float32))
    return library


def _thinned(clip: Clip) -> Clip:
    seconds = np.diff(clip.stamps_ns) * 1e-9
    step = max(1, round(HELD_OUT_EVERY_S / float(np.median(seconds)))) if len(seconds) else 1
    return replace(
        clip,
        stamps_ns=clip.stamps_ns[::step],
        positions_m=clip.positions_m[::step],
        confidence=clip.confidence[::step],
    )

"""The space in which added exercises are compared: Fisher's discriminant of all movements, and prototypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.few_shot import input_statistics
from rehab_pose.exercise.network_metadata import INPUT_NAMES
from rehab_pose.exercise.window_classifier import SHIPPED_WEIGHTS
from rehab_pose.weights import load_network
from rehab_pose_lab.training.exercise_predictions import predict_at_ends
from rehab_pose_lab.training.exercise_windows import label_of, labelled_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_predictions import Predictor

__all__ = ["fit_space", "movement_windows", "space_of_weights", "write_space"]

SHRINKAGE = 0.3
"""Weight of the mean variance in the covariance within a movement; chosen on UI-PRMD, with a network that was not
trained on it."""
DIMENSIONS = 256
"""Coordinates that are kept: 128 lose a point, all 1,348 gain nothing."""
PROTOTYPES = 8
"""Prototypes of each movement, by k-means."""
ITERATIONS = 10
WINDOWS_PER_CLIP = 6
SEED = 0
INCORRECT_GROUP = "incorrect"
"""Group of UI-PRMD's repetitions that were done wrongly on purpose."""


def movement_windows(
    embed: Predictor, clips: Sequence[Clip], per_clip: int = WINDOWS_PER_CLIP
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return embedding and statistics (N, F) of moving windows, and their movements (N).

    Args:
        embed: Features and presence to the network's embedding.
        clips: Recordings.
        per_clip: Windows of a recording's part.
    """

    def both(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([embed(features, present), input_statistics(features, present)], axis=1)

    rng, values, movements = np.random.default_rng(SEED), [], []
    for clip in clips:
        for part in labelled_parts(clip, label_of(clip) or 0):
            ends_ns = part.active_ends_ns
            if len(ends_ns):
                step = max(1, -(-len(ends_ns) // per_clip))
                chosen = ends_ns[rng.integers(step) :: step]
                if len(chosen):
                    values.append(predict_at_ends(both, clip, chosen))
                    movements += [part.movement] * len(chosen)
    return np.concatenate(values), np.array(movements)


def space_of_weights(weights: Path | None, clips: Sequence[Clip]) -> tuple[dict[str, Any], str]:
    """Return the space of a network, from recordings without those marked as incorrect, and the network's id.

    Args:
        weights: ONNX file with the output `embedding`; None = the shipped one.
        clips: Recordings that the network was trained on.

    Raises:
        ModelFileError: The file has no embedding.
    """
    network = load_network(weights or SHIPPED_WEIGHTS, INPUT_NAMES)
    if "embedding" not in {entry.name for entry in network.session.get_outputs()}:
        msg = f"{weights}: expected an output `embedding`, found none; train it again: rehab-pose-lab train recognition"
        raise ModelFileError(msg)

    def embed(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        inputs = {"features": features, "present": present}
        return np.asarray(network.session.run(["embedding"], inputs)[0], dtype=np.float32)

    done_well = [clip for clip in clips if clip.group != INCORRECT_GROUP]
    return fit_space(*movement_windows(embed, done_well)), network.model_id


def fit_space(values: NDArray[np.float64], movements: NDArray[np.str_]) -> dict[str, Any]:
    """Return centre (F), projection (F, D), background (K, D) and its movements from windows (N, F) of movements (N).

    The embedding and the statistics are standardised by their own mean spread, so that both count alike.
    """
    centre, spread = values.mean(axis=0), values.std(axis=0)
    scale = 1.0 / np.maximum(spread, 0.1 * spread.mean())
    scaled = (values - centre) * scale
    names = np.unique(movements)
    within = np.zeros((values.shape[1],) * 2)
    for name in names:
        own = scaled[movements == name]
        own = own - own.mean(axis=0)
        within += own.T @ own
    within /= len(scaled)
    shrunk = (1.0 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    powers, directions = np.linalg.eigh(shrunk)
    whitening = directions / np.sqrt(powers)
    _, axes = np.linalg.eigh(np.cov((scaled @ whitening).T))
    projection = scale[:, None] * (whitening @ axes[:, ::-1][:, :DIMENSIONS])
    points = (values - centre) @ projection
    rng = np.random.default_rng(SEED)
    parts = [_prototypes(points[movements == name], rng) for name in names]
    return {
        "centre": centre.astype(np.float32),
        "projection": projection.astype(np.float32),
        "background": np.concatenate(parts).astype(np.float32),
        "movements": tuple(str(name) for name, part in zip(names, parts, strict=True) for _ in part),
    }


def _prototypes(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return up to PROTOTYPES centres (K, D) of points (N, D) by k-means."""
    if len(points) <= PROTOTYPES:
        return points
    centres = points[rng.choice(len(points), PROTOTYPES, replace=False)]
    for _ in range(ITERATIONS):
        squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None] - 2.0 * points @ centres.T
        nearest = squares.argmin(axis=1)
        centres = np.array(
            [points[nearest == n].mean(axis=0) if (nearest == n).any() else centres[n] for n in range(PROTOTYPES)]
        )
    return centres


def write_space(path: Path, space: dict[str, Any], model_id: str) -> None:
    """Write the file that `rehab_pose.exercise.few_shot.FewShotSpace` reads; half precision is enough."""
    halves = {name: space[name].astype(np.float16) for name in ("projection", "background")}
    movements = np.array(space["movements"])
    np.savez_compressed(path, centre=space["centre"], movements=movements, model_id=model_id, **halves)

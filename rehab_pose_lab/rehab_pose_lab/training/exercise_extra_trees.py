"""Baseline of the exercise recogniser: extra trees on simple statistics of the same windows."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.exercise_predictions import Predictions, predict_recordings, shows_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["extra_trees_predictions"]

logger = logging.getLogger(__name__)

TREES = 200
PERCENTILES = (5, 95)
SEED = 0
MISSING_LOGIT = -20.0
"""Logit of a label that does not occur in the training data."""


def _statistics(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mean, standard deviation and two percentiles (B, 4 F) over the samples that are present."""
    rows = np.empty((len(features), 4 * features.shape[-1]), dtype=np.float32)
    for row, (window, valid) in enumerate(zip(features, present > 0, strict=True)):
        samples = window[valid] if valid.any() else window[-1:]
        rows[row] = np.concatenate([samples.mean(0), samples.std(0), *np.percentile(samples, PERCENTILES, axis=0)])
    return rows


def extra_trees_predictions(
    training: Sequence[Clip], testing: Sequence[Clip], labels: Sequence[str]
) -> Predictions | None:
    """Fit extra trees to windows of some recordings and predict others; return None without scikit-learn."""
    if importlib.util.find_spec("sklearn") is None:
        logger.warning("scikit-learn is not installed: extra trees are not evaluated")
        return None
    ensemble: Any = importlib.import_module("sklearn.ensemble")
    rows: list[NDArray[np.float32]] = []
    truths: list[int] = []

    def collect(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
        rows.append(_statistics(features, present))
        return np.zeros((len(features), len(labels)))

    for clip in filter(shows_a_person, training):
        count = sum(len(block) for block in rows)
        predict_recordings(collect, [clip], labels)
        truths += [labels.index(clip.label)] * (sum(len(block) for block in rows) - count)
    forest = ensemble.ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=SEED, n_jobs=1)
    forest.fit(np.concatenate(rows), truths)

    def predict(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = np.full((len(features), len(labels)), MISSING_LOGIT)
        logits[:, forest.classes_] = np.log(np.maximum(forest.predict_proba(_statistics(features, present)), 1e-9))
        return logits

    return predict_recordings(predict, testing, labels)

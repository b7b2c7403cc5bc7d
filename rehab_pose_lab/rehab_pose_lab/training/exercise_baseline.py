"""Extra trees on simple statistics of the same windows: the figure that a network has to beat."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.exercise_scores import Judgements, judge_recordings, shows_somebody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["forest_judgements"]

logger = logging.getLogger(__name__)

TREES = 200
PERCENTILES = (5, 95)
SEED = 0


def _statistics(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mean, standard deviation and two percentiles over the samples that are there (B, 4 F)."""
    rows = np.empty((len(features), 4 * features.shape[-1]), dtype=np.float32)
    for row, (window, there) in enumerate(zip(features, present > 0, strict=True)):
        seen = window[there] if there.any() else window[-1:]
        rows[row] = np.concatenate([seen.mean(0), seen.std(0), *np.percentile(seen, PERCENTILES, axis=0)])
    return rows


def forest_judgements(training: Sequence[Clip], testing: Sequence[Clip], labels: Sequence[str]) -> Judgements | None:
    """Fit extra trees on the windows of some recordings and judge others; None where scikit-learn is not installed."""
    if importlib.util.find_spec("sklearn") is None:
        logger.warning("scikit-learn is not installed: no figure for extra trees")
        return None
    ensemble: Any = importlib.import_module("sklearn.ensemble")
    rows: list[NDArray[np.float32]] = []
    truths: list[int] = []

    def keep(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
        rows.append(_statistics(features, present))
        return np.zeros((len(features), len(labels)))

    for clip in filter(shows_somebody, training):
        before = sum(len(block) for block in rows)
        judge_recordings(keep, [clip], labels)
        truths += [labels.index(clip.label)] * (sum(len(block) for block in rows) - before)
    forest = ensemble.ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=SEED, n_jobs=1)
    forest.fit(np.concatenate(rows), truths)

    def judge(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = np.full((len(features), len(labels)), -20.0)
        logits[:, forest.classes_] = np.log(np.maximum(forest.predict_proba(_statistics(features, present)), 1e-9))
        return logits

    return judge_recordings(judge, testing, labels)

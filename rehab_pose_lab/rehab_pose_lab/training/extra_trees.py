"""Compiled extremely randomised trees for regression (Geurts, Ernst and Wehenkel 2006, Machine Learning 63)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["extra_trees_predict"]

TREES = 200
MIN_LEAF = 2
"""Smallest number of samples in a leaf."""
FEATURE_FRACTION = 0.15
"""Fraction of the features that is tried at each split."""


def extra_trees_predict(
    features: NDArray[Any],
    targets: NDArray[Any],
    queries: NDArray[Any],
    *,
    seed: int,
    trees: int = TREES,
    min_leaf: int = MIN_LEAF,
    feature_fraction: float = FEATURE_FRACTION,
) -> NDArray[np.float64]:
    """Grow trees on training samples and return their predictions for other samples.

    Args:
        features: (N, F) of the training samples, finite.
        targets: (N) targets of the training samples.
        queries: (M, F) samples to predict.
        seed: Seed of all random numbers.
        trees: Number of trees.
        min_leaf: Smallest number of samples in a leaf.
        feature_fraction: Fraction of the features tried at each split.

    Returns:
        (M) mean over trees of the mean target of the leaf.
    """
    tried = max(1, round(feature_fraction * features.shape[1]))
    total = np.zeros(len(queries))
    for tree in range(trees):
        total += _one_tree(
            np.ascontiguousarray(features, dtype=np.float64),
            np.ascontiguousarray(targets, dtype=np.float64),
            np.ascontiguousarray(queries, dtype=np.float64),
            tried,
            min_leaf,
            seed * trees + tree,
        )
    return total / trees


@numba.njit(cache=True)
def _best_split(features, targets, rows, tried, min_leaf):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the feature and threshold with the lowest squared error among random ones; -1 without a split."""
    best_feature, best_threshold, best_gain = -1, 0.0, 0.0
    total = 0.0
    for row in rows:
        total += targets[row]
    for _ in range(tried):
        feature = np.random.randint(0, features.shape[1])  # noqa: NPY002  (numba seeds this one)
        low, high = np.inf, -np.inf
        for row in rows:
            value = features[row, feature]
            low, high = min(low, value), max(high, value)
        if high <= low:
            continue
        threshold = low + (high - low) * np.random.random()  # noqa: NPY002
        count, left = 0, 0.0
        for row in rows:
            if features[row, feature] <= threshold:
                count += 1
                left += targets[row]
        others = len(rows) - count
        if count < min_leaf or others < min_leaf:
            continue
        gain = left * left / count + (total - left) ** 2 / others - total * total / len(rows)
        if gain > best_gain:
            best_feature, best_threshold, best_gain = feature, threshold, gain
    return best_feature, best_threshold


@numba.njit(cache=True)
def _one_tree(features, targets, queries, tried, min_leaf, seed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Grow one tree and return its predictions (M) for the queries (M, F)."""
    np.random.seed(seed)  # noqa: NPY002
    predicted = np.zeros(len(queries))
    stack = [(np.arange(len(features)), np.arange(len(queries)))]
    while len(stack) > 0:
        rows, places = stack.pop()
        if len(places) == 0:
            continue
        mean = targets[rows].mean()
        feature, threshold = -1, 0.0
        if len(rows) >= 2 * min_leaf and targets[rows].min() < targets[rows].max():
            feature, threshold = _best_split(features, targets, rows, tried, min_leaf)
        if feature < 0:
            predicted[places] = mean
            continue
        below = features[rows, feature] <= threshold
        queries_below = queries[places, feature] <= threshold
        stack.append((rows[below], places[queries_below]))
        stack.append((rows[~below], places[~queries_below]))
    return predicted

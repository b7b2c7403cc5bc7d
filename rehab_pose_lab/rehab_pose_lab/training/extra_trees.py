"""Compiled extremely randomised trees for regression (Geurts, Ernst and Wehenkel 2006, Machine Learning 63)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from rehab_pose_lab.methods.exercise.regression_trees import LEAF, RegressionTrees

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["extra_trees_predict", "grow_trees"]

TREES = 200
MIN_LEAF = 2
"""Smallest number of samples in a leaf."""
FEATURE_FRACTION = 0.15
"""Fraction of the features that is tried at each split."""


def grow_trees(
    features: NDArray[Any],
    targets: NDArray[Any],
    *,
    seed: int,
    trees: int = TREES,
    min_leaf: int = MIN_LEAF,
    feature_fraction: float = FEATURE_FRACTION,
) -> RegressionTrees:
    """Return trees grown on training samples.

    Args:
        features: (N, F) of the training samples, finite.
        targets: (N) targets of the training samples.
        seed: Seed of all random numbers.
        trees: Number of trees.
        min_leaf: Smallest number of samples in a leaf.
        feature_fraction: Fraction of the features tried at each split.
    """
    tried = max(1, round(feature_fraction * features.shape[1]))
    known = np.ascontiguousarray(features, dtype=np.float64)
    wanted = np.ascontiguousarray(targets, dtype=np.float64)
    grown = [_grow(known, wanted, tried, min_leaf, seed * trees + tree) for tree in range(trees)]
    roots = np.cumsum([0, *(len(tree[0]) for tree in grown[:-1])]).astype(np.int32)
    feature, threshold, child, value = (np.concatenate(parts) for parts in zip(*grown, strict=True))
    sizes = [len(tree[0]) for tree in grown]
    return RegressionTrees(roots, feature, threshold, child + np.repeat(roots, sizes), value)


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
    """Grow trees on training samples and return their predictions (M) for other samples (M, F).

    The other arguments are those of `grow_trees`.
    """
    grown = grow_trees(features, targets, seed=seed, trees=trees, min_leaf=min_leaf, feature_fraction=feature_fraction)
    return grown.predict(np.asarray(queries, dtype=np.float64))


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
def _grow(features, targets, tried, min_leaf, seed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return feature, threshold, first child and value of the nodes of one tree."""
    np.random.seed(seed)  # noqa: NPY002
    size = 2 * len(features)  # a binary tree with N leaves has 2 N - 1 nodes
    split, child = np.full(size, LEAF, dtype=np.int32), np.zeros(size, dtype=np.int32)
    thresholds, values = np.zeros(size), np.zeros(size)
    count = 1
    stack = [(np.arange(len(features)), 0)]
    while len(stack) > 0:
        rows, node = stack.pop()
        values[node] = targets[rows].mean()
        if len(rows) < 2 * min_leaf or targets[rows].min() >= targets[rows].max():
            continue
        feature, threshold = _best_split(features, targets, rows, tried, min_leaf)
        if feature < 0:
            continue
        split[node], thresholds[node], child[node] = feature, threshold, count
        below = features[rows, feature] <= threshold
        stack.append((rows[below], count))
        stack.append((rows[~below], count + 1))
        count += 2
    return split[:count], thresholds[:count], child[:count], values[:count]

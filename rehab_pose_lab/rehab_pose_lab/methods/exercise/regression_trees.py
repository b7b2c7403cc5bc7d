"""Regression trees as arrays, which predict without the code that grew them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAF", "RegressionTrees"]

LEAF = -1
"""Feature of a node without children."""


@dataclass(frozen=True, eq=False)
class RegressionTrees:
    """Binary trees, one after the other: a node's second child follows its first one."""

    roots: NDArray[np.int32]
    """(T) place of each tree's root."""
    feature: NDArray[np.int32]
    """(M) feature that decides at a node, or LEAF."""
    threshold: NDArray[np.float64]
    """(M) the first child is taken where the feature is at most this."""
    child: NDArray[np.int32]
    """(M) place of the first child."""
    value: NDArray[np.float64]
    """(M) mean target of the training samples at a node."""

    def predict(self, queries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean over the trees of the leaves' values (N) for features (N, F)."""
        rows = np.arange(len(queries))[:, None]
        node = np.repeat(self.roots[None], len(queries), axis=0)
        while True:
            feature = self.feature[node]
            inner = feature != LEAF
            if not inner.any():
                return np.asarray(self.value[node].mean(axis=1))
            above = queries[rows, np.where(inner, feature, 0)] > self.threshold[node]
            node = np.where(inner, self.child[node] + above, node)

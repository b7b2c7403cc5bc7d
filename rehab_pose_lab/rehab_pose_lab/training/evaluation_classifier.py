"""The exercise classifier with its second output: logits among the exercises only, for evaluation and comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.network_metadata import INPUT_NAMES
from rehab_pose.exercise.window_classifier import SHIPPED_WEIGHTS, WindowClassifier
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["EvaluationClassifier"]

NO_FOLDER = "/nonexistent"
"""The user's own exercises are no part of an evaluation."""


class EvaluationClassifier(WindowClassifier):
    """A `WindowClassifier` of any label set that also gives the logits among the exercises."""

    def __init__(self, path: str = "", labels: Sequence[str] | None = None) -> None:
        """Load the weights.

        Args:
            path: ONNX file; empty = the shipped weights.
            labels: Labels that the file must have been trained for, `none` first; None = accept the file's labels.

        Raises:
            ModelFileError: The file is missing, damaged, or was trained for other labels, inputs or rates.
        """
        if labels is None:
            labels = load_network(path or SHIPPED_WEIGHTS, INPUT_NAMES).metadata.get("labels", "").split(",")
        super().__init__(path, labels, folder=NO_FOLDER)
        self.seen = frozenset(filter(None, self._network.metadata.get("subjects", "").split(",")))
        """People that the network was trained on, as `set/person`."""
        self._exercise_temperature = float(self._network.metadata.get("exercise_temperature", "1.0"))

    def exercise_logits(self, features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits (B, C - 1) among the exercises, for windows that are known to show one of them."""
        (logits,) = self._network.session.run(["exercise_logits"], {"features": features, "present": present})
        return np.asarray(logits, dtype=np.float32) / np.float32(self._exercise_temperature)

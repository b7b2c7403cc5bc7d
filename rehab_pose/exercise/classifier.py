"""The network with what it was trained with: windows of joints to calibrated probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.features import FEATURE_JOINTS, SAMPLE_RATE_HZ
from rehab_pose.exercise.streams import STREAMS, window_streams
from rehab_pose.weights import Network, load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SHIPPED_WEIGHTS", "WindowClassifier"]

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "exercise.onnx"


class WindowClassifier:
    """One ONNX file; two answers a window: which label, and which of the exercises if it is one of them."""

    def __init__(self, path: str = "", labels: Sequence[str] | None = LABELS) -> None:
        """Load the weights; empty = the shipped ones.

        Args:
            path: ONNX file.
            labels: What the file must have been trained for, `none` first; None = whatever it was.

        Raises:
            ModelFileError: The file is missing, damaged, or was trained for other labels, inputs or rates.
        """
        self._network: Network = load_network(path or SHIPPED_WEIGHTS, ("features", "present"))
        facts = self._network.metadata
        self.labels = tuple(facts.get("labels", "").split(",")) if labels is None else tuple(labels)
        expected = {
            "labels": ",".join(self.labels),
            "joints": ",".join(FEATURE_JOINTS),
            "streams": ",".join(f"{stream.name}:{stream.size}" for stream in STREAMS),
            "sample_rate_hz": str(SAMPLE_RATE_HZ),
        }
        for name, value in expected.items():
            if facts.get(name) != value:
                msg = (
                    f"exercise weights {path or SHIPPED_WEIGHTS}: expected {name} = {value}, the file says "
                    f"{facts.get(name)}; give weights trained for it, or train them: rehab-pose train recognition"
                )
                raise ModelFileError(msg)
        self._temperature = float(facts["temperature"])
        self._exercise_temperature = float(facts.get("exercise_temperature", "1.0"))
        self._familiar_energy = float(facts["familiar_energy"])

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def logits(self, features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits (B, C) of all labels from features (B, T, F) and presence (B, T), calibrated."""
        (logits,) = self._network.session.run(["logits"], {"features": features, "present": present})
        return np.asarray(logits, dtype=np.float32) / np.float32(self._temperature)

    def exercise_logits(self, features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits (B, C - 1) among the exercises, for windows of which it is known that they show one."""
        (logits,) = self._network.session.run(["exercise_logits"], {"features": features, "present": present})
        return np.asarray(logits, dtype=np.float32) / np.float32(self._exercise_temperature)

    def classify(self, positions_m: NDArray[Any], up: NDArray[Any]) -> tuple[NDArray[np.float64], bool]:
        """Return probabilities (C), and whether the window is unlike everything seen in training.

        Unlike means: the logarithm of the sum of the exponentials of the logits is below what all but one in a
        hundred of the held-out windows had (energy score, Liu et al., NeurIPS 2020).

        Args:
            positions_m: (T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ [m]; NaN = missing.
            up: (3) unit vector against gravity in the optical frame.
        """
        features, present = window_streams(positions_m[None], up[None])
        scaled = self.logits(features, present)[0].astype(np.float64)
        energy = float(np.logaddexp.reduce(scaled))
        return np.exp(scaled - energy), energy < self._familiar_energy

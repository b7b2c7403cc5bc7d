"""The exercise network: windows of joints to calibrated probabilities of the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.feature_streams import STREAMS, window_streams
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SAMPLE_RATE_HZ
from rehab_pose.weights import Network, load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["INPUT_NAMES", "SHIPPED_WEIGHTS", "WindowClassifier"]

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "exercise.onnx"
INPUT_NAMES = ("features", "present")
"""Names of the network's inputs in the ONNX file."""


class WindowClassifier:
    """Classifies windows of joints with the network in one ONNX file."""

    def __init__(self, path: str = "", labels: Sequence[str] = LABELS) -> None:
        """Load the weights and check that they fit this code.

        Args:
            path: ONNX file; empty = the shipped weights.
            labels: Labels that the file must have been trained for, `none` first.

        Raises:
            ModelFileError: The file is missing, damaged, or was trained for other labels, inputs or rates.
        """
        self._network: Network = load_network(path or SHIPPED_WEIGHTS, INPUT_NAMES)
        metadata = self._network.metadata
        self.labels = tuple(labels)
        expected = {
            "labels": ",".join(self.labels),
            "joints": ",".join(FEATURE_JOINTS),
            "streams": ",".join(f"{stream.name}:{stream.size}" for stream in STREAMS),
            "sample_rate_hz": str(SAMPLE_RATE_HZ),
        }
        for name, value in expected.items():
            if metadata.get(name) != value:
                msg = (
                    f"exercise weights {path or SHIPPED_WEIGHTS}: expected {name} = {value}, the file has "
                    f"{metadata.get(name)}; use weights trained for it, or train them: rehab-pose-lab train recognition"
                )
                raise ModelFileError(msg)
        self._temperature = float(metadata["temperature"])
        self._familiar_energy = float(metadata["familiar_energy"])

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def logits(self, features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated logits (B, C) of all labels from features (B, T, F) and presence (B, T).

        They are divided by the temperature that training fitted (Guo et al., ICML 2017).
        """
        (logits,) = self._network.session.run(["logits"], {"features": features, "present": present})
        return np.asarray(logits, dtype=np.float32) / np.float32(self._temperature)

    def classify(self, positions_m: NDArray[Any], up: NDArray[Any]) -> tuple[NDArray[np.float64], bool]:
        """Return the probabilities (C) of one window, and whether the window is out of distribution.

        A window is out of distribution if its energy score (Liu et al., NeurIPS 2020), the log-sum-exp of its logits,
        is below the first percentile of the held-out windows in training.

        Args:
            positions_m: (T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ [m]; NaN = missing.
            up: (3) unit vector against gravity in the optical frame.
        """
        features, present = window_streams(positions_m[None], up[None])
        scaled = self.logits(features, present)[0].astype(np.float64)
        energy = float(np.logaddexp.reduce(scaled))
        return np.exp(scaled - energy), energy < self._familiar_energy

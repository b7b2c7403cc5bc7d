"""Calibrate a network's confidence on held-out people: temperatures (Guo et al. 2017) and an energy threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.metrics import fit_temperature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.training.exercise_predictions import Predictions

__all__ = ["NEUTRAL", "Calibration", "calibrate", "energies"]

FAMILIAR_FRACTION = 0.01
"""Fraction of the held-out windows that is classified as out of distribution."""
MIN_PROBABILITY = 1e-9


@dataclass(frozen=True)
class Calibration:
    """Calibration that is stored with the weights."""

    temperature: float
    """Divides the logits of all labels."""
    exercise_temperature: float
    """Divides the logits among the exercises."""
    familiar_energy: float
    """Windows with a lower energy are out of distribution."""

    def metadata(self) -> dict[str, str]:
        """Return the calibration as metadata of an ONNX file."""
        names = ("temperature", "exercise_temperature", "familiar_energy")
        return {name: repr(getattr(self, name)) for name in names}


NEUTRAL = Calibration(temperature=1.0, exercise_temperature=1.0, familiar_energy=-1e9)


def energies(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logarithm of the sum of the exponentials of logits (..., C) over the last axis."""
    return np.asarray(np.logaddexp.reduce(np.asarray(logits, dtype=np.float64), axis=-1))


def calibrate(logits: NDArray[Any], truths: NDArray[np.int64], predictions: Predictions) -> Calibration:
    """Return the calibration that fits windows of held-out people.

    Args:
        logits: (N, C) of all labels.
        truths: (N) indices of the true labels.
        predictions: Among the exercises, at temperature 1.
    """
    temperature = fit_temperature(logits, truths)
    windows = np.log(np.maximum(predictions.windows, MIN_PROBABILITY))
    return Calibration(
        temperature=temperature,
        exercise_temperature=fit_temperature(windows, predictions.truths[predictions.window_places]),
        familiar_energy=float(np.quantile(energies(logits / temperature), FAMILIAR_FRACTION)),
    )

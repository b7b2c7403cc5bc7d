"""Make a network's confidence mean what it says: temperatures and familiarity from people it has never seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.metrics import fit_temperature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.training.exercise_scores import Judgements

__all__ = ["NEUTRAL", "Calibration", "calibrate", "energies"]

FAMILIAR_FRACTION = 0.01
"""This share of held-out windows is called out of distribution."""
MIN_PROBABILITY = 1e-9


@dataclass(frozen=True)
class Calibration:
    """What the file of weights carries beside them."""

    temperature: float
    exercise_temperature: float
    familiar_energy: float

    def metadata(self) -> dict[str, str]:
        """Return it as the ONNX file's texts."""
        names = ("temperature", "exercise_temperature", "familiar_energy")
        return {name: repr(getattr(self, name)) for name in names}


NEUTRAL = Calibration(temperature=1.0, exercise_temperature=1.0, familiar_energy=-1e9)


def energies(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logarithm of the sum of the exponentials over the last axis."""
    return np.asarray(np.logaddexp.reduce(np.asarray(logits, dtype=np.float64), axis=-1))


def calibrate(logits: NDArray[Any], truths: NDArray[np.int64], found: Judgements) -> Calibration:
    """Return what fits windows of people that training never saw.

    Args:
        logits: (N, C) of all labels.
        truths: (N) places in the labels.
        found: Among the exercises, at temperature 1.
    """
    temperature = fit_temperature(logits, truths)
    windows = np.log(np.maximum(found.windows, MIN_PROBABILITY))
    return Calibration(
        temperature=temperature,
        exercise_temperature=fit_temperature(windows, found.truths[found.window_places]),
        familiar_energy=float(np.quantile(energies(logits / temperature), FAMILIAR_FRACTION)),
    )

"""KIMORE's clinical scores of a recorded exercise: total (0-50), primary outcome (0-15) and control factors (0-35).

Two linear models share one set of features: one knows the exercise alone, one also the others of the same session.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.methods.exercise.recording_features import body_curves, even_positions, mirrored, recording_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "GOOD_TOTAL",
    "HIGHEST",
    "SCORES",
    "SHIPPED_SCORES",
    "ClinicalScore",
    "FeatureScale",
    "ScoreModel",
    "features_of_recording",
    "load_score_model",
]

SCORES = ("total", "primary_outcome", "control_factors")
HIGHEST = np.array([50.0, 15.0, 35.0])
"""Of SCORES; the lowest is 0."""
GOOD_TOTAL = 30.0
"""From this total score on an exercise counts as done correctly."""
SHIPPED_SCORES = Path(__file__).with_name("clinical_scores.npz")
MIN_S = 3.0
"""A recording shorter than this holds no repetition [s]."""
WORST_DEVIATION = 20.0
"""Further from the healthy median counts no more [spreads]."""


@dataclass(frozen=True)
class ClinicalScore:
    """Of one exercise."""

    values: NDArray[np.float64]
    """(3) SCORES."""
    deviations: NDArray[np.float64]
    """(3) what the model erred by on people it had not seen, as a standard deviation."""
    correct_probability: float
    """That the total score is at least GOOD_TOTAL."""
    with_session: bool
    """Whether the other exercises of the session were known."""


@dataclass(frozen=True, eq=False)
class FeatureScale:
    """Brings the raw features of one exercise to equal weight; learnt from training subjects alone."""

    middle: NDArray[np.float64]
    """(R) stands in for missing features."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """(R) features are cut off here."""
    healthy: NDArray[np.float64]
    healthy_spread: NDArray[np.float64]
    """(N) median and spread of well-scored healthy people, of the first N raw features."""
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    """(R + N) of raw features and deviations."""

    def transform(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw features (..., R) as scaled features and scaled deviations from healthy people (..., R + N)."""
        cut = np.clip(np.where(np.isfinite(raw), raw, self.middle), self.low, self.high)
        away = np.abs(cut[..., : len(self.healthy)] - self.healthy) / self.healthy_spread
        both = np.concatenate([cut, np.log1p(np.minimum(away, WORST_DEVIATION))], axis=-1)
        return np.asarray((both - self.mean) / self.spread)


def features_of_recording(label: str, stamps_ns: NDArray[np.int64], positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the raw features (R) of one recorded exercise, the same whichever side is the better one.

    Args:
        label: The exercise.
        stamps_ns: (T) increasing [ns].
        positions_m: (T, 24, 3) SMPL_24 [m]; NaN = missing.

    Returns:
        NaN all over where the recording is too short.
    """
    curves = body_curves(even_positions(stamps_ns, positions_m[:, SMPL_INDICES]))
    parts = [
        np.concatenate([0.5 * (seen + other), np.abs(seen - other)])
        for seen, other in zip(
            recording_features(label, curves), recording_features(label, mirrored(curves)), strict=True
        )
    ]
    raw = np.concatenate(parts)
    return raw if (stamps_ns[-1] - stamps_ns[0]) * 1e-9 >= MIN_S else np.full_like(raw, np.nan)


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """Weights of both models, by exercise in the catalogue's order."""

    scales: tuple[FeatureScale, ...]
    """(5)."""
    alone: NDArray[np.float64]
    """(5, F, 4) weights of an exercise's own features: SCORES in their spreads, and correct (+1) or not (-1)."""
    own: NDArray[np.float64]
    """(5, F, 4) the same where the session is known, ..."""
    session: NDArray[np.float64]
    """(5, F, 4) ... and of every exercise's features, added up and divided by how many there are."""
    centre: NDArray[np.float64]
    unit: NDArray[np.float64]
    """(5, 4) mean and spread of the four targets."""
    error: NDArray[np.float64]
    """(2, 5, 3) standard deviation of the errors on unseen subjects: exercise alone, session known."""
    slope: NDArray[np.float64]
    """(2) from the correctness target to log odds: exercise alone, session known."""

    def predict(self, raw: Mapping[str, NDArray[np.float64]]) -> dict[str, ClinicalScore]:
        """Return the scores of the exercises of one session.

        Args:
            raw: By exercise, from `features_of_recording`; several takes are the median of theirs. One exercise alone
                is fine.
        """
        scaled = {label: self.scales[EXERCISES.index(label)].transform(features) for label, features in raw.items()}
        together = sum(
            (values @ self.session[EXERCISES.index(label)] for label, values in scaled.items()), start=np.zeros(4)
        ) / max(len(scaled), 1)
        found = {}
        for label, values in scaled.items():
            place, known = EXERCISES.index(label), int(len(scaled) > 1)
            target = values @ self.own[place] + together if known else values @ self.alone[place]
            found[label] = ClinicalScore(
                values=np.clip(target[:3] * self.unit[place, :3] + self.centre[place, :3], 0.0, HIGHEST),
                deviations=self.error[known, place],
                correct_probability=float(
                    1.0 / (1.0 + np.exp(-self.slope[known] * (target[3] * self.unit[place, 3] + self.centre[place, 3])))
                ),
                with_session=bool(known),
            )
        return found


def load_score_model(path: Path = SHIPPED_SCORES) -> ScoreModel:
    """Return the model of a file that `rehab-pose-lab train quality` wrote.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            named = {name: np.asarray(arrays[name], dtype=np.float64) for name in arrays.files}
        scales = tuple(
            FeatureScale(**{part.name: named[f"scale_{part.name}"][place] for part in fields(FeatureScale)})
            for place in range(len(EXERCISES))
        )
        rest = {part.name: named[part.name] for part in fields(ScoreModel) if part.name != "scales"}
    except (OSError, ValueError, KeyError, IndexError) as error:
        msg = f"clinical scores: expected the file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error
    return ScoreModel(scales=scales, **rest)

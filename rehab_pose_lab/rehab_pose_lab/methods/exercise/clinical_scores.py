"""KIMORE's clinical scores of a recorded exercise: total (0-50), primary outcome (0-15) and control factors (0-35).

Two linear models use the same features: one uses a single exercise, the other all exercises of a session.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.recording_features import body_curves, even_positions, mirrored, recording_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "GOOD_TOTAL",
    "MAX_SCORES",
    "SCORES",
    "SHIPPED_SCORES",
    "ClinicalScore",
    "FeatureScale",
    "ScoreModel",
    "features_of_recording",
    "load_score_model",
    "subjects_of_scores",
]

SCORES = ("total", "primary_outcome", "control_factors")
MAX_SCORES = np.array([50.0, 15.0, 35.0])
"""Maxima of SCORES; the minimum is 0."""
GOOD_TOTAL = 30.0
"""Total score from which an exercise is considered to be performed correctly."""
SHIPPED_SCORES = Path(__file__).with_name("clinical_scores.npz")
SUBJECTS = "subjects"
"""Array of the people that a file of scores was trained on."""
MIN_S = 3.0
"""Shorter recordings contain no repetition [s]."""
MAX_DEVIATION = 20.0
"""Larger deviations from the healthy median are limited to this [robust standard deviations]."""


@dataclass(frozen=True)
class ClinicalScore:
    """Predicted scores of one exercise."""

    values: NDArray[np.float64]
    """(3) SCORES."""
    deviations: NDArray[np.float64]
    """(3) standard deviations of the model's errors on held-out people."""
    correct_probability: float
    """Probability that the total score is at least GOOD_TOTAL."""
    with_session: bool
    """Whether other exercises of the session were used."""


@dataclass(frozen=True, eq=False)
class FeatureScale:
    """Scaling of the raw features of one exercise to equal weight, fitted to training subjects only."""

    middle: NDArray[np.float64]
    """(R) replaces missing features."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """(R) limits of the features."""
    healthy: NDArray[np.float64]
    healthy_std: NDArray[np.float64]
    """(N) median and standard deviation of well-scored healthy people, of the first N raw features."""
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    """(R + N) mean and scale of raw features and deviations."""

    def transform(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw features (..., R) as scaled features and scaled deviations from healthy people (..., R + N)."""
        clipped = np.clip(np.where(np.isfinite(raw), raw, self.middle), self.low, self.high)
        deviation = np.abs(clipped[..., : len(self.healthy)] - self.healthy) / self.healthy_std
        both = np.concatenate([clipped, np.log1p(np.minimum(deviation, MAX_DEVIATION))], axis=-1)
        return np.asarray((both - self.mean) / self.std)


def features_of_recording(label: str, stamps_ns: NDArray[np.int64], positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the raw features (R) of one recorded exercise, which do not change when left and right are exchanged.

    Args:
        label: Name of the exercise.
        stamps_ns: (T) increasing [ns].
        positions_m: (T, 24, 3) SMPL_24 [m]; NaN = missing.

    Returns:
        Only NaN where the recording is too short.
    """
    curves = body_curves(even_positions(stamps_ns, positions_m[:, SMPL_INDICES]))
    parts = [
        np.concatenate([0.5 * (original + reflected), np.abs(original - reflected)])
        for original, reflected in zip(
            recording_features(label, curves), recording_features(label, mirrored(curves)), strict=True
        )
    ]
    raw = np.concatenate(parts)
    return raw if (stamps_ns[-1] - stamps_ns[0]) * 1e-9 >= MIN_S else np.full_like(raw, np.nan)


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """Weights of both models for all exercises, in the catalogue's order."""

    scales: tuple[FeatureScale, ...]
    """(5) scaling of each exercise's features."""
    single: NDArray[np.float64]
    """(5, F, 4) weights of the single exercise's features: standardised SCORES, and correct (+1) or not (-1)."""
    exercise: NDArray[np.float64]
    """(5, F, 4) the same where the session is known."""
    session: NDArray[np.float64]
    """(5, F, 4) weights of all exercises' features where the session is known; their mean is added."""
    centre: NDArray[np.float64]
    unit: NDArray[np.float64]
    """(5, 4) mean and standard deviation of the four targets."""
    error: NDArray[np.float64]
    """(2, 5, 3) standard deviation of the errors on held-out subjects: single exercise, session."""
    slope: NDArray[np.float64]
    """(2) factor from the correctness target to log odds: single exercise, session."""

    def predict(self, raw: Mapping[str, NDArray[np.float64]]) -> dict[str, ClinicalScore]:
        """Return the scores of the exercises of one session.

        Args:
            raw: Features of one or more exercises from `features_of_recording`, by name; of several takes the median.
        """
        scaled = {
            label: self.scales[KIMORE_EXERCISES.index(label)].transform(features) for label, features in raw.items()
        }
        together = sum(
            (values @ self.session[KIMORE_EXERCISES.index(label)] for label, values in scaled.items()),
            start=np.zeros(4),
        ) / max(len(scaled), 1)
        scores = {}
        for label, values in scaled.items():
            place, known = KIMORE_EXERCISES.index(label), int(len(scaled) > 1)
            target = values @ self.exercise[place] + together if known else values @ self.single[place]
            scores[label] = ClinicalScore(
                values=np.clip(target[:3] * self.unit[place, :3] + self.centre[place, :3], 0.0, MAX_SCORES),
                deviations=self.error[known, place],
                correct_probability=float(
                    1.0 / (1.0 + np.exp(-self.slope[known] * (target[3] * self.unit[place, 3] + self.centre[place, 3])))
                ),
                with_session=bool(known),
            )
        return scores


def subjects_of_scores(path: Path = SHIPPED_SCORES) -> frozenset[str]:
    """Return the people whose recordings a file of scores was trained on; empty where it does not say so.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return frozenset(str(name) for name in arrays[SUBJECTS]) if SUBJECTS in arrays.files else frozenset()
    except (OSError, ValueError) as error:
        msg = f"clinical scores: expected the file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error


def load_score_model(path: Path = SHIPPED_SCORES) -> ScoreModel:
    """Return the model of a file that `rehab-pose-lab train quality` wrote.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = [name for name in arrays.files if name != SUBJECTS]
            named = {name: np.asarray(arrays[name], dtype=np.float64) for name in names}
        scales = tuple(
            FeatureScale(**{part.name: named[f"scale_{part.name}"][place] for part in fields(FeatureScale)})
            for place in range(len(KIMORE_EXERCISES))
        )
        rest = {part.name: named[part.name] for part in fields(ScoreModel) if part.name != "scales"}
    except (OSError, ValueError, KeyError, IndexError) as error:
        msg = f"clinical scores: expected the file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error
    return ScoreModel(scales=scales, **rest)

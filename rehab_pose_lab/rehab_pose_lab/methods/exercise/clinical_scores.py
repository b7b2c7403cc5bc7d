"""KIMORE's clinical scores of a recorded exercise: total (0-50), primary outcome (0-15) and control factors (0-35).

Linear models and regression trees use the same features. The total is a blend of four predictions (BASES), or of two
where a single exercise is known; the other scores and the probability are those of a linear model.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import CONTENT_ERRORS, READ_ERRORS, ArrayFile
from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.recording_features import body_curves, even_positions, mirrored, recording_features
from rehab_pose_lab.methods.exercise.regression_trees import RegressionTrees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "BASES",
    "GOOD_TOTAL",
    "MAX_SCORES",
    "SCORES",
    "SHIPPED_SCORES",
    "ClinicalScore",
    "FeatureScale",
    "ScoreModel",
    "TotalBlend",
    "features_of_recording",
    "load_score_model",
    "subjects_of_scores",
]

SCORES = ("total", "primary_outcome", "control_factors")
MAX_SCORES = np.array([50.0, 15.0, 35.0])
"""Maxima of SCORES; the minimum is 0."""
GOOD_TOTAL = 30.0
"""Total score from which an exercise is considered to be performed correctly."""
BASES = ("linear, exercise", "linear, session", "trees, exercise", "trees, session")
"""Predictions of the total that are blended: of the exercise alone, and of all exercises of the session."""
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
    correct: bool
    """Whether the exercise is called correct, with a limit at which both classes are missed equally often."""
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
class TotalBlend:
    """Blend of the predictions of the total: first of a single exercise, second of a session."""

    weight: NDArray[np.float64]
    """(2, 4) of BASES."""
    offset: NDArray[np.float64]
    """(2, 5) added to the weighted sum of each exercise [points]."""
    limit: NDArray[np.float64]
    """(2) blended total from which an exercise is called correct [points]."""


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """Weights of all models for all exercises, in the catalogue's order."""

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
    shared: NDArray[np.float64]
    """(5, F) weights of all exercises' features for the total, without a part that knows the exercise."""
    trees: tuple[RegressionTrees, ...]
    """(5) trees of each exercise's total."""
    blend: TotalBlend

    def base_totals(self, raw: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Return the predictions (4) of the total by BASES [points], of the exercises of one session."""
        return self._base_totals(self._scaled(raw))

    def _scaled(self, raw: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        return {label: self.scales[KIMORE_EXERCISES.index(label)].transform(values) for label, values in raw.items()}

    def _base_totals(self, scaled: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        places = {label: KIMORE_EXERCISES.index(label) for label in scaled}
        if not places:
            return {}
        session = np.mean([values @ self.shared[places[label]] for label, values in scaled.items()])
        trees = {label: float(self.trees[places[label]].predict(values[None])[0]) for label, values in scaled.items()}
        mean = np.mean(list(trees.values()))
        bases = {}
        for label, place in places.items():
            unit, centre = self.unit[place, 0], self.centre[place, 0]
            alone = scaled[label] @ self.single[place, :, 0]
            bases[label] = np.array([alone * unit + centre, session * unit + centre, trees[label], mean])
        return bases

    def predict(self, raw: Mapping[str, NDArray[np.float64]]) -> dict[str, ClinicalScore]:
        """Return the scores of the exercises of one session.

        Args:
            raw: Features of one or more exercises from `features_of_recording`, by name; of several takes the median.
        """
        scaled = self._scaled(raw)
        together = sum(
            (values @ self.session[KIMORE_EXERCISES.index(label)] for label, values in scaled.items()),
            start=np.zeros(4),
        ) / max(len(scaled), 1)
        bases = self._base_totals(scaled)
        scores = {}
        for label, values in scaled.items():
            place, known = KIMORE_EXERCISES.index(label), int(len(scaled) > 1)
            target = values @ self.exercise[place] + together if known else values @ self.single[place]
            points = target[:3] * self.unit[place, :3] + self.centre[place, :3]
            points[0] = bases[label] @ self.blend.weight[known] + self.blend.offset[known, place]
            scores[label] = ClinicalScore(
                values=np.clip(points, 0.0, MAX_SCORES),
                deviations=self.error[known, place],
                correct_probability=float(
                    1.0 / (1.0 + np.exp(-self.slope[known] * (target[3] * self.unit[place, 3] + self.centre[place, 3])))
                ),
                correct=bool(points[0] >= self.blend.limit[known]),
                with_session=bool(known),
            )
        return scores


def subjects_of_scores(path: Path = SHIPPED_SCORES) -> frozenset[str]:
    """Return the people whose recordings a file of scores was trained on; empty where it does not say so.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        with ArrayFile(path) as arrays:
            return frozenset(str(name) for name in arrays[SUBJECTS]) if SUBJECTS in arrays.files else frozenset()
    except (OSError, ValueError, TypeError) as error:
        msg = f"clinical scores: expected the file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error


def load_score_model(path: Path = SHIPPED_SCORES) -> ScoreModel:
    """Return the model of a file that `rehab-pose-lab train quality` wrote.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    count = len(KIMORE_EXERCISES)
    try:
        with ArrayFile(path) as arrays:
            named = {name: np.asarray(arrays[name]) for name in arrays.files if name != SUBJECTS}
        scales = tuple(
            FeatureScale(
                **{part.name: named[f"scale_{part.name}"][place].astype(np.float64) for part in fields(FeatureScale)}
            )
            for place in range(count)
        )
        trees = tuple(
            RegressionTrees(**{part.name: named[f"trees{place}_{part.name}"] for part in fields(RegressionTrees)})
            for place in range(count)
        )
        blend = TotalBlend(**{part.name: named[f"blend_{part.name}"].astype(np.float64) for part in fields(TotalBlend)})
        parts = {"scales", "trees", "blend"}
        rest = {part.name: named[part.name].astype(np.float64) for part in fields(ScoreModel) if part.name not in parts}
    except (*READ_ERRORS, *CONTENT_ERRORS) as error:
        msg = f"clinical scores: expected the file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error
    return ScoreModel(scales=scales, trees=trees, blend=blend, **rest)

"""Learn KIMORE's clinical scores: a Gaussian process over all five exercises with linear kernels.

cov((s, e), (t, f)) = [e = f] EXERCISE k_e(s, t) + SESSION mean_g k_g(s, t) + PERSON [s = t] + NOISE [same score],
where k_e is the mean over the feature groups of the normalised inner products of exercise e's features. The term with
SESSION uses all exercises of a person; it is known where a whole session was recorded. The total is blended with
regression trees, with weights from predictions within the training subjects: see `clinical_blend`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import required_file
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import (
    BASES,
    GOOD_TOTAL,
    MAX_SCORES,
    FeatureScale,
    ScoreModel,
    TotalBlend,
    features_of_recording,
)
from rehab_pose_lab.methods.exercise.recording_features import CURVES, PHASES
from rehab_pose_lab.training.extra_trees import grow_trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = [
    "ScoreTable",
    "fit_bases",
    "load_scores",
    "score_folds",
    "score_table",
    "session_features",
]

EXERCISE, SESSION, PERSON, NOISE = 1.0, 1.0, 0.1, 0.5
"""Prior variances in units of the scores' variance; not tuned: small changes have hardly any effect."""
CLIP_PERCENTILES = (2.0, 98.0)
"""Percentiles of the training features that features are limited to."""
MIN_STD_FRACTION, MIN_STD = 0.05, 1e-3
"""Added to the standard deviation of healthy people: this fraction of that of all people, and a constant."""
TARGETS = 4
"""Predicted values: the three SCORES, and whether the total is good."""
HEALTHY_GROUPS = ("CG/Expert", "CG/NotExpert")
TREES, TREE_FEATURES = 100, 0.1
"""Trees of each exercise, and the fraction of the features that is tried at each split."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Features and scores of all subjects."""

    subjects: tuple[str, ...]
    groups: tuple[str, ...]
    raw: NDArray[np.float64]
    """(S, 5, R); NaN where there is no recording."""
    scores: NDArray[np.float64]
    """(S, 5, 3); NaN where there is none."""

    @property
    def recorded(self) -> NDArray[np.bool_]:
        """(S, 5) True where the exercise was recorded."""
        return np.asarray(np.isfinite(self.raw).any(axis=-1))

    def features_of(self, row: int | np.signedinteger[Any]) -> dict[str, NDArray[np.float64]]:
        """Return the raw features of one subject's recorded exercises."""
        return {KIMORE_EXERCISES[place]: self.raw[row, place] for place in np.flatnonzero(self.recorded[row])}

    @property
    def targets(self) -> NDArray[np.float64]:
        """(S, 5, 4) the scores, and +1 where the total is at least GOOD_TOTAL, else -1."""
        total = self.scores[..., :1]
        good = np.where(np.isfinite(total), np.where(total >= GOOD_TOTAL, 1.0, -1.0), np.nan)
        return np.concatenate([self.scores, good], axis=-1)


def load_scores(root: Path) -> dict[str, tuple[str, NDArray[np.float64]]]:
    """Return each subject's group and scores (5, 3) from KIMORE's subjects_scores.csv; NaN where there is none.

    Raises:
        RecordingError: The file is missing or lacks a column.
    """
    path = required_file(root, "subjects_scores.csv", "kimore")
    ratings = {}
    with path.open(newline="", encoding="utf-8") as lines:
        try:
            for row in csv.DictReader(lines):
                scores = [
                    [float(row[f"{kind}{number}"] or "nan") for kind in ("TS", "PO", "CF")]
                    for number in range(1, len(KIMORE_EXERCISES) + 1)
                ]
                ratings[row["subject"]] = (row["group"], np.array(scores))
        except (KeyError, ValueError) as error:
            msg = f"kimore: expected subject, group, TS1..5, PO1..5, CF1..5 in {path}, got {error!r}"
            raise RecordingError(msg) from error
    return ratings


def session_features(clips: Iterable[Clip]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return the raw features of each subject's exercises; of several takes the median.

    Recordings of other movements and too short ones are left out.
    """
    takes: dict[str, dict[str, list[NDArray[np.float64]]]] = {}
    for clip in clips:
        if clip.label in KIMORE_EXERCISES:
            features = features_of_recording(clip.label, clip.stamps_ns, clip.positions_m)
            if np.isfinite(features).any():
                takes.setdefault(clip.subject, {}).setdefault(clip.label, []).append(features)
    return {
        subject: {label: np.median(values, axis=0) for label, values in by_label.items()}
        for subject, by_label in takes.items()
    }


def score_table(clips: Iterable[Clip], scores: dict[str, tuple[str, NDArray[np.float64]]]) -> ScoreTable:
    """Return features and scores of all recordings, including the suspect ones; of several takes the median."""
    features = session_features(clip for clip in clips if clip.subject in scores)
    subjects = tuple(sorted(features))
    width = len(next(iter(next(iter(features.values())).values())))
    raw = np.full((len(subjects), len(KIMORE_EXERCISES), width), np.nan)
    for row, subject in enumerate(subjects):
        for label, values in features[subject].items():
            raw[row, KIMORE_EXERCISES.index(label)] = values
    return ScoreTable(
        subjects=subjects,
        groups=tuple(scores[subject][0] for subject in subjects),
        raw=raw,
        scores=np.array([scores[subject][1] for subject in subjects]),
    )


def score_folds(subjects: Sequence[str], folds: int, seed: int) -> NDArray[np.intp]:
    """Return the random fold of each subject (S)."""
    order = np.random.default_rng(seed).permutation(len(subjects))
    fold = np.empty(len(subjects), dtype=np.intp)
    fold[order] = np.arange(len(subjects)) % folds
    return fold


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the medians (R) of rows (S, R) without NaNs; 0 where all are NaN."""
    known = np.isfinite(values).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, values, 0.0), axis=0), 0.0)


def _scale(raw: NDArray[np.float64], healthy: NDArray[np.bool_]) -> FeatureScale:
    """Return the scale of one exercise's features from training rows (S, R) and healthy subjects (S)."""
    middle = _medians(raw)
    filled = np.where(np.isfinite(raw), raw, middle)
    low, high = np.percentile(filled, CLIP_PERCENTILES, axis=0)
    clipped = np.clip(filled, low, high)
    numbers = raw.shape[1] - 2 * PHASES * len(CURVES)
    good = clipped[healthy, :numbers] if healthy.sum() > 2 else clipped[:, :numbers]
    median = np.median(good, axis=0)
    std = 1.4826 * np.median(np.abs(good - median), axis=0) + MIN_STD
    std += MIN_STD_FRACTION * clipped[:, :numbers].std(axis=0)
    width = raw.shape[1] + numbers
    scale = FeatureScale(middle, low, high, median, std, np.zeros(width), np.ones(width))
    both = scale.transform(raw)
    deviation = both.std(axis=0)
    # The feature groups (numbers, mean repetition, deviations) have the same weight independent of their size.
    sizes = np.repeat([numbers, raw.shape[1] - numbers, numbers], [numbers, raw.shape[1] - numbers, numbers])
    unit = np.where(deviation > 1e-9, deviation, 1.0) * np.sqrt(3.0 * sizes)
    return FeatureScale(middle, low, high, median, std, both.mean(axis=0), unit)


def fit_bases(table: ScoreTable, training: NDArray[np.bool_], trees: int = TREES) -> ScoreModel:
    """Return the models of the training subjects (S, boolean); blend and errors are unknown (NaN).

    The healthy reference is the better-scored half of the control group among the training subjects.
    """
    recorded, targets = table.recorded, table.targets
    control = np.isin(table.groups, HEALTHY_GROUPS)
    scales, features = [], np.zeros((*recorded.shape, 0))
    for place in range(len(KIMORE_EXERCISES)):
        rows = training & recorded[:, place]
        total = table.scores[:, place, 0]
        healthy = control & (total >= np.nanmedian(total[training]))
        scales.append(_scale(table.raw[rows, place], healthy[rows]))
    features = np.stack([scale.transform(table.raw[:, place]) for place, scale in enumerate(scales)], axis=1)
    features = np.where((recorded & training[:, None])[..., None], features, 0.0)
    centre, unit = np.nanmean(targets[training], axis=0), np.nanstd(targets[training], axis=0)
    unit = np.where(unit > 1e-9, unit, 1.0)
    known = recorded & training[:, None] & np.isfinite(targets).all(axis=-1)
    person, exercise = np.nonzero(known)
    residual = ((targets - centre) / unit)[person, exercise]
    inner = np.einsum("sef,tef->est", features, features)
    same = exercise[:, None] == exercise[None]
    within = np.where(same, inner[exercise[:, None], person[:, None], person[None]], 0.0)
    counts = np.maximum(recorded.sum(axis=1), 1)
    # Divided by the numbers of exercises of both people; with all five this is the mean over exercises.
    shared = len(KIMORE_EXERCISES) * (inner.sum(axis=0) / np.outer(counts, counts))[person[:, None], person[None]]
    same_person = (person[:, None] == person[None]).astype(np.float64)
    dual_session = np.linalg.solve(
        EXERCISE * within + SESSION * shared + PERSON * same_person + NOISE * np.eye(len(person)), residual
    )
    dual_single = np.linalg.solve(EXERCISE * within + NOISE * np.eye(len(person)), residual)
    dual_shared = np.linalg.solve(
        SESSION * shared + PERSON * same_person + NOISE * np.eye(len(person)), residual[:, :1]
    )
    width = features.shape[-1]
    single_weights, exercise_weights = (np.zeros((len(KIMORE_EXERCISES), width, TARGETS)) for _ in range(2))
    for place in range(len(KIMORE_EXERCISES)):
        rows = exercise == place
        single_weights[place] = EXERCISE * features[person[rows], place].T @ dual_single[rows]
        exercise_weights[place] = EXERCISE * features[person[rows], place].T @ dual_session[rows]
    session = _summed(features, SESSION * dual_session, person, counts)
    unknown = np.full((2, len(KIMORE_EXERCISES), len(MAX_SCORES)), np.nan)
    grown = tuple(
        grow_trees(
            features[person[exercise == place], place],
            targets[person[exercise == place], place, 0],
            seed=place,
            trees=trees,
            feature_fraction=TREE_FEATURES,
        )
        for place in range(len(KIMORE_EXERCISES))
    )
    return ScoreModel(
        scales=tuple(scales),
        single=single_weights,
        exercise=exercise_weights,
        session=session,
        centre=centre,
        unit=unit,
        error=unknown,
        slope=np.ones(2),
        shared=_summed(features, SESSION * dual_shared, person, counts)[..., 0],
        trees=grown,
        blend=TotalBlend(np.full((2, len(BASES)), np.nan), np.full((2, len(KIMORE_EXERCISES)), np.nan), np.ones(2)),
    )


def _summed(
    features: NDArray[np.float64], dual: NDArray[np.float64], person: NDArray[np.intp], counts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return weights (5, F, K) of the kernel that all exercises of a person share, from its dual (N, K) by person."""
    by_person = np.zeros((len(features), dual.shape[1]))
    np.add.at(by_person, person, dual / counts[person][:, None])
    return np.asarray(len(KIMORE_EXERCISES) * np.einsum("sef,sk->efk", features, by_person))

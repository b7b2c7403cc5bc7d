"""Learning KIMORE's clinical scores: a Gaussian process over all five exercises, with linear kernels.

cov((s, e), (t, f)) = [e = f] OWN k_e(s, t) + SESSION mean_g k_g(s, t) + PERSON [s = t] + NOISE [same score],
where k_e is the mean over the feature groups of the normalised inner products of exercise e's features. The sum over
exercises is what a person does with all of them; it is known where a whole session was recorded.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose_lab.datasets.clip import required_file
from rehab_pose_lab.methods.exercise.clinical_scores import (
    GOOD_TOTAL,
    HIGHEST,
    FeatureScale,
    ScoreModel,
    features_of_recording,
)
from rehab_pose_lab.methods.exercise.recording_features import CURVES, PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = [
    "ScoreTable",
    "cross_validated",
    "fit_scores",
    "load_scores",
    "score_folds",
    "score_table",
    "session_features",
]

OWN, SESSION, PERSON, NOISE = 1.0, 1.0, 0.1, 0.5
"""Prior variances, in units of the scores' variance; fixed by reasoning, flat around here."""
CUT_PERCENTILES = (2.0, 98.0)
MIN_SPREAD_FRACTION, MIN_SPREAD = 0.05, 1e-3
"""Added to a healthy spread: this share of all people's, and this."""
TARGETS = 4
HEALTHY_GROUPS = ("CG/Expert", "CG/NotExpert")


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Every subject's features and scores."""

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

    @property
    def targets(self) -> NDArray[np.float64]:
        """(S, 5, 4) the scores, and +1 where the total is good, -1 where not."""
        total = self.scores[..., :1]
        good = np.where(np.isfinite(total), np.where(total >= GOOD_TOTAL, 1.0, -1.0), np.nan)
        return np.concatenate([self.scores, good], axis=-1)


def load_scores(root: Path) -> dict[str, tuple[str, NDArray[np.float64]]]:
    """Return each subject's group and scores (5, 3) from KIMORE's subjects_scores.csv; NaN where there is none.

    Raises:
        RecordingError: The file is missing or lacks a column.
    """
    path = required_file(root, "subjects_scores.csv", "kimore")
    found = {}
    with path.open(newline="", encoding="utf-8") as lines:
        try:
            for row in csv.DictReader(lines):
                scores = [
                    [float(row[f"{kind}{number}"] or "nan") for kind in ("TS", "PO", "CF")]
                    for number in range(1, len(EXERCISES) + 1)
                ]
                found[row["subject"]] = (row["group"], np.array(scores))
        except (KeyError, ValueError) as error:
            msg = f"kimore: expected subject, group, TS1..5, PO1..5, CF1..5 in {path}, got {error!r}"
            raise RecordingError(msg) from error
    return found


def session_features(clips: Iterable[Clip]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return the raw features of each subject's exercises; several takes of one are the median of theirs.

    Recordings of other movements and those that are too short are left out, also where a subject has only such.
    """
    takes: dict[str, dict[str, list[NDArray[np.float64]]]] = {}
    for clip in clips:
        if clip.label in EXERCISES:
            features = features_of_recording(clip.label, clip.stamps_ns, clip.positions_m)
            if np.isfinite(features).any():
                takes.setdefault(clip.subject, {}).setdefault(clip.label, []).append(features)
    return {
        subject: {label: np.median(values, axis=0) for label, values in by_label.items()}
        for subject, by_label in takes.items()
    }


def score_table(clips: Iterable[Clip], scores: dict[str, tuple[str, NDArray[np.float64]]]) -> ScoreTable:
    """Measure every recording; several takes of one exercise are the median of theirs. Suspect ones are kept in."""
    features = session_features(clip for clip in clips if clip.subject in scores)
    subjects = tuple(sorted(features))
    width = len(next(iter(next(iter(features.values())).values())))
    raw = np.full((len(subjects), len(EXERCISES), width), np.nan)
    for row, subject in enumerate(subjects):
        for label, values in features[subject].items():
            raw[row, EXERCISES.index(label)] = values
    return ScoreTable(
        subjects=subjects,
        groups=tuple(scores[subject][0] for subject in subjects),
        raw=raw,
        scores=np.array([scores[subject][1] for subject in subjects]),
    )


def score_folds(subjects: Sequence[str], folds: int, seed: int) -> NDArray[np.intp]:
    """Return the fold (S) of each subject, drawn with a seed."""
    order = np.random.default_rng(seed).permutation(len(subjects))
    fold = np.empty(len(subjects), dtype=np.intp)
    fold[order] = np.arange(len(subjects)) % folds
    return fold


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the medians (R) of rows (S, R) without the NaNs; 0 where all are."""
    seen = np.isfinite(values).any(axis=0)
    return np.where(seen, np.nanmedian(np.where(seen, values, 0.0), axis=0), 0.0)


def _scale(raw: NDArray[np.float64], healthy: NDArray[np.bool_]) -> FeatureScale:
    """Learn the scale of one exercise from its training rows (S, R)."""
    middle = _medians(raw)
    filled = np.where(np.isfinite(raw), raw, middle)
    low, high = np.percentile(filled, CUT_PERCENTILES, axis=0)
    cut = np.clip(filled, low, high)
    numbers = raw.shape[1] - 2 * PHASES * len(CURVES)
    good = cut[healthy, :numbers] if healthy.sum() > 2 else cut[:, :numbers]
    median = np.median(good, axis=0)
    spread = 1.4826 * np.median(np.abs(good - median), axis=0) + MIN_SPREAD
    spread += MIN_SPREAD_FRACTION * cut[:, :numbers].std(axis=0)
    width = raw.shape[1] + numbers
    scale = FeatureScale(middle, low, high, median, spread, np.zeros(width), np.ones(width))
    both = scale.transform(raw)
    deviation = both.std(axis=0)
    # The feature groups (numbers, mean repetition, deviations) weigh the same, whatever their size.
    sizes = np.repeat([numbers, raw.shape[1] - numbers, numbers], [numbers, raw.shape[1] - numbers, numbers])
    unit = np.where(deviation > 1e-9, deviation, 1.0) * np.sqrt(3.0 * sizes)
    return FeatureScale(middle, low, high, median, spread, both.mean(axis=0), unit)


def fit_scores(table: ScoreTable, training: NDArray[np.bool_]) -> ScoreModel:
    """Return the model of the training subjects (S); its errors are not known yet (NaN).

    The healthy reference are the training subjects of the control group in the better half of the scores.
    """
    recorded, targets = table.recorded, table.targets
    control = np.isin(table.groups, HEALTHY_GROUPS)
    scales, features = [], np.zeros((*recorded.shape, 0))
    for place in range(len(EXERCISES)):
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
    own = np.where(same, inner[exercise[:, None], person[:, None], person[None]], 0.0)
    counts = np.maximum(recorded.sum(axis=1), 1)
    # Divided by how many exercises each of the two did; with all five this is the mean over exercises.
    shared = len(EXERCISES) * (inner.sum(axis=0) / np.outer(counts, counts))[person[:, None], person[None]]
    alike = (person[:, None] == person[None]).astype(np.float64)
    weights_session = np.linalg.solve(
        OWN * own + SESSION * shared + PERSON * alike + NOISE * np.eye(len(person)), residual
    )
    weights_alone = np.linalg.solve(OWN * own + NOISE * np.eye(len(person)), residual)
    width = features.shape[-1]
    model_alone, model_own = (np.zeros((len(EXERCISES), width, TARGETS)) for _ in range(2))
    for place in range(len(EXERCISES)):
        mine = exercise == place
        model_alone[place] = OWN * features[person[mine], place].T @ weights_alone[mine]
        model_own[place] = OWN * features[person[mine], place].T @ weights_session[mine]
    by_person = np.zeros((len(features), TARGETS))
    np.add.at(by_person, person, weights_session / counts[person][:, None])
    session = SESSION * len(EXERCISES) * np.einsum("sef,sk->efk", features, by_person)
    nothing = np.full((2, len(EXERCISES), len(HIGHEST)), np.nan)
    return ScoreModel(tuple(scales), model_alone, model_own, session, centre, unit, nothing, np.ones(2))


def cross_validated(table: ScoreTable, folds: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return predictions (2, S, 5, 3) and probabilities of a good total (2, S, 5) by models blind to the subject.

    First with the exercise alone, second with the session; NaN where nothing was recorded.
    """
    shape = table.recorded.shape
    predicted, probability = np.full((2, *shape, len(HIGHEST)), np.nan), np.full((2, *shape), np.nan)
    for fold in np.unique(folds):
        model = fit_scores(table, folds != fold)
        for row in np.flatnonzero(folds == fold):
            raw = {EXERCISES[place]: table.raw[row, place] for place in np.flatnonzero(table.recorded[row])}
            for label, features in raw.items():
                alone = model.predict({label: features})[label]
                place = EXERCISES.index(label)
                predicted[0, row, place], probability[0, row, place] = alone.values, alone.correct_probability
            for label, score in model.predict(raw).items():
                place = EXERCISES.index(label)
                predicted[1, row, place], probability[1, row, place] = score.values, score.correct_probability
    return predicted, probability

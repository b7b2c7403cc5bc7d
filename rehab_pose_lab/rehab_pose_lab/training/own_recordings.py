"""Cross-validation on a user's own labelled recordings: every person is judged by what was learnt from the others.

Labels of the network are judged with the network. Other labels are learnt from the recordings of the people of the
other folds, as `rehab-pose exercise add` learns them. People that the network was trained on are judged and marked, but
are no part of any average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.few_shot_fit import MIN_RECORDINGS, MIN_S, Recording, learn
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, WINDOW_SAMPLES, resample
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.training.exercise_metrics import confidence_interval
from rehab_pose_lab.training.splits import folds_by_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.few_shot import AddedExercise
    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier

__all__ = ["JudgedRecording", "cross_validate", "own_metrics"]

FIRST_S, STEP_S = 0.8, 0.5
"""End of the first window after a recording's start, and time between the ends of windows [s]."""
SIDES = ("left", "right")
"""Words in the name of an exercise that is done with one side: it is not learnt from mirrored windows."""


@dataclass(frozen=True)
class JudgedRecording:
    """One recording and what the recogniser says about it."""

    name: str
    subject: str
    label: str
    predicted: str
    """Label with the highest mean probability over the windows; '' where the label could not be learnt."""
    windows_right: int
    windows_called: int
    """Windows to which an exercise is given."""
    windows: int
    seen: bool
    """Whether the network was trained on this person."""


def cross_validate(
    clips: Sequence[Clip], classifier: EvaluationClassifier, folds: int, seed: int
) -> list[JudgedRecording]:
    """Judge every recording with labels that were learnt from the people of the other folds.

    Args:
        clips: Recordings with labels of the network, other exercises, or `none`.
        classifier: The network; its added exercises are replaced.
        folds: Number of folds by person; with fewer people each is a fold.
        seed: Seed of the folds.

    Raises:
        RecordingError: There are fewer than two people, so that nothing can be learnt from others.
    """
    people = {(clip.dataset, clip.subject) for clip in clips}
    if len(people) < 2:
        msg = f"cross-validation: expected recordings of at least two people, got {len(people)}; record another person"
        raise RecordingError(msg)
    fold_of = folds_by_subject(clips, min(folds, len(people)), seed)
    own = sorted({clip.label for clip in clips} - set(classifier.trained_labels) - {NONE})
    judged: list[JudgedRecording] = []
    for fold in sorted(set(fold_of.values())):
        training = [clip for clip in clips if fold_of[clip.dataset, clip.subject] != fold]
        learnt = [exercise for label in own if (exercise := _learnt(label, training, classifier)) is not None]
        classifier.use(learnt)
        judged += [_judge(clip, classifier) for clip in clips if fold_of[clip.dataset, clip.subject] == fold]
    return judged


def _learnt(label: str, training: Sequence[Clip], classifier: EvaluationClassifier) -> AddedExercise | None:
    """Return an exercise learnt from its recordings among the training clips; None where there are too few."""
    recordings = [
        Recording(clip.name, clip.subject, clip.stamps_ns, clip.positions_m[:, SMPL_INDICES])
        for clip in training
        if clip.label == label and clip.duration_s >= MIN_S
    ]
    if len(recordings) < MIN_RECORDINGS:
        return None
    return learn(label, recordings, classifier, mirror=not any(side in label for side in SIDES))


def _judge(clip: Clip, classifier: EvaluationClassifier) -> JudgedRecording:
    """Return what the classifier says about the windows of a recording."""
    seen = f"{clip.dataset}/{clip.subject}" in classifier.seen
    labels = classifier.labels
    only_none = np.eye(len(labels))[0]
    probabilities = np.array(
        [only_none if _is_still(window) else classifier.classify(window, CAMERA_UP)[0] for window in _windows(clip)]
    )
    best = [labels[place] for place in probabilities.argmax(axis=1)]
    known = clip.label in labels
    return JudgedRecording(
        name=clip.name,
        subject=clip.subject,
        label=clip.label,
        predicted=labels[int(probabilities.mean(axis=0).argmax())] if known else "",
        windows_right=best.count(clip.label),
        windows_called=len(best) - best.count(NONE),
        windows=len(best),
        seen=seen,
    )


def _windows(clip: Clip) -> NDArray[np.float32]:
    """Return windows (N, T, J, 3) [m] of a recording as a live recogniser has them, at least one."""
    ends_s = np.arange(min(FIRST_S, clip.duration_s), clip.duration_s + 1e-6, STEP_S)
    times_s = ends_s[:, None] - np.arange(WINDOW_SAMPLES - 1, -1, -1) / SAMPLE_RATE_HZ
    times_ns = clip.stamps_ns[0] + np.rint(times_s * 1e9).astype(np.int64)
    windows = resample(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES], times_ns.reshape(-1))
    return windows.reshape(*times_ns.shape, *windows.shape[1:])


def _is_still(window_m: NDArray[np.float32]) -> bool:
    """Return whether no joint of a window (T, J, 3) [m] moves at its end: then the live label is `none`."""
    settings = ExerciseSettings()
    recent_m = window_m[-round(settings.quiet_s * SAMPLE_RATE_HZ) :]
    known = np.isfinite(recent_m)
    highest = np.where(known, recent_m, -np.inf).max(axis=0)
    lowest = np.where(known, recent_m, np.inf).min(axis=0)
    spans_m = np.linalg.norm(np.where(known.any(axis=0), highest - lowest, 0.0), axis=-1)
    return bool(spans_m.max() < settings.quiet_range_m)


def own_metrics(judged: Sequence[JudgedRecording], seed: int) -> dict[str, Any]:
    """Return the metrics of recordings of people that the network was not trained on.

    Args:
        judged: Of all people; those that were seen in training are only counted.
        seed: Seed of the confidence intervals.

    Returns:
        own_recording_acc and own_window_acc of exercises with 95 % intervals (people drawn again), the accuracy of each
        label, own_none_false_pct (windows of `none` called an exercise), and numbers of people and recordings; NaN
        where there is no such recording.

    Raises:
        RecordingError: The network was trained on all people.
    """
    unseen = [entry for entry in judged if not entry.seen]
    if not unseen:
        msg = (
            f"expected people that the weights were not trained on, all {len({entry.subject for entry in judged})} "
            "were; their figures say nothing about others: use weights that were trained without them"
        )
        raise RecordingError(msg)
    exercises = [entry for entry in unseen if entry.label != NONE and entry.predicted]
    idle = [entry for entry in unseen if entry.label == NONE]
    metrics: dict[str, Any] = {
        "n_subjects": len({entry.subject for entry in unseen}),
        "n_recordings": len(unseen),
        "n_seen_in_training": len({entry.subject for entry in judged if entry.seen}),
        "n_not_learnt": sum(not entry.predicted for entry in unseen),
    }
    right = np.array([entry.predicted == entry.label for entry in exercises], dtype=np.float64)
    windows = np.array([entry.windows_right / entry.windows for entry in exercises])
    subjects = [entry.subject for entry in exercises]
    for name, values in (("own_recording_acc", right), ("own_window_acc", windows)):
        low, high = confidence_interval(values, subjects, seed) if len(values) else (np.nan, np.nan)
        metrics |= {name: _mean(values), f"{name}_low": low, f"{name}_high": high}
    for label in sorted({entry.label for entry in exercises}):
        metrics[f"own_recording_acc_{label}"] = _mean(right[[entry.label == label for entry in exercises]])
    called = np.array([entry.windows_called / entry.windows for entry in idle])
    metrics["own_none_false_pct"] = 100.0 * _mean(called)
    return metrics


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")

"""How often the recogniser is right: 64-frame windows, whole recordings, and movements that are none of the five."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.features import FEATURE_INDEX, SAMPLE_RATE_HZ, WINDOW_SAMPLES, resample, window_features
from rehab_pose.training.exercise_windows import QUIET_M, label_of, prepare
from rehab_pose.training.metrics import accuracy, confusion_matrix, recall

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.recordings.clip import Clip

__all__ = ["Judge", "RecognitionScore", "judge_clip", "labelled_windows", "none_scores", "score_recordings"]

Judge = Callable[["NDArray[np.float32]", "NDArray[np.float32]"], "NDArray[Any]"]
"""Features (B, T, F) and presence (B, T) to logits (B, C)."""
WINDOW_FRAMES = 64
"""Length of the windows that published figures use."""
WINDOW_STRIDE_FRAMES = 32
BATCH = 256
UP = np.array([0.0, -1.0, 0.0])
"""The recordings' cameras stand level to a few degrees and their floor is unknown."""


@dataclass(frozen=True)
class RecognitionScore:
    """Figures over recordings of the five exercises; `none` is not among the answers here."""

    recording_acc: float
    window_acc: float
    n_recordings: int
    n_windows: int
    n_subjects: int
    confusion: list[list[int]]
    """Recordings: rows are the truth, columns the answer, in the order of EXERCISES."""
    recall: list[float]
    wrong: list[str]
    """Names of the recordings that were judged wrong, with the answer."""


def _probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)


def _windows(clip: Clip, ends_ns: NDArray[np.int64], samples: int) -> NDArray[np.float32]:
    """Return (B, WINDOW_SAMPLES, J, 3) with the last `samples` before each end, NaN before those."""
    step_ns = int(1e9 / SAMPLE_RATE_HZ)
    times_ns = ends_ns[:, None] - np.arange(samples - 1, -1, -1) * step_ns
    found = resample(clip.stamps_ns, clip.positions_m[:, FEATURE_INDEX], times_ns.reshape(-1))
    windows = np.full((len(ends_ns), WINDOW_SAMPLES, len(FEATURE_INDEX), 3), np.nan, dtype=np.float32)
    windows[:, WINDOW_SAMPLES - samples :] = found.reshape(len(ends_ns), samples, len(FEATURE_INDEX), 3)
    return windows


def judge_clip(judge: Judge, clip: Clip, ends_ns: NDArray[np.int64], samples: int) -> NDArray[np.float64]:
    """Return logits (B, C) of the windows that end at the given stamps."""
    logits = []
    for start in range(0, len(ends_ns), BATCH):
        windows = _windows(clip, ends_ns[start : start + BATCH], samples)
        logits.append(judge(*window_features(windows, np.tile(UP, (len(windows), 1)))))
    return np.concatenate(logits).astype(np.float64)


def score_recordings(judge: Judge, clips: Sequence[Clip]) -> RecognitionScore:
    """Judge every 64-frame window (half overlapping) of every recording among the five exercises.

    A recording's answer is the label with the highest mean probability over its windows. Recordings shorter than one
    window are judged by the one window they have.
    """
    samples = round(WINDOW_FRAMES / 30.0 * SAMPLE_RATE_HZ)
    truth, said, window_truth, window_said, wrong = [], [], [], [], []
    for clip in clips:
        ends = np.arange(min(WINDOW_FRAMES, len(clip.stamps_ns)) - 1, len(clip.stamps_ns), WINDOW_STRIDE_FRAMES)
        probabilities = _probabilities(judge_clip(judge, clip, clip.stamps_ns[ends], samples)[:, 1:])
        label = EXERCISES.index(clip.label)
        answer = int(probabilities.mean(axis=0).argmax())
        truth.append(label)
        said.append(answer)
        window_truth.extend([label] * len(ends))
        window_said.extend(probabilities.argmax(axis=-1).tolist())
        if answer != label:
            wrong.append(f"{clip.name}: {EXERCISES[answer]}")
    matrix = confusion_matrix(np.array(truth), np.array(said), len(EXERCISES))
    windows = confusion_matrix(np.array(window_truth), np.array(window_said), len(EXERCISES))
    return RecognitionScore(
        recording_acc=accuracy(matrix),
        window_acc=accuracy(windows),
        n_recordings=len(truth),
        n_windows=len(window_truth),
        n_subjects=len({clip.subject for clip in clips}),
        confusion=matrix.tolist(),
        recall=recall(matrix).tolist(),
        wrong=wrong,
    )


def labelled_windows(judge: Judge, clips: Sequence[Clip]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return logits (N, C) and truths (N) of full windows, twice a second, that show movement or stillness."""
    logits, truths = [], []
    for clip in clips:
        label = label_of(clip)
        prepared = None if label is None else prepare(clip, label)
        if prepared is None or label is None:
            continue
        for ends_ns, truth in ((prepared.active_ends_ns[::5], label), (prepared.quiet_ends_ns[::5], 0)):
            if len(ends_ns):
                logits.append(judge_clip(judge, clip, ends_ns, WINDOW_SAMPLES))
                truths.append(np.full(len(ends_ns), truth, dtype=np.int64))
    return np.concatenate(logits), np.concatenate(truths)


def none_scores(logits: NDArray[np.float64], truths: NDArray[np.int64]) -> dict[str, float]:
    """Return figures of the six-way answer: how often `none` is missed, and how often it is said wrongly."""
    answers = logits.argmax(axis=-1)
    matrix = confusion_matrix(truths, answers, len(LABELS))
    moving, still = truths > 0, truths == 0
    return {
        "six_way_acc": accuracy(matrix),
        "none_recall": float((answers[still] == 0).mean()) if still.any() else float("nan"),
        "none_false": float((answers[moving] == 0).mean()) if moving.any() else float("nan"),
        "n_none": int(still.sum()),
        "n_exercise": int(moving.sum()),
        "quiet_below_m": QUIET_M,
    }

"""Windows to learn the exercises from: where in a clip there is movement, and how a camera would have spoilt it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.features import (
    FEATURE_INDEX,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
    window_features,
)
from rehab_pose.training.exercise_augmentation import augment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.recordings.clip import Clip

__all__ = ["Batch", "TrainingClip", "WindowSampler", "label_of", "prepare"]

MOVING_M = 0.05
"""A window whose motion range is above this shows the exercise [m]."""
QUIET_M = 0.03
"""Below this nothing moves [m]; between the two a window is left out of training."""
MOVING_SAMPLES = 15
"""The last 1.5 s decide about movement."""
QUIET_SAMPLES = 25
"""Nothing for 2.5 s is `none`; a shorter stop is a pause within the exercise."""
NONE_SHARE = 0.35
"""Part of a batch that shows none of the exercises."""
EARLY_SHARE = 0.3
"""Part of the exercise windows that end within EARLY_S of the first movement."""
EARLY_S = 3.0
"""How soon the label must be right after the movement begins [s]."""
TEMPO_RANGE = (0.7, 1.4)
"""Time factor of a window."""
SHORTEST_SAMPLES = 8
"""Less history than this is never judged."""
AMBIGUOUS = frozenset(
    {
        ("ui_prmd", "deep_squat"),
        ("ui_prmd", "sit_to_stand"),
        ("mars", "squat"),
        ("mars", "both_upper_limb_extension"),
        ("irds", "shoulder_forward_elevation"),
    }
)
"""Movements of other sets that a user would call by one of the five names, or nearly: neither taught nor forbidden."""


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """One clip cut down to what the recogniser sees, with the ends of the windows that show something."""

    label: int
    """Place in LABELS."""
    stamps_ns: NDArray[np.int64]
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS [m]."""
    active_ends_ns: NDArray[np.int64]
    quiet_ends_ns: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Network inputs and truths."""

    features: NDArray[np.float32]
    """(B, T, F)."""
    present: NDArray[np.float32]
    """(B, T)."""
    labels: NDArray[np.int64]
    """(B) place in LABELS."""
    exercises: NDArray[np.int64]
    """(B) place in EXERCISES of the recording that a window comes from, also while nothing moves; -1 for others."""


def label_of(clip: Clip) -> int | None:
    """Return the class of a clip's movement: its place in LABELS, or None where nobody could say."""
    if clip.dataset == "kimore":
        return LABELS.index(clip.label)
    return None if (clip.dataset, clip.label) in AMBIGUOUS else LABELS.index(NONE)


def prepare(clip: Clip, label: int) -> TrainingClip | None:
    """Find the windows of a clip; None where it is too short to hold one."""
    positions_m = clip.positions_m[:, FEATURE_INDEX]
    step_ns = int(1e9 / SAMPLE_RATE_HZ)
    if clip.duration_s * 1e9 < SHORTEST_SAMPLES * step_ns:
        return None
    ends_ns = np.arange(clip.stamps_ns[0] + SHORTEST_SAMPLES * step_ns, clip.stamps_ns[-1] + 1, step_ns)
    ranges = {}
    for samples in (MOVING_SAMPLES, QUIET_SAMPLES):
        times = ends_ns[:, None] - np.arange(samples - 1, -1, -1) * step_ns
        windows = resample(clip.stamps_ns, positions_m, times.reshape(-1))
        ranges[samples] = motion_range_m(windows.reshape(*times.shape, *positions_m.shape[1:]))
    active = ranges[MOVING_SAMPLES] > MOVING_M
    quiet = (ranges[QUIET_SAMPLES] < QUIET_M) & (ends_ns >= clip.stamps_ns[0] + QUIET_SAMPLES * step_ns)
    return TrainingClip(label, clip.stamps_ns, positions_m, ends_ns[active], ends_ns[quiet])


class WindowSampler:
    """Draws batches of windows, every exercise and every clip of it alike."""

    def __init__(self, clips: Sequence[TrainingClip]) -> None:
        self._by_label = [
            [clip for clip in clips if clip.label == label and len(clip.active_ends_ns)] for label in range(len(LABELS))
        ]
        self._quiet = [clip for clip in clips if len(clip.quiet_ends_ns)]
        self._all = list(clips)

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """Return a batch of `size` windows with everything a camera might do to them."""
        windows = np.empty((size, WINDOW_SAMPLES, len(FEATURE_INDEX), 3), dtype=np.float32)
        labels = np.zeros(size, dtype=np.int64)
        exercises = np.full(size, -1, dtype=np.int64)
        for row in range(size):
            clip, end_ns, labels[row] = self._choose(rng)
            exercises[row] = clip.label - 1
            tempo = rng.uniform(*TEMPO_RANGE)
            windows[row] = _window(clip, end_ns, tempo, hold=bool(rng.random() < 0.5))
            if labels[row] == 0 and rng.random() < 0.3:  # somebody who stands still in any posture
                windows[row] = windows[row, -1]
        positions_m, up = augment(windows, rng)
        features, present = window_features(positions_m, up)
        return Batch(features, present, labels, exercises)

    def _choose(self, rng: np.random.Generator) -> tuple[TrainingClip, int, int]:
        if rng.random() < NONE_SHARE:
            others = self._by_label[0]
            if not others or (self._quiet and rng.random() < 0.35):
                pool = self._quiet or self._all
                clip = pool[rng.integers(len(pool))]
                ends = clip.quiet_ends_ns if len(clip.quiet_ends_ns) else clip.stamps_ns[-1:]
            else:
                clip = others[rng.integers(len(others))]
                ends = clip.active_ends_ns
            return clip, int(ends[rng.integers(len(ends))]), 0
        label = int(rng.integers(1, len(LABELS)))
        pool = self._by_label[label]
        clip = pool[rng.integers(len(pool))]
        ends = clip.active_ends_ns
        if rng.random() < EARLY_SHARE:
            ends = ends[ends <= ends[0] + EARLY_S * 1e9]
        return clip, int(ends[rng.integers(len(ends))]), label


def _window(clip: TrainingClip, end_ns: int, tempo: float, *, hold: bool) -> NDArray[Any]:
    """Return (T, J, 3) of the history before `end_ns`; before the clip began NaN, or its first frame if `hold`."""
    step_ns = tempo / SAMPLE_RATE_HZ * 1e9
    times_ns = (end_ns - np.arange(WINDOW_SAMPLES - 1, -1, -1) * step_ns).astype(np.int64)
    if hold:
        times_ns = np.maximum(times_ns, clip.stamps_ns[0])
    return resample(clip.stamps_ns, clip.positions_m, times_ns)

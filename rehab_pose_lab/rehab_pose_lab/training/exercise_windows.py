"""Training windows of the exercise recogniser: selection of moving and still parts of clips, and augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.feature_streams import window_streams
from rehab_pose.exercise.window_features import (
    SAMPLE_RATE_HZ,
    SMPL_INDICES,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)
from rehab_pose_lab.training.exercise_augmentation import augment, augment_lightly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["Batch", "TrainingClip", "WindowSampler", "label_of", "prepare"]

MOVING_M = 0.05
"""Motion range above which a window shows the exercise [m]."""
QUIET_M = 0.03
"""Motion range below which nothing moves [m]; windows between the two limits are not trained on."""
MOVING_SAMPLES = 15
"""Samples at the end of a window in which movement is measured: 1.5 s."""
QUIET_SAMPLES = 25
"""Samples without movement that are `none`: 2.5 s; a shorter stop is a pause within the exercise."""
NONE_FRACTION = 0.35
"""Fraction of the live windows that show none of the exercises."""
EARLY_FRACTION = 0.3
"""Fraction of the exercise windows that end within EARLY_S after the first movement."""
EARLY_S = 3.0
"""Time after the start of the movement within which the label should be correct [s]."""
TEMPO_RANGE = (0.7, 1.4)
"""Range of the time factor of a window."""
STILL_FRACTION = 0.35
"""Fraction of the `none` windows in which nothing moves, where there are such."""
FROZEN_FRACTION = 0.3
"""Fraction of the `none` windows that repeat one frame: a person who stands still in any pose."""
LIVE_FRACTION = 0.5
"""Fraction of a batch that is augmented as for a live camera; the rest comes from whole recordings."""
SHORT_SAMPLES = 21
"""A window of 64 frames at 30 Hz."""
SHORT_FRACTION, FULL_FRACTION = 0.6, 0.28
"""Fractions of the recorded windows with SHORT_SAMPLES and with WINDOW_SAMPLES; the others have a random number."""
SPANNING_FRACTION = 0.5
"""Where recordings are single movements: fraction of the windows that are scaled in time to span nearly all of one."""
MIN_SAMPLES = 8
"""Smallest number of samples of a window."""
AMBIGUOUS = frozenset(
    {
        ("ui_prmd", "deep_squat"),
        ("ui_prmd", "sit_to_stand"),
        ("mars", "squat"),
        ("mars", "both_upper_limb_extension"),
        ("irds", "shoulder_forward_elevation"),
        ("mri", "squat"),
        ("mri", "both_upper_limb_extension"),
        ("mri", "free_form"),
    }
)
"""Movements of other sets that resemble one of the five exercises: trained neither as exercise nor as `none`."""

CATALOGUE_SETS = frozenset({"kimore", "bags"})
"""Sets whose labels are those of the catalogue: KIMORE and labelled result bags."""


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """The joints of a clip that the recogniser uses, and the ends of its moving and still windows."""

    label: int
    """Index in LABELS."""
    stamps_ns: NDArray[np.int64]
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS [m]."""
    active_ends_ns: NDArray[np.int64]
    """Stamps at which windows with movement end [ns]."""
    quiet_ends_ns: NDArray[np.int64]
    """Stamps at which windows without movement end [ns]."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and targets of the network."""

    features: NDArray[np.float32]
    """(B, T, F)."""
    present: NDArray[np.float32]
    """(B, T)."""
    labels: NDArray[np.int64]
    """(B) index in LABELS; -1 where the window does not determine the label."""
    exercises: NDArray[np.int64]
    """(B) index in EXERCISES of the recording that a window comes from, also while nothing moves; -1 for others."""


def label_of(clip: Clip) -> int | None:
    """Return the class of a clip's movement: its index in LABELS, or None for an ambiguous movement."""
    if clip.dataset in CATALOGUE_SETS and clip.label in LABELS:
        return LABELS.index(clip.label)
    return None if (clip.dataset, clip.label) in AMBIGUOUS else LABELS.index(NONE)


def prepare(clip: Clip, label: int) -> TrainingClip | None:
    """Return the windows of a clip; None where the clip is too short for one."""
    positions_m = clip.positions_m[:, SMPL_INDICES]
    step_ns = int(1e9 / SAMPLE_RATE_HZ)
    if clip.duration_s * 1e9 < MIN_SAMPLES * step_ns:
        return None
    ends_ns = np.arange(clip.stamps_ns[0] + MIN_SAMPLES * step_ns, clip.stamps_ns[-1] + 1, step_ns)
    ranges = {}
    for samples in (MOVING_SAMPLES, QUIET_SAMPLES):
        times = ends_ns[:, None] - np.arange(samples - 1, -1, -1) * step_ns
        windows = resample(clip.stamps_ns, positions_m, times.reshape(-1))
        ranges[samples] = motion_range_m(windows.reshape(*times.shape, *positions_m.shape[1:]))
    active = ranges[MOVING_SAMPLES] > MOVING_M
    quiet = (ranges[QUIET_SAMPLES] < QUIET_M) & (ends_ns >= clip.stamps_ns[0] + QUIET_SAMPLES * step_ns)
    return TrainingClip(label, clip.stamps_ns, positions_m, ends_ns[active], ends_ns[quiet])


class WindowSampler:
    """Draws random batches of windows; all exercises have the same weight, and all clips of an exercise."""

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        *,
        single_movements: bool = False,
        live_fraction: float = LIVE_FRACTION,
        mirror: bool = True,
    ) -> None:
        """Resample all clips to SAMPLE_RATE_HZ.

        Args:
            clips: From `prepare`.
            single_movements: Each clip is one movement; half of the windows span all of it.
            live_fraction: Fraction of a batch for the label of the live recogniser; 0 where `none` is not trained.
            mirror: Whether a movement keeps its name when left and right are exchanged.
        """
        step_ns = int(1e9 / SAMPLE_RATE_HZ)
        tracks = []
        for clip in clips:
            times_ns = np.arange(clip.stamps_ns[0], clip.stamps_ns[-1] + 1, step_ns)
            tracks.append(resample(clip.stamps_ns, clip.positions_m, times_ns))
        self._positions_m = np.concatenate(tracks)
        self._lengths = np.array([len(track) for track in tracks])
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        self._labels = np.array([clip.label for clip in clips])
        self._active = [(clip.active_ends_ns - clip.stamps_ns[0]) / step_ns for clip in clips]
        self._quiet = [(clip.quiet_ends_ns - clip.stamps_ns[0]) / step_ns for clip in clips]
        self._classes = int(self._labels.max()) + 1
        self._moving = [
            [n for n in np.flatnonzero(self._labels == label) if len(self._active[n])] for label in range(self._classes)
        ]
        self._all = [np.flatnonzero(self._labels == label) for label in range(self._classes)]
        self._still = [n for n, ends in enumerate(self._quiet) if len(ends)]
        self._single_movements, self._live_fraction, self._mirror = single_movements, live_fraction, mirror

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """Return a batch of `size` augmented windows."""
        live = round(size * self._live_fraction)
        live_windows, labels, live_exercises = self._live(live, rng)
        recorded, recorded_exercises = self._recorded(size - live, rng)
        parts = []
        if live:
            parts.append((*augment(live_windows, rng), np.zeros(live, dtype=np.float32)))
        if live < size:
            parts.append(augment_lightly(recorded, rng, mirror=self._mirror))
        features, present = window_streams(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        labels = np.concatenate([labels, np.full(size - live, -1, dtype=np.int64)])
        return Batch(features, present, labels, np.concatenate([live_exercises, recorded_exercises]))

    def _live(
        self, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Return windows that end in movement or in rest, their labels, and the exercises of their recordings."""
        clips, ends = np.zeros(size, dtype=np.intp), np.zeros(size)
        labels = np.zeros(size, dtype=np.int64)
        for row in range(size):
            clips[row], ends[row], labels[row] = self._choose(rng)
        tempo = rng.uniform(*TEMPO_RANGE, size)
        windows = self._windows(clips, ends, tempo, np.full(size, WINDOW_SAMPLES), hold=rng.random(size) < 0.5)
        frozen = (labels == 0) & (rng.random(size) < FROZEN_FRACTION)
        windows[frozen] = windows[frozen, -1:]
        return windows, labels, self._labels[clips].astype(np.int64) - 1

    def _recorded(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return windows from random places of recordings of exercises, and their exercises."""
        places = [label for label in range(1, self._classes) if len(self._all[label])]
        clips = np.array([rng.choice(self._all[label]) for label in rng.choice(places, size)], dtype=np.intp)
        kind = rng.random(size)
        samples = rng.integers(MIN_SAMPLES, WINDOW_SAMPLES + 1, size)
        samples = np.where(kind < SHORT_FRACTION + FULL_FRACTION, WINDOW_SAMPLES, samples)
        samples = np.where(kind < SHORT_FRACTION, SHORT_SAMPLES, samples)
        tempo = rng.uniform(*TEMPO_RANGE, size)
        last = (self._lengths[clips] - 1).astype(np.float64)
        first = np.minimum((samples - 1) * 0.9, last)
        ends = first + rng.random(size) * (last - first)
        if self._single_movements:
            spanning = rng.random(size) < SPANNING_FRACTION
            covered = rng.uniform(0.85, 1.0, size)
            samples = np.where(spanning, WINDOW_SAMPLES, samples)
            tempo = np.where(spanning, last * covered / (WINDOW_SAMPLES - 1), tempo)
            ends = np.where(spanning, last * (1.0 - (1.0 - covered) * rng.random(size)), ends)
        hold = np.zeros(size, dtype=np.bool_)
        return self._windows(clips, ends, tempo, samples, hold=hold), self._labels[clips].astype(np.int64) - 1

    def _choose(self, rng: np.random.Generator) -> tuple[int, float, int]:
        """Return the index of a random clip, the sample at which the window ends, and its label."""
        if rng.random() < NONE_FRACTION:
            if not self._moving[0] or (self._still and rng.random() < STILL_FRACTION):
                pool = self._still or range(len(self._lengths))
                clip = int(pool[rng.integers(len(pool))])
                ends = self._quiet[clip] if len(self._quiet[clip]) else self._lengths[clip : clip + 1] - 1.0
            else:
                clip = int(self._moving[0][rng.integers(len(self._moving[0]))])
                ends = self._active[clip]
            return clip, float(ends[rng.integers(len(ends))]), 0
        places = [label for label in range(1, self._classes) if self._moving[label]]
        label = places[rng.integers(len(places))]
        clip = int(self._moving[label][rng.integers(len(self._moving[label]))])
        ends = self._active[clip]
        if rng.random() < EARLY_FRACTION:
            ends = ends[ends <= ends[0] + EARLY_S * SAMPLE_RATE_HZ]
        return clip, float(ends[rng.integers(len(ends))]), label

    def _windows(
        self,
        clips: NDArray[np.intp],
        ends: NDArray[np.float64],
        tempo: NDArray[np.float64],
        samples: NDArray[np.int64],
        *,
        hold: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Return windows (B, T, J, 3) [m] with the given numbers of samples.

        Samples before the start of the clip are NaN, or its first frame where `hold` is True.
        """
        back = np.arange(WINDOW_SAMPLES - 1, -1, -1)
        places = ends[:, None] - back * tempo[:, None]
        absent = ((places < -0.5) & ~hold[:, None]) | (back >= samples[:, None])
        last = self._lengths[clips][:, None] - 1
        places = np.clip(places, 0.0, last)
        low = np.floor(places).astype(np.intp)
        fraction = (places - low).astype(np.float32)[..., None, None]
        start = self._starts[clips][:, None]
        first = self._positions_m[start + low]
        second = self._positions_m[start + np.minimum(low + 1, last)]
        windows = first + fraction * (second - first)
        windows = np.where(np.isnan(windows), np.where(np.isnan(first), second, first), windows)
        windows[absent] = np.nan
        return np.asarray(windows, dtype=np.float32)

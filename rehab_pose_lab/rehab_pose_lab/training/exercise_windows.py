"""Windows to learn the exercises from: where in a clip there is movement, and how a camera would have spoilt it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.features import (
    FEATURE_INDEX,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)
from rehab_pose.exercise.streams import window_streams
from rehab_pose_lab.training.exercise_augmentation import augment, augment_lightly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["Batch", "TrainingClip", "WindowSampler", "label_of", "prepare"]

MOVING_M = 0.05
"""A window whose motion range is above this shows the exercise [m]."""
QUIET_M = 0.03
"""Below this nothing moves [m]; between the two a window is left out of training."""
MOVING_SAMPLES = 15
"""The last 1.5 s decide about movement."""
QUIET_SAMPLES = 25
"""Nothing for 2.5 s is `none`; a shorter stop is a pause within the exercise."""
NONE_FRACTION = 0.35
"""Part of a batch that shows none of the exercises."""
EARLY_FRACTION = 0.3
"""Part of the exercise windows that end within EARLY_S of the first movement."""
EARLY_S = 3.0
"""How soon the label must be right after the movement begins [s]."""
TEMPO_RANGE = (0.7, 1.4)
"""Time factor of a window."""
LIVE_FRACTION = 0.5
"""Part of a batch that is drawn and spoilt as before another camera; the rest is drawn from whole recordings."""
SHORT_SAMPLES = 21
"""A window of 64 frames at 30 Hz."""
SHORT_FRACTION, FULL_FRACTION = 0.6, 0.28
"""Parts of the windows of whole recordings that have SHORT_SAMPLES and WINDOW_SAMPLES; the rest any number."""
WHOLE_FRACTION = 0.5
"""Where recordings are single movements: part of the windows that show nearly all of one, whatever it takes."""
MIN_SAMPLES = 8
"""Less history than this is never judged."""
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
"""Movements of other sets that a user would call by one of the five names, or nearly: neither taught nor forbidden."""

OWN_WORDS = frozenset({"kimore", "bags"})
"""Sets whose labels are the catalogue's: KIMORE, and our own labelled bags."""


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
    """(B) place in LABELS; -1 where nobody could say from the window alone."""
    exercises: NDArray[np.int64]
    """(B) place in EXERCISES of the recording that a window comes from, also while nothing moves; -1 for
    others."""


def label_of(clip: Clip) -> int | None:
    """Return the class of a clip's movement: its place in LABELS, or None where nobody could say."""
    if clip.dataset in OWN_WORDS and clip.label in LABELS:
        return LABELS.index(clip.label)
    return None if (clip.dataset, clip.label) in AMBIGUOUS else LABELS.index(NONE)


def prepare(clip: Clip, label: int) -> TrainingClip | None:
    """Find the windows of a clip; None where it is too short to hold one."""
    positions_m = clip.positions_m[:, FEATURE_INDEX]
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
    """Draws batches of windows, every exercise and every clip of it alike."""

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        *,
        whole: bool = False,
        live_fraction: float = LIVE_FRACTION,
        mirror: bool = True,
    ) -> None:
        """Bring all clips to SAMPLE_RATE_HZ once.

        Args:
            clips: From `prepare`.
            whole: Each clip is one movement; show it as a whole half of the time.
            live_fraction: Part of a batch for the label that a live camera would give; 0 where `none` is not taught.
            mirror: Whether a movement keeps its name when left and right are swapped.
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
        self._whole, self._live_fraction, self._mirror = whole, live_fraction, mirror

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """Return a batch of `size` windows with everything a camera might do to them."""
        live = round(size * self._live_fraction)
        shown, labels, shown_of = self._live(live, rng)
        recorded, recorded_of = self._recorded(size - live, rng)
        parts = []
        if live:
            parts.append((*augment(shown, rng), np.zeros(live, dtype=np.float32)))
        if live < size:
            parts.append(augment_lightly(recorded, rng, mirror=self._mirror))
        features, present = window_streams(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        labels = np.concatenate([labels, np.full(size - live, -1, dtype=np.int64)])
        return Batch(features, present, labels, np.concatenate([shown_of, recorded_of]))

    def _live(
        self, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Return windows that end in movement or stillness, their labels, and their recordings' exercises."""
        clips, ends = np.zeros(size, dtype=np.intp), np.zeros(size)
        labels = np.zeros(size, dtype=np.int64)
        for row in range(size):
            clips[row], ends[row], labels[row] = self._choose(rng)
        tempo = rng.uniform(*TEMPO_RANGE, size)
        windows = self._windows(clips, ends, tempo, np.full(size, WINDOW_SAMPLES), hold=rng.random(size) < 0.5)
        frozen = (labels == 0) & (rng.random(size) < 0.3)  # somebody who stands still in any posture
        windows[frozen] = windows[frozen, -1:]
        return windows, labels, self._labels[clips].astype(np.int64) - 1

    def _recorded(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return windows from anywhere in recordings of exercises, and which they are of."""
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
        if self._whole:
            whole = rng.random(size) < WHOLE_FRACTION
            shown = rng.uniform(0.85, 1.0, size)
            samples = np.where(whole, WINDOW_SAMPLES, samples)
            tempo = np.where(whole, last * shown / (WINDOW_SAMPLES - 1), tempo)
            ends = np.where(whole, last * (1.0 - (1.0 - shown) * rng.random(size)), ends)
        hold = np.zeros(size, dtype=np.bool_)
        return self._windows(clips, ends, tempo, samples, hold=hold), self._labels[clips].astype(np.int64) - 1

    def _choose(self, rng: np.random.Generator) -> tuple[int, float, int]:
        """Return a clip, the sample where the window ends, and its label."""
        if rng.random() < NONE_FRACTION:
            if not self._moving[0] or (self._still and rng.random() < 0.35):
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
        """Return (B, T, J, 3): `samples` before each end; before the clip began NaN, or its first frame if `hold`."""
        back = np.arange(WINDOW_SAMPLES - 1, -1, -1)
        places = ends[:, None] - back * tempo[:, None]
        absent = ((places < -0.5) & ~hold[:, None]) | (back >= samples[:, None])
        last = self._lengths[clips][:, None] - 1
        places = np.clip(places, 0.0, last)
        low = np.floor(places).astype(np.intp)
        share = (places - low).astype(np.float32)[..., None, None]
        start = self._starts[clips][:, None]
        before = self._positions_m[start + low]
        after = self._positions_m[start + np.minimum(low + 1, last)]
        windows = before + share * (after - before)
        windows = np.where(np.isnan(windows), np.where(np.isnan(before), after, before), windows)
        windows[absent] = np.nan
        return np.asarray(windows, dtype=np.float32)

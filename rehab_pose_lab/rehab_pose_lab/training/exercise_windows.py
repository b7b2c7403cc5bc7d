"""Training windows of the exercise recogniser: selection of moving and still parts of clips, and augmentation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import ARM_LIFTING, LABELS, NONE
from rehab_pose.exercise.feature_streams import window_streams
from rehab_pose.exercise.window_features import (
    SAMPLE_RATE_HZ,
    SMPL_INDICES,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)
from rehab_pose_lab.datasets.movement_phases import movement_phases
from rehab_pose_lab.training.exercise_augmentation import augment, augment_lightly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["Batch", "TrainingClip", "WindowSampler", "label_of", "labelled_parts", "prepare"]

MOVING_M = 0.05
"""Motion range above which a window shows the exercise [m]."""
QUIET_M = 0.03
"""Motion range below which nothing moves [m]; windows between the two limits are not trained on."""
MOVING_SAMPLES = 15
"""Samples at the end of a window in which movement is measured: 1.5 s."""
QUIET_SAMPLES = 25
"""Samples without movement that are `none`: 2.5 s; a shorter stop is a pause within the exercise."""
NONE_FRACTION = 0.4
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
        ("mars", "squat"),
        ("mars", "both_upper_limb_extension"),
        ("irds", "shoulder_forward_elevation"),
        ("mri", "squat"),
        ("mri", "both_upper_limb_extension"),
        ("mri", "free_form"),
        ("utd_mhad", "squat"),
    }
)
"""Movements of other sets that resemble one of the five exercises: trained neither as exercise nor as `none`."""

PHASED_SETS = frozenset({"kimore"})
"""Sets whose recordings contain more than the exercise."""
EDGE_S, AFTER_S = 0.4, 2.0
"""Windows that end this close to the start of an exercise, or this soon after its end, are not labelled [s]: half of a
window shows the exercise for 2 s after it."""

CATALOGUE_SETS = frozenset({"kimore", "bags"})
"""Sets whose labels are a network's: KIMORE and labelled result bags."""


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
    movement: str = ""
    """Set and movement, or the part of a recording, of the moving windows."""
    recorded: bool = True
    """Whether windows from anywhere in it are trained on for the answer among the exercises."""
    gestures_ns: tuple[tuple[int, int], ...] = ()
    """Start and end of what is no part of the recording's exercise; windows that end there have no exercise [ns]."""


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
    movements: NDArray[np.int64]
    """(B) index of the movement among all sets' movements; -1 where nothing moves or where it is unknown."""


def label_of(clip: Clip, labels: Sequence[str] = LABELS) -> int | None:
    """Return the class of a clip's movement: its index in the labels, or None for an ambiguous movement."""
    if clip.dataset in CATALOGUE_SETS and clip.label in labels:
        return labels.index(clip.label)
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
    movement = f"{clip.dataset}/{clip.label}"
    return TrainingClip(label, clip.stamps_ns, positions_m, ends_ns[active], ends_ns[quiet], movement)


def labelled_parts(clip: Clip, label: int) -> list[TrainingClip]:
    """Return the windows of a clip by what they show; empty where the clip is too short for one.

    A recording of one of KIMORE's exercises has up to three parts (`movement_phases`): the exercise; movement before
    and after it, which is `none`; and arms lifted overhead before it, which is arm lifting. Windows that end within
    EDGE_S of the start, or within AFTER_S after the end, belong to no part.
    """
    whole = prepare(clip, label)
    if whole is None or label == LABELS.index(NONE) or clip.dataset not in PHASED_SETS:
        return [] if whole is None else [whole]
    phases = movement_phases(clip)
    if phases is None:
        return []
    ends_ns = whole.active_ends_ns
    edge_ns, after_ns = int(EDGE_S * 1e9), int(AFTER_S * 1e9)
    gesture = phases.in_gesture(ends_ns)
    outside = ((ends_ns < phases.first_ns - edge_ns) | (ends_ns > phases.last_ns + after_ns)) & ~gesture
    inside = (ends_ns > phases.start_ns + edge_ns) & (ends_ns <= phases.end_ns)
    none_ns = np.zeros(0, dtype=np.int64)
    parts = [replace(whole, active_ends_ns=ends_ns[inside], gestures_ns=phases.gestures_ns)]
    others = ((LABELS.index(NONE), outside, "around"), (LABELS.index(ARM_LIFTING), gesture, "gesture"))
    for other, chosen, name in others:
        if chosen.any():
            parts.append(
                replace(
                    whole,
                    label=other,
                    active_ends_ns=ends_ns[chosen],
                    quiet_ends_ns=none_ns,
                    movement=f"{clip.dataset}/{name}",
                    recorded=False,
                )
            )
    return parts


def _in_intervals(length: int, clip: TrainingClip, step_ns: int) -> NDArray[np.bool_]:
    """Return True (length) for the samples of a clip inside one of its gestures."""
    stamps_ns = clip.stamps_ns[0] + np.arange(length) * step_ns
    inside = np.zeros(length, dtype=np.bool_)
    for start_ns, end_ns in clip.gestures_ns:
        inside |= (stamps_ns >= start_ns) & (stamps_ns <= end_ns)
    return inside


class WindowSampler:
    """Draws random batches of windows; all exercises have the same weight, and all clips of an exercise."""

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        *,
        movements: Sequence[str] = (),
        single_movements: bool = False,
        live_fraction: float = LIVE_FRACTION,
        mirror: bool = True,
    ) -> None:
        """Resample all clips to SAMPLE_RATE_HZ.

        Args:
            clips: From `prepare` or `labelled_parts`.
            movements: Names of all movements, whose indices become `Batch.movements`.
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
        recorded = np.array([clip.recorded for clip in clips])
        self._all = [np.flatnonzero((self._labels == label) & recorded) for label in range(self._classes)]
        places = {name: place for place, name in enumerate(movements)}
        self._movements = np.array([places.get(clip.movement, -1) for clip in clips])
        self._exercises = np.where(recorded, self._labels - 1, -1)
        # `none` is drawn by movement, so that a set with a thousand repetitions does not displace the others.
        kinds: dict[str, list[int]] = {}
        for place in map(int, self._moving[0]):
            kinds.setdefault(clips[place].movement, []).append(place)
        self._none_kinds = [np.array(kinds[name]) for name in sorted(kinds)]
        self._gesture = np.concatenate(
            [_in_intervals(length, clip, step_ns) for length, clip in zip(self._lengths, clips, strict=True)]
        )
        self._still = [n for n, ends in enumerate(self._quiet) if len(ends)]
        self._single_movements, self._live_fraction, self._mirror = single_movements, live_fraction, mirror

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """Return a batch of `size` augmented windows."""
        live = round(size * self._live_fraction)
        live_windows, labels, live_exercises, live_movements = self._live(live, rng)
        recorded, recorded_exercises = self._recorded(size - live, rng)
        parts = []
        if live:
            parts.append((*augment(live_windows, rng), np.zeros(live, dtype=np.float32)))
        if live < size:
            parts.append(augment_lightly(recorded, rng, mirror=self._mirror))
        features, present = window_streams(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        labels = np.concatenate([labels, np.full(size - live, -1, dtype=np.int64)])
        movements = np.concatenate([live_movements, np.full(size - live, -1, dtype=np.int64)])
        return Batch(features, present, labels, np.concatenate([live_exercises, recorded_exercises]), movements)

    def _live(
        self, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return windows that end in movement or in rest, their labels, their recordings' exercises, and movements."""
        clips, ends = np.zeros(size, dtype=np.intp), np.zeros(size)
        labels, moving = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_)
        for row in range(size):
            clips[row], ends[row], labels[row], moving[row] = self._choose(rng)
        tempo = rng.uniform(*TEMPO_RANGE, size)
        windows = self._windows(clips, ends, tempo, np.full(size, WINDOW_SAMPLES), hold=rng.random(size) < 0.5)
        frozen = (labels == 0) & (rng.random(size) < FROZEN_FRACTION)
        windows[frozen] = windows[frozen, -1:]
        movements = np.where(moving & ~frozen, self._movements[clips], -1).astype(np.int64)
        return windows, labels, self._exercises_at(clips, ends), movements

    def _exercises_at(self, clips: NDArray[np.intp], ends: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the exercise of the recordings that windows come from, -1 for others and at the end of a gesture."""
        last = np.clip(np.rint(ends), 0, self._lengths[clips] - 1).astype(np.intp)
        return np.where(self._gesture[self._starts[clips] + last], -1, self._exercises[clips]).astype(np.int64)

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
        return self._windows(clips, ends, tempo, samples, hold=hold), self._exercises_at(clips, ends)

    def _choose(self, rng: np.random.Generator) -> tuple[int, float, int, bool]:
        """Return the index of a random clip, the sample at which the window ends, its label, and whether it moves."""
        if rng.random() < NONE_FRACTION:
            if not self._moving[0] or (self._still and rng.random() < STILL_FRACTION):
                pool = self._still or range(len(self._lengths))
                clip = int(pool[rng.integers(len(pool))])
                ends = self._quiet[clip] if len(self._quiet[clip]) else self._lengths[clip : clip + 1] - 1.0
                return clip, float(ends[rng.integers(len(ends))]), 0, False
            kind = self._none_kinds[rng.integers(len(self._none_kinds))]
            clip = int(kind[rng.integers(len(kind))])
            ends = self._active[clip]
            return clip, float(ends[rng.integers(len(ends))]), 0, True
        places = [label for label in range(1, self._classes) if self._moving[label]]
        label = places[rng.integers(len(places))]
        clip = int(self._moving[label][rng.integers(len(self._moving[label]))])
        ends = self._active[clip]
        if rng.random() < EARLY_FRACTION:
            ends = ends[ends <= ends[0] + EARLY_S * SAMPLE_RATE_HZ]
        return clip, float(ends[rng.integers(len(ends))]), label, True

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

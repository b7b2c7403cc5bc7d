"""Learning of an exercise from a few recordings of joints: windows, limit of familiarity, and leave-one-out figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.exercise.few_shot import MAX_WINDOWS, STILL, AddedExercise, FewShotHead, squared_distances
from rehab_pose.exercise.window_features import (
    FEATURE_INDEX,
    FEATURE_JOINTS,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    resample,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.window_classifier import WindowClassifier

__all__ = ["LeftOut", "Recording", "learn", "leave_one_out", "level", "mirrored_m"]

MIN_RECORDINGS = 2
"""Smallest number of recordings: one is left out to measure the others."""
MIN_S = 1.0
"""Shortest recording [s]."""
FIRST_END_S, STEP_S = 0.8, 0.4
"""End of the first window after a recording's start, and time between the ends of windows [s]."""
TEMPI = (1.0, 0.85, 1.2)
"""Factors of the tempo of a recording's windows: people differ by as much in UI-PRMD; chosen by hand."""
OFFSET_SIGMA_M, NOISE_SIGMA_M = 0.015, 0.006
"""Standard deviations of constant and of frame-to-frame errors of joints that the windows of other tempi get [m]."""
LIMIT_FACTOR, LIMIT_PERCENTILE = 2.5, 95.0
"""The limit is this factor of this percentile of the distance of windows to those of the other recordings."""
HELD = 10
"""Frames of a recording of which a window without movement is made, as examples of `none`."""
SEED = 5
_MIRROR = np.array(
    [
        FEATURE_INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")]
        for name in FEATURE_JOINTS
    ]
)


@dataclass(frozen=True, eq=False)
class Recording:
    """Joints of one recording of an exercise."""

    name: str
    person: str
    stamps_ns: NDArray[np.int64]
    """(T) increasing [ns]."""
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS, levelled: y down along gravity [m]; NaN = missing."""

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return float(self.stamps_ns[-1] - self.stamps_ns[0]) * 1e-9


@dataclass(frozen=True)
class LeftOut:
    """Figures of recordings that the exercise was not learnt from."""

    right: int
    """Number of recordings recognised as the exercise."""
    recordings: int
    windows_pct: float
    """Windows recognised as the exercise [%]."""
    by: str
    """Unit that was left out: `person` or `recording`."""


def level(positions_m: NDArray[Any], up: NDArray[Any]) -> NDArray[np.float32]:
    """Return positions (T, J, 3) [m] turned so that the vertical `up` (3) is (0, -1, 0)."""
    target, up = np.array([0.0, -1.0, 0.0]), np.asarray(up, dtype=np.float64)
    axis, cosine = np.cross(up, target), float(up @ target)
    if np.linalg.norm(axis) < 1e-9:
        turn = np.eye(3) if cosine > 0 else np.diag([1.0, -1.0, -1.0])
    else:
        skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        turn = np.eye(3) + skew + skew @ skew / (1.0 + cosine)
    return np.asarray(positions_m @ turn.T, dtype=np.float32)


def mirrored_m(positions_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return positions (..., J, 3) [m] of the mirrored movement: left and right exchanged."""
    return np.asarray(positions_m[..., _MIRROR, :] * np.array([-1.0, 1.0, 1.0]), dtype=np.float32)


def _windows(recording: Recording, *, mirror: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return windows (N, T, J, 3) [m] of a recording at all tempi, and mirrored ones."""
    back_s = np.arange(WINDOW_SAMPLES - 1, -1, -1) / SAMPLE_RATE_HZ
    parts = []
    for reflected in (False, True) if mirror else (False,):
        for tempo in TEMPI:
            ends_s = np.arange(FIRST_END_S * tempo, recording.duration_s + 1e-6, STEP_S * tempo)
            times_s = ends_s[:, None] - tempo * back_s
            times_ns = recording.stamps_ns[0] + np.rint(times_s * 1e9).astype(np.int64)
            windows = resample(recording.stamps_ns, recording.positions_m, times_ns.reshape(-1))
            windows = windows.reshape(*times_ns.shape, *windows.shape[1:])
            if reflected:
                windows = mirrored_m(windows)
            if tempo != 1.0:
                offsets_m = rng.normal(0.0, OFFSET_SIGMA_M, (len(windows), 1, *windows.shape[2:]))
                errors_m = offsets_m + rng.normal(0.0, NOISE_SIGMA_M, windows.shape)
                windows = (windows + errors_m).astype(np.float32)
            parts.append(windows)
    return np.concatenate(parts)


def learn(
    name: str, recordings: Sequence[Recording], classifier: WindowClassifier, *, mirror: bool = True
) -> AddedExercise:
    """Return an exercise learnt from its recordings.

    Args:
        name: Label.
        recordings: Two or more, of one to three people.
        classifier: Network that embeds the windows.
        mirror: Whether the exercise keeps its name when left and right are exchanged.

    Raises:
        InputError: There are too few recordings, or one is too short.
    """
    short = [recording.name for recording in recordings if recording.duration_s < MIN_S]
    if short or len(recordings) < MIN_RECORDINGS:
        msg = (
            f"exercise {name}: expected at least {MIN_RECORDINGS} recordings of {MIN_S:g} s or more, got "
            f"{len(recordings)}, too short: {', '.join(short) or 'none'}; record it again"
        )
        raise InputError(msg)
    rng = np.random.default_rng(SEED)
    windows = [_windows(recording, mirror=mirror, rng=rng) for recording in recordings]
    share = max(1, MAX_WINDOWS // len(windows) - HELD)
    windows = [part[:: -(-len(part) // share)] for part in windows]
    people = sorted({recording.person for recording in recordings})
    held = np.concatenate([_held(recording) for recording in recordings])
    joined = np.concatenate([*windows, held])
    numbers = np.repeat(np.arange(len(windows)), [len(part) for part in windows])
    persons = np.array([people.index(recording.person) for recording in recordings])[numbers]
    coordinates = classifier.coordinates(joined)
    distances = _distances_to_others(coordinates[: len(numbers)], numbers)
    limit = LIMIT_FACTOR * float(np.percentile(distances, LIMIT_PERCENTILE))
    none = np.full(len(held), STILL)
    return AddedExercise(
        name,
        joined,
        np.concatenate([numbers, none]),
        np.concatenate([persons, none]),
        coordinates,
        limit,
        classifier.model_id,
    )


def _held(recording: Recording) -> NDArray[np.float32]:
    """Return windows (HELD, T, J, 3) [m] of single frames of a recording: the person holds that posture."""
    places = np.linspace(0, len(recording.positions_m) - 1, HELD).astype(np.intp)
    return np.repeat(recording.positions_m[places, None], WINDOW_SAMPLES, axis=1)


def _distances_to_others(coordinates: NDArray[np.float32], recordings: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance (N) of each window to the nearest one of another recording."""
    nearest = np.empty(len(coordinates))
    for number in np.unique(recordings):
        own = recordings == number
        one, other = coordinates[own].astype(np.float64), coordinates[~own].astype(np.float64)
        nearest[own] = np.sqrt(squared_distances(one, other).min(axis=1))
    return nearest


def leave_one_out(exercise: AddedExercise, others: Sequence[AddedExercise], classifier: WindowClassifier) -> LeftOut:
    """Return figures of each person (or recording, where there is one person) with the exercise learnt from the rest.

    Args:
        exercise: The exercise.
        others: The other added exercises, which compete.
        classifier: Network that they were learnt with.
    """
    shown = exercise.recordings != STILL
    by_person = len(np.unique(exercise.people[shown])) > 1
    groups = exercise.people if by_person else exercise.recordings
    competing = [other.entry for other in others if other.name != exercise.name]
    still = [exercise.coordinates[~shown], *(other.still for other in others if other.name != exercise.name)]
    right, found, total = 0, 0, 0
    for group in np.unique(groups[shown]):
        rest = shown & (groups != group)
        own = (exercise.name, exercise.coordinates[rest], exercise.limit)
        head = FewShotHead(classifier.space, [own, *competing], still)
        for recording in np.unique(exercise.recordings[shown & ~rest]):
            probabilities = head.probabilities(exercise.coordinates[exercise.recordings == recording])
            right += int(probabilities.mean(axis=0).argmax() == 1)
            found += int((probabilities.argmax(axis=1) == 1).sum())
            total += len(probabilities)
    count = len(np.unique(exercise.recordings[shown]))
    return LeftOut(right, count, 100.0 * found / max(total, 1), "person" if by_person else "recording")

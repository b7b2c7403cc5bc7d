"""Movement-level labels of a recording of one exercise: before, within and after it, and gestures outside of it.

The rule, on the exercise's own signal at 10 Hz (arm elevation, tilt, yaw, sway or drop), smoothed over 0.5 s:

1. Gestures, in all exercises but arm lifting: the elevation of both arms exceeds GESTURE_RAD while the exercise's
   signal moves by less than STILL_FRACTION of its typical swing. KIMORE's subjects stretch both arms overhead before
   they begin. A gesture lasts from leaving REST_RAD to returning to it.
2. Extremes: the signal turns by at least TURN_FRACTION of its typical swing, outside of gestures.
3. The exercise is the chain of swings with at most LONGEST_PAUSE_S of rest between them whose sizes sum up to most;
   between it and other chains the recording is unsure. A recording shows no exercise where its signal is unknown for
   more than MAX_UNKNOWN_FRACTION of it, or the chain's range is below the smallest that counts as a repetition.
4. It starts where the signal last is within EDGE_FRACTION of the first swing from where that began, and ends likewise.
   A lift or squat that is not complete at the recording's end (or beginning) lasts to it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import ARM_LIFTING, SQUAT
from rehab_pose.exercise.repetition_signals import arm_elevations, body_axes, definition_of, signal_values
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, resample
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["MovementPhases", "movement_phases"]

GESTURE_RAD, REST_RAD = 1.9, 1.2
"""Elevation of both arms that makes a gesture, and from which it begins and ends [rad]; chosen by eye on KIMORE."""
SMOOTHING_SAMPLES = 5
"""Samples of the moving average, 0.5 s."""
TURN_FRACTION, HALF_TURN_FRACTION = 0.4, 0.3
"""Smallest swing as a fraction of the typical one, from rest and from side to side, where the first swing begins in the
middle; chosen by eye on KIMORE."""
STILL_FRACTION = 0.5
"""Largest range of the signal during a gesture as a fraction of its typical swing: arms are overhead in a tilt too."""
FROM_REST = frozenset({ARM_LIFTING, SQUAT})
"""Exercises whose signal rises from rest and returns; the others go from side to side."""
TYPICAL_PERCENTILE = 75.0
"""Percentile of the signal's range over LOCAL_S that is the typical swing [%]."""
LOCAL_S = 4.0
"""About one repetition [s]."""
LONGEST_PAUSE_S = 4.5
"""Longest rest between two swings of one set [s]; chosen by eye on KIMORE."""
MAX_UNKNOWN_FRACTION = 0.5
"""Largest fraction of a recording in which the signal's joints are missing."""
EDGE_FRACTION = 0.25
"""Fraction of the first and of the last swing that does not belong to the exercise."""
MIN_SAMPLES = 30
"""Recordings with fewer known samples (3 s) have no phases."""


@dataclass(frozen=True)
class MovementPhases:
    """Stamps of one exercise in its recording."""

    start_ns: int
    """The exercise's signal leaves rest [ns]."""
    end_ns: int
    """It is back at rest [ns]."""
    first_ns: int
    """Start of what moves the signal at all, before `start_ns` where that is not certainly the exercise [ns]."""
    last_ns: int
    """Its end, after `end_ns` likewise [ns]."""
    gestures_ns: tuple[tuple[int, int], ...]
    """Start and end of each gesture with both arms overhead that is no part of the exercise [ns]."""

    def within(self, starts_ns: NDArray[np.int64], ends_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True (N) for intervals [ns] that lie wholly inside the exercise."""
        return np.asarray((starts_ns >= self.start_ns) & (ends_ns <= self.end_ns))

    def in_gesture(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True (N) for stamps [ns] inside a gesture."""
        inside = np.zeros(np.shape(stamps_ns), dtype=np.bool_)
        for start_ns, end_ns in self.gestures_ns:
            inside |= (stamps_ns >= start_ns) & (stamps_ns <= end_ns)
        return inside


def movement_phases(clip: Clip) -> MovementPhases | None:
    """Return the phases of a recording of one of KIMORE_EXERCISES; None where it does not show its exercise."""
    if clip.label not in KIMORE_EXERCISES:
        return None
    times_ns = np.arange(clip.stamps_ns[0], clip.stamps_ns[-1] + 1, int(1e9 / SAMPLE_RATE_HZ), dtype=np.int64)
    points_m = resample(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES], times_ns)
    axes = body_axes(points_m, CAMERA_UP)
    values = _smoothed(signal_values(clip.label, points_m, axes))
    if values is None:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(values, min(round(LOCAL_S * SAMPLE_RATE_HZ), len(values)))
    typical = float(np.percentile(np.ptp(windows, axis=1), TYPICAL_PERCENTILE))
    gestures = [] if clip.label == ARM_LIFTING else _gestures(points_m, axes)
    gestures = [(start, end) for start, end in gestures if np.ptp(values[start : end + 1]) < STILL_FRACTION * typical]
    for start, end in gestures:  # what the signal does during a gesture is no exercise: a line from start to end
        values[start : end + 1] = np.linspace(values[start], values[end], end - start + 1)
    chain = _exercise(values, typical, from_rest=clip.label in FROM_REST)
    if chain is None or np.ptp(values[chain[0] : chain[1] + 1]) < definition_of(clip.label).signal.minimum_range:
        return None
    first, last, earliest, latest = chain
    outside = tuple(
        (int(times_ns[start]), int(times_ns[end])) for start, end in gestures if end <= first or start >= last
    )
    return MovementPhases(
        start_ns=int(times_ns[first]),
        end_ns=int(times_ns[last]),
        first_ns=int(times_ns[earliest]),
        last_ns=int(times_ns[latest]),
        gestures_ns=outside,
    )


def _smoothed(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the signal (T) without gaps, smoothed; None with too few known samples."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < max(MIN_SAMPLES, (1.0 - MAX_UNKNOWN_FRACTION) * len(values)):
        return None
    whole = np.interp(np.arange(len(values)), known, values[known])
    padded = np.pad(whole, SMOOTHING_SAMPLES // 2, mode="edge")
    return np.convolve(padded, np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES), mode="valid")


def _gestures(points_m: NDArray[Any], axes: NDArray[Any]) -> list[tuple[int, int]]:
    """Return first and last sample of each time at which both arms are overhead."""
    arms = [_smoothed(values) for values in arm_elevations(np.asarray(points_m, dtype=np.float64), axes)]
    if arms[0] is None or arms[1] is None:
        return []
    lower = np.minimum(arms[0], arms[1])
    found: list[tuple[int, int]] = []
    for place in np.flatnonzero(lower > GESTURE_RAD).tolist():
        if found and place <= found[-1][1]:
            continue
        below = np.flatnonzero(lower < REST_RAD)
        before, after = below[below < place], below[below > place]
        found.append((int(before[-1]) if len(before) else 0, int(after[0]) if len(after) else len(lower) - 1))
    return found


def _exercise(values: NDArray[np.float64], typical: float, *, from_rest: bool) -> tuple[int, int, int, int] | None:
    """Return first and last sample of the exercise in a smoothed signal (T), and of all chains; None without any."""
    places = _extremes(values, (TURN_FRACTION if from_rest else HALF_TURN_FRACTION) * typical)
    if typical <= 0.0 or len(places) < 2:
        return None
    swings = np.abs(np.diff(values[places]))
    edges = [_edges(values, *pair) for pair in itertools.pairwise(places)]
    chains: list[list[int]] = [[0]]
    for swing in range(1, len(edges)):
        if edges[swing][0] - edges[swing - 1][1] > LONGEST_PAUSE_S * SAMPLE_RATE_HZ:
            chains.append([])
        chains[-1].append(swing)
    best = max(chains, key=lambda chain: float(swings[chain].sum()))
    first, last = edges[best[0]][0], edges[best[-1]][1]
    if from_rest and best[0] == 0 and values[places[0]] > values[places[1]]:
        first = 0
    if from_rest and best[-1] == len(edges) - 1 and values[places[-1]] > values[places[-2]]:
        last = len(values) - 1
    return first, last, min(first, edges[0][0]), max(last, edges[-1][1])


def _edges(values: NDArray[np.float64], first: int, second: int) -> tuple[int, int]:
    """Return the samples between two extremes at which the swing begins and is complete, without rest."""
    size = abs(values[second] - values[first])
    inside = values[first : second + 1]
    resting = np.flatnonzero(np.abs(inside - values[first]) <= EDGE_FRACTION * size)
    arrived = np.flatnonzero(np.abs(inside - values[second]) <= EDGE_FRACTION * size)
    return first + int(resting[-1]), first + int(arrived[0])


def _extremes(values: NDArray[np.float64], smallest: float) -> list[int]:
    """Return the places of alternating extremes whose neighbours differ by at least `smallest`."""
    places: list[int] = []
    low = high = 0
    direction = 0
    for place, value in enumerate(values.tolist()):
        if value > values[high]:
            high = place
        if value < values[low]:
            low = place
        if direction >= 0 and values[high] - value >= smallest:
            if direction == 0 and low < high:
                places.append(low)
            places.append(high)
            direction, low = -1, place
        elif direction <= 0 and value - values[low] >= smallest:
            if direction == 0 and high < low:
                places.append(high)
            places.append(low)
            direction, high = 1, place
    if direction > 0:
        places.append(high)
    elif direction < 0:
        places.append(low)
    return places

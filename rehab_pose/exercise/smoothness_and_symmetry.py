"""Measures of a finished repetition: smoothness, side, and the asymmetry of left and right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Side
from rehab_pose.exercise.repetition_signals import definition_of, limb_values, signal_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.cycle_detector import Cycle
    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["RepetitionMeasures", "measure_repetition", "spectral_arc_length"]

MEASURE_HZ = 30.0
"""A repetition is resampled to this rate before its speed is computed [Hz]."""
CUTOFF_HZ = 6.0
"""Highest frequency of the spectral arc; joints from depth contain only noise above it [Hz]."""
AMPLITUDE_FRACTION = 0.05
"""The arc ends where the normalised spectrum stays below this (Balasubramanian et al. 2015)."""
PADDING = 4
"""The speed is zero-padded to 2^PADDING times the next power of two, which interpolates the spectrum."""
SMOOTHING_SAMPLES = 5
"""Length of the moving average over the resampled signal, at MEASURE_HZ."""
MIN_SAMPLES = 8
"""Smallest number of samples of a measure; with fewer it is NaN."""
ONE_SIDE_FRACTION = 0.2
"""A repetition is one-sided if the other side has less than this fraction of the sum of both sides."""
FAR_FRACTION = 0.7
"""The side of a repetition of one limb is measured where the signal is beyond this fraction of its rise."""
PERCENTILES = (5.0, 95.0)
"""Percentiles whose difference is the range of a limb: robust to outlier frames [%]."""


@dataclass(frozen=True)
class RepetitionMeasures:
    """Smoothness, side and asymmetry of one repetition."""

    smoothness: float
    """Spectral arc length, at most 0; closer to 0 is smoother; NaN = not measured."""
    side: Side
    """ANY for exercises of both sides together (arm lifting, squat), LEFT or RIGHT for those of one limb, else LEFT,
    RIGHT, or BOTH."""
    asymmetry: float
    """-1 to 1; positive: larger movement of or to the left; NaN = not measured, as in exercises of one limb."""


def measure_repetition(
    exercise: str | ExerciseDefinition,
    cycle: Cycle,
    stamps_ns: NDArray[np.int64],
    positions_m: NDArray[Any],
    axes: NDArray[Any],
    middle: float,
) -> RepetitionMeasures:
    """Return the smoothness, the side and the asymmetry of a repetition.

    Args:
        exercise: Its definition, or the label of a shipped one.
        cycle: Stamps and extremes of the repetition.
        stamps_ns: (T) of its frames [ns].
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.
        middle: Value of a two-sided signal between the sides; NaN = unknown.
    """
    definition = definition_of(exercise)
    values = signal_values(definition, positions_m, axes)
    parts = [spectral_arc_length(*part) for part in _out_and_back(cycle, stamps_ns, values)]
    finite_parts = [part for part in parts if np.isfinite(part)]
    smoothness = float(np.mean(finite_parts)) if finite_parts else float("nan")
    if not definition.two_sided:
        if definition.sides == "single":
            far = values >= cycle.minimum + FAR_FRACTION * (cycle.maximum - cycle.minimum)
            return RepetitionMeasures(smoothness, _moving_side(definition, positions_m[far], axes), float("nan"))
        return RepetitionMeasures(smoothness, Side.ANY, _asymmetry(*_left_and_right(definition, positions_m, axes)))
    # All two-sided signals are positive towards the person's left.
    left, right = max(cycle.maximum - middle, 0.0), max(middle - cycle.minimum, 0.0)
    asymmetry = _asymmetry(left, right)
    side = Side.BOTH
    if left < ONE_SIDE_FRACTION * (left + right):
        side = Side.RIGHT
    elif right < ONE_SIDE_FRACTION * (left + right):
        side = Side.LEFT
    return RepetitionMeasures(smoothness, side, asymmetry)


def spectral_arc_length(stamps_ns: NDArray[np.int64], values: NDArray[Any]) -> float:
    """Return the spectral arc length of the speed of a movement.

    The method is SPARC (Balasubramanian et al. 2015, J NeuroEng Rehabil 12).

    Args:
        stamps_ns: (T) [ns].
        values: (T) the moving quantity; NaN = missing.

    Returns:
        At most 0; NaN where the movement is too short.
    """
    finite = np.isfinite(values)
    if finite.sum() < MIN_SAMPLES:
        return float("nan")
    times_s = (stamps_ns[finite] - stamps_ns[finite][0]) * 1e-9
    even_s = np.arange(0.0, times_s[-1], 1.0 / MEASURE_HZ)
    if len(even_s) < MIN_SAMPLES:
        return float("nan")
    even = np.interp(even_s, times_s, np.asarray(values, dtype=np.float64)[finite])
    kernel = np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES)
    even = np.convolve(np.pad(even, SMOOTHING_SAMPLES // 2, mode="edge"), kernel, mode="valid")
    speed = np.abs(np.gradient(even))
    size = 2 ** (int(np.ceil(np.log2(len(speed)))) + PADDING)
    spectrum = np.abs(np.fft.rfft(speed, size))
    if spectrum[0] <= 0.0:
        return float("nan")
    normalised = spectrum[: int(CUTOFF_HZ / MEASURE_HZ * size) + 1] / spectrum[0]
    normalised = normalised[: int(np.flatnonzero(normalised >= AMPLITUDE_FRACTION)[-1]) + 1]
    if len(normalised) < 2:
        return float("nan")
    return -float(np.hypot(1.0 / (len(normalised) - 1), np.diff(normalised)).sum())


def _out_and_back(
    cycle: Cycle, stamps_ns: NDArray[np.int64], values: NDArray[Any]
) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Return the samples before and after the turn; in a smooth movement the speed has a single peak in each."""
    turn = int(np.searchsorted(stamps_ns, cycle.turn_ns))
    return [(stamps_ns[:turn], values[:turn]), (stamps_ns[turn:], values[turn:])]


def _left_and_right(
    definition: ExerciseDefinition, positions_m: NDArray[Any], axes: NDArray[Any]
) -> tuple[float, float]:
    """Return the range of the left and the right limb, in the unit of the limb's expression; NaN without one."""
    limbs = limb_values(definition, positions_m, axes)
    if limbs is None:
        return float("nan"), float("nan")
    ranges = []
    for limb in limbs:
        finite = limb[np.isfinite(limb)]
        low, high = np.percentile(finite, PERCENTILES) if len(finite) >= MIN_SAMPLES else (np.nan, np.nan)
        ranges.append(float(high - low))
    return ranges[0], ranges[1]


def _moving_side(definition: ExerciseDefinition, positions_m: NDArray[Any], axes: NDArray[Any]) -> Side:
    """Return the side whose limb's expression is larger at the far point (T, J, 3) [m]; ANY where it is unknown."""
    limbs = limb_values(definition, positions_m, axes)
    if limbs is None:
        return Side.ANY
    difference = limbs[0] - limbs[1]
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return Side.ANY
    return Side.LEFT if np.median(difference) > 0.0 else Side.RIGHT


def _asymmetry(left: float, right: float) -> float:
    """Return (left - right) / (left + right); NaN where one is unknown or both are 0."""
    both = left + right
    return (left - right) / both if np.isfinite(both) and both > 0.0 else float("nan")

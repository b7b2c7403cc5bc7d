"""What is measured of a finished repetition: smoothness, side, and the balance of left and right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Side
from rehab_pose.exercise.catalogue import ARM_LIFTING, SQUAT
from rehab_pose.exercise.features import FEATURE_PLACE
from rehab_pose.exercise.signals import SIGNALS, arm_elevations, signal_values
from rehab_pose.geometry.rotations import angles_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.cycles import Cycle

__all__ = ["RepetitionMeasures", "knee_flexions", "measure_repetition", "spectral_arc_length"]

MEASURE_HZ = 30.0
"""A repetition is resampled to this rate before its speed is taken."""
CUTOFF_HZ = 6.0
"""Highest frequency of the arc; joints from depth hold only noise above it."""
AMPLITUDE_FRACTION = 0.05
"""The arc ends where the spectrum stays below this share of its highest value (Balasubramanian et al. 2015)."""
PADDING = 4
"""Powers of two by which the spectrum is refined."""
SMOOTHING_SAMPLES = 5
MIN_SAMPLES = 8
ONE_SIDE_FRACTION = 0.15
"""A side that got less than this share of both together was not done."""
PERCENTILES = (5.0, 95.0)


@dataclass(frozen=True)
class RepetitionMeasures:
    """Of one repetition."""

    smoothness: float
    """At most 0, nearer 0 is smoother; NaN = not measured."""
    side: Side
    """ANY for exercises without sides (arm lifting, squat); else LEFT, RIGHT, or BOTH."""
    asymmetry: float
    """-1 to 1, positive: further with or to the left; NaN = not measured."""


def measure_repetition(
    label: str,
    cycle: Cycle,
    stamps_ns: NDArray[np.int64],
    positions_m: NDArray[Any],
    axes: NDArray[Any],
    middle: float,
) -> RepetitionMeasures:
    """Measure a repetition.

    Args:
        label: Its exercise.
        cycle: When it was, and its extremes.
        stamps_ns: (T) of its frames [ns].
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.
        middle: The signal between the sides, for two-sided exercises; NaN = not known.
    """
    values = signal_values(label, positions_m, axes)
    parts = [spectral_arc_length(*part) for part in _ways(cycle, stamps_ns, values)]
    known = [part for part in parts if np.isfinite(part)]
    smoothness = float(np.mean(known)) if known else float("nan")
    if not SIGNALS[label].two_sided:
        return RepetitionMeasures(smoothness, Side.ANY, _balance(*_left_and_right(label, positions_m, axes)))
    # All two-sided signals are positive towards the person's left.
    left, right = max(cycle.maximum - middle, 0.0), max(middle - cycle.minimum, 0.0)
    asymmetry = _balance(left, right)
    side = Side.BOTH
    if left < ONE_SIDE_FRACTION * (left + right):
        side = Side.RIGHT
    elif right < ONE_SIDE_FRACTION * (left + right):
        side = Side.LEFT
    return RepetitionMeasures(smoothness, side, asymmetry)


def spectral_arc_length(stamps_ns: NDArray[np.int64], values: NDArray[Any]) -> float:
    """Return the spectral arc length of a movement's speed (SPARC, Balasubramanian et al. 2015, J NeuroEng Rehabil 12).

    Args:
        stamps_ns: (T) [ns].
        values: (T) what moves; NaN = not seen.

    Returns:
        At most 0; NaN where the movement is too short to tell.
    """
    seen = np.isfinite(values)
    if seen.sum() < MIN_SAMPLES:
        return float("nan")
    times_s = (stamps_ns[seen] - stamps_ns[seen][0]) * 1e-9
    even_s = np.arange(0.0, times_s[-1], 1.0 / MEASURE_HZ)
    if len(even_s) < MIN_SAMPLES:
        return float("nan")
    even = np.interp(even_s, times_s, np.asarray(values, dtype=np.float64)[seen])
    kernel = np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES)
    even = np.convolve(np.pad(even, SMOOTHING_SAMPLES // 2, mode="edge"), kernel, mode="valid")
    speed = np.abs(np.gradient(even))
    size = 2 ** (int(np.ceil(np.log2(len(speed)))) + PADDING)
    spectrum = np.abs(np.fft.rfft(speed, size))
    if spectrum[0] <= 0.0:
        return float("nan")
    shares = spectrum[: int(CUTOFF_HZ / MEASURE_HZ * size) + 1] / spectrum[0]
    shares = shares[: int(np.flatnonzero(shares >= AMPLITUDE_FRACTION)[-1]) + 1]
    if len(shares) < 2:
        return float("nan")
    return -float(np.hypot(1.0 / (len(shares) - 1), np.diff(shares)).sum())


def knee_flexions(positions_m: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the left and the right knee's flexion (T), (T) [rad], 0 straight, of FEATURE_JOINTS (T, J, 3) [m]."""
    points = np.asarray(positions_m, dtype=np.float64)
    bent = []
    for side in ("left", "right"):
        thigh = points[:, FEATURE_PLACE[f"{side}_knee"]] - points[:, FEATURE_PLACE[f"{side}_hip"]]
        shank = points[:, FEATURE_PLACE[f"{side}_ankle"]] - points[:, FEATURE_PLACE[f"{side}_knee"]]
        bent.append(angles_between(thigh, shank))
    return bent[0], bent[1]


def _ways(
    cycle: Cycle, stamps_ns: NDArray[np.int64], values: NDArray[Any]
) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Return the way out and the way back, each with one rise of speed where the movement is smooth."""
    turn = int(np.searchsorted(stamps_ns, cycle.turn_ns))
    return [(stamps_ns[:turn], values[:turn]), (stamps_ns[turn:], values[turn:])]


def _left_and_right(label: str, positions_m: NDArray[Any], axes: NDArray[Any]) -> tuple[float, float]:
    """Return how far the left and the right limb went in a one-sided exercise [rad]."""
    if label == ARM_LIFTING:
        limbs = arm_elevations(np.asarray(positions_m, dtype=np.float64), axes)
    elif label == SQUAT:
        limbs = knee_flexions(positions_m)
    else:
        return float("nan"), float("nan")
    ranges = []
    for limb in limbs:
        seen = limb[np.isfinite(limb)]
        low, high = np.percentile(seen, PERCENTILES) if len(seen) >= MIN_SAMPLES else (np.nan, np.nan)
        ranges.append(float(high - low))
    return ranges[0], ranges[1]


def _balance(left: float, right: float) -> float:
    """Return (left - right) / (left + right); NaN where either is not known or nothing moved."""
    both = left + right
    return (left - right) / both if np.isfinite(both) and both > 0.0 else float("nan")

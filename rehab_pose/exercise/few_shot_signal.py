"""Search for the signal whose cycles are the repetitions of an exercise, in a few recordings of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.exercise.definition import SignalDefinition
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.few_shot_fit import mirrored_m
from rehab_pose.exercise.repetition_signals import body_axes
from rehab_pose.exercise.signal_expression import parse_expression
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, resample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.few_shot_fit import Recording

__all__ = ["FoundSignal", "find_signal", "signal_picture"]

UNIT_RANGE = {"rad": 0.5, "m": 0.12}
"""Range of a signal that is large, by its unit [rad, m]; makes angles and lengths comparable; chosen by hand."""
NOISE = {"rad": 0.06, "m": 0.015}
"""Range of a signal at rest, by its unit [rad, m]: about the accuracy of joints from depth."""
LEVEL_UP = np.array([0.0, -1.0, 0.0])
SMOOTHING_SAMPLES = 3
PERIODS_S = (0.8, 12.0)
"""Shortest and longest period that is searched [s]."""
MIN_RANGE_FRACTION = 0.35
"""Smallest range that counts as a repetition, as a fraction of the median range of the recordings."""
MIDDLE_FRACTION = 0.25
"""A lateral signal whose rest is within this fraction of its range from the middle goes from side to side."""
REST_S = 0.5
"""Time at the start of a recording whose values stand for rest [s]: recordings are often cut before the end."""
LATERAL_FRACTION = 0.15
"""A signal is lateral where the mirrored movement has its negative value to within this fraction of its range."""
LOCAL_S = 4.0
"""About one repetition [s]."""
PERCENTILES = (4.0, 96.0)
WIDTH_PX, ROW_PX, MARGIN_PX = 900, 120, 18
"""Sizes of the picture [px]."""
INK, PAPER, LINE = (40, 40, 40), (255, 255, 255), (160, 90, 20)


def _candidates(posture: str) -> dict[str, str]:
    """Return expressions by name, those of the shipped exercises in this posture first."""
    shipped = [entry for entry in shipped_library().definitions if entry.posture == posture]
    found = {entry.signal.expression: entry.signal.name for entry in shipped}
    for side in ("left", "right"):
        found.setdefault(f"elevation({side}_shoulder, {side}_wrist)", f"{side}_arm_elevation_rad")
        found.setdefault(f"pi - angle({side}_hip, {side}_knee, {side}_ankle)", f"{side}_knee_bend_rad")
        found.setdefault(f"pi - angle(spine2, {side}_hip, {side}_knee)", f"{side}_hip_bend_rad")
        found.setdefault(f"pi - angle({side}_shoulder, {side}_elbow, {side}_wrist)", f"{side}_elbow_bend_rad")
        found.setdefault(f"along({side}_hip, {side}_ankle, up)", f"{side}_ankle_height_m")
        found.setdefault(f"distance({side}_wrist, pelvis)", f"{side}_hand_from_pelvis_m")
    found.setdefault("lean(pelvis, neck)", "trunk_lean_rad")
    found.setdefault("tilt(pelvis, neck)", "trunk_tilt_rad")
    found.setdefault("yaw(right_shoulder, left_shoulder)", "shoulder_yaw_rad")
    found.setdefault("distance(left_ankle, right_ankle)", "feet_apart_m")
    found.setdefault("position(pelvis, left)", "pelvis_sway_m")
    found.setdefault("position(pelvis, front)", "pelvis_forward_m")
    return {name: expression for expression, name in found.items()}


@dataclass(frozen=True)
class FoundSignal:
    """The signal that was found, and what a definition needs besides it."""

    signal: SignalDefinition
    sides: str
    """`both`, or `alternating` where the signal goes from side to side."""
    period_s: float
    """Median period of the recordings [s]; NaN where each shows one repetition."""
    agreement: float
    """0-1, the smallest score of a recording relative to the median one."""


def _values(expression: str, recording: Recording) -> NDArray[np.float64]:
    """Return the smoothed signal (T) at SAMPLE_RATE_HZ without gaps; empty where its joints are missing."""
    step_ns = int(1e9 / SAMPLE_RATE_HZ)
    times_ns = np.arange(recording.stamps_ns[0], recording.stamps_ns[-1] + 1, step_ns, dtype=np.int64)
    points_m = resample(recording.stamps_ns, recording.positions_m, times_ns)
    values = parse_expression(expression).evaluate(points_m, body_axes(points_m, LEVEL_UP))
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < len(values) // 2 or len(known) < 2 * SMOOTHING_SAMPLES:
        return np.zeros(0)
    whole = np.interp(np.arange(len(values)), known, values[known])
    padded = np.pad(whole, SMOOTHING_SAMPLES // 2, mode="edge")
    return np.convolve(padded, np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES), mode="valid")


def _usual_range(values: NDArray[np.float64]) -> float:
    """Return the median range of a signal (T) within LOCAL_S: getting into the starting posture hardly changes it."""
    length = min(round(LOCAL_S * SAMPLE_RATE_HZ), len(values))
    return float(np.median(np.ptp(np.lib.stride_tricks.sliding_window_view(values, length), axis=1)))


def _periodicity(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the highest autocorrelation at a lag within PERIODS_S, and that lag [s]; 0 and NaN for one cycle."""
    centred = values - values.mean()
    power = float(centred @ centred)
    first, last = (round(edge * SAMPLE_RATE_HZ) for edge in PERIODS_S)
    lags = np.arange(first, min(last, len(values) // 2))
    if not len(lags) or power <= 0.0:
        return 0.0, float("nan")
    scores = np.array([centred[lag:] @ centred[:-lag] / power * len(values) / (len(values) - lag) for lag in lags])
    # The first local maximum: its multiples are as high.
    peaks = [n for n in range(1, len(lags) - 1) if scores[n - 1] <= scores[n] >= scores[n + 1]]
    if not peaks or scores[peaks].max() <= 0.0:
        return 0.0, float("nan")
    strong = [n for n in peaks if scores[n] >= 0.8 * scores[peaks].max()]
    return float(np.clip(scores[strong[0]], 0.0, 1.0)), float(lags[strong[0]] / SAMPLE_RATE_HZ)


def find_signal(recordings: Sequence[Recording], posture: str = "standing") -> FoundSignal:
    """Return the candidate that moves most, most periodically, and alike in all recordings.

    Args:
        recordings: Of one exercise.
        posture: Posture in which it is done; signals of shipped exercises in it are candidates.

    Raises:
        InputError: No candidate moves in every recording.
    """
    best: tuple[float, str, str, list[NDArray[np.float64]], float] | None = None
    for name, expression in _candidates(posture).items():
        unit = name.rpartition("_")[2]
        series = [_values(expression, recording) for recording in recordings]
        if not all(len(values) for values in series):
            continue
        ranges = np.array([_usual_range(values) for values in series])
        moving = np.clip((ranges - NOISE[unit]) / UNIT_RANGE[unit], 0.0, 3.0)
        periodic = np.array([0.5 + 0.5 * _periodicity(values)[0] for values in series])
        scores = np.sqrt(moving) * periodic
        agreement = float(scores.min() / max(float(np.median(scores)), 1e-9))
        score = float(np.median(scores)) * (0.5 + 0.5 * agreement)
        if score > 0.0 and agreement > 0.0 and (best is None or score > best[0]):
            best = (score, name, expression, series, agreement)
    if best is None:
        msg = "signal: expected a joint angle or distance that changes in every recording, found none; record again"
        raise InputError(msg)
    _, name, expression, series, agreement = best
    mirrored = _values(expression, replace(recordings[0], positions_m=mirrored_m(recordings[0].positions_m)))
    off = np.abs(mirrored + series[0])
    lateral = bool(np.median(off) < LATERAL_FRACTION * np.ptp(series[0]))
    return _described(name, expression, series, agreement, lateral=lateral)


def _described(
    name: str, expression: str, series: list[NDArray[np.float64]], agreement: float, *, lateral: bool
) -> FoundSignal:
    """Return the definition of a signal whose values (T) in the recordings are given."""
    count = max(1, round(REST_S * SAMPLE_RATE_HZ))
    rests = np.array([np.median(values[:count]) for values in series])
    lows, highs = np.array([np.percentile(values, PERCENTILES) for values in series]).T
    places = np.median((rests - lows) / np.maximum(highs - lows, 1e-9))
    alternating = bool(abs(places - 0.5) < MIDDLE_FRACTION) and lateral
    low, high = float(np.median(lows)), float(np.median(highs))
    if not alternating and places > 0.5:
        name, expression, low, high = f"minus_{name}", f"-({expression})", -high, -low
    periods = [period for period in (_periodicity(values)[1] for values in series) if np.isfinite(period)]
    signal = SignalDefinition(
        name=name,
        expression=expression,
        minimum_range=round(max(MIN_RANGE_FRACTION * (high - low), 1e-3), 3),
        typical_range=(round(low, 3), round(max(high, low + 0.002), 3)),
    )
    period_s = float(np.median(periods)) if periods else float("nan")
    return FoundSignal(signal, "alternating" if alternating else "both", period_s, agreement)


def signal_picture(found: FoundSignal, recordings: Sequence[Recording]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) of the signal in every recording, one row each, with the typical range."""
    picture = np.full((MARGIN_PX + ROW_PX * len(recordings), WIDTH_PX, 3), PAPER, dtype=np.uint8)
    title = f"{found.signal.name} = {found.signal.expression}"
    cv2.putText(picture, title, (6, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    rest, peak = found.signal.typical_range
    margin = 0.3 * (peak - rest)
    for row, recording in enumerate(recordings):
        values = _values(found.signal.expression, recording)
        top = MARGIN_PX + row * ROW_PX
        cv2.line(picture, (0, top), (WIDTH_PX, top), INK, 1)
        cv2.putText(picture, recording.name, (6, top + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
        for level in (rest, peak):
            height = round(top + ROW_PX * (peak + margin - level) / (peak - rest + 2.0 * margin))
            cv2.line(picture, (0, height), (WIDTH_PX, height), (200, 200, 200), 1)
        if len(values):
            down = np.clip((peak + margin - values) / (peak - rest + 2.0 * margin), 0.0, 1.0)
            points = np.stack([np.linspace(0, WIDTH_PX - 1, len(values)), top + ROW_PX * down], axis=-1)
            cv2.polylines(picture, [np.rint(points).astype(np.int32)], isClosed=False, color=LINE, thickness=1)
    return picture

"""Delay and cost of the live recogniser, run frame by frame on recordings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.repetition_signals import body_axes, signal_values
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, resample
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.clip import joints_of_clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["live_metrics", "movement_start_ns", "times_to_label"]

START_FRACTION, ONSET_FRACTION = 0.2, 0.05
"""A movement starts where its signal passes the second fraction of its range, if it passes the first one within
START_S."""
START_S = 1.0
SMOOTHING_SAMPLES = 3
MAX_WAIT_S = 12.0
"""Longest time to the correct label that is measured; a later label counts as missing [s]."""


def movement_start_ns(clip: Clip) -> int | None:
    """Return the stamp at which the exercise's signal starts to move [ns]; None where it does not.

    The signal (arm elevation, tilt, yaw, sway or drop) has started when it passes a fifth of its range in the whole
    recording within a second. Moving into the starting pose counts only as far as it changes that signal.
    """
    times_ns = np.arange(clip.stamps_ns[0], clip.stamps_ns[-1] + 1, int(1e9 / SAMPLE_RATE_HZ), dtype=np.int64)
    points_m = resample(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES], times_ns)
    values = signal_values(clip.label, points_m, body_axes(points_m, CAMERA_UP))
    known = np.flatnonzero(np.isfinite(values))
    ahead = round(START_S * SAMPLE_RATE_HZ)
    if len(known) < 2 * ahead:
        return None
    values = np.interp(np.arange(len(values)), known, values[known])
    values = np.convolve(np.pad(values, 1, mode="edge"), np.ones(SMOOTHING_SAMPLES) / SMOOTHING_SAMPLES, mode="valid")
    low, high = np.percentile(values, (5, 95))
    for place in range(len(values) - ahead):
        change = np.abs(values[place : place + ahead + 1] - values[place])
        if change.max() >= START_FRACTION * (high - low):
            onset = int(np.flatnonzero(change >= ONSET_FRACTION * (high - low))[0])
            return int(times_ns[place + onset])
    return None


def times_to_label(weights_path: str, clips: Sequence[Clip]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Run the live recogniser on the beginnings of recordings of the five exercises.

    Returns:
        Time from the start of the movement to the first frame with the correct label of each recording [s], infinite
        where it takes longer than MAX_WAIT_S; and the computing time of each frame [ms].
    """
    recogniser = ExerciseRecogniser(ExerciseSettings(weights_path=weights_path))
    waits_s: list[float] = []
    durations_ms: list[float] = []
    for clip in clips:
        start_ns = movement_start_ns(clip) if clip.label in EXERCISES else None
        if start_ns is None:
            continue
        recogniser.reset()
        wait_s = float("inf")
        for joints in joints_of_clip(clip):
            if joints.stamp_ns > start_ns + MAX_WAIT_S * 1e9:
                break
            began = time.perf_counter()
            label = recogniser.recognise(joints.stamp_ns, joints.frame_id, joints).classification.label
            durations_ms.append((time.perf_counter() - began) * 1e3)
            if label == clip.label and joints.stamp_ns >= start_ns:
                wait_s = (joints.stamp_ns - start_ns) * 1e-9
                break
        waits_s.append(wait_s)
    return np.array(waits_s), np.array(durations_ms)


def live_metrics(weights_path: str, clips: Sequence[Clip]) -> dict[str, float]:
    """Return the median time to the correct label [s], the fraction that gets it [%], and the time per frame [ms]."""
    waits_s, durations_ms = times_to_label(weights_path, clips)
    return {
        "time_to_label_s": float(np.median(waits_s)) if len(waits_s) else float("nan"),
        "label_said_pct": 100.0 * float(np.isfinite(waits_s).mean()) if len(waits_s) else float("nan"),
        "frame_ms": float(durations_ms.mean()) if len(durations_ms) else float("nan"),
    }

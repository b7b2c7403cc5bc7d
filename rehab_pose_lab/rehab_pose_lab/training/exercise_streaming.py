"""How the recogniser does frame by frame, as before a live camera."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.features import FEATURE_INDEX, SAMPLE_RATE_HZ, resample
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.signals import body_axes, signal_values
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.clip import joints_of_clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["live_figures", "movement_start_ns", "times_to_label"]

START_FRACTION, BEGUN_FRACTION = 0.2, 0.05
"""The movement has started when its signal goes through the first share of its range within START_S, and it started
where the second was passed."""
START_S = 1.0
SMOOTHING_SAMPLES = 3
PATIENCE_S = 12.0
"""Longest wait for the right label that is looked for; after it the label counts as never said [s]."""


def movement_start_ns(clip: Clip) -> int | None:
    """Return when the exercise's own signal first moves and keeps moving; None where it never does.

    The signal (arm elevation, tilt, yaw, sway or drop) has started when it goes through a fifth of the range it has
    in the whole recording within a second. Getting into the starting posture counts only as far as it moves that
    signal.
    """
    times_ns = np.arange(clip.stamps_ns[0], clip.stamps_ns[-1] + 1, int(1e9 / SAMPLE_RATE_HZ), dtype=np.int64)
    points_m = resample(clip.stamps_ns, clip.positions_m[:, FEATURE_INDEX], times_ns)
    values = signal_values(clip.label, points_m, body_axes(points_m, CAMERA_UP))
    known = np.flatnonzero(np.isfinite(values))
    ahead = round(START_S * SAMPLE_RATE_HZ)
    if len(known) < 2 * ahead:
        return None
    values = np.interp(np.arange(len(values)), known, values[known])
    values = np.convolve(np.pad(values, 1, mode="edge"), np.ones(SMOOTHING_SAMPLES) / SMOOTHING_SAMPLES, mode="valid")
    low, high = np.percentile(values, (5, 95))
    for place in range(len(values) - ahead):
        gone = np.abs(values[place : place + ahead + 1] - values[place])
        if gone.max() >= START_FRACTION * (high - low):
            begun = int(np.flatnonzero(gone >= BEGUN_FRACTION * (high - low))[0])
            return int(times_ns[place + begun])
    return None


def times_to_label(weights_path: str, clips: Sequence[Clip]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Run the live recogniser on the beginnings of recordings of the five exercises.

    Returns:
        Time from the movement's start to the first frame with the right label of each recording [s], infinite where
        it was never said within PATIENCE_S; and the time of each frame on this machine [ms].
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
            if joints.stamp_ns > start_ns + PATIENCE_S * 1e9:
                break
            began = time.perf_counter()
            label = recogniser.recognise(joints.stamp_ns, joints.frame_id, joints).recognition.label
            durations_ms.append((time.perf_counter() - began) * 1e3)
            if label == clip.label and joints.stamp_ns >= start_ns:
                wait_s = (joints.stamp_ns - start_ns) * 1e-9
                break
        waits_s.append(wait_s)
    return np.array(waits_s), np.array(durations_ms)


def live_figures(weights_path: str, clips: Sequence[Clip]) -> dict[str, float]:
    """Return the median time to the right label [s], how often it is said at all, and the time a frame takes [ms]."""
    waits_s, durations_ms = times_to_label(weights_path, clips)
    return {
        "time_to_label_s": float(np.median(waits_s)) if len(waits_s) else float("nan"),
        "label_said_pct": 100.0 * float(np.isfinite(waits_s).mean()) if len(waits_s) else float("nan"),
        "frame_ms": float(durations_ms.mean()) if len(durations_ms) else float("nan"),
    }

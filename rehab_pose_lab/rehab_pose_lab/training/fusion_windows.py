"""Windows of rendered recordings with every stream: random ones for training, regular ones for evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import Findings
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SAMPLE_RATE_HZ, WINDOW_SAMPLES, motion_range_m, resample
from rehab_pose_lab.training.exercise_windows import MIN_SAMPLES, MOVING_M, MOVING_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.training.fusion_clips import FusionClip

__all__ = ["FusionWindows", "draw_windows", "regular_windows"]

STEP_NS = int(1e9 / SAMPLE_RATE_HZ)
"""Time between two samples [ns]."""
NONE_FRACTION = 0.3
"""Fraction of the windows that show none of the exercises."""
TEMPO_RANGE = (0.8, 1.25)
"""Range of the time factor of a window."""
SHORT_FRACTION = 0.5
"""Fraction of the windows of at most SHORT_SAMPLES: there the joints alone are least sure."""
SHORT_SAMPLES = 15
HIDDEN_FRACTION = 0.3
"""Fraction of the windows in which a stream beside the joints is missing, for each stream by itself."""
LATE_SAMPLES = 1.5
"""Mean number of samples at the end of a window by which a stream is late."""
EVALUATED_STEP = 5
"""Samples between the ends of two windows that are evaluated."""
DRAWS = 5
"""Attempts to draw a window in which something moves."""


@dataclass(frozen=True, eq=False)
class FusionWindows:
    """B windows of WINDOW_SAMPLES samples."""

    positions_m: NDArray[np.float32]
    """(B, T, J, 3) FEATURE_JOINTS [m]; NaN = missing."""
    up: NDArray[np.float64]
    """(B, 3) unit vector against gravity."""
    findings: Findings
    labels: NDArray[np.int64]
    """(B) indices in LABELS."""
    clips: NDArray[np.int64]
    """(B) index of each window's recording."""


def draw_windows(clips: Sequence[FusionClip], count: int, random: np.random.Generator) -> FusionWindows:
    """Return random windows: of every label, length and tempo, with streams that are missing or late.

    Args:
        clips: Recordings.
        count: Number of windows.
        random: Source of all choices.
    """
    by_label = [[place for place, clip in enumerate(clips) if clip.label == label] for label in LABELS]
    exercises = [members for members in by_label[1:] if members]
    rows = []
    for _ in range(count):
        is_none = bool(by_label[0]) and (not exercises or random.random() < NONE_FRACTION)
        for _attempt in range(DRAWS):
            members = by_label[0] if is_none else exercises[random.integers(len(exercises))]
            place = members[random.integers(len(members))]
            row = _drawn(clips[place], random)
            if motion_range_m(row[0][None, -MOVING_SAMPLES:])[0] >= MOVING_M:
                break
        rows.append((place, *row))
    windows = _joined(clips, rows)
    _hide(windows.findings, random)
    return windows


def regular_windows(clips: Sequence[FusionClip], samples: int) -> FusionWindows:
    """Return the windows of a length in which something moves, every half second.

    Args:
        clips: Recordings.
        samples: Samples that are filled; the earlier ones are missing, as at the beginning of a recording.
    """
    rows = []
    for place, clip in enumerate(clips):
        for end in range(samples - 1, len(clip.positions_m), EVALUATED_STEP):
            row = _window(clip, float(end), 1.0, samples)
            if motion_range_m(row[0][None, -min(samples, MOVING_SAMPLES) :])[0] >= MOVING_M:
                rows.append((place, *row))
    return _joined(clips, rows)


def _drawn(clip: FusionClip, random: np.random.Generator) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    is_short = random.random() < SHORT_FRACTION
    samples = int(random.integers(MIN_SAMPLES, (SHORT_SAMPLES if is_short else WINDOW_SAMPLES) + 1))
    tempo = float(random.uniform(*TEMPO_RANGE))
    last = len(clip.positions_m) - 1
    first = min((samples - 1) * tempo, float(last))
    return _window(clip, float(random.uniform(first, last)), tempo, samples)


def _window(
    clip: FusionClip, end: float, tempo: float, samples: int
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return joints and findings of the window that ends at a sample, with `samples` filled samples."""
    stamps_ns = np.arange(len(clip.positions_m), dtype=np.int64) * STEP_NS
    back = np.arange(WINDOW_SAMPLES - 1, -1, -1)
    times_ns = np.rint((end - back * tempo) * STEP_NS).astype(np.int64)
    inside = slice(WINDOW_SAMPLES - samples, None)

    def at_times(values: NDArray[Any]) -> NDArray[np.float32]:
        window = np.full((WINDOW_SAMPLES, *values.shape[1:]), np.nan, dtype=np.float32)
        flat = resample(stamps_ns, values.reshape(len(values), -1, values.shape[-1]), times_ns[inside])
        window[inside] = flat.reshape(samples, *values.shape[1:])
        return window

    return at_times(clip.positions_m), {name: at_times(array[0]) for name, array in vars(clip.findings).items()}


def _joined(
    clips: Sequence[FusionClip], rows: Sequence[tuple[int, NDArray[np.float32], dict[str, NDArray[np.float32]]]]
) -> FusionWindows:
    places = [place for place, _, _ in rows]
    missing = Findings.missing(len(rows), WINDOW_SAMPLES)
    for row, (_, _, arrays) in enumerate(rows):
        for name, array in arrays.items():
            getattr(missing, name)[row] = array
    joints_m = [positions for _, positions, _ in rows]
    return FusionWindows(
        positions_m=np.array(joints_m, dtype=np.float32).reshape(-1, WINDOW_SAMPLES, len(FEATURE_JOINTS), 3),
        up=np.array([clips[place].up for place in places]).reshape(-1, 3),
        findings=missing,
        labels=np.array([LABELS.index(clips[place].label) for place in places], dtype=np.int64),
        clips=np.array(places, dtype=np.int64),
    )


def _hide(findings: Findings, random: np.random.Generator) -> None:
    """Make streams missing or late, each by itself; keypoints need the box that comes with the contours."""
    for name in ("families", "contours_px", "rotations_rad", "vertices_m"):
        array = getattr(findings, name)
        hidden = random.random(len(array)) < HIDDEN_FRACTION
        array[hidden] = np.nan
        for row, late in enumerate(np.minimum(random.exponential(LATE_SAMPLES, len(array)).astype(int), MIN_SAMPLES)):
            if late:
                array[row, -late:] = np.nan

"""Counting of library exercises, the label given, on recordings of real people: the sets of UI-PRMD (Kinect v2)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.repetition_signals import body_axes, signal_values
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.benchmarks.exercise_signals import counted_cycles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["recorded_set_metrics"]

EXERCISES = {"deep_squat": "squat", "inline_lunge": "lunge", "sit_to_stand": "sit_to_stand", "hurdle_step": "marching"}
"""The library's exercise by movement of UI-PRMD, where a therapist would call it so."""
STARTS_AT_THE_TOP = {"sit_to_stand"}
"""Movements whose episodes go from standing to the seat and back: n of them hold n - 1 cycles that begin seated."""
FRAME_NS = 33_333_333
"""Time between two frames of the Kinect [ns]."""
STILL_FRAMES = 60
"""Frames for which the last pose is held after the set, so that its last cycle can end."""


def recorded_set_metrics(clips: Sequence[Clip]) -> dict[str, float]:
    """Return the share of sets that are counted exactly [%], of movements done correctly and incorrectly.

    The episodes of one person, cut out one by one, are joined in their order.

    Args:
        clips: Of UI-PRMD, its correct and incorrect episodes.
    """
    episodes: defaultdict[tuple[str, str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.label in EXERCISES:
            episodes[clip.group, clip.label, clip.subject].append(clip)
    exact: defaultdict[str, list[bool]] = defaultdict(list)
    for (group, label, _), parts in episodes.items():
        name = EXERCISES[label]
        expected = len(parts) - (label in STARTS_AT_THE_TOP)
        is_exact = _counted(name, parts) == expected
        exact[f"ui_prmd_{group}"].append(is_exact)
        if group == "correct":
            exact[f"ui_prmd_{name}"].append(is_exact)
    return {f"{key}_exact_pct": round(100.0 * float(np.mean(values)), 2) for key, values in sorted(exact.items())}


def _counted(name: str, parts: Sequence[Clip]) -> int:
    definition = shipped_library().definition(name)
    joints_m = np.concatenate([clip.positions_m for clip in parts])[:, SMPL_INDICES].astype(np.float64)
    values = signal_values(definition, joints_m, body_axes(joints_m, CAMERA_UP))
    values = np.concatenate([values, np.full(STILL_FRAMES, values[-1])])
    return counted_cycles(definition, np.arange(len(values), dtype=np.int64) * FRAME_NS, values)

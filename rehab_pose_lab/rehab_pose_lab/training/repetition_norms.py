"""Norms of healthy repetitions: KIMORE's control group, counted and measured as in the live recogniser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.cycle_detector import CycleDetector
from rehab_pose.exercise.quality_measures import MEASURES, Unit, repetition_measures
from rehab_pose.exercise.repetition_quality import Norm, Norms
from rehab_pose.exercise.repetition_signals import body_axes, definition_of, signal_values
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["clip_repetitions", "healthy_norms", "write_norms"]

HEALTHY_GROUPS = ("CG/Expert", "CG/NotExpert")
MIN_STD = {Unit.ANGLE: np.radians(4.0), Unit.LENGTH: 0.03, Unit.TIME: 0.4}
"""Smallest standard deviation of a norm: about the accuracy of joints from depth [rad, torso lengths, s]."""


def clip_repetitions(clip: Clip) -> list[dict[str, float]]:
    """Return the measures of each repetition of a clip of one of the exercises, in order of time."""
    settings, definition = ExerciseSettings(), definition_of(clip.label)
    positions_m = clip.positions_m[:, SMPL_INDICES]
    axes = body_axes(positions_m, CAMERA_UP)
    detector = CycleDetector(
        definition.signal.minimum_range,
        two_sided=definition.two_sided,
        shortest_s=settings.shortest_repetition_s,
        longest_s=settings.longest_repetition_s,
    )
    repetitions = []
    values = signal_values(clip.label, positions_m, axes)
    for stamp_ns, value in zip(clip.stamps_ns.tolist(), values.tolist(), strict=True):
        cycle = detector.update(stamp_ns, value)
        if cycle is not None:
            first, end = np.searchsorted(clip.stamps_ns, [cycle.start_ns, cycle.end_ns])
            repetitions.append(repetition_measures(clip.stamps_ns[first : end + 1], positions_m[first : end + 1], axes))
    return repetitions


def healthy_norms(clips: Iterable[Clip]) -> Norms:
    """Return the norms of every measure and exercise over the repetitions of the control group."""
    rows: dict[str, list[dict[str, float]]] = {label: [] for label in KIMORE_EXERCISES}
    for clip in clips:
        if clip.group in HEALTHY_GROUPS and clip.name not in SUSPECT_CLIPS:
            rows[clip.label].extend(clip_repetitions(clip))
    norms: Norms = {}
    for label, repetitions in rows.items():
        norms[label] = {}
        for name, measure in MEASURES.items():
            values = np.array([row[name] for row in repetitions])
            median = float(np.nanmedian(values))
            std = 1.4826 * float(np.nanmedian(np.abs(values - median)))
            norms[label][name] = Norm(round(median, 4), round(max(std, MIN_STD[measure.unit]), 4))
    return norms


def write_norms(path: Path, norms: Norms, facts: dict[str, object]) -> None:
    """Write norms and facts about their source as the JSON file that `rehab_pose.exercise.repetition_quality` reads."""
    content = {
        "facts": facts,
        "units": {name: measure.unit.name.lower() for name, measure in MEASURES.items()},
        "norms": {
            label: {name: {"median": norm.median, "std": norm.std} for name, norm in measures.items()}
            for label, measures in norms.items()
        },
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

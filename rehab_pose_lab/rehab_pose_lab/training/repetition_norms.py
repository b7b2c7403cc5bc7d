"""Norms of healthy repetitions: KIMORE's control group, counted and measured as in the live recogniser.

Repetitions of UI-PRMD (Vakanski et al. 2018) are measured in the same way, to test the quality on movements that were
done wrongly on purpose.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Side
from rehab_pose.exercise.cycle_detector import CycleDetector
from rehab_pose.exercise.quality_measures import MEASURES, Unit, repetition_measures
from rehab_pose.exercise.repetition_quality import Norm, Norms
from rehab_pose.exercise.repetition_signals import body_axes, definition_of, signal_values
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.smoothness_and_symmetry import measure_repetition
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip

__all__ = [
    "UI_PRMD_EXERCISES",
    "clip_repetitions",
    "healthy_norms",
    "norms_of",
    "ui_prmd_repetition",
    "write_norms",
]

HEALTHY_GROUPS = ("CG/Expert", "CG/NotExpert")
UI_PRMD_EXERCISES = {"deep_squat": "squat", "inline_lunge": "lunge", "sit_to_stand": "sit_to_stand"}
"""Movements of UI-PRMD that have a signal in the library. They are done in another way: with the arms raised, and
sitting with the pelvis 0.38 m below the knees; their norms are not those of the library's exercises."""
MIN_STD = {Unit.ANGLE: np.radians(4.0), Unit.LENGTH: 0.03, Unit.TIME: 0.4}
"""Smallest standard deviation of a norm: about the accuracy of joints from depth [rad, torso lengths, s]."""


def mirrored_measures(measures: Mapping[str, float]) -> dict[str, float]:
    """Return the measures by name of the mirrored repetition."""
    names = {
        name: name.replace("left", "right") if "left" in name else name.replace("right", "left") for name in MEASURES
    }
    return {name: measures[other] for name, other in names.items()}


def clip_repetitions(clip: Clip, exercise: str = "") -> list[dict[str, float]]:
    """Return the measures of each repetition of a clip of one of the exercises, in order of time.

    Those of an exercise of one limb are mirrored where it is the right one.

    Args:
        clip: The recording.
        exercise: Exercise of the library that it shows; '' = the clip's label.
    """
    settings, definition = ExerciseSettings(), definition_of(exercise or clip.label)
    positions_m = clip.positions_m[:, SMPL_INDICES]
    axes = body_axes(positions_m, CAMERA_UP)
    detector = CycleDetector(
        definition.signal.minimum_range,
        two_sided=definition.two_sided,
        shortest_s=settings.shortest_repetition_s,
        longest_s=settings.longest_repetition_s,
    )
    repetitions = []
    values = signal_values(definition, positions_m, axes)
    for stamp_ns, value in zip(clip.stamps_ns.tolist(), values.tolist(), strict=True):
        cycle = detector.update(stamp_ns, value)
        if cycle is not None:
            first, end = np.searchsorted(clip.stamps_ns, [cycle.start_ns, cycle.end_ns])
            stamps_ns, inside_m = clip.stamps_ns[first : end + 1], positions_m[first : end + 1]
            measures = repetition_measures(stamps_ns, inside_m, axes)
            if definition.sides == "single":
                side = measure_repetition(definition, cycle, stamps_ns, inside_m, axes, float("nan")).side
                if side is Side.RIGHT:
                    measures = mirrored_measures(measures)
            repetitions.append(measures)
    return repetitions


def ui_prmd_repetition(clip: Clip) -> dict[str, float]:
    """Return the measures of a clip of UI-PRMD, which is one repetition, for the left side where one limb moves.

    Sit to stand begins and ends on the feet there, so that the detector, which begins on the chair, finds no cycle:
    then the whole clip is measured.
    """
    found = clip_repetitions(clip, UI_PRMD_EXERCISES[clip.label])
    if found:
        return found[0]
    positions_m = clip.positions_m[:, SMPL_INDICES]
    return repetition_measures(clip.stamps_ns, positions_m, body_axes(positions_m, CAMERA_UP))


def healthy_norms(clips: Iterable[Clip]) -> Norms:
    """Return the norms of every measure of KIMORE's exercises over the repetitions of the control group."""
    rows: dict[str, list[dict[str, float]]] = {label: [] for label in KIMORE_EXERCISES}
    for clip in clips:
        if clip.group in HEALTHY_GROUPS and clip.name not in SUSPECT_CLIPS:
            rows[clip.label].extend(clip_repetitions(clip))
    return {label: norms_of(repetitions) for label, repetitions in rows.items()}


def norms_of(repetitions: Sequence[Mapping[str, float]]) -> dict[str, Norm]:
    """Return the norm of every measure over the repetitions of one exercise."""
    norms = {}
    for name, measure in MEASURES.items():
        values = np.array([row[name] for row in repetitions])
        median = float(np.nanmedian(values))
        std = 1.4826 * float(np.nanmedian(np.abs(values - median)))
        norms[name] = Norm(round(median, 4), round(max(std, MIN_STD[measure.unit]), 4))
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

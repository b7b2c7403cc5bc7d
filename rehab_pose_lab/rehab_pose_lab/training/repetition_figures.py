"""How exactly repetitions are counted: simulated sets at every tempo, and UI-PRMD's clips one after the other."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.features import FEATURE_INDEX
from rehab_pose.exercise.history import JointHistory
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.repetitions import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.methods.exercise.any_movement import AnyMovementCounter
from rehab_pose_lab.training.repetition_sets import SLOW_S, draw_plans, render_set

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.repetition_sets import SetPlan

__all__ = ["chain_clips", "count_any_movement", "count_known", "count_recognized", "repetition_figures"]

logger = logging.getLogger(__name__)

SETS_EACH = 9
"""Sets an exercise and tempo: 315 in all."""
RECOGNIZED_EVERY = 9
"""Every so manieth set also goes through the recogniser."""
KNOWN_AFTER_S, KNOWN_AFTER_FRACTION = 1.5, 0.4
"""The label is said this long after the exercise began, or after this share of it if that is sooner [s]."""
SAID_ON_S = 1.0
"""The label lasts this long after the exercise [s]."""
HISTORY_S = 16.0
BLEND_FRAMES = 12
"""Frames in which one clip's last posture passes into the next clip's first one."""
STILL_FRAMES = 30
"""Standing in the last posture at the end of a chain."""
CLIPS_A_CHAIN = 10


def count_known(frames: Sequence[Joints], exercised: NDArray[np.bool_], label: str) -> tuple[int, float]:
    """Count a set whose label becomes known while it is done; return the count and the counter's mean time [ms]."""
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(HISTORY_S)
    stamps_ns = np.array([joints.stamp_ns for joints in frames])
    begun_ns, over_ns = stamps_ns[exercised][[0, -1]]
    known_ns = begun_ns + min(KNOWN_AFTER_S * 1e9, KNOWN_AFTER_FRACTION * (over_ns - begun_ns))
    found, spent_s = 0, 0.0
    for joints in frames:
        history.append(joints.stamp_ns, joints)
        said = label if known_ns <= joints.stamp_ns <= over_ns + SAID_ON_S * 1e9 else NONE
        began_s = time.perf_counter()
        found += counter.update(joints.stamp_ns, joints.frame_id, said, history) is not None
        counter.progress(joints.stamp_ns, joints.frame_id)
        spent_s += time.perf_counter() - began_s
    return found, 1e3 * spent_s / len(frames)


def count_recognized(frames: Sequence[Joints], recogniser: ExerciseRecogniser, label: str) -> int:
    """Return how many repetitions of an exercise the recogniser reports, with no help."""
    recogniser.reset()
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    return sum(update.repetition is not None and update.repetition.label == label for update in updates)


def chain_clips(clips: Sequence[Clip]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return clips one after the other: stamps (T) [ns] and FEATURE_JOINTS (T, J, 3) [m], postures passing smoothly."""
    parts: list[NDArray[np.float64]] = []
    for clip in clips:
        points_m = np.asarray(clip.positions_m[:, FEATURE_INDEX], dtype=np.float64)
        if parts:
            share = np.linspace(0.0, 1.0, BLEND_FRAMES + 2)[1:-1, None, None]
            share = share * share * (3.0 - 2.0 * share)
            parts.append(parts[-1][-1] + share * (points_m[0] - parts[-1][-1]))
        parts.append(points_m)
    parts.append(np.repeat(parts[-1][-1:], STILL_FRAMES, axis=0))
    joined = np.concatenate(parts)
    step_ns = int(np.median(np.diff(clips[0].stamps_ns)))
    return np.arange(len(joined), dtype=np.int64) * step_ns, joined


def count_any_movement(stamps_ns: NDArray[np.int64], points_m: NDArray[np.float64]) -> int:
    """Return how many repetitions of an unknown movement there are, counted frame by frame."""
    counter = AnyMovementCounter(points_m.shape[1])
    return sum(
        len(counter.update(stamp_ns, points)) for stamp_ns, points in zip(stamps_ns.tolist(), points_m, strict=True)
    )


def repetition_figures(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return the figures of counting.

    Args:
        data: Folder with a folder `ui_prmd`.
        seed: Of the simulated sets.

    Returns:
        rep_exact_pct_sim (label known 1.5 s after the beginning), rep_exact_pct_sim_recognized (a part of the sets,
        through the shipped recogniser), rep_exact_pct_ui_prmd (chains of correct clips, any movement),
        rep_exact_pct_ui_prmd_incorrect, rep_frame_ms, and how many of each there were.

    Raises:
        RecordingError: UI-PRMD is not there.
    """
    figures = _chain_figures(load_ui_prmd(data / "ui_prmd"))
    figures.update(_simulated_figures(draw_plans(seed, SETS_EACH)))
    return figures


def _simulated_figures(plans: Sequence[SetPlan]) -> dict[str, float]:
    body, recogniser = load_body_model(), ExerciseRecogniser()
    right, times_ms, recognized = [], [], []
    for number, plan in enumerate(plans):
        frames, exercised = render_set(plan, body)
        count, time_ms = count_known(frames, exercised, plan.label)
        right.append(count == plan.count)
        times_ms.append(time_ms)
        if number % RECOGNIZED_EVERY == 0:
            recognized.append(count_recognized(frames, recogniser, plan.label) == plan.count)
        if count != plan.count:
            logger.info("%s: counted %d of %d", plan, count, plan.count)
    slow = np.array([plan.period_s >= SLOW_S for plan in plans])
    return {
        "rep_exact_pct_sim": 100.0 * float(np.mean(right)),
        "rep_exact_pct_sim_slow": 100.0 * float(np.mean(np.array(right)[slow])),
        "rep_sets_sim": float(len(right)),
        "rep_exact_pct_sim_recognized": 100.0 * float(np.mean(recognized)),
        "rep_sets_sim_recognized": float(len(recognized)),
        "rep_frame_ms": float(np.mean(times_ms)),
    }


def _chain_figures(clips: Sequence[Clip]) -> dict[str, float]:
    chains: dict[tuple[str, str, str], list[Clip]] = {}
    for clip in clips:
        chains.setdefault((clip.group, clip.label, clip.subject), []).append(clip)
    right: dict[str, list[bool]] = {"correct": [], "incorrect": []}
    for (group, _, _), members in chains.items():
        if len(members) == CLIPS_A_CHAIN:
            ordered = sorted(members, key=lambda clip: clip.name)
            right[group].append(count_any_movement(*chain_clips(ordered)) == CLIPS_A_CHAIN)
    return {
        "rep_exact_pct_ui_prmd": 100.0 * float(np.mean(right["correct"])),
        "rep_chains_ui_prmd": float(len(right["correct"])),
        "rep_exact_pct_ui_prmd_incorrect": 100.0 * float(np.mean(right["incorrect"])),
    }

"""Benchmark of repetition counting: simulated sets at all tempi, and chains of UI-PRMD's clips."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.repetition_counter import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.methods.exercise.any_movement import AnyMovementCounter
from rehab_pose_lab.training.repetition_sets import SLOW_S, draw_plans, render_set
from rehab_pose_sim.pose import smoothstep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.repetition_sets import SetPlan

__all__ = ["chain_clips", "count_any_movement", "count_known", "count_recognised", "repetition_metrics"]

logger = logging.getLogger(__name__)

SETS_PER_TEMPO = 9
"""Sets per exercise and tempo: 315 in all."""
RECOGNISED_STEP = 9
"""Every ninth set is also counted by the recogniser."""
LABEL_DELAY_S, LABEL_DELAY_FRACTION = 1.5, 0.4
"""The label starts this time after the exercise [s], or after this fraction of it where that is earlier."""
LABEL_HOLD_S = 1.0
"""Time for which the label remains after the exercise [s]."""
HISTORY_S = 16.0
"""Length of the counter's history of joints [s]."""
BLEND_FRAMES = 12
"""Frames of the transition between the last pose of a clip and the first pose of the next one."""
STILL_FRAMES = 30
"""Frames in the last pose at the end of a chain."""
CLIPS_PER_CHAIN = 10
"""Repetitions of a movement that UI-PRMD has of each subject."""


def count_known(frames: Sequence[Joints], exercised: NDArray[np.bool_], label: str) -> tuple[int, float]:
    """Count a set whose label becomes known during the exercise.

    Args:
        frames: Joints of the set.
        exercised: (T) True from the first frame of the exercise to its last.
        label: Name of the exercise.

    Returns:
        The count, and the counter's mean time per frame [ms].
    """
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(HISTORY_S)
    stamps_ns = np.array([joints.stamp_ns for joints in frames])
    start_ns, end_ns = stamps_ns[exercised][[0, -1]]
    label_ns = start_ns + min(LABEL_DELAY_S * 1e9, LABEL_DELAY_FRACTION * (end_ns - start_ns))
    count, spent_s = 0, 0.0
    for joints in frames:
        history.append(joints.stamp_ns, joints)
        current = label if label_ns <= joints.stamp_ns <= end_ns + LABEL_HOLD_S * 1e9 else NONE
        began_s = time.perf_counter()
        count += counter.update(joints.stamp_ns, joints.frame_id, current, history) is not None
        counter.progress(joints.stamp_ns, joints.frame_id)
        spent_s += time.perf_counter() - began_s
    return count, 1e3 * spent_s / len(frames)


def count_recognised(frames: Sequence[Joints], recogniser: ExerciseRecogniser, label: str) -> int:
    """Return the number of repetitions of an exercise that the recogniser reports without a given label."""
    recogniser.reset()
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    return sum(update.repetition is not None and update.repetition.label == label for update in updates)


def chain_clips(clips: Sequence[Clip]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return clips one after the other: stamps (T) [ns] and FEATURE_JOINTS (T, J, 3) [m], with smooth transitions."""
    parts: list[NDArray[np.float64]] = []
    for clip in clips:
        points_m = np.asarray(clip.positions_m[:, SMPL_INDICES], dtype=np.float64)
        if parts:
            fraction = smoothstep(np.linspace(0.0, 1.0, BLEND_FRAMES + 2)[1:-1, None, None])
            parts.append(parts[-1][-1] + fraction * (points_m[0] - parts[-1][-1]))
        parts.append(points_m)
    parts.append(np.repeat(parts[-1][-1:], STILL_FRAMES, axis=0))
    joined = np.concatenate(parts)
    step_ns = int(np.median(np.diff(clips[0].stamps_ns)))
    return np.arange(len(joined), dtype=np.int64) * step_ns, joined


def count_any_movement(stamps_ns: NDArray[np.int64], points_m: NDArray[np.float64]) -> int:
    """Return the number of repetitions of an unknown movement, counted frame by frame.

    Args:
        stamps_ns: (T) [ns].
        points_m: (T, J, 3) [m].
    """
    counter = AnyMovementCounter(points_m.shape[1])
    return sum(
        len(counter.update(stamp_ns, points)) for stamp_ns, points in zip(stamps_ns.tolist(), points_m, strict=True)
    )


def repetition_metrics(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return the percentages of sets and chains that are counted exactly.

    Args:
        data: Folder with a folder `ui_prmd`.
        seed: Seed of the simulated sets.

    Returns:
        rep_exact_pct_sim (label known 1.5 s after the start), rep_exact_pct_sim_recognized (some of the sets, with the
        shipped recogniser), rep_exact_pct_ui_prmd (chains of correct clips, any movement),
        rep_exact_pct_ui_prmd_incorrect, rep_frame_ms, and the numbers of sets and chains.

    Raises:
        RecordingError: UI-PRMD is missing.
    """
    metrics = _chain_metrics(load_ui_prmd(data / "ui_prmd"))
    metrics.update(_simulated_metrics(draw_plans(seed, SETS_PER_TEMPO)))
    return metrics


def _simulated_metrics(plans: Sequence[SetPlan]) -> dict[str, float]:
    body, recogniser = load_body_model(), ExerciseRecogniser()
    exact, times_ms, recognised = [], [], []
    for number, plan in enumerate(plans):
        frames, exercised = render_set(plan, body)
        count, time_ms = count_known(frames, exercised, plan.label)
        exact.append(count == plan.count)
        times_ms.append(time_ms)
        if number % RECOGNISED_STEP == 0:
            recognised.append(count_recognised(frames, recogniser, plan.label) == plan.count)
        if count != plan.count:
            logger.info("%s: counted %d of %d", plan, count, plan.count)
    slow = np.array([plan.period_s >= SLOW_S for plan in plans])
    return {
        "rep_exact_pct_sim": 100.0 * float(np.mean(exact)),
        "rep_exact_pct_sim_slow": 100.0 * float(np.mean(np.array(exact)[slow])),
        "rep_sets_sim": float(len(exact)),
        "rep_exact_pct_sim_recognized": 100.0 * float(np.mean(recognised)),
        "rep_sets_sim_recognized": float(len(recognised)),
        "rep_frame_ms": float(np.mean(times_ms)),
    }


def _chain_metrics(clips: Sequence[Clip]) -> dict[str, float]:
    chains: dict[tuple[str, str, str], list[Clip]] = {}
    for clip in clips:
        chains.setdefault((clip.group, clip.label, clip.subject), []).append(clip)
    exact: dict[str, list[bool]] = {"correct": [], "incorrect": []}
    for (group, _, _), members in chains.items():
        if len(members) == CLIPS_PER_CHAIN:
            ordered = sorted(members, key=lambda clip: clip.name)
            exact[group].append(count_any_movement(*chain_clips(ordered)) == CLIPS_PER_CHAIN)
    return {
        "rep_exact_pct_ui_prmd": 100.0 * float(np.mean(exact["correct"])),
        "rep_chains_ui_prmd": float(len(exact["correct"])),
        "rep_exact_pct_ui_prmd_incorrect": 100.0 * float(np.mean(exact["incorrect"])),
    }

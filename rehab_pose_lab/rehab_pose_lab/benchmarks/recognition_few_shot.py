"""Benchmark of adding exercises: five movements of UI-PRMD, each learnt from three recordings of two people.

Network, space and prototypes come from training subjects of other sets; UI-PRMD is not among them. Its deep squat is
the trained exercise `squat` under another name and counts neither as `none` nor as added. People and recordings are
drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.feature_streams import window_streams
from rehab_pose.exercise.few_shot import AddedExercise, FewShotHead, FewShotSpace
from rehab_pose.exercise.few_shot_fit import Recording, learn
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, WINDOW_SAMPLES, resample
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.training.exercise_windows import AMBIGUOUS
from rehab_pose_lab.training.few_shot_space import fit_space, movement_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_predictions import Predictor

__all__ = ["ADDED", "EmbeddingNetwork", "few_shot_metrics"]

ADDED = ("hurdle_step", "inline_lunge", "side_lunge", "sit_to_stand", "straight_leg_raise")
"""Movements that are added: those of UI-PRMD that move the legs, without the deep squat."""
PEOPLE, RECORDINGS_EACH = 2, 3
"""People and recordings of each that a movement is learnt from; a recording of UI-PRMD is one repetition."""
DRAWS = 8
STEP_S, FIRST_S = 0.3, 0.8
"""Time between the ends of tested windows, and the first end [s]."""
SEED = 3
BATCH = 256


@dataclass(frozen=True, eq=False)
class EmbeddingNetwork:
    """A network and its space in the place of the product's `WindowClassifier`."""

    embed: Predictor
    """Features and presence to the embedding."""
    space: FewShotSpace
    model_id: str = "benchmark"

    @classmethod
    def of(cls, embed: Predictor, training: Sequence[Clip]) -> EmbeddingNetwork:
        """Return a network with the space of its training clips."""
        fitted = fit_space(*movement_windows(embed, training))
        return cls(embed, FewShotSpace(**fitted, model_id="benchmark"))

    def coordinates(self, windows_m: NDArray[Any]) -> NDArray[np.float32]:
        """Return the coordinates (N, D) of levelled windows (N, T, J, 3) [m]."""
        found = []
        for start in range(0, len(windows_m), BATCH):
            windows = windows_m[start : start + BATCH]
            features, present = window_streams(windows, np.tile(CAMERA_UP, (len(windows), 1)))
            found.append(self.space.coordinates(self.embed(features, present), features, present))
        return np.concatenate(found)


def few_shot_metrics(network: EmbeddingNetwork, added: Sequence[Clip], others: Sequence[Clip]) -> dict[str, float]:
    """Return the metrics, means over draws.

    Args:
        network: Not trained on the clips.
        added: UI-PRMD's correct repetitions.
        others: Clips of test subjects of the other sets, KIMORE's among them.

    Returns:
        few_shot_acc (recordings of the other people), few_shot_window_acc, few_shot_none_false_pct (windows of other
        movements called an added exercise, the worse of UI-PRMD's others and the other sets), and
        few_shot_old_lost_pct (windows of the trained exercises called an added one).
    """
    points = [network.coordinates(_windows(clip)) for clip in added]
    values, movements = movement_windows(network.embed, others, per_clip=16)
    elsewhere = np.asarray((values - network.space.centre) @ network.space.projection, dtype=np.float32)
    trained = np.char.startswith(movements, "kimore/") & ~np.char.endswith(movements, "around")
    known = np.array([f"{name}" not in {f"{first}/{second}" for first, second in AMBIGUOUS} for name in movements])
    rng, rows = np.random.default_rng(SEED), []
    for _ in range(DRAWS):
        people = rng.choice(sorted({clip.subject for clip in added}), PEOPLE, replace=False)
        learnt = [_learnt(label, people, added, network, rng) for label in ADDED]
        head = FewShotHead(
            network.space, [exercise.entry for exercise in learnt], [exercise.still for exercise in learnt]
        )
        rows.append(
            [*_on_added(head, added, points, people), *_false(head, elsewhere, trained, known)],
        )
    accuracy, windows, own_false, other_false, lost = np.mean(rows, axis=0).tolist()
    return {
        "few_shot_acc": accuracy,
        "few_shot_window_acc": windows,
        "few_shot_none_false_pct": 100.0 * max(own_false, other_false),
        "few_shot_none_false_pct_same_set": 100.0 * own_false,
        "few_shot_old_lost_pct": 100.0 * lost,
    }


def _windows(clip: Clip) -> NDArray[np.float32]:
    """Return live windows (N, T, J, 3) [m] of a clip."""
    ends_s = np.arange(FIRST_S, clip.duration_s + 1e-6, STEP_S)
    times_s = ends_s[:, None] - np.arange(WINDOW_SAMPLES - 1, -1, -1) / SAMPLE_RATE_HZ
    times_ns = clip.stamps_ns[0] + np.rint(times_s * 1e9).astype(np.int64)
    windows = resample(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES], times_ns.reshape(-1))
    return windows.reshape(*times_ns.shape, *windows.shape[1:])


def _learnt(
    label: str, people: NDArray[Any], added: Sequence[Clip], network: EmbeddingNetwork, rng: np.random.Generator
) -> AddedExercise:
    """Return a movement that is learnt from drawn recordings."""
    recordings = []
    for person in people:
        own = [clip for clip in added if clip.label == label and clip.subject == person]
        for place in rng.choice(len(own), RECORDINGS_EACH, replace=False):
            clip = own[place]
            recordings.append(Recording(clip.name, str(person), clip.stamps_ns, clip.positions_m[:, SMPL_INDICES]))
    return learn(label, recordings, network)  # type: ignore[arg-type]  # it has what `learn` uses


def _on_added(
    head: FewShotHead, added: Sequence[Clip], points: Sequence[NDArray[Any]], people: NDArray[Any]
) -> tuple[float, float, float]:
    """Return accuracies of recordings and windows of the other people, and false windows of UI-PRMD's others."""
    recordings, windows, false = [], [], []
    for clip, own in zip(added, points, strict=True):
        if clip.subject in people or (clip.dataset, clip.label) in AMBIGUOUS:
            continue
        probabilities = head.probabilities(own)
        best = probabilities.argmax(axis=1)
        if clip.label in ADDED:
            truth = ADDED.index(clip.label) + 1
            recordings.append(probabilities.mean(axis=0).argmax() == truth)
            windows.append(best == truth)
        else:
            false.append(best > 0)
    return float(np.mean(recordings)), float(np.concatenate(windows).mean()), float(np.concatenate(false).mean())


def _false(
    head: FewShotHead, points: NDArray[Any], trained: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the fractions of windows of other sets called an added exercise: of `none`, and of trained exercises."""
    called = head.probabilities(points).argmax(axis=1) > 0
    return float(called[~trained & known].mean()), float(called[trained].mean())

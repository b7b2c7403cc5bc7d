"""Classes of the library's exercises that the network was not trained on, learnt from simulated people.

A window is described in the few-shot space by features that do not depend on the camera, so that joints without images
suffice: those of `joint_recording`, disturbed as by the camera pipeline. People in HELD_OUT are for the figures only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.few_shot import FewShotHead, FewShotSpace, squared_distances
from rehab_pose.exercise.few_shot_fit import level
from rehab_pose.exercise.library_classes import LibraryClasses
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, WINDOW_SAMPLES, resample
from rehab_pose_sim.exercise_recording import joint_recording
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.window_classifier import WindowClassifier
    from rehab_pose_sim.exercise_recording import JointRecording

__all__ = [
    "SAME_MOVEMENTS",
    "LibraryPlan",
    "SimulatedWindows",
    "library_classes",
    "library_figures",
    "windows_of_library",
]

SAME_MOVEMENTS: Mapping[str, tuple[str, ...]] = {
    "lunge": ("mars/left_front_lunge", "mars/right_front_lunge", "ui_prmd/inline_lunge", "utd_mhad/lunge"),
    "sit_to_stand": (
        "ui_prmd/sit_to_stand",
        "utd_mhad/sit_to_stand",
        "utd_mhad/stand_to_sit",
        "utkinect/sitDown",
        "utkinect/standUp",
    ),
}
"""Movements of real people in the space that are an exercise of the library. The network was taught them as `none`."""
TEMPI = (0.5, 0.7, 1.0, 1.3, 1.6)
"""Tempi relative to the exercise's usual one, equally probable."""
AMPLITUDES, ASYMMETRY = (0.75, 1.15), 0.15
"""Range of the size of the movement, and of the relative difference between the sides."""
HOLDS_S = (0.0, 0.0, 2.0)
"""Holds at the far point, equally probable where the exercise has any [s]."""
STEP_S, FIRST_END_S = 0.4, 1.0
"""Time between the ends of windows, and of the first one after the start of the first repetition [s]."""
OFFSET_SIGMA_M, NOISE_SIGMA_M, MISSING_FRACTION = 0.02, 0.005, 0.02
"""Standard deviations of a recording's constant errors of joints and of those from sample to sample [m], and fraction
of missing joints, about those of the camera pipeline. With 10 mm from sample to sample a pelvic tilt is lost."""
LIMIT_FACTOR, LIMIT_PERCENTILE = 2.0, 95.0
"""The limit of an exercise is this factor of this percentile of the distance of held-out people's windows."""


@dataclass(frozen=True)
class LibraryPlan:
    """People and sizes."""

    people: int = 6
    held_out: int = 4
    recordings_each: int = 2
    points: int = 200
    """Windows of an exercise that are kept."""
    background: int = 300
    """Windows of the trained exercises that are kept. Windows of people at rest are not: they displace exercises with
    small movements."""
    first_person: int = 20
    """Seed of the first person's shape."""
    seed: int = 11


@dataclass(frozen=True, eq=False)
class SimulatedWindows:
    """Windows of one simulated recording."""

    exercise: str
    held_out: bool
    """Whether the person is kept out of the classes."""
    windows_m: NDArray[np.float32]
    """(N, T, J, 3) during the repetitions, levelled [m]; NaN = missing."""


def windows_of_library(plan: LibraryPlan) -> list[SimulatedWindows]:
    """Return windows of simulated people who do every exercise of the library."""
    random = np.random.default_rng(plan.seed)
    found = []
    for definition in tqdm(shipped_library().definitions, unit="exercise", desc="simulated sets", mininterval=5.0):
        for person in range(plan.people + plan.held_out):
            amplitude = float(random.uniform(*AMPLITUDES))
            asymmetry = float(random.uniform(-ASYMMETRY, ASYMMETRY)) if definition.sides != "single" else 0.0
            for _ in range(plan.recordings_each):
                one_sided = definition.sides != "both" and bool(definition.hold_s)
                settings = SimulationSettings(
                    exercise=definition.name,
                    tempo=float(random.choice(TEMPI)),
                    repetitions=4,
                    amplitude=amplitude,
                    asymmetry=asymmetry,
                    shape_seed=plan.first_person + person,
                    gap_s=2.0,
                    seed=int(random.integers(1, 2**31)),
                    hold_s=float(random.choice(HOLDS_S)) if definition.hold_s >= max(HOLDS_S) else 0.0,
                    side=str(random.choice(("both", "both", "left", "right"))) if one_sided else "both",
                )
                recording = joint_recording(settings)
                windows_m = _windows(recording, random)
                found.append(SimulatedWindows(definition.name, person >= plan.people, windows_m))
    return found


def _windows(recording: JointRecording, random: np.random.Generator) -> NDArray[np.float32]:
    """Return disturbed windows (N, T, J, 3) during the repetitions [m]."""
    joints_m = level(recording.joints_m[:, SMPL_INDICES], recording.up)
    first_ns, last_ns = int(recording.cycles_ns[0, 0]) + round(FIRST_END_S * 1e9), int(recording.cycles_ns[-1, 1])
    ends_ns = np.arange(first_ns, last_ns, round(STEP_S * 1e9))
    times_ns = ends_ns[:, None] - np.arange(WINDOW_SAMPLES - 1, -1, -1) * round(1e9 / SAMPLE_RATE_HZ)
    exact_m = resample(recording.stamps_ns, joints_m, times_ns.reshape(-1)).reshape(*times_ns.shape, -1, 3)
    offsets_m = random.normal(0.0, OFFSET_SIGMA_M, joints_m.shape[1:])
    windows_m = exact_m + offsets_m + random.normal(0.0, NOISE_SIGMA_M, exact_m.shape)
    windows_m[random.random(windows_m.shape[:3]) < MISSING_FRACTION] = np.nan
    return windows_m.astype(np.float32)


def library_classes(
    windows: Sequence[SimulatedWindows], classifier: WindowClassifier, plan: LibraryPlan
) -> LibraryClasses:
    """Return the classes of the exercises that the network was not trained on.

    Args:
        windows: Those of `windows_of_library`.
        classifier: Embeds windows, without classes of its own.
        plan: Sizes and seed.
    """
    random = np.random.default_rng(plan.seed)
    space, names = classifier.space, [name for name in shipped_library().names if name not in EXERCISES]
    points, limits = [], []
    for name in names:
        learnt = _coordinates(windows, classifier, name, held_out=False)
        chosen = learnt[random.permutation(len(learnt))[: plan.points]]
        tested = _coordinates(windows, classifier, name, held_out=True)
        distances = np.sqrt(squared_distances(tested, chosen).min(axis=1))
        limits.append(LIMIT_FACTOR * float(np.percentile(distances, LIMIT_PERCENTILE)))
        points.append(np.concatenate([chosen, _prototypes(space, SAME_MOVEMENTS.get(name, ()))]))
    trained = np.concatenate([_coordinates(windows, classifier, name, held_out=False) for name in EXERCISES])
    background = trained[random.permutation(len(trained))[: plan.background]]
    same = tuple(movement for name in names for movement in SAME_MOVEMENTS.get(name, ()))
    return LibraryClasses(tuple(names), tuple(points), tuple(limits), background, same, classifier.model_id)


def _coordinates(
    windows: Sequence[SimulatedWindows], classifier: WindowClassifier, exercise: str, *, held_out: bool
) -> NDArray[np.float32]:
    """Return the coordinates (N, D) of the windows of an exercise."""
    own = [entry.windows_m for entry in windows if entry.exercise == exercise and entry.held_out is held_out]
    return classifier.coordinates(np.concatenate(own))


def _prototypes(space: FewShotSpace, movements: Sequence[str]) -> NDArray[np.float32]:
    """Return the space's prototypes (N, D) of some movements."""
    return space.background[[place for place, name in enumerate(space.movements) if name in movements]]


def library_figures(
    windows: Sequence[SimulatedWindows], classifier: WindowClassifier, classes: LibraryClasses
) -> dict[str, float]:
    """Return figures of held-out people: sets and windows right [%]; the trained exercises count as none of them."""
    head = FewShotHead(classifier.space, classes.entries, [classes.background], classes.same)
    labels, sets, right = (NONE, *classes.names), [], []
    for entry in windows:
        if not entry.held_out:
            continue
        truth = labels.index(entry.exercise) if entry.exercise in labels else 0
        probabilities = head.probabilities(classifier.coordinates(entry.windows_m))
        sets.append(probabilities.mean(axis=0).argmax() == truth)
        right.append(probabilities.argmax(axis=1) == truth)
    return {"sets_pct": 100.0 * float(np.mean(sets)), "windows_pct": 100.0 * float(np.concatenate(right).mean())}

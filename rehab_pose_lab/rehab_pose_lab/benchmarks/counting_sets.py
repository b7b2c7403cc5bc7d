"""Simulated sets of the library's exercises for the benchmark of counting: tempi, holds, rests, sides, drop-outs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose_lab.benchmarks.counting_cameras import JointFilm, film_of
from rehab_pose_sim.exercise_recording import joint_recording
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rehab_pose.exercise.recogniser import ExerciseRecogniser
    from rehab_pose.exercise.window_classifier import Correct

__all__ = [
    "GROUPS",
    "GivenLabels",
    "SetPlan",
    "SimulatedSet",
    "counted",
    "described",
    "is_exact",
    "is_recognised",
    "plans",
    "simulated_set",
]

TEMPI = (0.6, 1.0, 1.5)
"""Tempi relative to the exercise's usual one."""
HOLDS_S, RESTS_S = (2.0, 5.0, 10.0), (3.0, 5.0, 8.0)
"""Holds at the far point and rests between repetitions [s]."""
HIDDEN_S = (1.2, 10.0)
"""Range of the time for which the person is hidden between two repetitions [s]."""
LOST_FRACTION, MISSING_FRACTION = 0.1, 0.02
"""Fractions of frames that are lost and of joints that are missing in sets with drop-outs."""
GAP_S = 0.25
"""Length of the gaps in the stream of frames, one every five seconds [s]."""
LATE_S = (0.02, 0.98)
"""Range of the age of late stamps [s]."""
LABEL_DELAY_S, LABEL_DELAY_FRACTION = 1.0, 0.5
"""A given label starts this time after the exercise [s], or this fraction of a repetition where that is earlier."""
TAIL_S = 4.0
"""Time after the set, in the posture of its end [s]."""
COUNTS = (3, 6)
"""Range of the repetitions of a set."""
GROUPS = ("plain", "hold", "rest", "one_sided", "dropout", "stamps")
"""Kinds of sets. stamps: one repeated or late frame a second."""


@dataclass(frozen=True)
class SetPlan:
    """The kind of one set of the benchmark, and its settings."""

    group: str
    settings: SimulationSettings
    seed: int


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """Joints of a set as a node receives them, with the truth."""

    plan: SetPlan
    film: JointFilm
    labelled: NDArray[np.bool_]
    """(T) True where a recogniser that knows the exercise would say its label, if the person moves."""
    count: int

    @property
    def label(self) -> str:
        """The exercise."""
        return self.plan.settings.exercise


class GivenLabels:
    """Stands in for the network where it does not know an exercise: says the given label for every window.

    The rest of the recogniser works as always: stillness is `none`, a hold is not, a hidden person has no label.
    """

    def __init__(self) -> None:
        self.labels = (NONE, *shipped_library().names)
        self.current = NONE

    @property
    def model_id(self) -> str:
        """Name in place of that of a network."""
        return "given-labels"

    def classify(
        self,
        _positions_m: NDArray[np.float64],
        _up: NDArray[np.float64],
        _correct: Correct | None = None,
    ) -> tuple[NDArray[np.float64], bool]:
        """Return certainty of the given label."""
        return np.eye(len(self.labels))[self.labels.index(self.current)], False


def plans(seed: int, each: int = 1) -> Iterator[SetPlan]:
    """Yield the plans of all sets, in random order.

    Args:
        seed: Seed of people, sizes, counts and disturbances.
        each: Sets of each exercise, tempo and kind.
    """
    random = np.random.default_rng([seed, 41])
    drawn = []
    for definition in shipped_library().definitions:
        for group in GROUPS:
            if group == "one_sided" and (definition.sides == "both" or not definition.hold_s):
                continue  # a circle of the pelvis has no side and no far point
            if group == "hold" and definition.hold_s < min(HOLDS_S):
                continue
            drawn += [_drawn(definition.name, group, tempo, random) for tempo in TEMPI for _ in range(each)]
    for index in random.permutation(len(drawn)):
        yield drawn[index]


def _drawn(label: str, group: str, tempo: float, random: np.random.Generator) -> SetPlan:
    definition = shipped_library().definition(label)
    settings = SimulationSettings(
        exercise=label,
        tempo=tempo,
        repetitions=int(random.integers(COUNTS[0], COUNTS[1] + 1)),
        amplitude=float(random.uniform(0.8, 1.1)),
        asymmetry=float(random.uniform(-0.15, 0.15)) if definition.sides != "single" else 0.0,
        shape_seed=int(random.integers(0, 12)),
        yaw_deg=float(random.uniform(-30.0, 30.0)),
        gap_s=float(random.uniform(2.0, 4.0)),
        seed=int(random.integers(1, 2**31)),
    )
    if group == "hold":
        holds_s = [hold_s for hold_s in HOLDS_S if hold_s <= definition.hold_s]
        settings = replace(settings, hold_s=float(random.choice(holds_s)))
    elif group == "rest":
        settings = replace(settings, rest_s=float(random.choice(RESTS_S)))
    elif group == "one_sided":
        settings = replace(settings, side=str(random.choice(("left", "right"))), asymmetry=0.0)
    return SetPlan(group, settings, int(random.integers(0, 2**31)))


def simulated_set(plan: SetPlan) -> SimulatedSet:
    """Return the joints of a set with noise, and with the drop-outs and stamps of its kind."""
    random = np.random.default_rng([plan.seed, 43])
    recording = joint_recording(plan.settings)
    rate_hz, starts_ns, ends_ns = plan.settings.rate_hz, recording.cycles_ns[:, 0], recording.cycles_ns[:, 1]
    stamps_s = (recording.stamps_ns - recording.stamps_ns[0]) * 1e-9
    delay_ns = min(LABEL_DELAY_S * 1e9, LABEL_DELAY_FRACTION * float(np.min(ends_ns - starts_ns)))
    labelled = (recording.stamps_ns >= starts_ns[0] + delay_ns) & (recording.stamps_ns <= ends_ns[-1])
    points_m, hidden = recording.joints_m, np.zeros(len(stamps_s), dtype=bool)
    if plan.group == "dropout":
        place = int(np.searchsorted(recording.stamps_ns, starts_ns[int(random.integers(1, len(starts_ns)))]))
        count = round(float(random.uniform(*HIDDEN_S)) * rate_hz)
        points_m, labelled = (np.insert(each, place, [each[place]] * count, axis=0) for each in (points_m, labelled))
        hidden = np.insert(hidden, place, np.ones(count, dtype=bool))
    tail = round(TAIL_S * rate_hz)
    points_m = np.concatenate([points_m, np.repeat(points_m[-1:], tail, axis=0)])
    hidden, labelled = (np.concatenate([each, np.zeros(tail, dtype=bool)]) for each in (hidden, labelled))
    stamps_s = np.arange(len(points_m)) / rate_hz
    lost = np.zeros(len(points_m), dtype=bool)
    if plan.group == "dropout":
        lost = random.random(len(points_m)) < LOST_FRACTION
        for start_s in np.arange(1.0, stamps_s[-1], 5.0):
            first = round((start_s + float(random.uniform(0.0, 4.0))) * rate_hz)
            lost[first : first + round(GAP_S * rate_hz)] = True
        missing = random.random(points_m.shape[:2]) < MISSING_FRACTION
        points_m = np.where(missing[..., None], np.nan, points_m)
    film = film_of(stamps_s, points_m, random, hidden=hidden, dropped=lost)
    labelled = labelled[~lost]
    if plan.group == "stamps":
        film, labelled = _with_wrong_stamps(film, labelled, rate_hz, random)
    return SimulatedSet(plan, film, labelled, len(recording.cycles_ns))


def _with_wrong_stamps(
    film: JointFilm, labelled: NDArray[np.bool_], rate_hz: float, random: np.random.Generator
) -> tuple[JointFilm, NDArray[np.bool_]]:
    """Return a film with one more frame a second, whose stamp repeats the last one or is up to a second older."""
    order: list[int] = []
    for index in range(len(film.frames)):
        order.append(index)
        if random.random() < 1.0 / rate_hz:
            age_s = 0.0 if random.random() < 0.5 else float(random.uniform(*LATE_S))
            order.append(max(index - round(age_s * rate_hz), 0))
    frames, stamps_ns = [film.frames[index] for index in order], [film.stamps_ns[index] for index in order]
    return JointFilm(frames, stamps_ns, film.planes[order]), labelled[order]


def counted(
    simulated: SimulatedSet, recogniser: ExerciseRecogniser, given: GivenLabels | None = None
) -> list[tuple[int, str]]:
    """Return number and side of each repetition of the set's exercise, in order.

    Args:
        simulated: The set.
        recogniser: It is reset first.
        given: Its classifier, which is told the label; None: it recognises the exercise by itself.
    """
    recogniser.reset()
    repetitions = []
    film = simulated.film
    for joints, stamp_ns, plane, labelled in zip(
        film.frames, film.stamps_ns, film.planes, simulated.labelled.tolist(), strict=True
    ):
        if given is not None:
            given.current = simulated.label if labelled else NONE
        recogniser.set_floor_plane(plane)
        update = recogniser.recognise(stamp_ns, "camera_color_optical_frame", joints)
        if update.repetition is not None and update.repetition.label == simulated.label:
            repetitions.append((update.repetition.count, update.repetition.side.name.lower()))
    return repetitions


def is_exact(simulated: SimulatedSet, repetitions: list[tuple[int, str]]) -> bool:
    """Return whether all repetitions were counted once, in one set, and on the right side where the set has one."""
    if [number for number, _ in repetitions] != list(range(1, simulated.count + 1)):
        return False
    if simulated.plan.group != "one_sided":
        return True
    return all(side == simulated.plan.settings.side for _, side in repetitions)


def described(plan: SetPlan) -> str:
    """Return a plan in one line."""
    settings = plan.settings
    return (
        f"{plan.group} {settings.exercise}, tempo {settings.tempo:g}, hold {settings.hold_s:g} s, rest "
        f"{settings.rest_s:g} s, side {settings.side}, size {settings.amplitude:.2f}, yaw {settings.yaw_deg:.0f} deg"
    )


def is_recognised(label: str) -> bool:
    """Return whether the shipped network knows an exercise."""
    return label in LABELS

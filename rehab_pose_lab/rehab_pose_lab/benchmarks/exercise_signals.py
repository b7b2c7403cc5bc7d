"""The library's exercises through the whole pipeline on simulated RGB-D: signals, labels and repetitions.

Cycles of the signals are counted with the label given; label and repetitions are also those that the pipeline says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.repetition_set import detector_of
from rehab_pose.exercise.repetition_signals import body_axes, signal_values
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor
from rehab_pose.pipeline import LabelStages, PipelineSettings
from rehab_pose.units import NS_PER_S
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.exercise_recording import joint_recording
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["SignalResult", "counted_cycles", "exercise_signal_metrics", "measure_exercise", "scenes"]

AFTER_S = 2.0
"""Time before and after each set in which the person is still [s]."""
LABEL_AFTER_S = 2.0
"""Time after the start of the first repetition from which the label is judged [s]."""
VIEWS = (
    SimulationSettings(
        repetitions=4, gap_s=AFTER_S, rate_hz=15.0, aim="pitch", camera_height_m=1.2, distance_m=2.6, seed=21,
        shape_seed=5, clothing_m=0.01,
    ),
    SimulationSettings(
        repetitions=3, gap_s=AFTER_S, rate_hz=15.0, aim="pitch", camera_height_m=0.9, distance_m=2.8, seed=33,
        shape_seed=9, clothing_m=0.02, noise="kinect", yaw_deg=25.0, amplitude=0.65, hold_s=4.0, rest_s=3.0,
        side="right",
    ),
)  # fmt: skip
"""A large movement without holds; and a small one, held, with rests, of the right side, seen by another camera."""


@dataclass(frozen=True)
class SignalResult:
    """The signal of one set from estimated joints."""

    name: str
    true_cycles: int
    counted: int
    correlation: float
    """Pearson's, of the signal of the estimated and of the true joints over the set."""
    joint_error_m: float
    """Median distance of the estimated joints from the true ones [m]."""
    label: str
    """The label that was said most often, from LABEL_AFTER_S after the start of the first repetition to the last's
    end."""
    repetitions: int
    """Repetitions of the exercise that the pipeline counted."""


def scenes() -> tuple[SimulationSettings, ...]:
    """Return two scenes for each exercise; the result is always the same."""
    return tuple(replace(view, exercise=name) for view in VIEWS for name in shipped_library().names)


def counted_cycles(definition: ExerciseDefinition, stamps_ns: NDArray[np.int64], values: NDArray[np.float64]) -> int:
    """Return the cycles of a whole set's signal (T), counted as in the live stage when the label is given."""
    detector = detector_of(definition, ExerciseSettings(), float("nan"))
    cycles = [detector.update(int(stamp), float(value)) for stamp, value in zip(stamps_ns, values, strict=True)]
    return sum(cycle is not None for cycle in cycles)


def measure_exercise(settings: SimulationSettings) -> SignalResult:
    """Return the result of one set: rendered, through the stages up to the joints, and counted."""
    definition = shipped_library().definition(settings.exercise)
    truth = joint_recording(settings, after_s=AFTER_S)
    camera, stages = SimulatedCamera(settings), LabelStages(PipelineSettings())
    count = len(truth.stamps_ns)
    estimated, exact = np.full((count, len(SMPL_INDICES), 3), np.nan), np.empty((count, len(SMPL_INDICES), 3))
    labels: Counter[str] = Counter()
    repetitions = 0
    judged = truth.stamps_ns >= truth.cycles_ns[0, 0] + round(LABEL_AFTER_S * NS_PER_S)
    judged &= truth.stamps_ns <= truth.cycles_ns[-1, 1]
    for index in range(count):
        shot = camera.frame(index)
        exact[index] = shot.truth.joints_m[SMPL_INDICES]
        result = stages.process(shot.frame)
        if judged[index]:
            labels[result.exercise.classification.label] += 1
        repetition = result.exercise.repetition
        repetitions += repetition is not None and repetition.label == settings.exercise
        if result.joints is not None:
            estimated[index] = result.joints.positions_m[SMPL_INDICES]
    floor_up = up_of_floor(result.floor_plane)
    up = CAMERA_UP if floor_up is None else floor_up
    values = signal_values(definition, estimated, body_axes(estimated, up))
    true_values = signal_values(definition, exact, body_axes(exact, truth.up))
    known = np.isfinite(values)
    return SignalResult(
        settings.exercise,
        len(truth.cycles_ns),
        counted_cycles(definition, truth.stamps_ns, values),
        float(np.corrcoef(values[known], true_values[known])[0, 1]) if known.sum() > 1 else float("nan"),
        float(np.nanmedian(np.linalg.norm(estimated - exact, axis=-1))),
        labels.most_common(1)[0][0],
        repetitions,
    )


def exercise_signal_metrics(
    log: Callable[[str], None], settings: Sequence[SimulationSettings] | None = None
) -> dict[str, float]:
    """Return how many sets were recognised and counted exactly, and how well the signals follow the true ones.

    Args:
        log: Called with a line for each set.
        settings: The sets; None = all of `scenes`, about half a minute each.
    """
    results = []
    for scene in scenes() if settings is None else settings:
        result = measure_exercise(scene)
        log(
            f"{result.name:22s} {result.counted} of {result.true_cycles} cycles, correlation {result.correlation:.3f}, "
            f"joints {1e3 * result.joint_error_m:.0f} mm; label {result.label}, {result.repetitions} repetitions"
        )
        results.append(result)
    exact = [result.counted == result.true_cycles for result in results]
    recognised = [result.label == result.name for result in results]
    live = [result.repetitions == result.true_cycles for result in results]
    return {
        "library_sets_recognised_pct": 100.0 * float(np.mean(recognised)),
        "library_sets_recognised_and_exact_pct": 100.0 * float(np.mean(live)),
        "exercise_sets": float(len(results)),
        "exercise_sets_exact_pct": 100.0 * float(np.mean(exact)),
        "exercise_signal_correlation_median": float(np.median([result.correlation for result in results])),
        "exercise_signal_correlation_min": float(np.min([result.correlation for result in results])),
        "exercise_joint_error_mm": 1e3 * float(np.median([result.joint_error_m for result in results])),
    }

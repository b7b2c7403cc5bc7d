"""Scalar signals whose cycles are the repetitions of the exercises, computed from their definitions in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.definition import ExerciseDefinition
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.signal_expression import parse_expression
from rehab_pose.exercise.window_features import body_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["arm_elevations", "body_axes", "definition_of", "limb_values", "signal_values"]


def definition_of(exercise: str | ExerciseDefinition) -> ExerciseDefinition:
    """Return a definition, or the shipped one of a label.

    Raises:
        InputError: No exercise of this label is shipped.
    """
    return exercise if isinstance(exercise, ExerciseDefinition) else shipped_library().definition(exercise)


def body_axes(positions_m: NDArray[Any], up: NDArray[Any]) -> NDArray[np.float64]:
    """Return the axes of the body frame (3, 3) of samples (T, J, 3) [m]: rows left, up, front in the optical frame."""
    rotations, _, _ = body_frames(np.asarray(positions_m, dtype=np.float64)[None], np.asarray(up)[None])
    return np.asarray(rotations[0], dtype=np.float64)


def arm_elevations(positions_m: NDArray[Any], axes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the elevation of the left and of the right arm (T) [rad] of FEATURE_JOINTS (T, J, 3) [m]; 0 = hanging."""
    left, right = (
        parse_expression(f"elevation({side}_shoulder, {side}_wrist)").evaluate(positions_m, axes)
        for side in ("left", "right")
    )
    return left, right


def signal_values(
    exercise: str | ExerciseDefinition, positions_m: NDArray[Any], axes: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the signal of an exercise.

    Args:
        exercise: Its definition, or the label of a shipped one.
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.

    Returns:
        (T) in the unit that the signal's name ends in; NaN where its joints are missing.

    Raises:
        InputError: No exercise of this label is shipped.
    """
    return definition_of(exercise).signal.parsed.evaluate(positions_m, axes)


def limb_values(
    exercise: str | ExerciseDefinition, positions_m: NDArray[Any], axes: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the movement (T) of the left and of the right limb; None where the exercise has no expression of a limb.

    Args:
        exercise: Its definition, or the label of a shipped one.
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.
    """
    signal = definition_of(exercise).signal
    if not signal.limb:
        return None
    left, right = (signal.limb_parsed(side).evaluate(positions_m, axes) for side in ("left", "right"))
    return left, right

"""Measures of a repetition for its quality: ranges and extremes of joint angles and positions, and the duration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.window_features import FEATURE_INDEX, torso_lengths_m
from rehab_pose.geometry.rotations import angles_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["MEASURES", "Measure", "Unit", "pose_curves", "repetition_measures"]

PERCENTILES = (3.0, 50.0, 97.0)
"""Percentiles that stand for the minimum, the middle and the maximum of a curve: robust to outlier frames [%]."""
MIN_SAMPLES = 8
"""Smallest number of samples of a measure; with fewer it is NaN."""


class Unit(Enum):
    """Unit of a measure; the value is the unit in which a difference is reported."""

    ANGLE = "degrees"
    """Measured in radians."""
    LENGTH = "cm"
    """Measured in torso lengths, so that people of different height are comparable."""
    TIME = "s"
    """Measured in seconds."""


@dataclass(frozen=True)
class Measure:
    """Definition of one scalar measure of a repetition."""

    curve: str
    """Curve of `pose_curves` that it is computed from; empty: the duration."""
    extreme: str
    """`high` or `low` (maximum or minimum relative to the middle of the curve), `top` (the maximum) or `range`."""
    words: str
    """Subject and verb of a reason, for example `left knee bends`; the reason adds the difference from the norm."""
    unit: Unit = Unit.ANGLE


def _measures_of_both_sides() -> dict[str, Measure]:
    measures = {}
    for side in ("left", "right"):
        measures[f"{side}_knee"] = Measure(f"{side}_knee", "top", f"{side} knee bends")
        measures[f"{side}_elbow"] = Measure(f"{side}_elbow", "top", f"{side} elbow bends")
        measures[f"{side}_arm"] = Measure(f"{side}_arm", "top", f"{side} arm rises")
        measures[f"{side}_arm_range"] = Measure(f"{side}_arm", "range", f"{side} arm swings")
        measures[f"{side}_hip"] = Measure(f"{side}_hip", "range", f"{side} hip bends")
        measures[f"{side}_foot"] = Measure(f"{side}_foot", "range", f"{side} foot moves", Unit.LENGTH)
    return measures


MEASURES: Mapping[str, Measure] = {
    **_measures_of_both_sides(),
    "lean_range": Measure("trunk_lean", "range", "trunk leans forward and back"),
    "tilt_left": Measure("trunk_tilt", "high", "trunk tilts to the left"),
    "tilt_right": Measure("trunk_tilt", "low", "trunk tilts to the right"),
    "turn_left": Measure("shoulder_yaw", "high", "shoulders turn to the left"),
    "turn_right": Measure("shoulder_yaw", "low", "shoulders turn to the right"),
    "pelvis_turn": Measure("pelvis_yaw", "range", "pelvis turns"),
    "head_tilt": Measure("head_tilt", "range", "head tilts sideways"),
    "arms_uneven": Measure("arms_difference", "top", "arms differ in height"),
    "pelvis_side": Measure("pelvis_left", "range", "pelvis moves sideways", Unit.LENGTH),
    "pelvis_front": Measure("pelvis_front", "range", "pelvis moves forward and back", Unit.LENGTH),
    "pelvis_drop": Measure("pelvis_up", "range", "pelvis goes up and down", Unit.LENGTH),
    "duration": Measure("", "range", "repetition takes", Unit.TIME),
}
"""Measures by name, in the order of the file of norms."""


def pose_curves(positions_m: NDArray[Any], axes: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return joint angles [rad] and positions [torso lengths] over time (T) by name; NaN where a joint is missing.

    Args:
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.
    """
    body_m = np.asarray(positions_m, dtype=np.float64) @ axes.T
    joint = {name: body_m[:, index] for name, index in FEATURE_INDEX.items()}
    torso_m = float(torso_lengths_m(np.asarray(positions_m)[None])[0])
    trunk = joint["neck"] - joint["pelvis"]
    shoulders, hips = (joint[f"left_{name}"] - joint[f"right_{name}"] for name in ("shoulder", "hip"))
    head = joint["head"] - joint["neck"]
    feet = 0.5 * (joint["left_ankle"] + joint["right_ankle"])
    pelvis = (joint["pelvis"] - feet) / torso_m
    curves = {
        "trunk_tilt": np.arctan2(trunk[:, 0], trunk[:, 1]),
        "trunk_lean": np.arctan2(trunk[:, 2], trunk[:, 1]),
        # Positive: towards the person's left.
        "shoulder_yaw": np.arctan2(-shoulders[:, 2], shoulders[:, 0]),
        "pelvis_yaw": np.arctan2(-hips[:, 2], hips[:, 0]),
        "head_tilt": np.arctan2(head[:, 0], head[:, 1]) - np.arctan2(trunk[:, 0], trunk[:, 1]),
        "pelvis_left": pelvis[:, 0],
        "pelvis_up": pelvis[:, 1],
        "pelvis_front": pelvis[:, 2],
    }
    for side in ("left", "right"):
        shoulder, elbow, wrist, hip, knee, ankle = (
            joint[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        )
        curves[f"{side}_arm"] = angles_between(elbow - shoulder, np.broadcast_to([0.0, -1.0, 0.0], elbow.shape))
        curves[f"{side}_elbow"] = angles_between(elbow - shoulder, wrist - elbow)
        curves[f"{side}_hip"] = angles_between(knee - hip, -trunk)
        curves[f"{side}_knee"] = angles_between(knee - hip, ankle - knee)
        curves[f"{side}_foot"] = np.linalg.norm(ankle - _median_point(ankle), axis=-1) / torso_m
    curves["arms_difference"] = np.abs(curves["left_arm"] - curves["right_arm"])
    return curves


def _median_point(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median (3) of points (T, 3), NaN where all are missing."""
    finite = points_m[np.isfinite(points_m).all(axis=-1)]
    return np.asarray(np.median(finite, axis=0)) if len(finite) else np.full(3, np.nan)


def repetition_measures(
    stamps_ns: NDArray[np.int64], positions_m: NDArray[Any], axes: NDArray[Any]
) -> dict[str, float]:
    """Return the measures of a repetition by name; NaN where one cannot be computed.

    Args:
        stamps_ns: (T) of its frames [ns].
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.
    """
    if len(stamps_ns) < MIN_SAMPLES:
        return dict.fromkeys(MEASURES, float("nan"))
    curves = pose_curves(positions_m, axes)
    extremes = {name: _extremes(curve) for name, curve in curves.items()}
    values = {}
    for name, measure in MEASURES.items():
        if not measure.curve:
            values[name] = float(stamps_ns[-1] - stamps_ns[0]) * 1e-9
            continue
        low, middle, high = extremes[measure.curve]
        values[name] = {"high": high - middle, "low": middle - low, "top": high, "range": high - low}[measure.extreme]
    return values


def _extremes(curve: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the minimum, the middle and the maximum of a curve by PERCENTILES; NaN with too few samples."""
    finite = np.sort(curve[np.isfinite(curve)])
    if len(finite) < MIN_SAMPLES:
        return float("nan"), float("nan"), float("nan")
    ranks = np.array(PERCENTILES) / 100.0 * (len(finite) - 1)
    low, middle, high = finite[np.rint(ranks).astype(np.intp)]
    return float(low), float(middle), float(high)

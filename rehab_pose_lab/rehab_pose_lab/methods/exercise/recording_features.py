"""Features of a recording of one exercise for its quality: ranges, levels, speed, symmetry and regularity.

The axes of the person are estimated from the recording, so that the features do not depend on the camera's tilt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import ARM_LIFTING, LATERAL_TRUNK_TILT, PELVIS_ROTATION, SQUAT, TRUNK_ROTATION
from rehab_pose.exercise.cycle_detector import CycleDetector
from rehab_pose.exercise.window_features import FEATURE_INDEX
from rehab_pose.geometry.rotations import angles_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CURVES", "PHASES", "RATE_HZ", "body_curves", "even_positions", "mirrored", "recording_features"]

RATE_HZ = 30.0
"""Rate that recordings are resampled to [Hz]."""
POSITION_SMOOTHING, CURVE_SMOOTHING = 1.0, 2.0
"""Standard deviations of the Gaussians over time [samples at RATE_HZ]."""
PHASES = 16
"""Samples of the median repetition."""
CENTRE_CURVES = (
    *("trunk_tilt", "trunk_lean", "low_tilt", "low_lean", "shoulder_yaw", "shoulder_roll", "pelvis_yaw"),
    *("pelvis_roll", "head_tilt", "head_lean", "pelvis_left", "pelvis_up", "pelvis_front", "neck_left", "neck_front"),
)
SIDE_CURVES = (
    *("arm_elevation", "arm_trunk", "elbow", "knee", "hip", "wrist_out", "wrist_up", "wrist_front", "knee_out"),
    *("knee_front", "foot_out", "foot_front", "foot_up"),
)
CURVES = (*CENTRE_CURVES, *(f"{side}_{name}" for side in ("left", "right") for name in SIDE_CURVES))
"""Names of the curves: angles [rad] and positions [torso lengths] over time."""
LATERAL_CURVES = (
    *("trunk_tilt", "low_tilt", "shoulder_yaw", "shoulder_roll", "pelvis_yaw", "pelvis_roll", "head_tilt"),
    *("pelvis_left", "neck_left"),
)
"""Curves that change sign when left and right are exchanged."""
_PLACE = {name: place for place, name in enumerate(CURVES)}
MIN_RANGE = {
    ARM_LIFTING: 0.5,
    LATERAL_TRUNK_TILT: 0.12,
    TRUNK_ROTATION: 0.3,
    PELVIS_ROTATION: 0.07,
    SQUAT: 0.12,
}
"""Smallest range of a repetition, in the unit of `_counted_signal` [rad or torso lengths]."""
MIN_S, MAX_S = 0.45, 20.0
"""Shortest and longest repetition [s]."""
MIN_SAMPLES = 12
"""Smallest number of samples of a repetition."""
REPETITION_FEATURES = ("duration_s", "duration_std", "range", "range_std", "range_min", "range_trend", "turn")


def even_positions(stamps_ns: NDArray[np.int64], positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return positions (T, J, 3) at RATE_HZ, interpolated and smoothed, from (N, J, 3) at stamps (N) [ns]."""
    times_s = (stamps_ns - stamps_ns[0]) * 1e-9
    even_s = np.arange(max(int(times_s[-1] * RATE_HZ), 2)) / RATE_HZ
    columns = np.asarray(positions_m, dtype=np.float64).reshape(len(positions_m), -1)
    interpolated = np.zeros((len(even_s), columns.shape[1]))
    for column in range(columns.shape[1]):
        known = np.isfinite(columns[:, column])
        if known.any():
            interpolated[:, column] = np.interp(even_s, times_s[known], columns[known, column])
    return _smoothed(interpolated, POSITION_SMOOTHING).reshape(len(even_s), -1, 3)


def _smoothed(columns: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return columns (T, C) convolved with a Gaussian of a standard deviation [samples]."""
    reach = int(np.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(columns, ((reach, reach), (0, 0)), mode="edge")
    return np.apply_along_axis(np.convolve, 0, padded, kernel, "valid")


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _person_axes(positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the person's left, up and front (3, 3); up is from the feet to the neck in the most upright frames."""
    joint = {name: positions_m[:, place] for name, place in FEATURE_INDEX.items()}
    tall = joint["neck"] - 0.5 * (joint["left_ankle"] + joint["right_ankle"])
    heights_m = np.linalg.norm(tall, axis=-1)
    up = _unit(np.median(tall[heights_m >= np.median(heights_m)], axis=0))
    across = np.zeros_like(tall)
    for name in ("hip", "shoulder"):
        line = joint[f"left_{name}"] - joint[f"right_{name}"]
        across += _unit(line - (line @ up)[:, None] * up)
    left = _unit(np.median(across, axis=0))
    left = _unit(left - (left @ up) * up)
    return np.stack([left, up, np.cross(left, up)])


def body_curves(positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CURVES over time (T, S) of FEATURE_JOINTS (T, J, 3) [m] without gaps."""
    aligned = positions_m @ _person_axes(positions_m).T
    joint = {name: aligned[:, place] for name, place in FEATURE_INDEX.items()}
    pelvis, neck, spine = joint["pelvis"], joint["neck"], joint["spine2"]
    torso_m = np.median(np.linalg.norm(neck - spine, axis=-1) + np.linalg.norm(spine - pelvis, axis=-1))
    torso_m = max(float(torso_m), 0.1)
    feet = np.median(0.5 * (joint["left_ankle"] + joint["right_ankle"]), axis=0)
    trunk, low, head = neck - pelvis, spine - pelvis, joint["head"] - neck
    shoulders, hips = (joint[f"left_{name}"] - joint[f"right_{name}"] for name in ("shoulder", "hip"))
    curves = {}
    for name, line in (("trunk", trunk), ("low", low), ("head", head)):
        curves[f"{name}_tilt"] = np.arctan2(line[:, 0], line[:, 1])
        curves[f"{name}_lean"] = np.arctan2(line[:, 2], line[:, 1])
    for name, line in (("shoulder", shoulders), ("pelvis", hips)):
        curves[f"{name}_yaw"] = np.arctan2(-line[:, 2], line[:, 0])
        curves[f"{name}_roll"] = np.arctan2(line[:, 1], line[:, 0])
    for axis, name in enumerate(("left", "up", "front")):
        curves[f"pelvis_{name}"] = (pelvis - feet)[:, axis] / torso_m
        curves[f"neck_{name}"] = (neck - feet)[:, axis] / torso_m
    for side, sign in (("left", 1.0), ("right", -1.0)):
        mine = {name: joint[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")}
        upper, thigh = mine["elbow"] - mine["shoulder"], mine["knee"] - mine["hip"]
        hand, shin = (mine["wrist"] - mine["shoulder"]) / torso_m, (mine["knee"] - mine["ankle"]) / torso_m
        foot = (mine["ankle"] - feet) / torso_m
        of_side = (
            *(angles_between(upper, np.broadcast_to([0.0, -1.0, 0.0], upper.shape)), angles_between(upper, -trunk)),
            angles_between(upper, mine["wrist"] - mine["elbow"]),
            angles_between(thigh, mine["ankle"] - mine["knee"]),
            *(angles_between(thigh, -trunk), sign * hand[:, 0], hand[:, 1], hand[:, 2], sign * shin[:, 0], shin[:, 2]),
            *(sign * foot[:, 0], foot[:, 2], foot[:, 1]),
        )
        curves.update({f"{side}_{name}": curve for name, curve in zip(SIDE_CURVES, of_side, strict=True)})
    return np.stack([curves[name] for name in CURVES], axis=1)


def mirrored(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the curves (..., S) of the mirrored movement."""
    swapped = [
        _PLACE[
            name.replace("left_", "right_", 1)
            if name.startswith("left_")
            else name.replace("right_", "left_", 1)
            if name.startswith("right_")
            else name
        ]
        for name in CURVES
    ]
    signs = np.where([name in LATERAL_CURVES for name in CURVES], -1.0, 1.0)
    return np.asarray(curves[..., swapped] * signs)


def _counted_signal(label: str, curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the signal (T) whose cycles are the repetitions of an exercise."""
    if label == ARM_LIFTING:
        return np.asarray(0.5 * (curves[:, _PLACE["left_wrist_up"]] + curves[:, _PLACE["right_wrist_up"]]))
    if label == SQUAT:
        return -curves[:, _PLACE["pelvis_up"]]
    names = {LATERAL_TRUNK_TILT: "trunk_tilt", TRUNK_ROTATION: "shoulder_yaw", PELVIS_ROTATION: "pelvis_left"}
    return curves[:, _PLACE[names[label]]]


def _repetitions(label: str, signal: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return first and last sample of each repetition in a signal (T)."""
    detector = CycleDetector(
        MIN_RANGE[label],
        two_sided=label in {LATERAL_TRUNK_TILT, TRUNK_ROTATION, PELVIS_ROTATION},
        shortest_s=MIN_S,
        longest_s=MAX_S,
    )
    repetitions = []
    for place, value in enumerate(signal.tolist()):
        cycle = detector.update(round(place * 1e9 / RATE_HZ) + 1, value)
        if cycle is not None:
            first, end = (round(stamp_ns * 1e-9 * RATE_HZ) for stamp_ns in (cycle.start_ns, cycle.end_ns))
            if end - first >= MIN_SAMPLES:
                repetitions.append((first, min(end, len(signal) - 1)))
    return repetitions


def recording_features(label: str, curves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features of the whole recording, and its median repetition.

    Args:
        label: Name of the exercise.
        curves: (T, S) CURVES at RATE_HZ.

    Returns:
        Features (F), NaN where they need a repetition and there is none; and the median repetition (PHASES * S), zero
        without repetitions.
    """
    curves = _smoothed(curves, CURVE_SMOOTHING)
    signal = _counted_signal(label, curves)
    repetitions = _repetitions(label, signal)
    first, end = (repetitions[0][0], repetitions[-1][1]) if repetitions else (0, len(curves))
    speeds = np.gradient(curves, axis=0) * RATE_HZ
    jerks = np.gradient(np.gradient(speeds, axis=0), axis=0) * RATE_HZ**2
    part, speed, jerk = curves[first:end], speeds[first:end], jerks[first:end]
    low, middle, high = np.percentile(part, [5, 50, 95], axis=0)
    rms_speed, rms_jerk = np.sqrt((speed**2).mean(axis=0)), np.sqrt((jerk**2).mean(axis=0))
    std = part.std(axis=0)
    standard = signal[first:end] - signal[first:end].mean()
    standard = standard / (signal[first:end].std() + 1e-6)
    coupled = (standard[:, None] * (part - part.mean(axis=0))).mean(axis=0)
    free = np.sqrt(np.maximum(std**2 - coupled**2, 0.0))
    cycles = np.array([_at_phases(curves, *repetition) for repetition in repetitions])
    regular = cycles.std(axis=0).mean(axis=0) if len(cycles) else np.zeros(curves.shape[1])
    numbers = [
        *(low, middle, high, high - low, rms_speed, np.log((rms_jerk + 1e-6) / (rms_speed + 1e-3))),
        *(np.log((rms_speed + 1e-4) / (std + 1e-3)), regular, coupled, free),
        *(_balance(part), _repetition_numbers(signal, repetitions)),
        np.array([len(repetitions), (end - first) / RATE_HZ]),
    ]
    mean = np.median(cycles, axis=0) if len(cycles) else np.zeros((PHASES, curves.shape[1]))
    return np.concatenate(numbers), mean.ravel()


def _at_phases(curves: NDArray[np.float64], first: int, end: int) -> NDArray[np.float64]:
    """Return the curves (PHASES, S) of one repetition at evenly spaced phases."""
    places = np.linspace(first, end, PHASES)
    below = np.minimum(places.astype(np.intp), len(curves) - 2)
    fraction = (places - below)[:, None]
    return np.asarray(curves[below] * (1.0 - fraction) + curves[below + 1] * fraction)


def _balance(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return differences of left and right (mean, range, correlation), and the asymmetry of lateral movements."""
    left, right = (part[:, [_PLACE[f"{side}_{name}"] for name in SIDE_CURVES]] for side in ("left", "right"))
    both = (left - left.mean(axis=0)) * (right - right.mean(axis=0))
    scale = left.std(axis=0) * right.std(axis=0)
    correlation = np.where(scale > 1e-12, both.mean(axis=0) / np.maximum(scale, 1e-12), 0.0)
    lateral = part[:, [_PLACE[name] for name in LATERAL_CURVES]]
    lateral = lateral - np.median(lateral, axis=0)
    uneven = np.abs(np.percentile(lateral, 95, axis=0) + np.percentile(lateral, 5, axis=0))
    differ = np.abs(np.ptp(left, axis=0) - np.ptp(right, axis=0))
    return np.concatenate([np.abs(left - right).mean(axis=0), differ, correlation, uneven])


def _repetition_numbers(signal: NDArray[np.float64], repetitions: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Return REPETITION_FEATURES of the repetitions in a signal (T); NaN without repetitions."""
    if not repetitions:
        return np.full(len(REPETITION_FEATURES), np.nan)
    parts = [signal[first : end + 1] for first, end in repetitions]
    durations_s = np.array([len(part) for part in parts]) / RATE_HZ
    ranges = np.array([np.ptp(part) for part in parts])
    turns = [np.abs(part - part[0]).argmax() / len(part) for part in parts]
    return np.array(
        [
            *(np.median(durations_s), durations_s.std() / durations_s.mean(), np.median(ranges)),
            *(ranges.std() / ranges.mean(), ranges.min() / np.median(ranges), (ranges[-1] - ranges[0]) / ranges.mean()),
            np.median(turns),
        ]
    )

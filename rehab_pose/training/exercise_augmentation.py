"""What another camera, another joint predictor and another body would have made of a window of joints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.features import FEATURE_JOINTS, WINDOW_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["augment"]

OFFSET_SIGMA_M = 0.022
"""Constant displacement of each joint over a window: joint centres differ between predictors by up to 40 mm [m]."""
NOISE_MAXIMUM_M = 0.03
"""Largest standard deviation of frame-to-frame noise [m]."""
DRIFT_MAXIMUM_M = 0.025
"""Largest standard deviation of slow errors [m]."""
DRIFT_KNOTS = 9
"""Slow errors change every half second."""
SPIKE_M = 0.15
"""Standard deviation of single wrong samples [m]."""
TILT_SIGMA_RAD = 0.07
"""Error of the vertical where the floor is not seen [rad]."""
NECK_DROP_M = 0.10
"""Kinect's neck and head lie up to this much above SMPL's [m]."""
SHORTEST_SAMPLES = 8

_INDEX = {name: place for place, name in enumerate(FEATURE_JOINTS)}
_MIRROR = np.array(
    [
        _INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")]
        for name in FEATURE_JOINTS
    ]
)
_LEGS = (
    [_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle")],
    [_INDEX[f"{side}_ankle"] for side in ("left", "right")],
)
_ARMS = tuple([_INDEX[f"{side}_elbow"], _INDEX[f"{side}_wrist"]] for side in ("left", "right"))


def _errors(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return displacements (B, T, J, 3) [m]: constant, slow, frame to frame, and single wrong samples."""
    batch, length, joints, _ = shape
    level = rng.random((batch, 1, 1, 1))
    joint_level = rng.uniform(0.3, 1.5, (batch, 1, joints, 1))
    errors = rng.normal(0, OFFSET_SIGMA_M, (batch, 1, joints, 3)) * rng.random((batch, 1, 1, 1)) * 1.5
    errors = errors + rng.normal(0, NOISE_MAXIMUM_M, shape) * level * joint_level
    knots = rng.normal(0, DRIFT_MAXIMUM_M, (batch, DRIFT_KNOTS, joints, 3))
    place = np.linspace(0, DRIFT_KNOTS - 1 - 1e-6, length)
    low, share = place.astype(np.intp), (place % 1.0)[None, :, None, None]
    slow = knots[:, low] * (1 - share) + knots[:, low + 1] * share
    errors = errors + slow * rng.random((batch, 1, 1, 1)) * joint_level
    wrong = (rng.random((batch, length, joints, 1)) < 0.02) & (rng.random((batch, 1, 1, 1)) < 0.25)
    return np.asarray(errors + wrong * rng.normal(0, SPIKE_M, shape), dtype=np.float64)


def _hide(positions_m: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Take joints away in place: some for the whole window, some for a moment, legs out of view, late starts."""
    batch, length, joints, _ = positions_m.shape
    always = np.less(rng.random((batch, 1, joints)), 0.12) & np.less(rng.random((batch, 1, 1)), 0.3)
    moment = np.less(rng.random((batch, length, joints)), 0.15) & np.less(rng.random((batch, 1, 1)), 0.2)
    gone = np.asarray(always | moment)
    legs = np.asarray(rng.random(batch))
    for share, columns in zip((0.06, 0.12), _LEGS, strict=True):
        gone[:, :, columns] = gone[:, :, columns] | np.less(legs, share)[:, None, None]
    positions_m[gone] = np.nan
    full = np.less(rng.random(batch), 0.5)
    samples = np.where(full, WINDOW_SAMPLES, rng.integers(SHORTEST_SAMPLES, WINDOW_SAMPLES + 1, batch))
    positions_m[np.arange(length)[None] < (WINDOW_SAMPLES - samples)[:, None]] = np.nan


def augment(windows_m: NDArray[Any], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return spoilt copies of windows, and the vertical each would be judged with.

    Args:
        windows_m: (B, T, J, 3) FEATURE_JOINTS in a levelled camera's optical frame [m]; NaN = missing.
        rng: Source of chance.

    Returns:
        Positions (B, T, J, 3) [m] and unit up vectors (B, 3).
    """
    batch = len(windows_m)
    flipped = rng.random(batch) < 0.5
    positions_m = windows_m.astype(np.float32).copy()
    positions_m[flipped] = positions_m[flipped][:, :, _MIRROR] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    spine, neck, head = _INDEX["spine2"], _INDEX["neck"], _INDEX["head"]
    along = positions_m[:, :, neck] - positions_m[:, :, spine]
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-3)
    for joint in (neck, head):
        positions_m[:, :, joint] -= along * rng.uniform(0.0, NECK_DROP_M, (batch, 1, 1)).astype(np.float32)
    for columns in _ARMS:  # a limb that the camera lost and the predictor left where it was
        rows = np.flatnonzero(rng.random(batch) < 0.02)
        positions_m[rows[:, None], :, columns] = positions_m[rows[:, None], :1, columns]
    positions_m += _errors(positions_m.shape, rng).astype(np.float32)
    _hide(positions_m, rng)
    tilt = rng.normal(0, TILT_SIGMA_RAD, (batch, 2))
    up = np.stack([tilt[:, 0], -np.ones(batch), tilt[:, 1]], axis=-1)
    return positions_m, up / np.linalg.norm(up, axis=-1, keepdims=True)

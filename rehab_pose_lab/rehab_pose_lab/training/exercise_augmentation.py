"""Augmentation of windows of joints: errors of other cameras and joint predictors, and differences in body build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.window_features import FEATURE_INDEX, FEATURE_JOINTS, WINDOW_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["augment", "augment_lightly"]

OFFSET_SIGMA_M = 0.022
"""Standard deviation of each joint's constant displacement over a window: joint centres differ between predictors by up
to 40 mm [m]."""
MAX_NOISE_M = 0.03
"""Largest standard deviation of frame-to-frame noise [m]."""
MAX_DRIFT_M = 0.025
"""Largest standard deviation of slow errors [m]."""
DRIFT_KNOTS = 9
"""Values of the slow errors over a window, linearly interpolated: about one every half second."""
SPIKE_M = 0.15
"""Standard deviation of single wrong samples [m]."""
TILT_SIGMA_RAD = 0.07
"""Standard deviation of the vertical where the floor is not visible [rad]."""
NECK_DROP_M = 0.10
"""Kinect's neck and head are up to this much above SMPL's [m]."""
MIN_SAMPLES = 8
"""Smallest number of samples of a window that starts late."""
LIGHT_SCALE_SIGMA = 0.06
"""Standard deviation of the body's scale along each axis."""
LIGHT_OFFSET_SIGMA_M, LIGHT_NOISE_M, LIGHT_TILT_SIGMA_RAD = 0.02, 0.01, 0.04
"""Differences between two Kinects in front of two people: offsets [m], noise [m] and tilt [rad]."""
LIGHT_YAW_SIGMA_RAD, TURNED_FRACTION = 0.06, 0.3
"""Standard deviation of the yaw of people who face the camera [rad], and fraction that is turned by up to a radian."""
FACING_KNOWN_FRACTION = 0.5
"""Fraction of the windows facing the camera for which the network is given this information."""

_MIRROR = np.array(
    [
        FEATURE_INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")]
        for name in FEATURE_JOINTS
    ]
)
_LEGS = (
    [FEATURE_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle")],
    [FEATURE_INDEX[f"{side}_ankle"] for side in ("left", "right")],
)
_ARMS = tuple([FEATURE_INDEX[f"{side}_elbow"], FEATURE_INDEX[f"{side}_wrist"]] for side in ("left", "right"))


def _random_errors(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return displacements (B, T, J, 3) [m]: constant, slow, frame to frame, and single wrong samples."""
    batch, length, joints, _ = shape
    level = rng.random((batch, 1, 1, 1))
    joint_level = rng.uniform(0.3, 1.5, (batch, 1, joints, 1))
    errors = rng.normal(0, OFFSET_SIGMA_M, (batch, 1, joints, 3)) * rng.random((batch, 1, 1, 1)) * 1.5
    errors = errors + MAX_NOISE_M * rng.standard_normal(shape, dtype=np.float32) * level * joint_level
    knots = rng.normal(0, MAX_DRIFT_M, (batch, DRIFT_KNOTS, joints, 3))
    place = np.linspace(0, DRIFT_KNOTS - 1 - 1e-6, length)
    low, fraction = place.astype(np.intp), (place % 1.0)[None, :, None, None]
    slow = knots[:, low] * (1 - fraction) + knots[:, low + 1] * fraction
    errors = errors + slow * rng.random((batch, 1, 1, 1)) * joint_level
    wrong = (rng.random((batch, length, joints, 1)) < 0.02) & (rng.random((batch, 1, 1, 1)) < 0.25)
    count = int(wrong.sum())
    errors[wrong[..., 0]] += rng.normal(0, SPIKE_M, (count, 3))
    return np.asarray(errors, dtype=np.float64)


def _remove_joints(positions_m: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Set joints to NaN in place: for the whole window, for moments, legs outside the image, and late starts."""
    batch, length, joints, _ = positions_m.shape
    always = np.less(rng.random((batch, 1, joints)), 0.12) & np.less(rng.random((batch, 1, 1)), 0.3)
    moment = np.less(rng.random((batch, length, joints)), 0.15) & np.less(rng.random((batch, 1, 1)), 0.2)
    missing = np.asarray(always | moment)
    legs = np.asarray(rng.random(batch))
    for fraction, columns in zip((0.06, 0.12), _LEGS, strict=True):
        missing[:, :, columns] = missing[:, :, columns] | np.less(legs, fraction)[:, None, None]
    positions_m[missing] = np.nan
    full = np.less(rng.random(batch), 0.5)
    samples = np.where(full, WINDOW_SAMPLES, rng.integers(MIN_SAMPLES, WINDOW_SAMPLES + 1, batch))
    positions_m[np.arange(length)[None] < (WINDOW_SAMPLES - samples)[:, None]] = np.nan


def augment(windows_m: NDArray[Any], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return copies of windows as another camera and joint predictor would measure them, with the estimated vertical.

    Args:
        windows_m: (B, T, J, 3) FEATURE_JOINTS in a levelled camera's optical frame [m]; NaN = missing.
        rng: Random generator.

    Returns:
        Positions (B, T, J, 3) [m] and unit up vectors (B, 3).
    """
    batch = len(windows_m)
    flipped = rng.random(batch) < 0.5
    positions_m = windows_m.astype(np.float32).copy()
    positions_m[flipped] = positions_m[flipped][:, :, _MIRROR] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    spine, neck, head = FEATURE_INDEX["spine2"], FEATURE_INDEX["neck"], FEATURE_INDEX["head"]
    along = positions_m[:, :, neck] - positions_m[:, :, spine]
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-3)
    for joint in (neck, head):
        positions_m[:, :, joint] -= along * rng.uniform(0.0, NECK_DROP_M, (batch, 1, 1)).astype(np.float32)
    for columns in _ARMS:  # an arm that is no longer tracked and keeps its first position
        rows = np.flatnonzero(rng.random(batch) < 0.02)
        positions_m[rows[:, None], :, columns] = positions_m[rows[:, None], :1, columns]
    positions_m += _random_errors(positions_m.shape, rng).astype(np.float32)
    _remove_joints(positions_m, rng)
    tilt = rng.normal(0, TILT_SIGMA_RAD, (batch, 2))
    up = np.stack([tilt[:, 0], -np.ones(batch), tilt[:, 1]], axis=-1)
    return positions_m, up / np.linalg.norm(up, axis=-1, keepdims=True)


def augment_lightly(
    windows_m: NDArray[Any], rng: np.random.Generator, *, mirror: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    """Return windows as other people in front of the same kind of camera would give them.

    Args:
        windows_m: (B, T, J, 3) FEATURE_JOINTS in a levelled camera's optical frame [m]; NaN = missing.
        rng: Random generator.
        mirror: Exchange left and right in half of them; not where the name of a movement contains the side.

    Returns:
        Positions (B, T, J, 3) [m], unit up vectors (B, 3), and 1 where the person is known to face the camera (B).
    """
    batch, _, joints, _ = windows_m.shape
    positions_m = windows_m.astype(np.float32).copy()
    flipped = rng.random(batch) < (0.5 if mirror else 0.0)
    positions_m[flipped] = positions_m[flipped][:, :, _MIRROR] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    pelvis = positions_m[:, :, :1]
    known = np.isfinite(pelvis)
    middle = np.where(known, pelvis, 0.0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    turned = rng.random(batch) < TURNED_FRACTION
    yaw = np.where(turned, rng.uniform(-1.0, 1.0, batch), rng.normal(0.0, LIGHT_YAW_SIGMA_RAD, batch))
    rotations = np.zeros((batch, 3, 3), dtype=np.float32)
    rotations[:, 0, 0] = rotations[:, 2, 2] = np.cos(yaw)
    rotations[:, 0, 2], rotations[:, 2, 0], rotations[:, 1, 1] = np.sin(yaw), -np.sin(yaw), 1.0
    build = np.float32(1.0) + np.float32(LIGHT_SCALE_SIGMA) * rng.standard_normal((batch, 1, 1, 3), dtype=np.float32)
    positions_m = ((positions_m - middle) * build) @ rotations.transpose(0, 2, 1)[:, None] + middle
    offsets = rng.standard_normal((batch, 1, joints, 3), dtype=np.float32) * rng.random((batch, 1, 1, 1)) * 1.5
    noise = rng.standard_normal(positions_m.shape, dtype=np.float32) * rng.random((batch, 1, 1, 1))
    positions_m += LIGHT_OFFSET_SIGMA_M * offsets.astype(np.float32) + LIGHT_NOISE_M * noise.astype(np.float32)
    missing = (rng.random((batch, 1, joints)) < 0.1) & (rng.random((batch, 1, 1)) < 0.3)
    positions_m[np.broadcast_to(missing, positions_m.shape[:3])] = np.nan
    tilt = rng.normal(0.0, LIGHT_TILT_SIGMA_RAD, (batch, 2))
    up = np.stack([tilt[:, 0], -np.ones(batch), tilt[:, 1]], axis=-1)
    facing = np.asarray(~turned & (rng.random(batch) < FACING_KNOWN_FRACTION), dtype=np.float32)
    return positions_m, up / np.linalg.norm(up, axis=-1, keepdims=True), facing

"""Features of a window of joints that do not depend on the camera's pose or on the person's size.

Body frame of a window: x to the person's left, y against gravity, z to the person's front. Its orientation is the
median over the window, so that rotations of the trunk within the window remain visible; its origin is the median
pelvis; its unit is the length of the torso.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FEATURE_COUNT",
    "FEATURE_INDEX",
    "FEATURE_JOINTS",
    "SAMPLE_RATE_HZ",
    "SMPL_INDICES",
    "WINDOW_SAMPLES",
    "BodyFrames",
    "body_frames",
    "motion_range_m",
    "resample",
    "torso_lengths_m",
    "window_features",
]

SAMPLE_RATE_HZ = 10.0
"""Sample rate of a window [Hz]. These exercises contain little above 2 Hz; 10 Hz costs a third of 30 Hz."""
WINDOW_SAMPLES = 40
"""Samples of a window, 4 s: about one cycle of KIMORE's exercises, whose median duration is 2 to 4 s."""
FEATURE_JOINTS = (
    *("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "spine2"),
    *("neck", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
)
"""Joints that Kinect v2 and SMPL_24 define at nearly the same position."""
SMPL_INDICES = np.array([SMPL_24.index(name) for name in FEATURE_JOINTS])
"""Index of each feature joint in SMPL_24."""
FEATURE_INDEX = {name: index for index, name in enumerate(FEATURE_JOINTS)}
"""Index of each feature joint in FEATURE_JOINTS."""
FEATURE_COUNT = 7 * len(FEATURE_JOINTS)
"""Features of one sample: position (3), velocity (3) and validity (1) of each joint."""

PELVIS, SPINE, NECK = (FEATURE_JOINTS.index(name) for name in ("pelvis", "spine2", "neck"))
"""Indices in FEATURE_JOINTS of the joints that define the torso."""
PAIRS = tuple(
    (FEATURE_JOINTS.index(f"left_{name}"), FEATURE_JOINTS.index(f"right_{name}")) for name in ("hip", "shoulder")
)
"""Left-right pairs whose mean horizontal direction is the body frame's x axis."""
MOVING_JOINTS = np.array(
    [FEATURE_JOINTS.index(name) for name in FEATURE_JOINTS if not name.endswith(("hip", "ankle", "spine2", "neck"))]
)
"""Joints used to distinguish movement from rest: those that Kinect and depth predictors measure best."""
MOVING_RANK = 3
"""Rank of the joint whose range is the range of the movement: with the third largest, one or two outlier joints have
no effect."""
MAX_GAP_S = 0.25
"""Longest gap between two samples that is interpolated [s]."""
TORSO_RANGE_M = (0.3, 0.8)
"""Torso lengths are clipped to this range; values outside are taken as measurement errors [m]."""
TORSO_DEFAULT_M = 0.5
"""Torso length of a window in which the spine or the neck is always missing [m]."""
VELOCITY_SCALE_S = 0.5
"""Factor that scales velocities [torso lengths / s] to the magnitude of positions [s]."""
FEATURE_LIMIT = 5.0
"""Positions and scaled velocities are clipped to this; larger values are measurement errors [torso lengths]."""


def resample(
    stamps_ns: NDArray[np.int64], positions_m: NDArray[Any], times_ns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return positions at the given times by linear interpolation.

    Args:
        stamps_ns: (N) increasing, N >= 1 [ns].
        positions_m: (N, J, 3) [m]; NaN = missing.
        times_ns: (T) [ns].

    Returns:
        (T, J, 3) [m]. NaN outside the range of the stamps and inside gaps longer than MAX_GAP_S. Where a joint is
        missing in one of the two neighbours, the position of the other.
    """
    later = np.clip(np.searchsorted(stamps_ns, times_ns), 1, max(len(stamps_ns) - 1, 1))
    later = np.minimum(later, len(stamps_ns) - 1)
    earlier = np.maximum(later - 1, 0)
    gap = (stamps_ns[later] - stamps_ns[earlier]).astype(np.float64)
    fraction = (times_ns - stamps_ns[earlier]) / np.maximum(gap, 1.0)
    before, after = positions_m[earlier].astype(np.float32), positions_m[later].astype(np.float32)
    weight = np.clip(fraction, 0.0, 1.0).astype(np.float32)[:, None, None]
    between = before + weight * (after - before)
    between = np.where(np.isnan(between), np.where(np.isnan(before), after, before), between)
    slack = 0.5 / SAMPLE_RATE_HZ * 1e9
    outside = (times_ns < stamps_ns[0] - slack) | (times_ns > stamps_ns[-1] + slack) | (gap > MAX_GAP_S * 1e9)
    return np.where(outside[:, None, None], np.float32(np.nan), between)


def _median(values: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Return the median over an axis without the NaNs; NaN where all are."""
    ordered = np.sort(values, axis=axis)  # NaN sorts last
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis=axis)
    return np.asarray(np.squeeze(0.5 * (low + high), axis=axis), dtype=np.float64)


def torso_lengths_m(positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the torso length pelvis - spine - neck (B) [m] of windows (B, T, J, 3) [m].

    TORSO_DEFAULT_M where a window never has all three joints.
    """
    pelvis, spine, neck = (positions_m[:, :, joint] for joint in (PELVIS, SPINE, NECK))
    torso_m = _median(np.linalg.norm(neck - spine, axis=-1) + np.linalg.norm(spine - pelvis, axis=-1), axis=1)
    return np.asarray(np.clip(np.where(np.isfinite(torso_m), torso_m, TORSO_DEFAULT_M), *TORSO_RANGE_M))


BodyFrames = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
"""Rotations, origins and torso lengths of windows, as `body_frames` returns them."""


def body_frames(positions_m: NDArray[Any], up: NDArray[Any]) -> BodyFrames:
    """Return the body frame of each window and the length of the torso.

    Args:
        positions_m: (B, T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        up: (B, 3) unit vector against gravity in the optical frame.

    Returns:
        body_from_camera rotations (B, 3, 3), origins (B, 3) in the camera [m], torso lengths (B) [m].
    """
    lateral = np.zeros((*positions_m.shape[:2], 3))
    for left, right in PAIRS:
        across = positions_m[:, :, left] - positions_m[:, :, right]
        across = across - (across * up[:, None]).sum(-1, keepdims=True) * up[:, None]
        lateral = lateral + across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    left_axis = _median(lateral, axis=1)
    length = np.linalg.norm(left_axis, axis=-1, keepdims=True)
    # Without hips and shoulders the person is assumed to face the camera.
    left_axis = np.where(length > 1e-3, left_axis / np.where(length > 1e-3, length, 1.0), np.array([1.0, 0.0, 0.0]))
    left_axis = left_axis - (left_axis * up).sum(-1, keepdims=True) * up
    left_axis /= np.linalg.norm(left_axis, axis=-1, keepdims=True)
    rotations = np.stack([left_axis, up, np.cross(left_axis, up)], axis=1)
    torso_m = torso_lengths_m(positions_m)
    origins = _median(positions_m[:, :, PELVIS], axis=1)
    fallback = _median(positions_m[:, :, NECK], axis=1) - torso_m[:, None] * up
    origins = np.where(np.isfinite(origins), origins, np.where(np.isfinite(fallback), fallback, 0.0))
    return rotations, origins, torso_m


def window_features(
    positions_m: NDArray[Any], up: NDArray[Any], frames: BodyFrames | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the joint features of windows.

    Args:
        positions_m: (B, T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ in the optical frame [m]; NaN = missing. A window
            with a shorter history has NaN rows at its beginning.
        up: (B, 3) unit vector against gravity in the optical frame.
        frames: `body_frames` of the windows, where they were computed before.

    Returns:
        Features (B, T, FEATURE_COUNT), and presence (B, T), 1 for each sample that has at least one joint. Missing
        joints are zero with validity zero.
    """
    rotations, origins, torso_m = frames or body_frames(positions_m, up)
    dtype = positions_m.dtype  # single precision is enough for training, and twice as fast
    body_from_camera = (rotations / torso_m[:, None, None]).astype(dtype)
    scaled = (positions_m - origins[:, None, None].astype(dtype)) @ body_from_camera.transpose(0, 2, 1)[:, None]
    scaled = np.clip(scaled, -FEATURE_LIMIT, FEATURE_LIMIT)
    velocity = np.full_like(scaled, np.nan)
    velocity[:, 1:] = np.diff(scaled, axis=1) * (SAMPLE_RATE_HZ * VELOCITY_SCALE_S)
    velocity = np.clip(velocity, -FEATURE_LIMIT, FEATURE_LIMIT)
    valid = np.isfinite(scaled).all(axis=-1, keepdims=True)
    values = np.concatenate([np.nan_to_num(scaled), np.nan_to_num(velocity), valid], axis=-1)
    features = values.reshape(*values.shape[:2], -1).astype(np.float32)
    return features, valid.any(axis=(2, 3)).astype(np.float32)


def motion_range_m(positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the range of movement of each window: the third largest range of a joint [m].

    A joint's range is the diagonal of the box between the 10th and 90th percentile of its smoothed coordinates.

    Args:
        positions_m: (B, T, J, 3) FEATURE_JOINTS [m]; NaN = missing.

    Returns:
        (B) [m]; 0 where no joint has two samples.
    """
    moving = positions_m[:, :, MOVING_JOINTS]
    if moving.shape[1] >= 3:
        moving = (moving[:, :-2] + moving[:, 1:-1] + moving[:, 2:]) / 3.0
    ordered = np.sort(moving, axis=1)
    count = np.isfinite(moving).sum(axis=1, keepdims=True)
    low = np.take_along_axis(ordered, np.rint(0.1 * np.maximum(count - 1, 0)).astype(np.intp), axis=1)
    high = np.take_along_axis(ordered, np.rint(0.9 * np.maximum(count - 1, 0)).astype(np.intp), axis=1)
    ranges_m = np.nan_to_num(np.linalg.norm((high - low)[:, 0], axis=-1))
    return np.asarray(np.sort(ranges_m, axis=-1)[:, -MOVING_RANK], dtype=np.float64)

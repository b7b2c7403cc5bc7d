"""Input vector of the exercise recogniser (Eq 30 of 3D-PoseFormer): concatenated streams, each with its own validity.

A stream that a recording lacks is zero with validity zero, so that one network can learn both from recordings that have
skeletons only and from recordings with more data. A further stream (contours, body parameters, vertices) is one more
entry of STREAMS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rehab_pose.exercise.window_features import FEATURE_COUNT, FEATURE_INDEX, FEATURE_JOINTS, window_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.window_features import BodyFrames

__all__ = ["BONES", "CORNERS", "STREAMS", "STREAM_COUNT", "Stream", "window_streams"]

BONES = (
    *(("right_hip", "left_hip"), ("right_shoulder", "left_shoulder"), ("pelvis", "spine2"), ("spine2", "neck")),
    *((f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")),
    *((f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")),
    *((f"{side}_hip", f"{side}_knee") for side in ("left", "right")),
    *((f"{side}_knee", f"{side}_ankle") for side in ("left", "right")),
)
"""Joint pairs whose unit direction, first to second joint, is a feature: the pose without the lengths of limbs."""
CORNERS = (
    *((f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")),
    *((f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right")),
    *(("neck", f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")),
    *(("spine2", f"{side}_hip", f"{side}_knee") for side in ("left", "right")),
)
"""Joint triples; the cosine of the angle at the middle joint is a feature."""
ACROSS = (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"))
"""Pairs whose horizontal direction gives the orientation of the pelvis and of the chest."""


class Stream(NamedTuple):
    """Name and size of one part of the input vector."""

    name: str
    size: int


STREAMS = (
    # Position, velocity and validity of each joint in the body frame [torso lengths].
    Stream("joints", FEATURE_COUNT),
    # Unit directions of BONES in the body frame; zero where a joint is missing.
    Stream("bones", 3 * len(BONES)),
    # Cosines of the angles of CORNERS; zero where a joint is missing.
    Stream("corners", len(CORNERS)),
    # Orientation of hips and shoulders to the camera, and 1 where it is meaningful (see `window_streams`).
    Stream("facing", 2 * len(ACROSS) + 1),
)
"""Streams of one sample, in order."""
STREAM_COUNT = sum(stream.size for stream in STREAMS)
"""Length of the input vector of one sample."""
_BONE_ENDS = np.array([[FEATURE_INDEX[name] for name in bone] for bone in BONES])
_CORNER_JOINTS = np.array([[FEATURE_INDEX[name] for name in corner] for corner in CORNERS])
_MIN_LENGTH = 1e-6
"""Lower bound of the divisor when a vector is normalised, in the vector's unit."""


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    return np.asarray(vectors / np.maximum(lengths, _MIN_LENGTH))


def _facing(positions_m: NDArray[Any], up: NDArray[Any]) -> NDArray[np.float32]:
    """Return (B, T, 4): the unit directions of ACROSS along the horizontal axes of the camera, right and depth."""
    right = np.array([1.0, 0.0, 0.0]) - up[:, :1] * up
    right = _unit(right)
    deep = np.cross(right, up)
    columns = []
    for left_name, right_name in ACROSS:
        across = _unit(positions_m[:, :, FEATURE_INDEX[left_name]] - positions_m[:, :, FEATURE_INDEX[right_name]])
        columns += [np.einsum("btc,bc->bt", across, axis) for axis in (right, deep)]
    return np.asarray(np.nan_to_num(np.stack(columns, axis=-1)), dtype=np.float32)


def window_streams(
    positions_m: NDArray[Any],
    up: NDArray[Any],
    facing_known: NDArray[Any] | None = None,
    *,
    frames: BodyFrames | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the recogniser's input for a batch of windows.

    Args:
        positions_m: (B, T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ in the optical frame [m]; NaN = missing.
        up: (B, 3) unit vector against gravity in the optical frame.
        facing_known: (B) 1 where the person was asked to face the camera, as in public recordings, so that the
            orientation to the camera carries information; 0 or None: the orientation is unknown and its stream is zero.
        frames: `body_frames` of the windows, where they were computed before.

    Returns:
        Features (B, T, STREAM_COUNT), and presence (B, T), 1 for each sample that has at least one joint.
    """
    batch, length = positions_m.shape[:2]
    joints, present = window_features(positions_m, up, frames)
    by_joint = joints.reshape(batch, length, len(FEATURE_JOINTS), -1)
    points = np.where(by_joint[..., -1:] > 0, by_joint[..., :3], np.float32(np.nan))
    bones = _unit(points[:, :, _BONE_ENDS[:, 1]] - points[:, :, _BONE_ENDS[:, 0]])
    ends = points[:, :, _CORNER_JOINTS]
    one, other = _unit(ends[..., 0, :] - ends[..., 1, :]), _unit(ends[..., 2, :] - ends[..., 1, :])
    cosines = np.einsum("...i,...i->...", one, other)
    facing = np.zeros((batch, length, 2 * len(ACROSS) + 1), dtype=np.float32)
    if facing_known is not None:
        known = np.asarray(facing_known, dtype=np.float32)[:, None, None]
        facing[..., :-1] = _facing(positions_m, up) * known
        facing[..., -1:] = known
    parts = (joints, np.nan_to_num(bones).reshape(batch, length, -1), np.nan_to_num(cosines), facing)
    return np.concatenate(parts, axis=-1).astype(np.float32), present

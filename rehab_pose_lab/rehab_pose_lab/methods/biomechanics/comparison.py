"""KinePose's keypoints, links and error measure with the solvers of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import angles_between
from rehab_pose_lab.methods.biomechanics.observations import Observations, points_observed
from rehab_pose_lab.methods.biomechanics.smoother import smooth_sequence
from rehab_pose_lab.methods.biomechanics.tracker import TrackedPose, Tracker, TrackerSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.biomechanics.preset import KinePosePreset

__all__ = [
    "LINK_SETTINGS",
    "link_angles_rad",
    "mpjas_deg",
    "observe_keypoints",
    "observe_links",
    "screw_angles_rad",
    "smooth_keypoints",
    "track_keypoints",
]

FRAME_S = 1.0 / 30.0
"""Time between frames; the files give no rate, 30 Hz is assumed [s]."""
LOWER_LIMBS = ("right_hip", "right_knee", "left_hip", "left_knee")
LINK_SETTINGS = TrackerSettings(
    sigma_m=0.003, acceleration_rad_s2=45.0, adapt=False, always_restart=True, learn_lengths=False
)
"""For KinePose's own loss: the links are to be met as closely as possible, so the noise is set low and not
estimated; the terms of the motion prior are kept."""


def observe_keypoints(preset: KinePosePreset, keypoints_m: NDArray[np.float64]) -> list[Observations]:
    """Return the observations of keypoints (T, 16, 3) [m]; NaN = missing."""
    joints = np.array(preset.keypoint_joints, dtype=np.int64)
    count = len(joints)
    return [points_observed(joints, np.zeros((count, 3)), frame, np.ones(count)) for frame in keypoints_m]


def observe_links(preset: KinePosePreset, keypoints_m: NDArray[np.float64]) -> list[Observations]:
    """Return the directions of KinePose's 25 links between keypoints (T, 16, 3) as observations."""
    count = len(preset.chain.joint_names)
    links = preset.links
    targets = keypoints_m[:, links[:, 3]] - keypoints_m[:, links[:, 2]]
    targets = targets / np.linalg.norm(targets, axis=-1, keepdims=True)
    no_points = points_observed(
        np.arange(count, dtype=np.int64), np.zeros((count, 3)), np.full((count, 3), np.nan), np.zeros(count)
    )
    return [
        no_points._replace(
            link_points=np.ascontiguousarray(links[:, :2]), link_target=target, link_weight=np.ones(len(links))
        )
        for target in targets
    ]


def link_angles_rad(
    preset: KinePosePreset, positions_m: NDArray[np.float64], keypoints_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the angles (T, 25) between the chain's links and the keypoints'; KinePose's loss sums their squares.

    Args:
        preset: KinePose's chain and links.
        positions_m: (T, 19, 3) of the chain's joints [m].
        keypoints_m: (T, 16, 3) [m].
    """
    links = preset.links
    chain_links = positions_m[:, links[:, 1]] - positions_m[:, links[:, 0]]
    measured_links = keypoints_m[:, links[:, 3]] - keypoints_m[:, links[:, 2]]
    return angles_between(chain_links, measured_links)


def screw_angles_rad(estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles (...) [rad] of estimate^T truth for rotations (..., 3, 3)."""
    between = np.swapaxes(estimate, -1, -2) @ truth
    skew = np.stack(
        [
            between[..., 2, 1] - between[..., 1, 2],
            between[..., 0, 2] - between[..., 2, 0],
            between[..., 1, 0] - between[..., 0, 1],
        ],
        axis=-1,
    )
    trace = np.trace(between, axis1=-2, axis2=-1)
    return np.asarray(np.arctan2(0.5 * np.linalg.norm(skew, axis=-1), 0.5 * (trace - 1.0)))


def mpjas_deg(preset: KinePosePreset, estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[float, float]:
    """Return KinePose's mean per joint angular separation of rotations (T, 19, 3, 3): 14 joints, hips and knees."""
    angles = np.rad2deg(screw_angles_rad(estimate, truth))
    lower = [preset.chain.index(name) for name in LOWER_LIMBS]
    return float(angles[:, list(preset.scored_joints)].mean()), float(angles[:, lower].mean())


def track_keypoints(
    preset: KinePosePreset, observed: list[Observations], settings: TrackerSettings | None = None
) -> list[TrackedPose]:
    """Return the online solver's pose of every frame."""
    tracker = Tracker(preset.chain, settings)
    return [tracker.solve(frame, FRAME_S) for frame in observed]


def smooth_keypoints(
    preset: KinePosePreset, observed: list[Observations], settings: TrackerSettings | None = None
) -> list[TrackedPose]:
    """Return the offline solver's pose of every frame."""
    return smooth_sequence(preset.chain, observed, FRAME_S, settings)

"""Joint angles of a complete recording, each frame from those before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angle_model import load_angle_model
from rehab_pose.biomechanics.body_chain import load_body_chain
from rehab_pose.biomechanics.reported_angles import reported_angles
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import gravity
from rehab_pose.datatypes import JointAngles, unknown_plane
from rehab_pose.errors import InputError
from rehab_pose.units import NS_PER_S
from rehab_pose_lab.methods.biomechanics.joint_solver import DEFAULT_STEP_S, MIN_POINTS, SIGMA_SCALE_RAD
from rehab_pose_lab.methods.biomechanics.keypoint_map import observe_joints
from rehab_pose_lab.methods.biomechanics.smoother import smooth_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

__all__ = ["solve_sequence"]


def solve_sequence(
    joints: Sequence[Joints],
    settings: BiomechanicsSettings | None = None,
    floor_plane: NDArray[np.float64] | None = None,
) -> list[JointAngles]:
    """Return the joint angles of every frame of one person's recording at an even frame rate, inside their limits.

    Velocities are central differences. Frames with missing joints are interpolated by the motion prior.

    Raises:
        InputError: The stamps do not increase, or no frame has enough joints.
        ContractError: Their skeleton is not known.
    """
    settings = settings or BiomechanicsSettings()
    if not joints:
        return []
    stamps_s = np.array([frame.stamp_ns for frame in joints]) / NS_PER_S
    if (np.diff(stamps_s) <= 0.0).any():
        msg = "biomechanics: expected joints in the order of their stamps, got decreasing stamps"
        raise InputError(msg)
    body, model = load_body_chain(), load_angle_model(settings.model_path)
    observed = [observe_joints(body, frame) for frame in joints]
    if max(np.count_nonzero(frame.point_weight) for frame in observed) < MIN_POINTS:
        msg = f"biomechanics: expected at least {MIN_POINTS} joints in some frame, got fewer in all of them"
        raise InputError(msg)
    step_s = float(np.median(np.diff(stamps_s))) if len(joints) > 1 else DEFAULT_STEP_S
    up, _ = gravity(unknown_plane() if floor_plane is None else floor_plane)
    solutions = smooth_sequence(body.chain, observed, step_s)
    angles, sigma = np.full((2, len(joints), len(model.names)), np.nan)
    for t, solution in enumerate(solutions):
        reported = reported_angles(body, solution.rotations, solution.pose.unknowns, solution.sigma, up)
        angles[t] = [reported.angles_rad.get(name, np.nan) for name in model.names]
        sigma[t] = [reported.sigma_rad.get(name, np.nan) for name in model.names]
    velocities = np.full_like(angles, np.nan)
    if len(joints) > 1:
        velocities = np.asarray(np.gradient(np.unwrap(angles, axis=0), stamps_s, axis=0))
    lower = np.array([spec.lower_rad for spec in model.angles])
    upper = np.array([spec.upper_rad for spec in model.angles])
    model_confidence = np.array([spec.confidence for spec in model.angles])
    confidence = model_confidence * np.exp(-np.nan_to_num(sigma, nan=np.inf) / SIGMA_SCALE_RAD)
    return [
        JointAngles(
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            names=model.names,
            angles_rad=np.clip(angles[t], lower, upper),
            velocities_rad_s=velocities[t],
            confidence=confidence[t],
            sigma_rad=sigma[t],
        )
        for t, frame in enumerate(joints)
    ]

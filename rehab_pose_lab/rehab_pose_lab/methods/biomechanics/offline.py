"""Joint angles of a whole recording, each frame from those before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.body_model import load_body_chain
from rehab_pose.biomechanics.model import load_angle_model
from rehab_pose.biomechanics.segments import measure
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import DEFAULT_STEP_S, MIN_POINTS, SIGMA_SCALE_RAD, gravity, observe_joints
from rehab_pose.datatypes import JointAngles, unknown_plane
from rehab_pose.errors import InputError
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

    Velocities are central differences. A frame with missing joints is bridged.

    Raises:
        InputError: The stamps do not grow, or no frame shows enough joints.
        ContractError: The body model does not know their skeleton.
    """
    settings = settings or BiomechanicsSettings()
    if not joints:
        return []
    stamps_s = np.array([frame.stamp_ns for frame in joints]) * 1e-9
    if (np.diff(stamps_s) <= 0.0).any():
        msg = "biomechanics: expected joints in the order of their stamps, got some that go back"
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
    for t, (frame, solution) in enumerate(zip(joints, solutions, strict=True)):
        found = measure(body, solution.rotations, solution.posture.unknowns, solution.sigma, up)
        angles[t] = [found.angles_rad.get(name, np.nan) for name in model.names]
        sigma[t] = [found.sigma_rad.get(name, np.nan) for name in model.names]
    velocities = np.full_like(angles, np.nan)
    if len(joints) > 1:
        velocities = np.asarray(np.gradient(np.unwrap(angles, axis=0), stamps_s, axis=0))
    lower = np.array([spec.lower_rad for spec in model.angles])
    upper = np.array([spec.upper_rad for spec in model.angles])
    own = np.array([spec.confidence for spec in model.angles])
    confidence = own * np.exp(-np.nan_to_num(sigma, nan=np.inf) / SIGMA_SCALE_RAD)
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

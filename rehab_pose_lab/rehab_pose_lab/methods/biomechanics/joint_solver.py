"""Clinical joint angles from joints of any known skeleton, online, without a fitted body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angle_model import load_angle_model
from rehab_pose.biomechanics.angle_output import AngleOutput
from rehab_pose.biomechanics.body_chain import load_body_chain
from rehab_pose.biomechanics.reported_angles import reported_angles
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import gravity
from rehab_pose.datatypes import JointAngles, unknown_plane
from rehab_pose.units import NS_PER_S
from rehab_pose_lab.methods.biomechanics.keypoint_map import observe_joints
from rehab_pose_lab.methods.biomechanics.tracker import Tracker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

__all__ = ["DEFAULT_STEP_S", "MIN_POINTS", "SIGMA_SCALE_RAD", "JointAngleTracker"]

SIGMA_SCALE_RAD = 0.35
"""Confidence falls to 1/e when an angle's standard deviation is this [rad]."""
MIN_POINTS = 3
"""With fewer visible points no pose is solved."""
DEFAULT_STEP_S = 1.0 / 30.0
"""Time between frames that is assumed at the first frame [s]."""
MAX_STEP_S = 1.0
"""After a longer gap the tracker starts again [s]."""


class JointAngleTracker:
    """Solves one person's joint angles from joints, frame after frame."""

    def __init__(self, settings: BiomechanicsSettings | None = None) -> None:
        """Read the angle model and the body model.

        Raises:
            ModelFileError: One cannot be used.
        """
        settings = settings or BiomechanicsSettings()
        self.model = load_angle_model(settings.model_path)
        self.body = load_body_chain()
        self.tracker = Tracker(self.body.chain)
        self._output = AngleOutput(settings, self.model)
        self._up, self._floor_known = gravity(unknown_plane())
        self._stamp_ns: int | None = None

    def set_floor_plane(self, plane: NDArray[np.float64]) -> None:
        """Take gravity from the floor plane (4), as in `FloorPlane.plane`, from the next frame on; NaN = not seen."""
        self._up, self._floor_known = gravity(plane)

    def solve(self, joints: Joints) -> JointAngles:
        """Return the joint angles of a frame.

        Angles that the joints do not determine (the twist of a straight limb) follow from the frames before, with a
        large standard deviation and a low confidence.

        Raises:
            ContractError: The skeleton is not known.
        """
        step_s = self._step_s(joints.stamp_ns)
        observed = observe_joints(self.body, joints)
        if np.count_nonzero(observed.point_weight) < MIN_POINTS:
            unknown, zero = np.full(len(self.model.angles), np.nan), np.zeros(len(self.model.angles))
            return JointAngles(joints.stamp_ns, joints.frame_id, self.model.names, unknown, unknown, zero, unknown)
        tracked = self.tracker.solve(observed, step_s)
        reported = reported_angles(self.body, tracked.rotations, tracked.pose.unknowns, tracked.sigma, self._up)
        sigma = np.array([reported.sigma_rad.get(name, np.nan) for name in self.model.names])
        confidence = np.exp(-np.nan_to_num(sigma, nan=np.inf) / SIGMA_SCALE_RAD)
        return self._output.angles(
            joints.stamp_ns, joints.frame_id, reported, confidence, floor_known=self._floor_known
        )

    def _step_s(self, stamp_ns: int) -> float:
        """Return the time since the last frame [s], and forget the person where time went back."""
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            self._output.reset()
            self.tracker.reset()
            self._stamp_ns = None
        step_s = DEFAULT_STEP_S if self._stamp_ns is None else (stamp_ns - self._stamp_ns) / NS_PER_S
        if step_s > MAX_STEP_S:
            self.tracker.reset()
        self._stamp_ns = stamp_ns
        return step_s

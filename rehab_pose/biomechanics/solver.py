"""Clinical joint angles of a fitted body, inside the joints' limits, with velocities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angle_model import load_angle_model
from rehab_pose.biomechanics.angle_output import AngleOutput
from rehab_pose.biomechanics.body_chain import load_body_chain
from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.chain_problem import Limits, Prior
from rehab_pose.biomechanics.orientation_problem import OrientationTargets, solve_orientations
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose.biomechanics.reported_angles import reported_angles
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.datatypes import unknown_plane
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain_problem import ChainSolution
    from rehab_pose.datatypes import Body, JointAngles

__all__ = ["AngleSolver", "gravity"]

NOT_CONVERGED_CONFIDENCE = 0.5
"""Factor on the confidence where the body fit did not converge."""
ORIENTATION_WEIGHT = 3e7
"""Weight of a fitted body's segments [1/rad^2], so large that the priors below do not move them. A larger one makes the
equations ill-conditioned: at 1e8 the division of the spine's angle stopped up to 0.8 degrees from its minimum."""
NO_PRIOR, DIVISION_PRIOR = 1e-9, 1e-2
"""Information about angles that a fitted body determines [1/rad^2], and about those it leaves open, the latter as a
fraction of 1 / std^2."""
DIVIDED_ANGLES = ("lumbar", "thoracic", "clavicle")
"""The lumbar and the thoracic spine, and the clavicle and the shoulder: a fitted body determines only their sums."""
BODY_SIGMA_RAD = 0.05
"""Standard deviation of a fitted body's segment where the residual is zero; it grows with the residual [rad]."""
SEGMENT_LENGTH_M = 0.3
"""A residual divided by this length is the angle by which a segment is off [m]."""
MAX_ITERATIONS, TOLERANCE = 60, 1e-14
"""Steps at most, and the relative gain at which the search stops: near rounding, so that the weak prior on divided
angles is minimised too."""


class AngleSolver:
    """Solves one person's joint angles, frame after frame."""

    def __init__(self, settings: BiomechanicsSettings | None = None) -> None:
        """Read the angle model and the body model.

        Raises:
            ModelFileError: One cannot be used.
        """
        self._settings = settings or BiomechanicsSettings()
        self.model = load_angle_model(self._settings.model_path)
        self._body = load_body_chain()
        chain = self._body.chain
        divided = [any(part in name for part in DIVIDED_ANGLES) for name in chain.angle_names]
        self._prior_information = np.diag(
            np.concatenate(
                [np.full(ROOT_UNKNOWNS, NO_PRIOR), np.where(divided, DIVISION_PRIOR * chain.std_rad**-2.0, NO_PRIOR)]
            )
        )
        self._limits = Limits(chain.lower, chain.upper)
        self._up, self._floor_known = gravity(unknown_plane())
        self._output = AngleOutput(self._settings, self.model)
        self.reset()

    def reset(self) -> None:
        """Forget the person (time jumped back, or another person came)."""
        self._output.reset()
        self._stamp_ns: int | None = None
        self._last_angles_rad: NDArray[np.float64] | None = None

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        chain, maps = self._body.chain, self._body.orientations
        unknowns = np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.centre_rad])
        _, rotations = joints_of(chain, Pose(unknowns, np.eye(3)))
        self._solve(rotations[maps.joints], unknowns, np.eye(3))

    def set_floor_plane(self, plane: NDArray[np.float64]) -> None:
        """Take gravity from the floor plane (4), as in `FloorPlane.plane`, from the next frame on; NaN = not seen."""
        self._up, self._floor_known = gravity(plane)

    def process(self, item: Body | None) -> JointAngles | None:
        """Return the joint angles of a fitted body; without one, forget the person."""
        if item is None:
            self.reset()
            return None
        return self.solve(item)

    def solve(self, body: Body) -> JointAngles:
        """Return the joint angles of a fitted body, from the orientations of its segments.

        The pelvis' angles are against gravity, which the floor gives; while the floor is unknown the camera's own up
        replaces it, at half the confidence. No angle leaves its limits.
        """
        if self._stamp_ns is not None and body.stamp_ns <= self._stamp_ns:
            self.reset()
        self._stamp_ns = body.stamp_ns
        chain, maps = self._body.chain, self._body.orientations
        targets = np.ascontiguousarray(body.joint_rotations[maps.rows] @ maps.smpl_from_segment)
        last_rad = np.zeros(len(chain.angle_names)) if self._last_angles_rad is None else self._last_angles_rad
        start = np.concatenate([body.joint_positions_m[0], np.zeros(3), last_rad])
        solution = self._solve(targets, start, targets[0])
        pose = Pose(solution.unknowns, solution.base)
        self._last_angles_rad = pose.angles_rad
        _, rotations = joints_of(chain, pose)
        sigma = self._sigma(solution, body.residual_m)
        reported = reported_angles(self._body, rotations, pose.unknowns, sigma, self._up)
        fit = float(np.exp(-body.residual_m / self._settings.residual_scale_m)) if np.isfinite(body.residual_m) else 0.0
        fit *= 1.0 if body.converged else NOT_CONVERGED_CONFIDENCE
        confidence = np.full(len(self.model.angles), fit)
        return self._output.angles(body.stamp_ns, body.frame_id, reported, confidence, floor_known=self._floor_known)

    def _solve(
        self, rotations: NDArray[np.float64], start: NDArray[np.float64], root: NDArray[np.float64]
    ) -> ChainSolution:
        """Return the pose whose segments have the given rotations (R, 3, 3), from a start (N) with a root (3, 3)."""
        joints = self._body.orientations.joints
        targets = OrientationTargets(joints, rotations, np.full(len(joints), ORIENTATION_WEIGHT))
        mean = np.concatenate([start[:ROOT_UNKNOWNS], np.zeros(len(start) - ROOT_UNKNOWNS)])
        root = np.ascontiguousarray(root)
        prior = Prior(mean, root, self._prior_information)
        solution: ChainSolution = solve_orientations(
            self._body.chain.arrays, targets, prior, self._limits, start, root, MAX_ITERATIONS, TOLERANCE
        )
        return solution

    def _sigma(self, solution: ChainSolution, residual_m: float) -> NDArray[np.float64]:
        """Return one standard deviation of the unknowns (N) [m, rad], with segments as uncertain as the residual."""
        variance = BODY_SIGMA_RAD**2 + (np.nan_to_num(residual_m, nan=1.0) / SEGMENT_LENGTH_M) ** 2
        scale = 1.0 / (ORIENTATION_WEIGHT * variance)
        known = np.diag(np.concatenate([np.ones(ROOT_UNKNOWNS), self._body.chain.std_rad**-2.0]))
        return np.asarray(np.sqrt(np.diag(np.linalg.inv(solution.measured * scale + known))))


def gravity(floor_plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the unit vector against gravity, and whether the floor gave it."""
    up = up_of_floor(floor_plane)
    return (CAMERA_UP, False) if up is None else (up, True)

"""A fitted body, or joints alone, to clinical joint angles inside the joints' limits, with velocities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.biomechanics.body_model import load_body_chain
from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.model import load_angle_model
from rehab_pose.biomechanics.multistart import run
from rehab_pose.biomechanics.objective import Observations, Prior, points_observed
from rehab_pose.biomechanics.posture import Posture, joints_of
from rehab_pose.biomechanics.segments import measure
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.tracker import Tracker, TrackerSettings
from rehab_pose.datatypes import JointAngles, unknown_plane
from rehab_pose.filters.one_euro import OneEuroFilter
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.body_model import BodyChain
    from rehab_pose.biomechanics.segments import Measurement
    from rehab_pose.datatypes import Body, Joints

__all__ = ["AngleSolver", "gravity", "observe_joints", "one_turn"]

UNKNOWN_FLOOR_CONFIDENCE = 0.5
"""Factor on the pelvis's angles while the camera's own up stands in for gravity."""
BOUNDED_CONFIDENCE = 0.5
"""Factor on an angle that stands at its limit."""
NOT_CONVERGED_CONFIDENCE = 0.5
"""Factor where the body fit did not converge."""
SIGMA_SCALE_RAD = 0.35
"""From joints alone, confidence falls to 1/e when an angle's sigma is this."""
PLANE_SUFFIX = "shoulder_elevation_plane"
TURN_WEIGHT = 3e7
"""Of a fitted body's segments: so much that the priors below do not move them [1/rad^2]. More spoils the equations:
at 1e8 the split of the spine came to rest up to 0.8 degrees from its minimum."""
NO_PRIOR, SPLIT_PRIOR = 1e-9, 1e-2
"""Information about angles that a fitted body shows, and about those it leaves open, as a share of 1 / spread^2."""
SPLIT_ANGLES = ("lumbar", "thoracic", "clavicle")
"""Lumbar against thoracic spine and clavicle against shoulder: only their sums show."""
BODY_SIGMA_RAD = 0.05
"""Error of a fitted body's segment where its residual is nothing; with the residual it grows."""
SIGMA_LENGTH_M = 0.3
BODY_SETTINGS = TrackerSettings(max_iterations=60, tolerance=1e-14)
MIN_POINTS = 3
"""To hang a body on."""
DEFAULT_STEP_S = 1.0 / 30.0
MAX_STEP_S = 1.0
"""After a longer gap the motion before it says nothing."""


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
        self._tracker = Tracker(self._body.chain)
        chain = self._body.chain
        split = [any(part in name for part in SPLIT_ANGLES) for name in chain.angle_names]
        self._open_information = np.concatenate(
            [np.full(ROOT_UNKNOWNS, NO_PRIOR), np.where(split, SPLIT_PRIOR * chain.spread_rad**-2.0, NO_PRIOR)]
        )
        self._lower = np.array([spec.lower_rad for spec in self.model.angles])
        self._upper = np.array([spec.upper_rad for spec in self.model.angles])
        self._own_confidence = np.array([spec.confidence for spec in self.model.angles])
        self._against_gravity = np.array([name.startswith("pelvis_") for name in self.model.names])
        self._up, self._floor_known = gravity(unknown_plane())
        self._filter = OneEuroFilter(self._settings.smoothing_cutoff_hz, self._settings.smoothing_speed_coefficient)
        self.reset()

    def reset(self) -> None:
        """Forget the person (time jumped back, or somebody else came)."""
        self._filter.reset()
        self._tracker.reset()
        self._stamp_ns: int | None = None
        self._last: NDArray[np.float64] = np.full(len(self.model.angles), np.nan)
        self._posture: Posture | None = None
        self.bounded_counts = dict.fromkeys(self.model.names, 0)
        """How often each angle stood at its limit since the start."""

    def warm_up(self) -> None:
        """Load the compiled kernels, so that the first live frame does not wait for them."""
        chain = self._body.chain
        start = Posture(np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.centre_rad]), np.eye(3))
        places = np.arange(len(chain.joint_names), dtype=np.int64)
        positions, _ = joints_of(chain, start)
        observed = points_observed(places, np.zeros_like(positions), positions, np.ones(len(places)))
        information = np.eye(len(start.unknowns))
        run(chain, chain.arrays, observed, Prior(start.unknowns, start.base, information), start, BODY_SETTINGS)

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

        The pelvis's angles are against gravity, which the floor gives; while the floor is unknown the camera's own up
        stands in, at half the confidence. No angle leaves its limits.
        """
        self._step_s(body.stamp_ns)
        chain, maps = self._body.chain, self._body.orientations
        targets = np.ascontiguousarray(body.joint_rotations[maps.rows] @ maps.smpl_from_segment)
        nothing = points_observed(np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
        observed = nothing._replace(
            turn_joint=maps.joints,
            turn_target=targets,
            turn_weight=np.full(len(maps.joints), TURN_WEIGHT),
        )
        unknowns = np.concatenate([body.joint_positions_m[0], np.zeros(3), np.zeros(len(chain.angle_names))])
        start = Posture(unknowns, np.ascontiguousarray(targets[0]))
        mean = np.concatenate([unknowns[:ROOT_UNKNOWNS], np.zeros(len(chain.angle_names))])
        information = np.diag(self._open_information)
        if self._posture is not None:
            start = Posture(np.concatenate([unknowns[:ROOT_UNKNOWNS], self._posture.angles_rad]), start.base)
        found = run(chain, chain.arrays, observed, Prior(mean, start.base, information), start, BODY_SETTINGS)
        self._posture = found.posture
        _, rotations = joints_of(chain, found.posture)
        residual_m = np.nan_to_num(body.residual_m, nan=1.0)
        share = 1.0 / (TURN_WEIGHT * (BODY_SIGMA_RAD**2 + (residual_m / SIGMA_LENGTH_M) ** 2))
        known = np.diag(np.concatenate([np.ones(ROOT_UNKNOWNS), chain.spread_rad**-2.0]))
        whole = found.measured * share + known
        sigma = np.sqrt(np.diag(np.linalg.inv(whole)))
        measured = measure(self._body, rotations, found.posture.unknowns, sigma, self._up)
        fit = float(np.exp(-body.residual_m / self._settings.residual_scale_m)) if np.isfinite(body.residual_m) else 0.0
        fit *= 1.0 if body.converged else NOT_CONVERGED_CONFIDENCE
        return self._published(body.stamp_ns, body.frame_id, measured, np.full(len(self._lower), fit))

    def solve_joints(self, joints: Joints) -> JointAngles:
        """Return the joint angles of a person of whom joints alone are known, in any skeleton of body.yaml.

        What they do not show (how a straight limb is turned about itself) follows from the frames before, with a wide
        sigma and little confidence.
        """
        step_s = self._step_s(joints.stamp_ns)
        observed = observe_joints(self._body, joints)
        if np.count_nonzero(observed.point_weight) < MIN_POINTS:
            unknown = np.full(len(self._lower), np.nan)
            nobody = np.zeros(len(self._lower))
            return JointAngles(joints.stamp_ns, joints.frame_id, self.model.names, unknown, unknown, nobody, unknown)
        solution = self._tracker.solve(observed, step_s)
        measured = measure(self._body, solution.rotations, solution.posture.unknowns, solution.sigma, self._up)
        sigma = np.array([measured.sigma_rad.get(name, np.nan) for name in self.model.names])
        fit = np.exp(-np.nan_to_num(sigma, nan=np.inf) / SIGMA_SCALE_RAD)
        return self._published(joints.stamp_ns, joints.frame_id, measured, fit)

    def _step_s(self, stamp_ns: int) -> float:
        """Return the time since the last frame [s], and forget the person where time went back."""
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            self._filter.reset()
            self._tracker.reset()
            self._posture = None
            self._last = np.full(len(self.model.angles), np.nan)
            self._stamp_ns = None
        step_s = DEFAULT_STEP_S if self._stamp_ns is None else (stamp_ns - self._stamp_ns) * 1e-9
        if step_s > MAX_STEP_S:
            self._tracker.reset()
        self._stamp_ns = stamp_ns
        return step_s

    def _published(self, stamp_ns: int, frame_id: str, measured: Measurement, fit: NDArray[np.float64]) -> JointAngles:
        raw = np.array([measured.angles_rad.get(name, np.nan) for name in self.model.names])
        sigma = np.array([measured.sigma_rad.get(name, np.nan) for name in self.model.names])
        continuous = self._continued(raw)
        smooth = self._filter.filter(stamp_ns, continuous)
        # Back to one turn: an angle that went on counting past 180 degrees is the same posture.
        angles = one_turn(smooth) if self._settings.smooth else raw
        bounded = np.clip(angles, self._lower, self._upper)
        at_limit = (bounded == self._lower) | (bounded == self._upper)
        at_limit &= np.isfinite(angles) & (self._upper - self._lower < 2.0 * np.pi)
        for place in np.flatnonzero(at_limit):
            self.bounded_counts[self.model.names[place]] += 1
        confidence = np.where(at_limit, BOUNDED_CONFIDENCE, 1.0) * self._own_confidence * fit
        if not self._floor_known:
            confidence = np.where(self._against_gravity, confidence * UNKNOWN_FLOOR_CONFIDENCE, confidence)
        for entry, name in enumerate(self.model.names):
            if name.endswith(PLANE_SUFFIX):
                # The plane of an arm that hangs or points straight up is any plane.
                confidence[entry] *= abs(np.sin(measured.angles_rad[name.removesuffix("_plane")]))
        return JointAngles(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            names=self.model.names,
            angles_rad=bounded,
            velocities_rad_s=np.where(at_limit & (bounded != angles), 0.0, self._filter.rate),
            confidence=np.asarray(np.clip(confidence, 0.0, 1.0), dtype=np.float64),
            sigma_rad=sigma,
        )

    def _continued(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return the angles without jumps of a whole turn, so that they can be differentiated."""
        known = np.isfinite(self._last)
        self._last = np.where(known, self._last + one_turn(raw - self._last), raw)
        return self._last


def observe_joints(body: BodyChain, joints: Joints) -> Observations:
    """Return joints as observations of the body chain, weighted by their confidence.

    Raises:
        ContractError: The body model does not know their skeleton.
    """
    places = body.keypoints(joints.skeleton)
    weights = places.weights * np.clip(joints.confidence[places.rows], 0.0, 1.0)
    return points_observed(places.joints, places.offsets_m, joints.positions_m[places.rows], weights)


def gravity(floor_plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the unit vector against gravity, and whether the floor gave it."""
    up = up_of_floor(floor_plane)
    return (CAMERA_UP, False) if up is None else (up, True)


def one_turn(angles_rad: NDArray[Any]) -> NDArray[np.float64]:
    """Return the same angles within +-pi [rad]."""
    return np.asarray(np.arctan2(np.sin(angles_rad), np.cos(angles_rad)), dtype=np.float64)

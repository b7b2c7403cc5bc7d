"""Fits the body's pose to joints, and to the depth of its surface, with the shape known so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.initial_pose import initial_pose
from rehab_pose.body.landmark_planes import LandmarkPlanes, LandmarkTargets, joined
from rehab_pose.body.model import PARENTS
from rehab_pose.body.objective import FIRST_ROTATION, MOVING_JOINTS, SHAPE_START, JointTerms
from rehab_pose.body.pose_problem import solve_pose
from rehab_pose.body.priors import HINGES, rotation_std_rad
from rehab_pose.body.skinning import pose_joints
from rehab_pose.body.surface import SurfaceMatcher
from rehab_pose.body.surface_objective import no_surface
from rehab_pose.datatypes import BodyParameters
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.body.settings import BodySettings
    from rehab_pose.body.shape_calibration import ShapeCalibration
    from rehab_pose.body.surface import SurfaceMatches
    from rehab_pose.body.surface_objective import SurfacePoints
    from rehab_pose.datatypes import ImageJoints, Silhouette
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["Landmarks", "MeasuredJoints", "PoseFit", "PoseSolver", "root_mean_square_m"]

FIRST_REACH_M, LAST_REACH_M = 0.12, 0.07
"""Largest distance of a vertex' depth point along the ray, in the first round of a frame and in the last [m]."""
MIN_SURFACE_POINTS = 40
"""With fewer depth points the fit to joints is kept."""
MIN_SEEN = 4
"""With fewer visible vertices around a joint nothing is said about it."""
DEPTH_ONLY_PRIOR_FACTOR = 0.1
"""Factor of the pose prior's weight where there are no landmarks: the depth network's joints know more of the pose than
the prior (UTD-MHAD, subjects not trained on: wrists 47 mm with the full prior, 42 mm with a tenth)."""
ROOT_STD = 3.0
"""Standard deviation of the root's rotation [rad] and of the translation [m] about their start; wide, it only keeps
the equations regular."""


@dataclass(frozen=True, eq=False)
class MeasuredJoints:
    """The joints that a body is fitted to."""

    target_m: NDArray[np.float64]
    """(24, 3) where SMPL has the joints [m]; NaN = missing."""
    weight: NDArray[np.float64]
    """(24) 1 / variance [1/m^2]; 0 = missing."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The landmarks of the colour image that a body is fitted to."""

    image_joints: ImageJoints
    camera: CameraIntrinsics
    """Camera of the full image."""
    distance_m: float
    """Depth of the pelvis, which the network's relative depths refer to [m]."""
    surface_m: NDArray[np.float64]
    """(33) depth of the surface at each visible landmark [m]; NaN = unknown."""
    lifted_m: NDArray[np.float64]
    """(24, 3) joints at these depths, or at the network's relative depth, for a fit without a start [m]; NaN = no
    landmark."""


@dataclass(frozen=True, eq=False)
class PoseFit:
    """A fitted body."""

    parameters: BodyParameters
    sigma_m: NDArray[np.float64]
    """(24) one standard deviation of each joint's distance from its true position [m]."""
    iterations: int
    converged: bool
    cost: float
    support: NDArray[np.float64]
    """(24) fraction of the visible surface at each joint that the depth supports; NaN = nothing is visible of it."""

    @property
    def mean_support(self) -> float:
        """Mean of `support` over the joints with a visible surface; NaN = there is none."""
        known = self.support[np.isfinite(self.support)]
        return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True, eq=False)
class _Start:
    """The start of a fit."""

    root: NDArray[np.float64]
    """(3, 3) rotation of the root."""
    translation_m: NDArray[np.float64]
    """(3) [m]."""
    rotations_rad: NDArray[np.float64]
    """(24, 3) rotation vectors [rad]; row 0 is not read."""
    betas: NDArray[np.float64]
    """(B) shape coefficients; those that are fixed are not read."""
    warm: bool
    """True for a fitted pose, near which the prior keeps the next one."""

    @classmethod
    def of(cls, parameters: BodyParameters, betas: NDArray[np.float64]) -> _Start:
        rotations_rad = parameters.rotations_rad
        root = matrices_from_axis_angles(rotations_rad[0])
        return cls(root, parameters.translation_m, rotations_rad, betas, warm=True)


class PoseSolver:
    """Minimises the fit's objective for one frame."""

    def __init__(self, model: BodyModel, settings: BodySettings, shape: ShapeCalibration) -> None:
        """Prepare.

        Args:
            model: The body model.
            settings: Of the body.
            shape: The person's shape; read at each fit.
        """
        self._model = model
        self._settings = settings
        self._shape = shape
        self._matcher = SurfaceMatcher(model)
        self._planes = LandmarkPlanes(model)
        self._last_targets: tuple[Landmarks, LandmarkTargets] | None = None
        self._hinges = np.pad(HINGES, (0, model.shape_count))
        self._rotation_precision = settings.pose_weight / rotation_std_rad() ** 2

    @staticmethod
    def kept(parameters: BodyParameters) -> PoseFit:
        """Return a pose that was fitted to an earlier frame as the start of `fit_surface`."""
        missing = np.full(24, np.nan)
        return PoseFit(parameters, missing, iterations=0, converged=True, cost=float("nan"), support=missing)

    def fit_joints(
        self, measured: MeasuredJoints, last: BodyParameters | None, landmarks: Landmarks | None = None
    ) -> PoseFit:
        """Return the body nearest to the joints and landmarks.

        Args:
            measured: Joints.
            last: The pose to start from; None: start in closed form, from the landmarks where there are any.
            landmarks: Landmarks of the colour image, or None.
        """
        settings, betas = self._settings, self._shape.betas
        # Without robust weights: a fast limb is far from where it was in the frame before.
        terms = self._landmark_terms(landmarks, betas)
        if last is not None:
            return self._minimise(_Start.of(last, betas), measured, terms, settings.warm_iterations)
        visible_m = np.where(measured.weight[:, None] > 0, measured.target_m, np.nan)
        if landmarks is not None:
            visible_m = landmarks.lifted_m
        start = _Start(*initial_pose(self._model.joints(betas), visible_m), betas, warm=False)
        return self._minimise(start, measured, terms, settings.cold_iterations)

    def fit_surface(
        self, fit: PoseFit, measured: MeasuredJoints, silhouette: Silhouette, landmarks: Landmarks | None = None
    ) -> PoseFit:
        """Return a fit improved with the depth inside the silhouette: match, minimise, and repeat."""
        settings = self._settings
        for reach_m in np.linspace(FIRST_REACH_M, LAST_REACH_M, settings.surface_rounds):
            parameters = fit.parameters
            betas = self._model.padded_betas(parameters.betas)
            rest_m = self._model.joints(betas)
            positions, rotations = pose_joints(self._model, parameters)
            matches = self._matcher.match(
                silhouette,
                rest_m,
                positions,
                rotations,
                betas,
                shapes=self._shape.free_count,
                reach_m=float(reach_m),
                sigma_m=settings.surface_sigma_m,
                max_points=settings.surface_points,
            )
            fit = replace(fit, support=_support(matches))
            if len(matches.points.rest_m) < MIN_SURFACE_POINTS:
                return fit
            start = _Start.of(parameters, parameters.betas)
            posed_m = self._planes.posed(betas, rest_m, positions, rotations)
            terms = joined(matches.points, self._landmark_terms(landmarks, betas, posed_m))
            prior_factor = DEPTH_ONLY_PRIOR_FACTOR if landmarks is None else 1.0
            better = self._minimise(start, measured, terms, settings.surface_iterations, prior_factor)
            fit = replace(better, iterations=fit.iterations + better.iterations, support=fit.support)
        return fit

    def landmark_residual_m(self, fit: PoseFit, landmarks: Landmarks) -> float:
        """Return the largest distance of the body's points from the rays of visible landmarks [m]; NaN = none."""
        positions, rotations = pose_joints(self._model, fit.parameters)
        betas = self._model.padded_betas(fit.parameters.betas)
        posed_m = self._planes.posed(betas, self._model.joints(betas), positions, rotations)
        return self._planes.residual_m(self._targets(landmarks), posed_m)

    def _targets(self, landmarks: Landmarks) -> LandmarkTargets:
        """Return the targets of a frame's landmarks; those of the last frame are kept."""
        if self._last_targets is None or self._last_targets[0] is not landmarks:
            targets = self._planes.targets(
                landmarks.image_joints,
                landmarks.camera,
                distance_m=landmarks.distance_m,
                surface_m=landmarks.surface_m,
            )
            self._last_targets = (landmarks, targets)
        return self._last_targets[1]

    def _landmark_terms(
        self, landmarks: Landmarks | None, betas: NDArray[np.float64], posed_m: NDArray[np.float64] | None = None
    ) -> SurfacePoints:
        """Return the landmarks' terms, none without landmarks.

        Args:
            landmarks: Landmarks, or None.
            betas: (B) shape coefficients.
            posed_m: (L, 3) the points of the landmarks on the body as fitted so far, for robust weights [m]; or None.
        """
        shapes = self._shape.free_count
        if landmarks is None:
            return no_surface(shapes, self._planes.width)
        return self._planes.terms(self._targets(landmarks), betas, posed_m, shapes=shapes)

    def residual_m(self, fit: PoseFit, measured: MeasuredJoints) -> float:
        """Return the root mean square distance of the fitted joints from the measured ones [m]."""
        positions, _ = pose_joints(self._model, fit.parameters)
        return root_mean_square_m(positions - measured.target_m, measured.weight)

    def _minimise(
        self,
        start: _Start,
        measured: MeasuredJoints,
        surface: SurfacePoints,
        max_iterations: int,
        prior_factor: float = 1.0,
    ) -> PoseFit:
        shapes, fixed_betas = self._shape.free_count, self._shape.betas
        unknowns = np.zeros(SHAPE_START + shapes)
        unknowns[:3] = start.translation_m
        unknowns[FIRST_ROTATION:SHAPE_START] = start.rotations_rad[MOVING_JOINTS].ravel()
        unknowns[SHAPE_START:] = start.betas[:shapes]
        centre, precision = self._prior(unknowns, prior_factor, warm=start.warm)
        terms = JointTerms(
            base_rotation=start.root,
            rest_m=self._model.joint_template if shapes else self._model.joints(fixed_betas),
            shapedirs=np.ascontiguousarray(self._model.joint_shapedirs[:, :, :shapes]),
            target_m=measured.target_m,
            weight=measured.weight,
            centre=centre,
            precision=precision,
            hinge=self._hinges[: SHAPE_START + shapes],
        )
        solution = solve_pose(unknowns, terms, surface, max_iterations, self._settings.tolerance)
        rotations_rad = np.zeros((24, 3))
        rotations_rad[MOVING_JOINTS] = solution.unknowns[FIRST_ROTATION:SHAPE_START].reshape(-1, 3)
        rotations_rad[0] = solution.root_rad
        betas = solution.unknowns[SHAPE_START:] if shapes else fixed_betas
        return PoseFit(
            BodyParameters(betas.copy(), rotations_rad, solution.unknowns[:3].copy()),
            solution.sigma_m,
            solution.iterations,
            solution.converged,
            solution.cost,
            np.full(24, np.nan),
        )

    def _prior(
        self, start: NDArray[np.float64], factor: float, *, warm: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and 1 / variance (N) of the Gaussians: the pose at rest and, when warm, the frame before."""
        centre, precision = np.zeros_like(start), np.empty_like(start)
        change = 1.0 / self._settings.change_sigma_rad**2 if warm else 0.0
        centre[:3] = start[:3]
        precision[:FIRST_ROTATION] = 1.0 / ROOT_STD**2
        rotation = slice(FIRST_ROTATION, SHAPE_START)
        precision[rotation] = factor * self._rotation_precision + change
        centre[rotation] = change * start[rotation] / np.maximum(precision[rotation], 1e-12)
        centre[SHAPE_START:], precision[SHAPE_START:] = self._shape.prior()
        return centre, precision


def _support(matches: SurfaceMatches) -> NDArray[np.float64]:
    """Return the supported fraction (24) of the surface around each joint: of its own part and its parent's."""
    parents = np.maximum(PARENTS, 0)
    matched = matches.matched + matches.matched[parents]
    seen = matched + matches.unsupported + matches.unsupported[parents]
    return np.where(seen >= MIN_SEEN, matched / np.maximum(seen, 1), np.nan)


def root_mean_square_m(difference_m: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return the root mean square length of differences (24, 3) [m] of the joints with a weight; NaN = none has one."""
    if not (weight > 0).any():
        return float("nan")
    return float(np.sqrt(np.mean(np.sum(difference_m[weight > 0] ** 2, axis=1))))

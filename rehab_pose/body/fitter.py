"""Fit a body to 24 joints: Levenberg-Marquardt on the kinematic chain, started from the frame before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.continuity import held_back, limb_scale
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.minimiser import minimise
from rehab_pose.body.objective import FIRST_ROTATION, MOVING_JOINTS, SHAPE_START
from rehab_pose.body.priors import HINGES, rotation_spreads_rad
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.body.start import start_posture
from rehab_pose.body.surface import SurfaceMatcher
from rehab_pose.body.surface_objective import no_surface
from rehab_pose.datatypes import Body, BodyParameters, Joints, JointVisibility, Silhouette
from rehab_pose.errors import ContractError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.body.surface_objective import SurfacePoints
    from rehab_pose.datatypes import PersonView

__all__ = ["BodyFitter"]

MIN_JOINTS = 6
"""Fewer measured joints than this say too little about a body."""
MAX_GAP_NS = 500_000_000
"""After a longer pause the last posture is no start for the next."""
BAD_FIT_M = 0.08
"""A warm start that ends with a larger residual than this is tried again from scratch [m]."""
LEARNING_PER_FRAME = 10.0
"""How much a frame tells about the shape, in units of what is known of people in general (1 / shape_sigma^2)."""
DRIFT_WEIGHT, MAX_DRIFT = 1.0 / 60.0, 0.07
"""Weight of one frame in the mean of how much longer the limbs are than the calibrated ones, and how much is too much:
legs differ by 7 % between two adults 12 cm apart in height; noise and clothes make up 2 %."""
FIRST_REACH_M, LAST_REACH_M = 0.12, 0.07
"""How far along the ray a vertex looks for its depth point, in the first round of a frame and in the last [m]."""
MIN_SURFACE_POINTS = 40
"""Fewer depth points than this add nothing to the joints."""
WARM_UP_DEPTH_M = 2.5
"""Where the body of the warm-up stands [m]."""
ROOT_SPREAD = 3.0
"""Spread of the root's turn [rad] and of the translation [m] about their start; keeps the equations regular."""


@dataclass
class _State:
    """What is remembered of the frame before."""

    stamp_ns: int
    parameters: BodyParameters
    measured_m: NDArray[np.float64]
    """(24, 3) the joints it was fitted to [m]."""


class BodyFitter:
    """Turns joints into a body, one person at a time."""

    def __init__(self, settings: BodySettings | None = None, *, offsets_m: NDArray[np.float64] | None = None) -> None:
        """Load the model.

        Args:
            settings: Of the body.
            offsets_m: (24, 3) where the joints that will be given lie on the body, from SMPL's joints in each joint's
                own frame [m]; None: they are SMPL's. See `skeletons.kinect.KINECT_OFFSETS_M`.

        Raises:
            ModelFileError: The body model cannot be used.
        """
        self._settings = settings or BodySettings()
        self._model = load_body_model(self._settings.model_path)
        self._matcher = SurfaceMatcher(self._model)
        self._offsets_m = offsets_m
        self._hinges = np.pad(HINGES, (0, self._model.shape_count))
        self._rotation_precision = self._settings.pose_weight / rotation_spreads_rad() ** 2
        self.reset()

    @property
    def model(self) -> BodyModel:
        """The body model, with the triangles of every `Body` this fitter returns."""
        return self._model

    def warm_up(self) -> None:
        """Load (or compile) the kernels with two fits to the model's own joints, so that no live frame waits for it."""
        count = len(SMPL_24)
        for stamp_ns in (0, 1):
            joints = Joints(
                stamp_ns=stamp_ns,
                frame_id="",
                skeleton=SMPL_24,
                positions_m=self._model.joints(self._betas) + np.array([0.0, 0.0, WARM_UP_DEPTH_M]),
                confidence=np.ones(count),
                sigma_m=np.full(count, self._settings.joint_sigma_m),
                visibility=np.full(count, JointVisibility.OBSERVED, dtype=np.uint8),
            )
            self.fit(joints, _wall(stamp_ns))
        self.reset()

    @property
    def calibrated(self) -> bool:
        """Whether the person's shape is known: it is kept from then on."""
        return self._shape_frames >= self._settings.shape_frames

    def reset(self) -> None:
        """Forget the last posture and the shape learnt so far (another recording, another person)."""
        self._state: _State | None = None
        self._last_seen_ns: int | None = None
        self.recalibrations = 0
        self._forget_shape()

    def process(self, item: PersonView | None) -> Body | None:
        """Return the fitted body; without a person, forget the last pose but keep the shape for `shape_memory_s`."""
        if item is None:
            self._state = None
            return None
        return self.fit(item.joints, item.silhouette)

    def _forget_shape(self) -> None:
        self._betas = np.zeros(self._model.shape_count)
        self._shape_frames = 0
        self._drift = 0.0

    def fit(self, joints: Joints, silhouette: Silhouette | None = None) -> Body | None:
        """Return the body whose joints and surface are nearest to what was seen, or None with fewer than six joints.

        Args:
            joints: SMPL_24.
            silhouette: The same person at the same stamp: its depth shows the surface; None: joints alone.

        Raises:
            ContractError: The joints are not SMPL's 24 (or DKP-Net's, whose order is the same).
        """
        if joints.skeleton not in {SMPL_24, DKP_24}:
            msg = f"BodyFitter: expected joints of SMPL_24 or DKP_24, got {joints.skeleton.name}"
            raise ContractError(msg)
        weight = self._joint_weights(joints)
        if np.count_nonzero(weight) < MIN_JOINTS:
            self._state = None
            return None
        self._recognise(joints)
        state = self._state
        if state is not None and not 0 < joints.stamp_ns - state.stamp_ns <= MAX_GAP_NS:
            state = None
        target_m = self._as_smpl(joints.positions_m, state.parameters if state else None)
        solution = self._solve(target_m, weight, state)
        if self._offsets_m is not None:
            # Offsets turn with the body: once more, with the turns that were found.
            target_m = self._as_smpl(joints.positions_m, solution.parameters)
            solution = self._solve(target_m, weight, _State(joints.stamp_ns, solution.parameters, target_m))
        if state is not None and self._residual_m(solution.parameters, target_m, weight) > BAD_FIT_M:
            again = self._solve(target_m, weight, None)
            if again.cost < solution.cost:
                solution = again
        if silhouette is not None and self._settings.surface_rounds:
            solution = self._to_surface(solution, target_m, weight, silhouette)
        if state is not None:
            solution = self._held_back(solution, state, joints.positions_m)
        self._learn_shape(solution.parameters)
        self._state = _State(joints.stamp_ns, solution.parameters, joints.positions_m)
        return self._body(joints, target_m, weight, solution)

    @staticmethod
    def _held_back(solution: _Solution, state: _State, measured_m: NDArray[np.float64]) -> _Solution:
        before, now = state.parameters.rotations_rad, solution.parameters.rotations_rad
        held = held_back(before, now, state.measured_m, measured_m)
        parameters = BodyParameters(solution.parameters.betas, held, solution.parameters.translation_m)
        return replace(solution, parameters=parameters)

    def _recognise(self, joints: Joints) -> None:
        """Forget the shape where the person was away for long, or has become longer or shorter: it is somebody else."""
        seen_ns, self._last_seen_ns = self._last_seen_ns, joints.stamp_ns
        away_s = 0.0 if seen_ns is None else (joints.stamp_ns - seen_ns) * 1e-9
        if not 0.0 <= away_s <= self._settings.shape_memory_s:
            self._forget_shape()
        if not self.calibrated:
            return
        scale = limb_scale(joints.positions_m, self._model.joints(self._betas))
        if np.isfinite(scale):
            self._drift += DRIFT_WEIGHT * (scale - 1.0 - self._drift)
        if abs(self._drift) > MAX_DRIFT:
            self.recalibrations += 1
            self._forget_shape()

    def _joint_weights(self, joints: Joints) -> NDArray[np.float64]:
        """Return confidence / sigma^2 (24) [1/m^2], 0 where a joint is missing."""
        sigma = np.where(np.isfinite(joints.sigma_m), joints.sigma_m, self._settings.joint_sigma_m)
        weight = np.clip(joints.confidence, 0.0, 1.0) / np.maximum(sigma, 1e-3) ** 2
        return np.where(np.isfinite(joints.positions_m).all(axis=1), np.nan_to_num(weight), 0.0)

    def _solve(self, target_m: NDArray[np.float64], weight: NDArray[np.float64], state: _State | None) -> _Solution:
        """Fit to joints alone."""
        if state is None:
            measured = np.where(weight[:, None] > 0, target_m, np.nan)
            start = start_posture(self._model.joints(self._betas), measured)
        else:
            turns = state.parameters.rotations_rad
            start = matrices_from_axis_angles(turns[0]), state.parameters.translation_m, turns
        settings = self._settings
        most = settings.cold_iterations if state is None else settings.warm_iterations
        return self._minimise(start, target_m, weight, no_surface(self._free_shapes), most, warm=state is not None)

    def _to_surface(
        self,
        solution: _Solution,
        target_m: NDArray[np.float64],
        weight: NDArray[np.float64],
        silhouette: Silhouette,
    ) -> _Solution:
        """Improve a fit with what the camera saw of the surface: match, minimise, and again."""
        settings = self._settings
        for reach_m in np.linspace(FIRST_REACH_M, LAST_REACH_M, settings.surface_rounds):
            parameters = solution.parameters
            positions, rotations = pose_joints(self._model, parameters)
            surface = self._matcher.match(
                silhouette,
                self._model.joints(parameters.betas),
                positions,
                rotations,
                self._model.padded_betas(parameters.betas),
                shapes=self._free_shapes,
                reach_m=float(reach_m),
                sigma_m=settings.surface_sigma_m,
                max_points=settings.surface_points,
            )
            if len(surface.rest_m) < MIN_SURFACE_POINTS:
                return solution
            turns = parameters.rotations_rad
            start = matrices_from_axis_angles(turns[0]), parameters.translation_m, turns
            better = self._minimise(
                start, target_m, weight, surface, settings.surface_iterations, warm=True, betas=parameters.betas
            )
            solution = replace(better, iterations=solution.iterations + better.iterations)
        return solution

    @property
    def _free_shapes(self) -> int:
        """How many shape coefficients are still being learnt."""
        return self._model.shape_count if self._shape_frames < self._settings.shape_frames else 0

    def _minimise(
        self,
        start: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        target_m: NDArray[np.float64],
        weight: NDArray[np.float64],
        surface: SurfacePoints,
        max_iterations: int,
        *,
        warm: bool,
        betas: NDArray[np.float64] | None = None,
    ) -> _Solution:
        """Minimise from the root's rotation, the translation and the joints' rotations (row 0 is not read)."""
        root, translation, rotations_rad = start
        shapes = self._free_shapes
        unknowns = np.zeros(SHAPE_START + shapes)
        unknowns[:3] = translation
        unknowns[FIRST_ROTATION:SHAPE_START] = rotations_rad[MOVING_JOINTS].ravel()
        unknowns[SHAPE_START:] = (self._betas if betas is None else betas)[:shapes]
        centre, precision = self._prior(unknowns, warm=warm)
        root_rad, sigma_m = np.empty(3), np.empty(len(SMPL_24))
        iterations, converged, cost = minimise(
            unknowns,
            root,
            self._model.joint_template if shapes else self._model.joints(self._betas),
            np.ascontiguousarray(self._model.joint_shapedirs[:, :, :shapes]),
            target_m,
            weight,
            centre,
            precision,
            self._hinges[: SHAPE_START + shapes],
            surface,
            max_iterations,
            self._settings.tolerance,
            root_rad,
            sigma_m,
        )
        turns = np.zeros((24, 3))
        turns[MOVING_JOINTS] = unknowns[FIRST_ROTATION:SHAPE_START].reshape(-1, 3)
        turns[0] = root_rad
        found = unknowns[SHAPE_START:] if shapes else self._betas
        return _Solution(BodyParameters(found.copy(), turns, unknowns[:3].copy()), sigma_m, iterations, converged, cost)

    def _prior(self, start: NDArray[np.float64], *, warm: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return centre and 1 / variance (N) of the Gaussians: rest position and, when warm, the frame before."""
        settings = self._settings
        centre, precision = np.zeros_like(start), np.empty_like(start)
        change = 1.0 / settings.change_sigma_rad**2 if warm else 0.0
        centre[:3] = start[:3]
        precision[:FIRST_ROTATION] = 1.0 / ROOT_SPREAD**2
        rotation = slice(FIRST_ROTATION, SHAPE_START)
        precision[rotation] = self._rotation_precision + change
        centre[rotation] = change * start[rotation] / np.maximum(precision[rotation], 1e-12)
        known = 1.0 + LEARNING_PER_FRAME * self._shape_frames
        precision[SHAPE_START:] = known / settings.shape_sigma**2
        centre[SHAPE_START:] = self._betas[: len(start) - SHAPE_START] * (known - 1.0) / known
        return centre, precision

    def _learn_shape(self, parameters: BodyParameters) -> None:
        if self._shape_frames < self._settings.shape_frames:
            self._betas = np.array(parameters.betas)
            self._shape_frames += 1

    def _as_smpl(self, positions_m: NDArray[np.float64], parameters: BodyParameters | None) -> NDArray[np.float64]:
        """Return the given joints (24, 3) [m] moved to where SMPL has them, with the turns known so far."""
        if self._offsets_m is None or parameters is None:
            return positions_m
        _, rotations = pose_joints(self._model, parameters)
        moved: NDArray[np.float64] = positions_m - np.einsum("jab,jb->ja", rotations, self._offsets_m)
        return moved

    def _residual_m(
        self, parameters: BodyParameters, target_m: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> float:
        positions, _ = pose_joints(self._model, parameters)
        return _root_mean_square(positions - target_m, weight)

    def _body(
        self, joints: Joints, target_m: NDArray[np.float64], weight: NDArray[np.float64], solution: _Solution
    ) -> Body:
        parameters = solution.parameters
        positions, rotations = pose_joints(self._model, parameters)
        vertices = np.empty((0, 3), dtype=np.float32)
        if self._settings.with_vertices:
            vertices = pose_vertices_of_joints(self._model, parameters, positions, rotations)
        return Body(
            stamp_ns=joints.stamp_ns,
            frame_id=joints.frame_id,
            model_id=self._model.model_id,
            parameters=parameters,
            vertices_m=vertices,
            joint_positions_m=positions,
            joint_rotations=rotations,
            residual_m=_root_mean_square(positions - target_m, weight),
            iterations=solution.iterations,
            converged=solution.converged,
            joint_sigma_m=solution.sigma_m,
        )


def _wall(stamp_ns: int) -> Silhouette:
    """Return a silhouette that fills a small image at WARM_UP_DEPTH_M."""
    side_px = 64
    size = (side_px, side_px)
    return Silhouette(
        stamp_ns=stamp_ns,
        frame_id="",
        intrinsics=CameraIntrinsics(side_px, side_px, side_px, side_px, side_px / 2.0, side_px / 2.0),
        box_px=(0, 0, *size),
        inside=np.ones(size, dtype=np.bool_),
        color=np.zeros((*size, 3), dtype=np.uint8),
        depth_m=np.full(size, WARM_UP_DEPTH_M, dtype=np.float32),
        confidence=1.0,
    )


@dataclass
class _Solution:
    parameters: BodyParameters
    sigma_m: NDArray[np.float64]
    """(24) one standard deviation of each joint's distance from its true place [m]."""
    iterations: int
    converged: bool
    cost: float


def _root_mean_square(difference_m: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.sum(difference_m[weight > 0] ** 2, axis=1))))

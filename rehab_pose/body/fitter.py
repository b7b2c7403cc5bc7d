"""Fit a body to 24 joints: Levenberg-Marquardt on the kinematic chain, started from the frame before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.minimiser import minimise
from rehab_pose.body.objective import FIRST_ROTATION, MOVING_JOINTS, SHAPE_START
from rehab_pose.body.priors import HINGES, rotation_spreads_rad
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.body.start import start_posture
from rehab_pose.datatypes import Body, BodyParameters, Joints, JointState, unknown_plane
from rehab_pose.errors import ContractError
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["BodyFitter"]

FEWEST_JOINTS = 6
"""Fewer measured joints than this say too little about a body."""
LONGEST_GAP_NS = 500_000_000
"""After a longer pause the last posture is no start for the next."""
BAD_FIT_M = 0.08
"""A warm start that ends with a larger residual than this is tried again from scratch [m]."""
LEARNING_PER_FRAME = 10.0
"""How much a frame tells about the shape, in units of what is known of people in general (1 / shape_sigma^2)."""
ROOT_SPREAD = 3.0
"""Spread of the root's turn [rad] and of the translation [m] about their start; keeps the equations regular."""


@dataclass
class _State:
    """What is remembered of the frame before."""

    stamp_ns: int
    parameters: BodyParameters


class BodyFitter:
    """Turns joints into a body, one person at a time."""

    def __init__(self, settings: BodySettings | None = None) -> None:
        """Load the model.

        Raises:
            ModelFileError: The body model cannot be used.
        """
        self._settings = settings or BodySettings()
        self._model = load_body_model(self._settings.model_path)
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
            self.fit(
                Joints(
                    stamp_ns=stamp_ns,
                    frame_id="",
                    skeleton=SMPL_24,
                    positions_m=self._model.joints(self._betas),
                    confidence=np.ones(count),
                    sigma_m=np.full(count, self._settings.joint_sigma_m),
                    state=np.full(count, JointState.OBSERVED, dtype=np.uint8),
                    floor_plane=unknown_plane(),
                )
            )
        self.reset()

    def reset(self) -> None:
        """Forget the last posture and the shape learnt so far."""
        self._state: _State | None = None
        self._betas = np.zeros(self._model.shape_count)
        self._shape_frames = 0

    def fit(self, joints: Joints) -> Body | None:
        """Return the body whose joints are nearest to the given ones, or None when fewer than six are there.

        Raises:
            ContractError: The joints are not SMPL's 24 (or DKP-Net's, whose order is the same).
        """
        if joints.skeleton not in {SMPL_24, DKP_24}:
            msg = f"BodyFitter: expected joints of SMPL_24 or DKP_24, got {joints.skeleton.name}"
            raise ContractError(msg)
        weight = self._joint_weights(joints)
        if np.count_nonzero(weight) < FEWEST_JOINTS:
            self._state = None
            return None
        state = self._state
        if state is not None and not 0 < joints.stamp_ns - state.stamp_ns <= LONGEST_GAP_NS:
            state = None
        solution = self._solve(joints.positions_m, weight, state)
        if state is not None and self._residual_m(solution.parameters, joints, weight) > BAD_FIT_M:
            again = self._solve(joints.positions_m, weight, None)
            if again.cost < solution.cost:
                solution = again
        self._learn_shape(solution.parameters)
        self._state = _State(joints.stamp_ns, solution.parameters)
        return self._body(joints, weight, solution)

    def _joint_weights(self, joints: Joints) -> NDArray[np.float64]:
        """Return confidence / sigma^2 (24) [1/m^2], 0 where a joint is missing."""
        sigma = np.where(np.isfinite(joints.sigma_m), joints.sigma_m, self._settings.joint_sigma_m)
        weight = np.clip(joints.confidence, 0.0, 1.0) / np.maximum(sigma, 1e-3) ** 2
        return np.where(np.isfinite(joints.positions_m).all(axis=1), np.nan_to_num(weight), 0.0)

    def _solve(self, target_m: NDArray[np.float64], weight: NDArray[np.float64], state: _State | None) -> _Solution:
        rest = self._model.joints(self._betas)
        if state is None:
            measured = np.where(weight[:, None] > 0, target_m, np.nan)
            root, translation, rotations_rad = start_posture(rest, measured)
        else:
            root = matrices_from_axis_angles(state.parameters.rotations_rad[0])
            translation, rotations_rad = state.parameters.translation_m, state.parameters.rotations_rad
        learning = self._shape_frames < self._settings.shape_frames
        shapes = self._model.shape_count if learning else 0
        unknowns = np.zeros(SHAPE_START + shapes)
        unknowns[:3] = translation
        unknowns[FIRST_ROTATION:SHAPE_START] = rotations_rad[MOVING_JOINTS].ravel()
        unknowns[SHAPE_START:] = self._betas[:shapes]
        centre, precision = self._prior(unknowns, warm=state is not None)
        iterations, converged, cost = minimise(
            unknowns,
            root,
            self._model.joint_template if learning else rest,
            np.ascontiguousarray(self._model.joint_shapedirs[:, :, :shapes]),
            target_m,
            weight,
            centre,
            precision,
            np.pad(HINGES, (0, shapes)),
            self._settings.cold_iterations if state is None else self._settings.warm_iterations,
            self._settings.tolerance,
        )
        turns = np.zeros((24, 3))
        turns[MOVING_JOINTS] = unknowns[FIRST_ROTATION:SHAPE_START].reshape(-1, 3)
        turns[0] = axis_angles_from_matrices(matrices_from_axis_angles(unknowns[3:6]) @ root)
        betas = unknowns[SHAPE_START:] if learning else self._betas
        return _Solution(BodyParameters(betas.copy(), turns, unknowns[:3].copy()), iterations, converged, cost)

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
        centre[SHAPE_START:] = start[SHAPE_START:] * (known - 1.0) / known
        return centre, precision

    def _learn_shape(self, parameters: BodyParameters) -> None:
        if self._shape_frames < self._settings.shape_frames:
            self._betas = np.array(parameters.betas)
            self._shape_frames += 1

    def _residual_m(self, parameters: BodyParameters, joints: Joints, weight: NDArray[np.float64]) -> float:
        positions, _ = pose_joints(self._model, parameters)
        return _root_mean_square(positions - joints.positions_m, weight)

    def _body(self, joints: Joints, weight: NDArray[np.float64], solution: _Solution) -> Body:
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
            residual_m=_root_mean_square(positions - joints.positions_m, weight),
            iterations=solution.iterations,
            converged=solution.converged,
            floor_plane=joints.floor_plane,
        )


@dataclass
class _Solution:
    parameters: BodyParameters
    iterations: int
    converged: bool
    cost: float


def _root_mean_square(difference_m: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.sum(difference_m[weight > 0] ** 2, axis=1))))

"""Fits a body to 24 joints and a silhouette's depth, frame after frame, one person at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import without_nan
from rehab_pose.body.image_evidence import agreement, joint_visibilities, landmarks_with_depth
from rehab_pose.body.joint_errors import calibrated_sigma_m
from rehab_pose.body.limb_lengths import with_limb_lengths
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.person_change import PersonChangeDetector
from rehab_pose.body.pose_solver import Landmarks, MeasuredJoints, PoseFit, PoseSolver, root_mean_square_m
from rehab_pose.body.rate_limit import limit_rate
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.shape_calibration import ShapeCalibration
from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.datatypes import Body, BodyParameters, ImageJoints, Joints, JointVisibility, Silhouette
from rehab_pose.errors import ContractError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.blazepose33 import BLAZEPOSE_33
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import PersonView

__all__ = ["BodyFitter"]

MIN_JOINTS = 6
"""With fewer measured joints no body is fitted."""
MAX_GAP_NS = 500_000_000
"""After a longer gap the fit starts in closed form and not from the last pose [ns]."""
BAD_FIT_M = 0.08
"""A fit from the last pose that ends with a larger residual than this is repeated from the closed form [m]."""
DISPUTED_AGREEMENT = 0.5
"""Mean agreement of the depth network's joints with the landmarks below which a fit to each of them is tried."""
BAD_LANDMARK_M = 0.10
"""The same for the largest distance of a visible landmark's ray from the body [m]."""
NEAR_LANDMARK_M = 0.06
"""The same below which the surface is matched to the last pose itself: a fit to joints alone would move it away from
the surface and back. Chosen on simulated postures and the marks of a real person."""
POOR_SUPPORT, BETTER_SUPPORT = 0.75, 0.05
"""Mean supported fraction of the surface below which a fit from the last pose is compared with one in closed form, and
the gain with which that one is preferred."""
RETRY_EVERY_FRAMES = 5
"""Frames between two such comparisons."""
MIN_SIGMA_M = 1e-3
"""Joints that claim a smaller error are weighted as if it were this [m]."""
WARM_UP_SIDE_PX = 64
"""Width and height of the warm-up's image [px]."""
WARM_UP_DEPTH_M = 2.5
"""Distance of the warm-up's body from the camera [m]."""


@dataclass(frozen=True, eq=False)
class _Frame:
    """A fitted frame."""

    stamp_ns: int
    parameters: BodyParameters
    measured_m: NDArray[np.float64]
    """(24, 3) the joints as they were given [m]."""


class BodyFitter:
    """Turns joints into a body, one person at a time."""

    def __init__(self, settings: BodySettings | None = None, *, offsets_m: NDArray[np.float64] | None = None) -> None:
        """Load the model.

        Args:
            settings: Of the body.
            offsets_m: (24, 3) from SMPL's joints to the joints that will be given, in each joint's own frame [m]; None:
                they are SMPL's. See `skeletons.kinect.KINECT_OFFSETS_M`.

        Raises:
            ModelFileError: The body model cannot be used.
        """
        self._settings = settings or BodySettings()
        self._model = with_limb_lengths(load_body_model(self._settings.model_path))
        self._offsets_m = offsets_m
        self._shape = ShapeCalibration(self._model.shape_count, self._settings.shape_frames, self._settings.shape_sigma)
        self._person_change = PersonChangeDetector(self._settings.shape_memory_s)
        self._solver = PoseSolver(self._model, self._settings, self._shape)
        self.reset()

    @property
    def model(self) -> BodyModel:
        """The body model, with the triangles of every `Body` this fitter returns."""
        return self._model

    @property
    def calibrated(self) -> bool:
        """True once the person's shape is known; it is kept from then on."""
        return self._shape.complete

    def warm_up(self) -> None:
        """Load (or compile) the kernels with two fits to the model's joints, so that no live frame waits for it."""
        count = len(SMPL_24)
        for stamp_ns in (0, 1):
            joints = Joints(
                stamp_ns=stamp_ns,
                frame_id="",
                skeleton=SMPL_24,
                positions_m=self._model.joints(self._shape.betas) + np.array([0.0, 0.0, WARM_UP_DEPTH_M]),
                confidence=np.ones(count),
                sigma_m=np.full(count, self._settings.joint_sigma_m),
                visibility=np.full(count, JointVisibility.OBSERVED, dtype=np.uint8),
            )
            self.fit(joints, _wall(stamp_ns), _landmarks_in_the_middle(stamp_ns))
        self.reset()

    def reset(self) -> None:
        """Forget the last pose and the shape learnt so far (another recording, another person)."""
        self._last: _Frame | None = None
        self._frames_to_retry = 0
        self.recalibrations = 0
        """Number of times that the limbs' length made the shape be learnt again."""
        self._person_change.reset()
        self._shape.reset()

    def process(self, item: PersonView | None) -> Body | None:
        """Return the fitted body; without a person, forget the last pose but keep the shape for `shape_memory_s`."""
        if item is None:
            self._last = None
            return None
        return self.fit(item.joints, item.silhouette, item.image_joints)

    def fit(
        self, joints: Joints, silhouette: Silhouette | None = None, image_joints: ImageJoints | None = None
    ) -> Body | None:
        """Return the body nearest to joints, surface and landmarks; None with fewer than six joints and no landmarks.

        Args:
            joints: SMPL_24.
            silhouette: The same person at the same stamp, with the depth of the surface; None: fit to joints only.
            image_joints: Landmarks of the person in the same frame; only used with a silhouette.

        Raises:
            ContractError: The joints are not SMPL's 24 (or DKP-Net's, whose order is the same).
        """
        weight = self._joint_weights(joints)
        landmarks, factors = None, np.ones(len(weight))
        if image_joints is not None and silhouette is not None:
            landmarks = landmarks_with_depth(image_joints, silhouette, joints)
            factors = agreement(joints, image_joints, silhouette.intrinsics)
        if np.count_nonzero(weight) < MIN_JOINTS and landmarks is None:
            self._last = None
            return None
        self._check_person(joints)
        last = self._last
        if last is not None and not 0 < joints.stamp_ns - last.stamp_ns <= MAX_GAP_NS:
            last = None
        fit, measured = self._fit_evidence(joints, weight * factors, last, landmarks, silhouette)
        if landmarks is not None and factors.mean() < DISPUTED_AGREEMENT and np.count_nonzero(weight) >= MIN_JOINTS:
            # Landmarks and the depth network disagree: the depth of the surface decides between them.
            other, other_measured = self._fit_evidence(joints, weight, last, None, silhouette)
            if other.mean_support > fit.mean_support:
                fit, measured, landmarks = other, other_measured, None
        if last is not None and landmarks is None:
            fit = _rate_limited(fit, last, joints.positions_m)
        self._shape.learn(fit.parameters.betas)
        self._last = _Frame(joints.stamp_ns, fit.parameters, joints.positions_m)
        positions_m, rotations = pose_joints(self._model, fit.parameters)
        sigma_m = fit.sigma_m
        if silhouette is not None and self._settings.surface_rounds:
            sigma_m = calibrated_sigma_m(
                sigma_m,
                fit.support,
                joints.sigma_m,
                joint_visibilities(image_joints),
                np.linalg.norm(positions_m - joints.positions_m, axis=1),
            )
        return self._body(joints, measured, replace(fit, sigma_m=sigma_m), positions_m, rotations)

    def _fit_evidence(
        self,
        joints: Joints,
        weight: NDArray[np.float64],
        last: _Frame | None,
        landmarks: Landmarks | None,
        silhouette: Silhouette | None,
    ) -> tuple[PoseFit, MeasuredJoints]:
        """Return the fit to joints with these weights (24), to landmarks and to the surface, and the joints used."""
        fit, measured = self._fit_joints(joints.positions_m, weight, last, landmarks)
        if silhouette is not None and self._settings.surface_rounds:
            fit = self._solver.fit_surface(fit, measured, silhouette, landmarks)
            if last is not None and fit.mean_support < POOR_SUPPORT:
                fit = self._retried(fit, measured, silhouette, landmarks)
        return fit, measured

    def _retried(
        self, fit: PoseFit, measured: MeasuredJoints, silhouette: Silhouette, landmarks: Landmarks | None
    ) -> PoseFit:
        """Return a fit in closed form, if the depth supports it clearly better; tried in some of the frames only."""
        self._frames_to_retry = max(self._frames_to_retry - 1, 0)
        if self._frames_to_retry:
            return fit
        self._frames_to_retry = RETRY_EVERY_FRAMES
        cold = self._solver.fit_joints(measured, None, landmarks)
        cold = self._solver.fit_surface(cold, measured, silhouette, landmarks)
        return cold if cold.mean_support > fit.mean_support + BETTER_SUPPORT else fit

    def _joint_weights(self, joints: Joints) -> NDArray[np.float64]:
        """Return confidence / sigma^2 (24) [1/m^2], 0 where a joint is missing."""
        if joints.skeleton not in {SMPL_24, DKP_24}:
            msg = f"BodyFitter: expected joints of SMPL_24 or DKP_24, got {joints.skeleton.name}"
            raise ContractError(msg)
        sigma = np.where(np.isfinite(joints.sigma_m), joints.sigma_m, self._settings.joint_sigma_m)
        weight = np.clip(joints.confidence, 0.0, 1.0) / np.maximum(sigma, MIN_SIGMA_M) ** 2
        return np.where(np.isfinite(joints.positions_m).all(axis=1), without_nan(weight), 0.0)

    def _check_person(self, joints: Joints) -> None:
        """Forget the shape where another person is in view."""
        if self._person_change.returned_late(joints.stamp_ns):
            self._shape.reset()
        if self.calibrated and self._person_change.limbs_changed(
            joints.positions_m, self._model.joints(self._shape.betas)
        ):
            self.recalibrations += 1
            self._shape.reset()

    def _fit_joints(
        self,
        positions_m: NDArray[np.float64],
        weight: NDArray[np.float64],
        last: _Frame | None,
        landmarks: Landmarks | None,
    ) -> tuple[PoseFit, MeasuredJoints]:
        """Return the fit without surface, from the last pose or in closed form, and the joints where SMPL has them."""
        start = last.parameters if last else None
        measured = MeasuredJoints(self._as_smpl(positions_m, start), weight)
        if start is not None and landmarks is not None and self._offsets_m is None:
            kept = self._solver.kept(start)
            if self._solver.landmark_residual_m(kept, landmarks) < NEAR_LANDMARK_M:
                return kept, measured
        fit = self._solver.fit_joints(measured, start, landmarks)
        if self._offsets_m is not None:
            # The offsets rotate with the body, so they are applied again with the rotations just fitted.
            measured = MeasuredJoints(self._as_smpl(positions_m, fit.parameters), weight)
            fit = self._solver.fit_joints(measured, fit.parameters, landmarks)
        if start is not None and self._is_bad(fit, measured, landmarks):
            cold = self._solver.fit_joints(measured, None, landmarks)
            if cold.cost < fit.cost:
                fit = cold
        return fit, measured

    def _is_bad(self, fit: PoseFit, measured: MeasuredJoints, landmarks: Landmarks | None) -> bool:
        """Return whether a fit is far from a visible landmark, or, without one, from the joints."""
        farthest_m = self._solver.landmark_residual_m(fit, landmarks) if landmarks else float("nan")
        if np.isfinite(farthest_m):
            return farthest_m > BAD_LANDMARK_M
        return self._solver.residual_m(fit, measured) > BAD_FIT_M

    def _as_smpl(self, positions_m: NDArray[np.float64], parameters: BodyParameters | None) -> NDArray[np.float64]:
        """Return the given joints (24, 3) [m] moved to SMPL's, with the rotations known so far."""
        if self._offsets_m is None or parameters is None:
            return positions_m
        _, rotations = pose_joints(self._model, parameters)
        moved: NDArray[np.float64] = positions_m - np.einsum("jab,jb->ja", rotations, self._offsets_m)
        return moved

    def _body(
        self,
        joints: Joints,
        measured: MeasuredJoints,
        fit: PoseFit,
        positions_m: NDArray[np.float64],
        rotations: NDArray[np.float64],
    ) -> Body:
        """Return the record of a fit whose joints have these positions (24, 3) [m] and rotations (24, 3, 3)."""
        vertices = np.empty((0, 3), dtype=np.float32)
        if self._settings.with_vertices:
            vertices = pose_vertices_of_joints(self._model, fit.parameters, positions_m, rotations)
        return Body(
            stamp_ns=joints.stamp_ns,
            frame_id=joints.frame_id,
            model_id=self._model.model_id,
            parameters=fit.parameters,
            vertices_m=vertices,
            joint_positions_m=positions_m,
            joint_rotations=rotations,
            residual_m=root_mean_square_m(positions_m - measured.target_m, measured.weight),
            iterations=fit.iterations,
            converged=fit.converged,
            joint_sigma_m=fit.sigma_m,
        )


def _rate_limited(fit: PoseFit, last: _Frame, measured_m: NDArray[np.float64]) -> PoseFit:
    parameters = fit.parameters
    rotations_rad = limit_rate(last.parameters.rotations_rad, parameters.rotations_rad, last.measured_m, measured_m)
    return replace(fit, parameters=BodyParameters(parameters.betas, rotations_rad, parameters.translation_m))


def _landmarks_in_the_middle(stamp_ns: int) -> ImageJoints:
    """Return landmarks in the middle of the image of `_wall`."""
    count = len(BLAZEPOSE_33)
    return ImageJoints(
        stamp_ns=stamp_ns,
        frame_id="",
        pixels=np.full((count, 2), WARM_UP_SIDE_PX / 2.0),
        visibility=np.ones(count),
        relative_m=np.zeros((count, 3)),
        score=1.0,
    )


def _wall(stamp_ns: int) -> Silhouette:
    """Return a silhouette that fills a small image, all of its depth WARM_UP_DEPTH_M."""
    side_px = WARM_UP_SIDE_PX
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

"""The stages from the silhouette to the joints without colour, as UTD-MHAD is measured with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.body.settings import BodySettings
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.stage_groups import PoseStages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.datatypes import JointAngles, Silhouette

__all__ = ["DepthEstimate", "DepthEstimator", "FittedJoints", "PredictedJoints"]


@dataclass(frozen=True, eq=False)
class DepthEstimate:
    """Joints of one frame, and the angles of the fitted body where one was fitted."""

    positions_m: NDArray[np.float64]
    """(24, 3) [m]."""
    sigma_m: NDArray[np.float64]
    """(24) [m]."""
    confidence: NDArray[np.float64]
    """(24) 0-1."""
    angles: JointAngles | None = None


class DepthEstimator(Protocol):
    """Turns the silhouettes of consecutive frames into joints."""

    def reset(self) -> None:
        """Forget pose and shape (another person)."""

    def pause(self) -> None:
        """Forget the pose (no person in view)."""

    def estimate(self, silhouette: Silhouette) -> DepthEstimate | None:
        """Return the joints of a silhouette, None where there are none."""


class PredictedJoints:
    """The joint predictor alone."""

    def __init__(self, settings: JointSettings | None = None) -> None:
        self._predictor = JointPredictor(settings)

    def reset(self) -> None:
        """Forget pose and shape (another person)."""
        self._predictor.reset()

    def pause(self) -> None:
        """Forget the pose (no person in view)."""
        self._predictor.reset()

    def estimate(self, silhouette: Silhouette) -> DepthEstimate:
        """Return the joints of a silhouette."""
        joints = self._predictor.predict(silhouette)
        return DepthEstimate(joints.positions_m, joints.sigma_m, joints.confidence)


class FittedJoints:
    """The stages joints and body, and the joint angles, as in the pipeline without colour."""

    def __init__(self) -> None:
        """Load the stages with their default settings.

        Raises:
            ModelFileError: Weights or the body model cannot be used.
        """
        self._pose = PoseStages(JointSettings(), BodySettings(with_vertices=False))
        self._solver = AngleSolver()

    def reset(self) -> None:
        """Forget pose and shape (another person)."""
        self._pose.reset()
        self._solver.reset()

    def pause(self) -> None:
        """Forget the pose (no person in view)."""
        self._pose.process(None, None)
        self._solver.process(None)

    def estimate(self, silhouette: Silhouette) -> DepthEstimate | None:
        """Return the published joints of a silhouette, None where there are none."""
        pose = self._pose.process(silhouette, None)
        if pose.joints is None:
            return None
        angles = self._solver.process(pose.body)
        return DepthEstimate(pose.joints.positions_m, pose.joints.sigma_m, pose.joints.confidence, angles)

"""A fitted body to clinical joint angles, inside the joints' limits, with velocities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.biomechanics.angles import anatomical_angles, pelvis_angles
from rehab_pose.biomechanics.model import load_angle_model
from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.datatypes import JointAngles
from rehab_pose.smoothing.one_euro import OneEuroFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body

__all__ = ["AngleSolver"]

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Against gravity for a level camera: stands in until the floor has been seen."""
UNKNOWN_FLOOR_CONFIDENCE = 0.5
"""Factor on the pelvis's angles while the camera's own up stands in for gravity."""
BOUNDED_CONFIDENCE = 0.5
"""Factor on an angle that had to be brought back to its limit."""
NOT_CONVERGED_CONFIDENCE = 0.5
"""Factor where the body fit did not converge."""
PLANE_SUFFIX = "shoulder_elevation_plane"


class AngleSolver:
    """Solves one person's joint angles, frame after frame."""

    def __init__(self, settings: BiomechanicsSettings | None = None) -> None:
        """Read the angle model.

        Raises:
            ModelFileError: It cannot be used.
        """
        self._settings = settings or BiomechanicsSettings()
        self.model = load_angle_model(self._settings.model_path)
        self._lower = np.array([spec.lower_rad for spec in self.model.angles])
        self._upper = np.array([spec.upper_rad for spec in self.model.angles])
        self._own_confidence = np.array([spec.confidence for spec in self.model.angles])
        self._against_gravity = np.array([name.startswith("pelvis_") for name in self.model.names])
        self._filter = OneEuroFilter(self._settings.smoothing_cutoff_hz, self._settings.smoothing_speed_coefficient)
        self.reset()

    def reset(self) -> None:
        """Forget the person (time jumped back, or somebody else came)."""
        self._filter.reset()
        self._stamp_ns: int | None = None
        self._last: NDArray[np.float64] = np.full(len(self.model.angles), np.nan)
        self.bounded_counts = dict.fromkeys(self.model.names, 0)
        """How often each angle had to be brought back to its limit since the start."""

    def solve(self, body: Body) -> JointAngles:
        """Return the joint angles of a body.

        The pelvis's angles are against gravity, which the floor gives; while the floor is unknown the camera's own up
        stands in, at half the confidence. No angle leaves its limits.
        """
        if self._stamp_ns is not None and body.stamp_ns <= self._stamp_ns:
            self._filter.reset()
            self._last = np.full(len(self.model.angles), np.nan)
        self._stamp_ns = body.stamp_ns
        floor_known = bool(np.isfinite(body.floor_plane).all())
        up = body.floor_plane[:3] / np.linalg.norm(body.floor_plane[:3]) if floor_known else CAMERA_UP
        found = anatomical_angles(body.joint_rotations) | pelvis_angles(body.joint_rotations, up)
        raw = np.array([found.get(name, np.nan) for name in self.model.names])
        continuous = self._continued(raw)
        smooth = self._filter.filter(body.stamp_ns, continuous)
        velocities = self._filter.rate
        # Back to one turn: an angle that went on counting past 180 degrees is the same posture.
        angles = _one_turn(smooth) if self._settings.smooth else raw
        bounded = np.clip(angles, self._lower, self._upper)
        outside = np.isfinite(angles) & (bounded != angles)
        for place in np.flatnonzero(outside):
            self.bounded_counts[self.model.names[place]] += 1
        return JointAngles(
            stamp_ns=body.stamp_ns,
            frame_id=body.frame_id,
            names=self.model.names,
            angles_rad=bounded,
            velocities_rad_s=np.where(outside, 0.0, velocities),
            confidence=self._confidence(body, found, outside, floor_known=floor_known),
        )

    def _continued(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return the angles without jumps of a whole turn, so that they can be differentiated."""
        known = np.isfinite(self._last)
        self._last = np.where(known, self._last + _one_turn(raw - self._last), raw)
        return self._last

    def _confidence(
        self, body: Body, found: dict[str, float], outside: NDArray[np.bool_], *, floor_known: bool
    ) -> NDArray[np.float64]:
        fit = float(np.exp(-body.residual_m / self._settings.residual_scale_m)) if np.isfinite(body.residual_m) else 0.0
        confidence = self._own_confidence * fit * (1.0 if body.converged else NOT_CONVERGED_CONFIDENCE)
        confidence = np.where(outside, confidence * BOUNDED_CONFIDENCE, confidence)
        if not floor_known:
            confidence = np.where(self._against_gravity, confidence * UNKNOWN_FLOOR_CONFIDENCE, confidence)
        for place, name in enumerate(self.model.names):
            if name.endswith(PLANE_SUFFIX):
                # The plane of an arm that hangs or points straight up is any plane.
                confidence[place] *= abs(np.sin(found[name.removesuffix("_plane")]))
        return np.asarray(np.clip(confidence, 0.0, 1.0), dtype=np.float64)


def _one_turn(angles_rad: NDArray[Any]) -> NDArray[np.float64]:
    """Return the same angles within +-pi [rad]."""
    return np.asarray(np.arctan2(np.sin(angles_rad), np.cos(angles_rad)), dtype=np.float64)

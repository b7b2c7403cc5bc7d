"""The record of joint angles: limits, velocities and confidences of the angles of one person's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import JointAngles
from rehab_pose.filters.one_euro import OneEuroFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.angle_model import AngleModel
    from rehab_pose.biomechanics.reported_angles import ReportedAngles
    from rehab_pose.biomechanics.settings import BiomechanicsSettings

__all__ = ["AngleOutput"]

UNKNOWN_FLOOR_CONFIDENCE = 0.5
"""Factor on the confidence of the pelvis' angles while the camera's own up replaces gravity."""
BOUNDED_CONFIDENCE = 0.5
"""Factor on the confidence of an angle at its limit."""
PLANE_SUFFIX = "shoulder_elevation_plane"


class AngleOutput:
    """Makes `JointAngles` from reported angles, frame after frame."""

    def __init__(self, settings: BiomechanicsSettings, model: AngleModel) -> None:
        """Start without a person.

        Args:
            settings: Of the filter.
            model: Names, limits and confidences of the angles.
        """
        self._smooth = settings.smooth
        self._names = model.names
        self._lower = np.array([spec.lower_rad for spec in model.angles])
        self._upper = np.array([spec.upper_rad for spec in model.angles])
        self._model_confidence = np.array([spec.confidence for spec in model.angles])
        self._against_gravity = np.array([name.startswith("pelvis_") for name in model.names])
        self._filter = OneEuroFilter(settings.smoothing_cutoff_hz, settings.smoothing_speed_coefficient)
        self.reset()

    def reset(self) -> None:
        """Forget the frames before."""
        self._filter.reset()
        self._last: NDArray[np.float64] = np.full(len(self._names), np.nan)

    def angles(
        self,
        stamp_ns: int,
        frame_id: str,
        reported: ReportedAngles,
        fit_confidence: NDArray[np.float64],
        *,
        floor_known: bool,
    ) -> JointAngles:
        """Return the record of a frame.

        Args:
            stamp_ns: Of the frame.
            frame_id: Of the camera.
            reported: Angles and their standard deviations.
            fit_confidence: (A) confidence in the pose, 0 to 1, an angle each.
            floor_known: Whether the pelvis' angles are against measured gravity.
        """
        raw = np.array([reported.angles_rad.get(name, np.nan) for name in self._names])
        sigma = np.array([reported.sigma_rad.get(name, np.nan) for name in self._names])
        continuous = self._unwrapped(raw)
        smooth = self._filter.filter(stamp_ns, continuous)
        angles = _wrapped(smooth) if self._smooth else raw
        bounded = np.clip(angles, self._lower, self._upper)
        at_limit = (bounded == self._lower) | (bounded == self._upper)
        at_limit &= np.isfinite(angles) & (self._upper - self._lower < 2.0 * np.pi)
        confidence = np.where(at_limit, BOUNDED_CONFIDENCE, 1.0) * self._model_confidence * fit_confidence
        if not floor_known:
            confidence = np.where(self._against_gravity, confidence * UNKNOWN_FLOOR_CONFIDENCE, confidence)
        for entry, name in enumerate(self._names):
            if name.endswith(PLANE_SUFFIX):
                # The plane of an arm that hangs or points straight up is undefined.
                confidence[entry] *= abs(np.sin(reported.angles_rad[name.removesuffix("_plane")]))
        return JointAngles(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            names=self._names,
            angles_rad=bounded,
            velocities_rad_s=np.where(at_limit & (bounded != angles), 0.0, self._filter.rate),
            confidence=np.asarray(np.clip(confidence, 0.0, 1.0), dtype=np.float64),
            sigma_rad=sigma,
        )

    def _unwrapped(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return the angles (A) [rad] without jumps of a full turn since the last frame, for differentiation."""
        known = np.isfinite(self._last)
        self._last = np.where(known, self._last + _wrapped(raw - self._last), raw)
        return self._last


def _wrapped(angles_rad: NDArray[Any]) -> NDArray[np.float64]:
    """Return the same angles within +-pi [rad]."""
    return np.asarray(np.arctan2(np.sin(angles_rad), np.cos(angles_rad)), dtype=np.float64)

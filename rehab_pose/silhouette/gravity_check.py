"""Comparison of the floor plane with the person's posture: a wall is not taken for the floor for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.gravity import is_known, quarter_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints

__all__ = ["GravityCheck"]

SHOULDERS, HIPS = [11, 12], [23, 24]
"""Indices of BlazePose's landmarks."""
MIN_VISIBILITY, MIN_SCORE = 0.7, 0.8
"""Only a person who is found with this probability, with visible shoulders and hips, is evidence."""
MIN_TRUNK_PX = 25.0
"""Shorter trunks point at the camera, and their direction in the image means little [px]."""
INVERTED, UPRIGHT = -0.7, 0.5
"""Cosines of the angle between trunk and the up direction in the image: below the first one the person would be upside
down, above the second one the person is upright."""
FRAMES = 8
"""Number of frames in a row that have to contradict the plane."""


class GravityCheck:
    """Counts the frames in which the posture of the person contradicts the direction against gravity."""

    def __init__(self) -> None:
        self._frames = 0

    def contradicts(self, joints: ImageJoints, up: NDArray[np.float64], measured: NDArray[np.float64]) -> bool:
        """Return whether the person of FRAMES frames could not be in this posture.

        People are hardly ever upside down; and a camera is taken as turned without a measurement only while the person
        is upright in the turned image, because a side wall looks like the floor of a turned camera.

        Args:
            joints: Landmarks of the frame.
            up: (3) against gravity, as the floor plane says; NaN = unknown.
            measured: (3) the same as an IMU or a parameter says; NaN = not measured.
        """
        if not is_known(up) or is_known(measured) or not self._contradicts(joints, up):
            self._frames = 0
            return False
        self._frames += 1
        if self._frames < FRAMES:
            return False
        self._frames = 0
        return True

    @staticmethod
    def _contradicts(joints: ImageJoints, up: NDArray[np.float64]) -> bool:
        if joints.score < MIN_SCORE or joints.visibility[SHOULDERS + HIPS].min() < MIN_VISIBILITY:
            return False
        trunk = joints.pixels[SHOULDERS].mean(axis=0) - joints.pixels[HIPS].mean(axis=0)
        length_px, in_image = np.hypot(*trunk), np.hypot(up[0], up[1])
        if not length_px >= MIN_TRUNK_PX or in_image == 0.0:
            return False
        cosine = float(trunk @ up[:2] / (length_px * in_image))
        return cosine < (UPRIGHT if quarter_turns(up) else INVERTED)

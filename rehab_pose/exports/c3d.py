"""C3D files (c3d.org): the joint centres as points [mm], z up; a missing point has the residual -1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exports.motion import Z_UP_FROM_Y_UP
from rehab_pose.optional_packages import optional_package

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.exports.motion import Motion

__all__ = ["write_c3d"]

MM_PER_M = 1000.0
NO_RESIDUAL, MISSING_RESIDUAL = 0.0, -1.0


def write_c3d(motion: Motion, path: Path) -> None:
    """Write the joint centres to a new file.

    Raises:
        MissingDependencyError: ezc3d is not installed.
    """
    file = optional_package("ezc3d", "exports").c3d()
    points = np.moveaxis(motion.joint_positions_m @ Z_UP_FROM_Y_UP.T * MM_PER_M, 0, -1)  # (J, 3, T)
    missing = ~np.isfinite(points).all(axis=1)
    content = np.ones((4, len(motion.joint_names), len(motion.times_s)))
    content[:3] = np.moveaxis(np.where(missing[:, None], 0.0, points), 0, 1)
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["parameters"]["POINT"]["RATE"]["value"] = [motion.rate_hz]
    file["parameters"]["POINT"]["LABELS"]["value"] = list(motion.joint_names)
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    file["data"]["points"] = content
    file["data"]["meta_points"]["residuals"] = np.where(missing, MISSING_RESIDUAL, NO_RESIDUAL)[None]
    file.write(str(path))

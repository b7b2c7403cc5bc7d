"""Parameters of SMPL as NPZ with the names of AMASS (Mahmood et al. 2019): z up.

`betas` belong to the body model whose name is in `model_id`; with the model that ships with this package they are not
those of SMPL, while `poses` are SMPL's joint rotations.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exports.motion import Z_UP_FROM_Y_UP, held_over_gaps
from rehab_pose.geometry.rotations import axis_angles_from_matrices

if TYPE_CHECKING:
    from rehab_pose.exports.motion import Motion

__all__ = ["smpl_parameters_npz"]


def smpl_parameters_npz(motion: Motion) -> bytes:
    """Return the file: poses (T, 72) [rad], trans (T, 3) [m], betas (B), mocap_framerate, gender, and `present` (T).

    A frame without a person repeats the last pose before it and has `present` false.
    """
    rotations, pelvis_m = held_over_gaps(motion)
    rotations[:, 0] = Z_UP_FROM_Y_UP @ rotations[:, 0]
    content = io.BytesIO()
    np.savez_compressed(
        content,
        poses=axis_angles_from_matrices(rotations).reshape(len(rotations), -1),
        trans=pelvis_m @ Z_UP_FROM_Y_UP.T - motion.rest_pelvis_m,
        betas=motion.betas,
        mocap_framerate=np.float64(motion.rate_hz),
        gender=np.array("neutral"),
        model_id=np.array(motion.model_id),
        present=motion.present,
    )
    return content.getvalue()

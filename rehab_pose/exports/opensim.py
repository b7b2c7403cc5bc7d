"""OpenSim's files: TRC (marker trajectories) and MOT (coordinates), with y up.

Formats: OpenSim's documentation, "Marker (.trc) Files" and "Storage (.sto) and Motion (.mot) Files". Coordinates have
the names and signs of the model Rajagopal2015 (Rajagopal et al. 2016); those of the shoulder have the names of
MoBL-ARMS (Saul et al. 2015), whose convention is that of our angles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exports.motion import Motion

__all__ = ["mot_text", "opensim_coordinates", "trc_text"]

MM_PER_M = 1000.0
SIDES = (("left", "l"), ("right", "r"))
TRUNK = (
    ("lumbar_extension", "trunk_flexion", -1.0),
    ("lumbar_bending", "trunk_lateral_tilt", -1.0),
    ("lumbar_rotation", "trunk_axial_rotation", 1.0),
)
"""Coordinate of the model, our angle, and its sign: extension, to the right, and to the left are positive."""
LIMBS = (
    ("hip_flexion", "hip_flexion", 1.0),
    ("hip_adduction", "hip_abduction", -1.0),
    ("hip_rotation", "hip_rotation", 1.0),
    ("knee_angle", "knee_flexion", 1.0),
    ("ankle_angle", "ankle_dorsiflexion", 1.0),
    ("elv_angle", "shoulder_elevation_plane", 1.0),
    ("shoulder_elv", "shoulder_elevation", 1.0),
    ("elbow_flex", "elbow_flexion", 1.0),
)
PELVIS_FROM_MODEL = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""From the axes of the model's pelvis (x front, y up, z right) to ours (x left, y up, z front)."""


def trc_text(motion: Motion) -> str:
    """Return the joint centres as markers of a TRC file [mm]; missing markers are empty."""
    markers, rate = motion.joint_names, f"{motion.rate_hz:.6f}"
    frames = len(motion.times_s)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{motion.name}.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{len(markers)}\tmm\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, len(markers) + 1) for axis in "XYZ"),
        "",
    ]
    values = motion.joint_positions_m.reshape(frames, -1) * MM_PER_M
    for index, (time_s, row) in enumerate(zip(motion.times_s, values, strict=True)):
        cells = [f"{value:.4f}" if np.isfinite(value) else "" for value in row]
        end = "" if cells[-1] else "\t"  # OpenSim does not count an empty cell at the end of a line
        lines.append(f"{index + 1}\t{time_s:.6f}\t" + "\t".join(cells) + end)
    return "\n".join(lines) + "\n"


def opensim_coordinates(motion: Motion) -> dict[str, NDArray[np.float64]]:
    """Return each coordinate (T) of the model by its name: angles [deg], translations of the pelvis [m]."""
    angles = dict(zip(motion.angle_names, np.degrees(motion.angles_rad).T, strict=True))
    # R = Rz(tilt) Rx(list) Ry(rotation), as the model's joint between ground and pelvis.
    pelvis = motion.rotations[:, 0] @ PELVIS_FROM_MODEL
    found = {
        "pelvis_tilt": np.degrees(np.arctan2(-pelvis[:, 0, 1], pelvis[:, 1, 1])),
        "pelvis_list": np.degrees(np.arcsin(np.clip(pelvis[:, 2, 1], -1.0, 1.0))),
        "pelvis_rotation": np.degrees(np.arctan2(-pelvis[:, 2, 0], pelvis[:, 2, 2])),
        "pelvis_tx": motion.pelvis_m[:, 0],
        "pelvis_ty": motion.pelvis_m[:, 1],
        "pelvis_tz": motion.pelvis_m[:, 2],
    }
    names = [*TRUNK]
    for side, letter in SIDES:
        names += [(f"{coordinate}_{letter}", f"{side}_{angle}", sign) for coordinate, angle, sign in LIMBS]
    return found | {coordinate: sign * angles[angle] for coordinate, angle, sign in names if angle in angles}


def mot_text(motion: Motion) -> str:
    """Return the coordinates as a MOT file [deg, m]; frames without a person are left out, missing values are nan."""
    coordinates = opensim_coordinates(motion)
    rows = np.flatnonzero(motion.present)
    lines = [
        motion.name,
        "version=1",
        f"nRows={len(rows)}",
        f"nColumns={len(coordinates) + 1}",
        "inDegrees=yes",
        "endheader",
        "time\t" + "\t".join(coordinates),
    ]
    table = np.column_stack([motion.times_s, *coordinates.values()])[rows]
    lines += ["\t".join(f"{value:.6f}" for value in row) for row in table]
    return "\n".join(lines) + "\n"

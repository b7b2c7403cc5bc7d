"""Errors of exported files that are read back by other programs' libraries: OpenSim, ezc3d, bvhio."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from rehab_pose.exports.formats import write_exports
from rehab_pose.exports.motion import Z_UP_FROM_Y_UP
from rehab_pose.exports.opensim import opensim_coordinates
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.optional_packages import optional_package
from rehab_pose.recording.recording import Recording
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.known_results import write_known_results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exports.motion import Motion

__all__ = ["export_metrics"]

MM_PER_M, CM_PER_M = 1000.0, 100.0


def export_metrics() -> dict[str, float]:
    """Return the largest error of positions [mm] and of angles [deg] over all formats.

    Raises:
        MissingDependencyError: A library that reads a format is not installed.
    """
    # OpenSim replaces LD_LIBRARY_PATH of its process; programs that are started later need the old one.
    with TemporaryDirectory(prefix="rehab_pose_exports_") as name, mock.patch.dict(os.environ):
        folder = Path(name)
        write_known_results(folder / "walk")
        motion = write_exports(Recording(folder / "walk"), folder, "walk", ("trc", "mot", "c3d", "bvh", "npz"))
        errors_mm = [
            _trc_m(folder / "walk.trc") - motion.joint_positions_m,
            _c3d_m(folder / "walk.c3d") - np.nan_to_num(motion.joint_positions_m),
            _bvh_m(folder / "walk.bvh", motion) - motion.body_joints_m(),
        ]
        errors_deg = [_mot_errors_deg(folder / "walk.mot", motion), _npz_errors_deg(folder / "walk.npz", motion)]
    return {
        "export_error_mm_max": MM_PER_M * max(float(np.nanmax(np.abs(error))) for error in errors_mm),
        "export_error_deg_max": max(float(np.nanmax(error)) for error in errors_deg),
    }


def _trc_m(path: Path) -> NDArray[np.float64]:
    table: Any = optional_package("opensim", "exports").TimeSeriesTableVec3(str(path))
    rows = (table.getRowAtIndex(index) for index in range(table.getNumRows()))
    markers = range(len(table.getColumnLabels()))
    read = [[[row.getElt(0, marker)[axis] for axis in range(3)] for marker in markers] for row in rows]
    return np.array(read) / MM_PER_M


def _c3d_m(path: Path) -> NDArray[np.float64]:
    points = optional_package("ezc3d", "exports").c3d(str(path))["data"]["points"][:3]
    return np.asarray(np.moveaxis(points, -1, 0).transpose(0, 2, 1) @ Z_UP_FROM_Y_UP / MM_PER_M)


def _bvh_m(path: Path, motion: Motion) -> NDArray[np.float64]:
    root: Any = optional_package("bvhio", "exports").readAsHierarchy(str(path))
    read = np.full((len(motion.times_s), len(SMPL_24), 3), np.nan)
    for frame in np.flatnonzero(motion.present):
        root.loadPose(int(frame))
        for joint, _, _ in root.layout():
            read[frame, SMPL_24.index(joint.Name)] = np.array(joint.PositionWorld) / CM_PER_M
    return read


def _mot_errors_deg(path: Path, motion: Motion) -> NDArray[np.float64]:
    table: Any = optional_package("opensim", "exports").TimeSeriesTable(str(path))
    expected = opensim_coordinates(motion)
    names = [name for name in table.getColumnLabels() if not name.startswith("pelvis_t") or name == "pelvis_tilt"]
    return np.array(
        [np.abs(table.getDependentColumn(name).to_numpy() - expected[name][motion.present]) for name in names]
    )


def _npz_errors_deg(path: Path, motion: Motion) -> NDArray[np.float64]:
    with np.load(path) as content:
        poses = matrices_from_axis_angles(content["poses"].reshape(len(motion.times_s), -1, 3))
    expected = motion.rotations.copy()
    expected[:, 0] = Z_UP_FROM_Y_UP @ expected[:, 0]
    between = np.swapaxes(poses[motion.present], -1, -2) @ expected[motion.present]
    return np.asarray(np.degrees(np.linalg.norm(axis_angles_from_matrices(between), axis=-1)))

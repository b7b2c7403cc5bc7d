"""The file formats of `rehab-pose export`, and writing a recording in some of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.exports.bvh import bvh_text
from rehab_pose.exports.c3d import write_c3d
from rehab_pose.exports.motion import motion_of
from rehab_pose.exports.opensim import mot_text, trc_text
from rehab_pose.exports.smpl_parameters import smpl_parameters_npz
from rehab_pose.output_file import write_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rehab_pose.exports.motion import Motion
    from rehab_pose.recording.recording import Recording

__all__ = ["FORMATS", "VIDEO", "output_paths", "write_exports"]

VIDEO = "mp4"
"""Name of the format that needs the camera's images: `rehab_pose.exports.video` writes it."""
FORMATS = {
    "trc": "joint centres as markers for OpenSim [mm], y up",
    "mot": "joint angles as coordinates for OpenSim [deg, m]",
    "c3d": "joint centres as points [mm], z up",
    "bvh": "skeleton and rotations for animation programs [cm, deg], y up",
    "npz": "parameters of SMPL with the names of AMASS, z up",
    "csv": "a table of frames, and one of repetitions",
    "parquet": "the same tables for pandas, Arrow and databases",
    VIDEO: "the camera's images with silhouette, joints and mesh drawn over them (shows the person)",
}
"""Name, which is also the ending of the file, and content."""
TABLES = {"csv": "_repetitions.csv", "parquet": "_repetitions.parquet"}
"""Formats that have a second file, and its ending."""


def output_paths(folder: Path, name: str, formats: Iterable[str]) -> list[Path]:
    """Return the files that an export writes, without the video."""
    paths = []
    for kind in formats:
        if kind != VIDEO:
            paths.append(folder / f"{name}.{kind}")
        if kind in TABLES:
            paths.append(folder / f"{name}{TABLES[kind]}")
    return paths


def write_exports(recording: Recording, folder: Path, name: str, formats: Iterable[str]) -> Motion:
    """Write a recording in some formats; return its movement.

    Args:
        recording: The results.
        folder: Folder of the files.
        name: Name of the files without ending.
        formats: Keys of `FORMATS`; the video is left out.

    Raises:
        RecordingError: There is no person in the recording, or a file exists or cannot be written.
        MissingDependencyError: The library of a format is not installed.
    """
    motion = motion_of(recording, name)
    movements: dict[str, Callable[[Motion], bytes]] = {
        "trc": lambda movement: trc_text(movement).encode(),
        "mot": lambda movement: mot_text(movement).encode(),
        "bvh": lambda movement: bvh_text(movement).encode(),
        "c3d": _c3d_content,
        "npz": smpl_parameters_npz,
    }
    for kind in formats:
        if kind in movements:
            write_new(folder / f"{name}.{kind}", movements[kind](motion))
        elif kind in TABLES:
            for ending, table in (
                (f".{kind}", recording.to_pandas()),
                (TABLES[kind], recording.repetitions_to_pandas()),
            ):
                content = table.to_csv().encode() if kind == "csv" else table.to_parquet()
                write_new(folder / f"{name}{ending}", content)
    return motion


def _c3d_content(motion: Motion) -> bytes:
    # ezc3d writes to a path only, and over what is there.
    with tempfile.TemporaryDirectory(prefix="rehab_pose_") as folder:
        path = Path(folder) / "motion.c3d"
        write_c3d(motion, path)
        return path.read_bytes()

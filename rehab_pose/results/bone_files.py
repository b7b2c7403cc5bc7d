"""Files of bones: PLY meshes of the skeleton and of each bone, tables of poses and joint centres."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bones.articulations import parent_of, side_of
from rehab_pose.errors import ContractError
from rehab_pose.geometry.rotations import quaternions_from_matrices
from rehab_pose.output_file import write_new

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.datatypes import BoneMesh, Bones

__all__ = ["bone_paths", "write_bones"]

PLY_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3), ("bone", "<i4")])
"""A triangle in a binary PLY file."""
COLUMNS = ("bone", "side", "parent", "length_m", "radius_m", "sigma_m", "x_m", "y_m", "z_m", "qx", "qy", "qz", "qw")


def _write_ply(path: Path, mesh: BoneMesh, bone_names: tuple[str, ...]) -> None:
    """Write bones as a binary PLY; every triangle has the number of its bone, and the header has the names.

    Raises:
        RecordingError: The file cannot be written.
    """
    faces = np.empty(len(mesh.faces), PLY_FACE)
    faces["count"], faces["corners"] = 3, mesh.faces
    faces["bone"] = np.repeat(np.arange(len(bone_names)), np.diff(mesh.face_starts))
    header = [
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment bone {number} {name}" for number, name in enumerate(bone_names)),
        f"element vertex {len(mesh.vertices_m)}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "property int bone",
        "end_header\n",
    ]
    vertices = np.ascontiguousarray(mesh.vertices_m, dtype="<f4")
    write_new(path, "\n".join(header).encode("ascii") + vertices.tobytes() + faces.tobytes())


def bone_paths(folder: Path) -> tuple[Path, ...]:
    """Return what `write_bones` makes in a folder."""
    return tuple(folder / name for name in ("skeleton.ply", "parts", "bones.csv", "joints.csv"))


def write_bones(folder: Path, bones: Bones) -> int:
    """Write skeleton.ply, one PLY for each bone, bones.csv and joints.csv; return the number of files.

    Raises:
        ContractError: The bones have no meshes.
        RecordingError: A file exists already or cannot be written.
    """
    mesh = bones.mesh
    if mesh is None:
        msg = "bones: expected meshes, got none; use BoneInferrer.infer_with_meshes"
        raise ContractError(msg)
    _write_ply(folder / "skeleton.ply", mesh, bones.names)
    for number, name in enumerate(bones.names):
        _write_ply(folder / "parts" / f"{name}.ply", _part(mesh, number), (name,))
    _write_tables(folder, bones)
    return len(bones.names) + 3


def _part(mesh: BoneMesh, number: int) -> BoneMesh:
    first, last = mesh.vertex_starts[number : number + 2]
    faces = mesh.faces[mesh.face_starts[number] : mesh.face_starts[number + 1]] - np.int32(first)
    return type(mesh)(mesh.vertices_m[first:last], faces, np.array([0, last - first]), np.array([0, len(faces)]))


def _write_tables(folder: Path, bones: Bones) -> None:
    quaternions = quaternions_from_matrices(bones.camera_from_bone[:, :3, :3])
    sigma = np.full(len(bones.names), np.nan) if bones.sigma_m is None else bones.sigma_m
    rows: list[list[str]] = [[*COLUMNS, "source"]]
    for number, name in enumerate(bones.names):
        values = (bones.length_m[number], bones.radius_m[number], sigma[number])
        origin = bones.camera_from_bone[number, :3, 3]
        numbers = [f"{value:.6f}" for value in (*values, *origin, *quaternions[number])]
        rows.append([name, side_of(name), parent_of(name), *numbers, bones.source])
    write_new(folder / "bones.csv", _table(rows))
    centres = np.empty((0, 3)) if bones.joint_centres_m is None else bones.joint_centres_m
    rows = [["joint", "x_m", "y_m", "z_m"]]
    rows += [
        [name, *(f"{value:.6f}" for value in centre)] for name, centre in zip(bones.joint_names, centres, strict=True)
    ]
    write_new(folder / "joints.csv", _table(rows))


def _table(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()

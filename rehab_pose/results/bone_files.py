"""Files of bones: PLY meshes and tables to write, licensed bone models to read."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.bones.articulations import parent_of, side_of
from rehab_pose.bones.licensed import osso_template, skel_template
from rehab_pose.bones.reach import reach_rotations_rad
from rehab_pose.bones.surface import Surface
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError, ModelFileError, RecordingError
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.bones.licensed import BoneTemplate
    from rehab_pose.datatypes import Body, BoneMesh, Bones

__all__ = ["posed_surface", "read_template", "surfaces_of", "write_bones", "write_ply"]

PLY_VERTEX = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
PLY_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3), ("bone", "<i4")])
"""Vertices and triangles of a binary PLY file."""
COLUMNS = ("bone", "side", "parent", "length_m", "radius_m", "sigma_m", "x_m", "y_m", "z_m", "qx", "qy", "qz", "qw")


def posed_surface(model: BodyModel, parameters: BodyParameters) -> Surface:
    """Return the skin of a body model in a pose."""
    positions, rotations = pose_joints(model, parameters)
    vertices = pose_vertices_of_joints(model, parameters, positions, rotations)
    return Surface(vertices.astype(np.float64), model.faces, positions, rotations)


def surfaces_of(model: BodyModel) -> Callable[[Body], list[Surface]]:
    """Return the function from a body to its skin at rest and at the limits of the joints, for `BoneInferrer`."""

    def surfaces(body: Body) -> list[Surface]:
        betas = body.parameters.betas
        poses_rad = np.concatenate([np.zeros((1, 24, 3)), reach_rotations_rad()])
        return [posed_surface(model, BodyParameters(betas, pose_rad, np.zeros(3))) for pose_rad in poses_rad]

    return surfaces


def write_ply(path: Path, mesh: BoneMesh, bone_names: tuple[str, ...]) -> None:
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("\n".join(header).encode("ascii") + vertices.tobytes() + faces.tobytes())
    except OSError as error:
        msg = f"bones: cannot write {path}: {error}"
        raise RecordingError(msg) from error


def write_bones(folder: Path, bones: Bones) -> int:
    """Write skeleton.ply, one PLY for each bone, bones.csv and joints.csv; return the number of files.

    Raises:
        ContractError: The bones have no meshes.
        RecordingError: A file cannot be written.
    """
    mesh = bones.mesh
    if mesh is None:
        msg = "bones: expected meshes, got none; use BoneInferrer.infer_with_meshes"
        raise ContractError(msg)
    write_ply(folder / "skeleton.ply", mesh, bones.names)
    for number, name in enumerate(bones.names):
        write_ply(folder / "parts" / f"{name}.ply", _part(mesh, number), (name,))
    try:
        _write_tables(folder, bones)
    except OSError as error:
        msg = f"bones: cannot write into {folder}: {error}"
        raise RecordingError(msg) from error
    return len(bones.names) + 3


def _part(mesh: BoneMesh, number: int) -> BoneMesh:
    first, last = mesh.vertex_starts[number : number + 2]
    faces = mesh.faces[mesh.face_starts[number] : mesh.face_starts[number + 1]] - np.int32(first)
    return type(mesh)(mesh.vertices_m[first:last], faces, np.array([0, last - first]), np.array([0, len(faces)]))


def _write_tables(folder: Path, bones: Bones) -> None:
    from rehab_pose.geometry.rotations import quaternions_from_matrices  # noqa: PLC0415

    quaternions = quaternions_from_matrices(bones.camera_from_bone[:, :3, :3])
    sigma = np.full(len(bones.names), np.nan) if bones.sigma_m is None else bones.sigma_m
    with (folder / "bones.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "source"])
        for number, name in enumerate(bones.names):
            values = (bones.length_m[number], bones.radius_m[number], sigma[number])
            origin = bones.camera_from_bone[number, :3, 3]
            numbers = [f"{value:.6f}" for value in (*values, *origin, *quaternions[number])]
            writer.writerow([name, side_of(name), parent_of(name), *numbers, bones.source])
    with (folder / "joints.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["joint", "x_m", "y_m", "z_m"])
        centres = np.empty((0, 3)) if bones.joint_centres_m is None else bones.joint_centres_m
        for name, centre in zip(bones.joint_names, centres, strict=True):
            writer.writerow([name, *(f"{value:.6f}" for value in centre)])


@dataclass(frozen=True)
class _OssoFile:
    """Key of one of OSSO's arrays and the pattern of its file name."""

    key: str
    pattern: str


OSSO_FILES = (
    _OssoFile("skeleton_model", r"skeleton_model\.pkl"),
    _OssoFile("skeleton_pca", r"skeleton_pca_{gender}\.pkl"),
    _OssoFile("betas_regressor", r"betas_regressor_{gender}\.pkl"),
    _OssoFile("lying_pose", r"lying_pose_{gender}\.pkl"),
)


def read_template(path: Path, *, gender: str = "female", star: Path | None = None) -> BoneTemplate:
    """Return the bone template of a licensed model that the user has obtained.

    Args:
        path: SKEL's `skel_female.pkl` or `skel_male.pkl`, or the folder of OSSO's files.
        gender: Gender of OSSO's files.
        star: STAR's `model.npz` of the same gender; only OSSO needs it.

    Raises:
        ModelFileError: A file is missing, damaged, contains code, or has another content.
    """
    if path.is_file():
        content = _unpickled(path)
        if not isinstance(content, dict):
            msg = f"bones: {path}: expected a dictionary of arrays, got {type(content).__name__}"
            raise ModelFileError(msg)
        return _checked(path, lambda: skel_template(content))
    if not path.is_dir():
        msg = f"bones: expected SKEL's file or OSSO's folder at {path}, found neither"
        raise ModelFileError(msg)
    if star is None:
        msg = "bones: OSSO's skeleton is in a lying pose; give STAR's model.npz too, whose joints move it upright"
        raise ModelFileError(msg)
    files: dict[str, Any] = {file.key: _unpickled(_osso_file(path, file.pattern, gender)) for file in OSSO_FILES}
    files["star"] = _read_npz(star)
    return _checked(path, lambda: osso_template(files))


def _checked(path: Path, make: Callable[[], BoneTemplate]) -> BoneTemplate:
    """Return the template that `make` computes; turn errors of its content into a ModelFileError."""
    try:
        return make()
    except (ValueError, TypeError, IndexError, KeyError) as error:
        msg = f"bones: {path} is not a usable skeleton: {error}"
        raise ModelFileError(msg) from error


def _osso_file(folder: Path, pattern: str, gender: str) -> Path:
    name_pattern = re.compile(pattern.replace("{gender}", gender))
    for file in sorted(folder.rglob("*.pkl")):
        if name_pattern.fullmatch(file.name):
            return file
    msg = f"bones: expected a file {name_pattern.pattern} in {folder}, there is none"
    raise ModelFileError(msg)


def _unpickled(path: Path) -> object:
    try:
        return load_restricted_pickle(path.read_bytes())
    except RefusedPickleError as error:
        msg = f"bones: {path}: {error}"
        raise ModelFileError(msg) from error


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        msg = f"bones: {path} is not an .npz of plain arrays: {error}"
        raise ModelFileError(msg) from error

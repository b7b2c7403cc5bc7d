"""KinePose's files: pose sequences with known rotations, 3D poses as text, and its kinematic chains.

A chain consists of an .xlsx file with one row per joint (axes, position, ranges of motion), Graph.txt (the descendants
of each joint) and Vectors.txt (the links of its loss).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.array_file import CONTENT_ERRORS, READ_ERRORS, ArrayFile
from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.spreadsheet import read_first_sheet
from rehab_pose_lab.methods.biomechanics.preset import kinepose_chain

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["KinePoseFile", "load_ik_sequence", "load_kinepose_chain", "load_pose_text"]

H36M_JOINTS, NOSE = 17, 9
KEYPOINTS, JOINTS = 16, 19
FULL_RANGE = (-2.0 * np.pi, 2.0 * np.pi)
"""Range of an unlimited angle [rad]."""
CHAIN_ERRORS = (OSError, SyntaxError, RecursionError, MemoryError, *CONTENT_ERRORS)
"""Errors of wrong content: Graph.txt is evaluated as a literal, which has its own."""
ANGLES = 3
"""Angles of a joint."""


@dataclass(frozen=True, eq=False)
class KinePoseFile:
    """Keypoints with the joint rotations that produce them."""

    name: str
    keypoints_m: NDArray[np.float64]
    """(T, 16, 3) [m]."""
    rotations: NDArray[np.float64]
    """(T, 19, 3, 3) true rotations of the chain's joints in the world."""
    kinepose_rotations: NDArray[np.float64] | None
    """(T, 19, 3, 3) KinePose's result; None where the file does not contain it."""


def load_ik_sequence(path: str | os.PathLike[str]) -> KinePoseFile:
    """Read keypoints16 (T, 16, 3) [m] and ori_gt (T, 19, 3, 3) from an .npz file.

    Raises:
        RecordingError: The file is missing, damaged or incomplete.
    """
    file = Path(path)
    try:
        with ArrayFile(file) as arrays:
            keypoints = np.asarray(arrays["keypoints16"], dtype=np.float64)
            rotations = np.asarray(arrays["ori_gt"], dtype=np.float64)
            kinepose = np.asarray(arrays["kinepose_ori"], dtype=np.float64) if "kinepose_ori" in arrays else None
    except (*READ_ERRORS, TypeError) as error:
        msg = f"{file}: expected an .npz with keypoints16 and ori_gt ({error})"
        raise RecordingError(msg) from error
    if keypoints.ndim != 3 or keypoints.shape[1:] != (KEYPOINTS, 3) or not len(keypoints):
        msg = f"{file}: expected keypoints16 of shape (T, 16, 3), got {keypoints.shape}"
        raise RecordingError(msg)
    if rotations.shape != (len(keypoints), JOINTS, 3, 3):
        msg = f"{file}: expected ori_gt of shape ({len(keypoints)}, 19, 3, 3), got {rotations.shape}"
        raise RecordingError(msg)
    return KinePoseFile(file.stem, keypoints, rotations, kinepose)


def load_pose_text(path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """Return the poses (T, 16, 3) of a text file with 17 lines `x y z` per frame (H36M-17); the nose is left out.

    Raises:
        RecordingError: The file is missing or has other content.
    """
    try:
        rows = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError, OverflowError) as error:
        msg = f"{path}: expected a text file with one point per line ({error})"
        raise RecordingError(msg) from error
    if rows.shape[1] != 3 or len(rows) % H36M_JOINTS or not len(rows):
        msg = f"{path}: expected 17 lines of x y z per frame, got {rows.shape[0]} lines of {rows.shape[1]}"
        raise RecordingError(msg)
    return np.delete(rows.reshape(-1, H36M_JOINTS, 3), NOSE, axis=1)


def load_kinepose_chain(folder: str | os.PathLike[str], name: str = "") -> Chain:
    """Read a chain from an .xlsx file and Graph.txt.

    Args:
        folder: Folder of the files.
        name: Name of the .xlsx file without ending; empty: the only one in the folder.

    Raises:
        RecordingError: A file is missing or cannot be read.
    """
    directory = Path(folder)
    files = sorted(directory.glob(f"{name or '*'}.xlsx"))
    if len(files) != 1 or not (directory / "Graph.txt").is_file():
        msg = f"{directory}: expected one {name or '*'}.xlsx and a Graph.txt, got {[file.name for file in files]}"
        raise RecordingError(msg)
    try:
        rows = _table(files[0])
        descendants = ast.literal_eval((directory / "Graph.txt").read_text(encoding="utf-8"))
        positions = np.array([_numbers(row["Global position"]) for row in rows]).reshape(len(rows), 3)
        axes = np.array([_numbers(row["Global orientation"]) for row in rows]).reshape(len(rows), 3, 3)
        ranges = [_ranges(row["ROMs"]) for row in rows]
        return _in_order(files[0].stem, [row["Joint"] for row in rows], descendants, positions, axes, ranges)
    except CHAIN_ERRORS as error:
        msg = f"{files[0]}: cannot be read as a chain of KinePose ({error!r})"
        raise RecordingError(msg) from error


def _in_order(
    name: str,
    names: list[str],
    descendants: dict[int, list[int]],
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
    ranges: list[list[tuple[float, float]]],
) -> Chain:
    """Return the chain; the parent of a joint is its ancestor with the fewest descendants."""
    parents = []
    for joint in range(len(names)):
        ancestors = [upper for upper, lower in descendants.items() if joint in lower]
        parents.append(min(ancestors, key=lambda upper: len(descendants[upper])) if ancestors else -1)
    unique = tuple(joint if names.count(joint) == 1 else f"{joint}_{place}" for place, joint in enumerate(names))
    return kinepose_chain(name, unique, tuple(parents), positions, axes.transpose(0, 2, 1), ranges)


def _numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?", cell)]


def _ranges(cell: str) -> list[tuple[float, float]]:
    if "NONE" in cell.upper():
        return []
    if "FULL" in cell.upper():
        return [FULL_RANGE] * ANGLES
    values = _numbers(cell)
    return [(values[2 * place], values[2 * place + 1]) for place in range(ANGLES)]


def _table(file: Path) -> list[dict[str, str]]:
    """Return the rows of the first sheet that name a joint, by the titles in its first row."""
    titles, *rows = read_first_sheet(file)
    table = [dict(zip_longest(titles, row[: len(titles)], fillvalue="")) for row in rows]
    return [row for row in table if row["Joint"]]

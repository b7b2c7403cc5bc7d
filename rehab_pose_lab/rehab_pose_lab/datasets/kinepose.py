"""KinePose's files: pose sequences with known rotations, 3D poses as text, and its kinematic chains.

A chain is an .xlsx of one row a joint (axes, position, ranges of motion), which is zipped XML, beside Graph.txt (which
joints hang below which) and Vectors.txt (the links of its loss).
"""

from __future__ import annotations

import ast
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.methods.biomechanics.preset import kinepose_chain

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["KinePoseFile", "load_ik_sequence", "load_kinepose_chain", "load_pose_text"]

H36M_JOINTS, NOSE = 17, 9
KEYPOINTS, JOINTS = 16, 19
MAX_XML_BYTES = 20_000_000
FULL_TURN = (-2.0 * np.pi, 2.0 * np.pi)
RANGES = 3


@dataclass(frozen=True, eq=False)
class KinePoseFile:
    """Keypoints with the rotations that made them."""

    name: str
    keypoints_m: NDArray[np.float64]
    """(T, 16, 3)."""
    rotations: NDArray[np.float64]
    """(T, 19, 3, 3) of the chain's joints in the world."""
    kinepose_rotations: NDArray[np.float64] | None
    """(T, 19, 3, 3) KinePose's own answer, where the file has it."""


def load_ik_sequence(path: str | os.PathLike[str]) -> KinePoseFile:
    """Read keypoints16 (T, 16, 3) [m] and ori_gt (T, 19, 3, 3) from an .npz file.

    Raises:
        RecordingError: The file is missing, cannot be read or lacks something.
    """
    file = Path(path)
    try:
        with np.load(file, allow_pickle=False) as arrays:
            keypoints = np.asarray(arrays["keypoints16"], dtype=np.float64)
            rotations = np.asarray(arrays["ori_gt"], dtype=np.float64)
            own = np.asarray(arrays["kinepose_ori"], dtype=np.float64) if "kinepose_ori" in arrays else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        msg = f"{file}: expected an .npz with keypoints16 and ori_gt ({error})"
        raise RecordingError(msg) from error
    if keypoints.ndim != 3 or keypoints.shape[1:] != (KEYPOINTS, 3) or not len(keypoints):
        msg = f"{file}: expected keypoints16 of shape (T, 16, 3), got {keypoints.shape}"
        raise RecordingError(msg)
    if rotations.shape != (len(keypoints), JOINTS, 3, 3):
        msg = f"{file}: expected ori_gt of shape ({len(keypoints)}, 19, 3, 3), got {rotations.shape}"
        raise RecordingError(msg)
    return KinePoseFile(file.stem, keypoints, rotations, own)


def load_pose_text(path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """Return the poses (T, 16, 3) of a text file with 17 lines `x y z` a frame (H36M-17); the nose is left out.

    Raises:
        RecordingError: The file is missing or holds something else.
    """
    try:
        rows = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        msg = f"{path}: expected a text file with one point a line ({error})"
        raise RecordingError(msg) from error
    if rows.shape[1] != 3 or len(rows) % H36M_JOINTS or not len(rows):
        msg = f"{path}: expected 17 lines of x y z a frame, got {rows.shape[0]} lines of {rows.shape[1]}"
        raise RecordingError(msg)
    return np.delete(rows.reshape(-1, H36M_JOINTS, 3), NOSE, axis=1)


def load_kinepose_chain(folder: str | os.PathLike[str], name: str = "") -> Chain:
    """Read a chain: the .xlsx of this name (empty: the only one) and Graph.txt in a folder.

    Raises:
        RecordingError: A file is missing or cannot be read.
    """
    place = Path(folder)
    files = sorted(place.glob(f"{name or '*'}.xlsx"))
    if len(files) != 1 or not (place / "Graph.txt").is_file():
        msg = f"{place}: expected one {name or '*'}.xlsx and a Graph.txt, got {[file.name for file in files]}"
        raise RecordingError(msg)
    try:
        rows = _table(files[0])
        below = ast.literal_eval((place / "Graph.txt").read_text(encoding="utf-8"))
        positions = np.array([_numbers(row["Global position"]) for row in rows]).reshape(len(rows), 3)
        axes = np.array([_numbers(row["Global orientation"]) for row in rows]).reshape(len(rows), 3, 3)
        ranges = [_ranges(row["ROMs"]) for row in rows]
        return _in_order(files[0].stem, [row["Joint"] for row in rows], below, positions, axes, ranges)
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, zipfile.BadZipFile, expat.ExpatError) as error:
        msg = f"{files[0]}: cannot be read as one of KinePose's chains ({error!r})"
        raise RecordingError(msg) from error


def _in_order(
    name: str,
    names: list[str],
    below: dict[int, list[int]],
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
    ranges: list[list[tuple[float, float]]],
) -> Chain:
    """Return the chain; the parent of a joint is the lowest joint that has it below itself."""
    parents = []
    for joint in range(len(names)):
        above = [upper for upper, lower in below.items() if joint in lower]
        parents.append(min(above, key=lambda upper: len(below[upper])) if above else -1)
    unique = tuple(joint if names.count(joint) == 1 else f"{joint}_{place}" for place, joint in enumerate(names))
    return kinepose_chain(name, unique, tuple(parents), positions, axes.transpose(0, 2, 1), ranges)


def _numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?", cell)]


def _ranges(cell: str) -> list[tuple[float, float]]:
    if "NONE" in cell.upper():
        return []
    if "FULL" in cell.upper():
        return [FULL_TURN] * RANGES
    values = _numbers(cell)
    return [(values[2 * place], values[2 * place + 1]) for place in range(RANGES)]


def _table(file: Path) -> list[dict[str, str]]:
    """Return the first sheet's rows by the names in its first row."""
    with zipfile.ZipFile(file) as book:
        shared = _texts(_content(book, "xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in book.namelist() else []
        cells = _cells(_content(book, "xl/worksheets/sheet1.xml"), shared)
    columns = {column: text.strip() for (row, column), text in cells.items() if row == 1}
    count = max(row for row, _ in cells)
    rows = [{title: cells.get((row, column), "") for column, title in columns.items()} for row in range(2, count + 1)]
    return [row for row in rows if row["Joint"].strip()]


def _content(book: zipfile.ZipFile, name: str) -> bytes:
    if book.getinfo(name).file_size > MAX_XML_BYTES:
        msg = f"{name} is larger than {MAX_XML_BYTES} bytes"
        raise ValueError(msg)
    return book.read(name)


def _parse(content: bytes, start: Any, end: Any, text: Any) -> None:  # noqa: ANN401  (expat's handlers)
    """Run expat with everything about entities refused: a spreadsheet needs none, and they can be made to explode."""

    def refuse(*_: object) -> None:
        msg = "the XML declares entities or a document type"
        raise ValueError(msg)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.Parse(content, True)


def _texts(content: bytes) -> list[str]:
    """Return the shared strings."""
    found: list[str] = []
    inside: list[str] = []

    def start(tag: str, _: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "si":
            found.append("")

    def text(data: str) -> None:
        if inside and inside[-1] == "t":
            found[-1] += data

    _parse(content, start, lambda _: inside.pop(), text)
    return found


def _cells(content: bytes, shared: list[str]) -> dict[tuple[int, str], str]:
    """Return the text of every cell by row and column."""
    found: dict[tuple[int, str], str] = {}
    inside: list[str] = []
    cell: list[str] = ["", ""]

    def start(tag: str, attributes: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "c":
            cell[:] = [attributes["r"], attributes.get("t", "")]

    def text(data: str) -> None:
        if inside and inside[-1] in {"v", "t"}:
            column, row = re.fullmatch(r"([A-Z]+)(\d+)", cell[0]).groups()  # type: ignore[union-attr]
            found[int(row), column] = found.get((int(row), column), "") + data

    def end(tag: str) -> None:
        inside.pop()
        if tag == "c" and cell[1] == "s" and cell[0]:
            column, row = re.fullmatch(r"([A-Z]+)(\d+)", cell[0]).groups()  # type: ignore[union-attr]
            if (int(row), column) in found:
                found[int(row), column] = shared[int(found[int(row), column])]

    _parse(content, start, end, text)
    return found

"""UTKinect-Action3D: ten everyday actions in front of a Kinect v1 (Xia, Chen and Aggarwal, CVPRW 2012).

The folder contains joints.npz and action_labels.csv; or, as downloaded, actionLabel.txt and
joints/joints_s<NN>_e<NN>.txt, whose lines are a frame number and x, y, z of 20 joints [m].
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import Clip, array_file, clip_from_points, csv_rows, leave_out, required_file
from rehab_pose_lab.datasets.kinect_axes import KINECT_V1_SMPL_NAMES, OPTICAL_FROM_KINECT

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["load_utkinect"]

NS_PER_FRAME = 1_000_000_000 // 30
"""Period of the frame numbers, those of the camera's 30 Hz stream [ns]; about every second frame has a skeleton."""
RAW_LABELS, RAW_LABEL = "actionLabel.txt", re.compile(r"(\w+)\s*:\s*(\S+)\s+(\S+)")
VALUES_PER_LINE = 1 + 3 * len(KINECT_V1_SMPL_NAMES)
MAX_FRAME = 1_000_000
"""Largest frame number: nine hours."""


class _Action(NamedTuple):
    """A labelled interval of a sequence."""

    sequence: str
    name: str
    first: float
    last: float
    """Frame numbers; NaN where they are not given."""


class _Sequence(NamedTuple):
    """Frame numbers (T) and joints (T, 20, 3) [m] of a recording."""

    numbers: NDArray[np.int64]
    points_m: NDArray[np.float64]


def load_utkinect(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per action; actions without an interval are left out.

    Args:
        root: Folder of the arrays, or of the set as downloaded.
        skipped: Where it is given, an unusable sequence is left out and a message about it is appended.

    Raises:
        RecordingError: A file is missing; or a sequence is unusable and `skipped` is None.
    """
    folder = Path(root)
    raw = (folder / RAW_LABELS).is_file() and not (folder / "joints.npz").is_file()
    actions = list(_raw_actions(folder / RAW_LABELS) if raw else _actions(folder))
    sequences: dict[str, _Sequence] = {}
    for sequence in dict.fromkeys(action.sequence for action in actions):
        with leave_out(skipped):
            sequences[sequence] = _raw_sequence(folder, sequence) if raw else _sequence(folder, sequence)
    return [_clip(action, sequences[action.sequence]) for action in actions if action.sequence in sequences]


def _clip(action: _Action, sequence: _Sequence) -> Clip:
    inside = (sequence.numbers >= action.first) & (sequence.numbers <= action.last)
    return clip_from_points(
        name=f"{action.sequence}_{action.name}",
        dataset="utkinect",
        subject=action.sequence.partition("_")[0],
        group="",
        label=action.name,
        stamps_ns=sequence.numbers[inside] * NS_PER_FRAME,
        points_m=sequence.points_m[inside],
        smpl_names=KINECT_V1_SMPL_NAMES,
        optical_from_set=OPTICAL_FROM_KINECT,
    )


def _actions(folder: Path) -> Iterator[_Action]:
    labels = required_file(folder, "action_labels.csv", "utkinect")
    for row in csv_rows(labels, ("seq", "action", "start", "end")):
        try:
            action = _Action(row["seq"], row["action"], float(row["start"]), float(row["end"]))
        except ValueError as error:
            msg = f"{labels}: {row['seq']} {row['action']}: expected frame numbers: {error}"
            raise RecordingError(msg) from error
        if np.isfinite([action.first, action.last]).all():
            yield action


def _raw_actions(path: Path) -> Iterator[_Action]:
    sequence = ""
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(), start=1):
        text = line.strip()
        match = RAW_LABEL.fullmatch(text)
        if match is not None and sequence:
            try:
                action = _Action(sequence, match[1], float(match[2]), float(match[3]))
            except ValueError as error:
                msg = f"{path}: line {number}: expected 'action: first last', got {text!r}"
                raise RecordingError(msg) from error
            if np.isfinite([action.first, action.last]).all():
                yield action
        elif re.fullmatch(r"s\d+_e\d+", text):
            sequence = text
        elif text:
            msg = f"{path}: line {number}: expected a sequence like s01_e01 or 'action: first last', got {text!r}"
            raise RecordingError(msg)


def _sequence(folder: Path, sequence: str) -> _Sequence:
    with array_file(folder, "joints.npz", "utkinect") as arrays:
        if f"{sequence}_frame" not in arrays or f"{sequence}_xyz" not in arrays:
            msg = f"utkinect: action_labels.csv lists {sequence}, which joints.npz lacks; the folder is incomplete"
            raise RecordingError(msg)
        return _checked(sequence, arrays[f"{sequence}_frame"], arrays[f"{sequence}_xyz"])


def _checked(sequence: str, numbers: NDArray[Any], points_m: NDArray[Any]) -> _Sequence:
    """Return a sequence.

    Raises:
        RecordingError: Numbers and points do not fit each other, or are no frame numbers and positions.
    """
    fits = numbers.ndim == 1 and points_m.ndim == 3 and len(points_m) == len(numbers)
    are_numbers = all(array.dtype.kind in "fiu" for array in (numbers, points_m))
    if not (fits and are_numbers and (np.abs(numbers.astype(np.float64)) <= MAX_FRAME).all()):
        msg = (
            f"utkinect: {sequence}: expected frame numbers (T) and points (T, 20, 3), got {numbers.dtype} "
            f"{numbers.shape} and {points_m.dtype} {points_m.shape}; the file is damaged"
        )
        raise RecordingError(msg)
    return _Sequence(numbers.astype(np.int64), points_m.astype(np.float64))


def _raw_sequence(folder: Path, sequence: str) -> _Sequence:
    path = folder / "joints" / f"joints_{sequence}.txt"
    if not path.is_file():
        msg = f"utkinect: {RAW_LABELS} lists {sequence}, but {path} is missing; the folder is incomplete"
        raise RecordingError(msg)
    try:
        values = np.loadtxt(path, ndmin=2)
    except (ValueError, OverflowError) as error:
        msg = f"{path}: expected lines of {VALUES_PER_LINE} numbers: {error}; the file is damaged"
        raise RecordingError(msg) from error
    if values.shape[1] != VALUES_PER_LINE:
        msg = f"{path}: expected lines of {VALUES_PER_LINE} numbers, got {values.shape[1]}; the file is damaged"
        raise RecordingError(msg)
    return _checked(sequence, values[:, 0], values[:, 1:].reshape(len(values), -1, 3))

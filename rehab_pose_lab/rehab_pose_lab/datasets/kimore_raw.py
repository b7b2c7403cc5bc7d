"""KIMORE as downloaded: a tree of CSV files and spreadsheets, with one folder per subject and exercise.

    <group>/<subgroup>/<subject>/Es<1-5>/Raw/JointPosition<stamp>.csv, TimeStamp<stamp>.csv
                                        /Label/ClinicalAssessment_<subject>.xlsx

A row of JointPosition is x, y, z, state of 25 joints. A blank line is a frame without a person; a row with two or three
times as many values shows several people, of whom the nearest is kept; such a row may have a stamp for each person,
of which the first is the row's.
"""

from __future__ import annotations

import csv
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose_lab.datasets.clip import Clip, clip_from_points, leave_out
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES, OPTICAL_FROM_KINECT
from rehab_pose_lab.datasets.spreadsheet import read_first_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RAW_POSITIONS", "load_raw_clips", "load_raw_scores"]

RAW_POSITIONS = "*/Es*/Raw/JointPosition*.csv"
"""Pattern of the recordings below the folder of a group."""
NS_PER_TICK = 100
"""Kinect's stamps are in units of 100 ns."""
MAX_TICKS = 9e16
"""Largest stamp [100 ns]: beyond it nanoseconds do not fit into 64 bits."""
VALUES_PER_JOINT = 4
VALUES_PER_BODY = VALUES_PER_JOINT * len(KINECT_25)
SCORE = re.compile(r"clinical (TS|PO|CF) Ex#([1-5])")
SPINE_BASE = KINECT_25.index("spine_base")


def load_raw_clips(root: Path, *, skipped: list[str] | None = None) -> list[Clip]:
    """Return the recordings of exercises 1 to 5 below a folder, in the order of their paths.

    Args:
        root: The downloaded folder, or any folder in it down to that of a subject.
        skipped: Where it is given, an unusable file is left out and a message about it is appended.

    Raises:
        RecordingError: There is no recording, or one is unusable and `skipped` is None.
    """
    files = sorted(path for path in root.rglob("JointPosition*.csv") if path.parent.name == "Raw")
    if not files:
        msg = f"kimore: expected files like {RAW_POSITIONS} below {root}, found none; point --root at the data set"
        raise RecordingError(msg)
    clips = []
    for path in files:
        exercise = path.parents[1].name
        if not re.fullmatch(r"Es[1-5]", exercise):
            continue
        with leave_out(skipped):
            clips.append(_clip(path, KIMORE_EXERCISES[int(exercise[2:]) - 1], root))
    return clips


def load_raw_scores(root: Path, *, skipped: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Return the clinical scores by subject and name (TS1 to TS5, PO1 to PO5, CF1 to CF5); NaN = no score.

    All exercises of a subject have the same spreadsheet; the first one with the name of the subject is read.

    Args:
        root: As in `load_raw_clips`.
        skipped: As in `load_raw_clips`.

    Raises:
        RecordingError: A spreadsheet is unusable and `skipped` is None.
    """
    scores: dict[str, dict[str, float]] = {}
    for path in sorted(root.rglob("Label/ClinicalAssessment_*.xlsx")):
        subject = path.parents[2].name
        if path.stem != f"ClinicalAssessment_{subject}" or subject in scores:
            continue  # some folders contain the sheet of another subject
        with leave_out(skipped):
            scores[subject] = _scores(path)
    return scores


def _clip(path: Path, label: str, root: Path) -> Clip:
    """Return the clip of one JointPosition file.

    Raises:
        RecordingError: The file or its stamps are missing or damaged, or show no person.
    """
    stamp = path.stem.removeprefix("JointPosition")
    stamps_path = path.with_name(f"TimeStamp{stamp}.csv")
    if not stamps_path.is_file():
        msg = f"{path}: expected {stamps_path.name} next to it, found none; download the recording again"
        raise RecordingError(msg)
    rows, ticks = _numbers(path), _numbers(stamps_path)
    if len(rows) != len(ticks):
        msg = f"{path}: expected one stamp per row, got {len(rows)} rows and {len(ticks)} stamps; download it again"
        raise RecordingError(msg)
    bodies, stamps = [], []
    for number, (row, tick) in enumerate(zip(rows, ticks, strict=True), start=1):
        if not len(row):
            continue
        if len(row) % VALUES_PER_BODY or not 1 <= len(tick) <= len(row) // VALUES_PER_BODY:
            msg = (
                f"{path}: line {number}: expected a multiple of {VALUES_PER_BODY} values and one stamp, or one for "
                f"each person, got {len(row)} and {len(tick)}; the file is damaged"
            )
            raise RecordingError(msg)
        people = row.reshape(-1, len(KINECT_25), VALUES_PER_JOINT)
        bodies.append(people[int(np.argmin(np.linalg.norm(people[:, SPINE_BASE, :3], axis=1)))])
        if not 0 <= tick[0] < MAX_TICKS:
            msg = f"{stamps_path}: line {number}: expected a stamp of a Kinect, got {tick[0]:g}; the file is damaged"
            raise RecordingError(msg)
        stamps.append(int(tick[0]) * NS_PER_TICK)
    if not bodies:
        msg = f"{path}: expected a person in at least one frame, all lines are blank; leave the recording out"
        raise RecordingError(msg)
    joints = np.array(bodies)
    subject = path.parents[2].name
    return clip_from_points(
        name=f"{subject}_{path.parents[1].name}_{stamp}",
        dataset="kimore",
        subject=subject,
        group="/".join(path.relative_to(root).parts[:-4][-2:]),
        label=label,
        stamps_ns=np.array(stamps, dtype=np.int64) - stamps[0],
        points_m=joints[:, :, :3],
        smpl_names=KINECT_V2_SMPL_NAMES,
        optical_from_set=OPTICAL_FROM_KINECT,
        tracking=np.where(np.isin(joints[:, :, 3], (1, 2)), joints[:, :, 3], 0).astype(np.uint8),
    )


def _numbers(path: Path) -> list[NDArray[np.float64]]:
    """Return the numbers of each line; an empty array for a blank line.

    Raises:
        RecordingError: A value is not a number.
    """
    rows: list[NDArray[np.float64]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            rows.extend(np.array([float(value) for value in row if value.strip()]) for row in csv.reader(lines))
    except (ValueError, OSError, csv.Error) as error:
        msg = f"{path}: line {len(rows) + 1}: expected numbers: {error}; the file is damaged"
        raise RecordingError(msg) from error
    return rows


def _scores(path: Path) -> dict[str, float]:
    """Return the scores of a spreadsheet by name.

    Raises:
        RecordingError: It has no scores.
    """
    rows = read_first_sheet(path)
    if len(rows) < 2:
        msg = f"{path}: expected a line of names and one of scores, got {len(rows)} lines"
        raise RecordingError(msg)
    scores = {}
    for name, value in zip_longest(rows[0], rows[1], fillvalue=""):  # empty cells at the end are not stored
        match = SCORE.search(name)
        if match is None:
            continue
        try:
            scores[match[1] + match[2]] = float(value) if value else float("nan")
        except ValueError as error:
            msg = f"{path}: {name}: expected a number, got {value!r}"
            raise RecordingError(msg) from error
    if not scores:
        msg = f"{path}: expected columns like 'clinical TS Ex#1', got {rows[0]}"
        raise RecordingError(msg)
    return scores

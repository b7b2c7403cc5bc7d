"""A clip: one recorded sequence of joints with its label, in a form that is common to all data sets."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import ArrayFile
from rehab_pose.arrays import frozen
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.errors import ContractError, InputError, RecordingError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = [
    "Clip",
    "array_file",
    "clip_from_joints",
    "clip_from_points",
    "csv_rows",
    "joints_of_clip",
    "leave_out",
    "metres",
    "middle_of_clip",
    "nanoseconds",
    "required_file",
]

SPIKE_M = 0.35
"""Distance of a joint from its median over seven frames from which it is an outlier [m]; a hand at 4 m/s moves 0.27 m
in two frames."""
FARTHEST_M = 20.0
"""Largest coordinate of a joint [m]; a depth camera sees people within 8 m, the rest is damage of a file."""
MAX_DURATION_S = 86_400.0
"""Longest recording, a day [s]."""
SPIKE_HALF_WINDOW = 3
"""Frames on each side of that median."""
INFERRED_CONFIDENCE = 0.5
"""Confidence of a joint that the Kinect SDK calls inferred; a tracked one has 1, one that is not tracked is missing."""
TRACKED, INFERRED = 2, 1
"""Tracking states of the Kinect SDK."""
KINECT_SIGMA_M = 0.012
"""Standard deviation of a Kinect's joint from its mean [m]."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One recorded sequence of joints in the camera's optical frame (x right, y down, z forward)."""

    name: str
    dataset: str
    subject: str
    group: str
    label: str
    """Name of the movement; a name of rehab_pose.exercise.catalogue where it is one of these exercises."""
    stamps_ns: NDArray[np.int64]
    """(T) strictly increasing [ns]."""
    skeleton: Skeleton
    positions_m: NDArray[np.float32]
    """(T, J, 3) [m]; NaN = missing."""
    confidence: NDArray[np.float32]
    """(T, J) 0-1."""
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Number of values left out while reading: all_zero_joints, far_joints, not_tracked_joints, jumped_joints,
    repeated_frames."""

    def __post_init__(self) -> None:
        """Check shapes and the order of the stamps.

        Raises:
            RecordingError: A stamp is not later than the previous one.
        """
        length, joints = len(self.stamps_ns), len(self.skeleton)
        checked = {
            "stamps_ns": frozen("Clip.stamps_ns", self.stamps_ns, (length,), np.int64),
            "positions_m": frozen("Clip.positions_m", self.positions_m, (length, joints, 3), np.float32),
            "confidence": frozen("Clip.confidence", self.confidence, (length, joints), np.float32),
        }
        for name, array in checked.items():
            object.__setattr__(self, name, array)
        if length > 1 and not (np.diff(self.stamps_ns) > 0).all():
            msg = f"clip {self.name}: expected stamps that increase, some do not; drop the repeated frames first"
            raise RecordingError(msg)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return float(self.stamps_ns[-1] - self.stamps_ns[0]) * 1e-9 if len(self.stamps_ns) else 0.0


def required_file(root: Path, name: str, dataset: str) -> Path:
    """Return the path of one of a data set's files.

    Raises:
        RecordingError: The file does not exist.
    """
    path = root / name
    if not path.is_file():
        msg = f"{dataset}: expected {name} in {root}, the file is missing; point --root at the folder of the data set"
        raise RecordingError(msg)
    return path


def array_file(root: Path, name: str, dataset: str) -> ArrayFile:
    """Return one of a data set's files of arrays, opened.

    Raises:
        RecordingError: The file is missing or damaged.
    """
    path = required_file(root, name, dataset)
    try:
        return ArrayFile(path)
    except InputError as error:
        msg = f"{dataset}: {error}"
        raise RecordingError(msg) from error


def metres(stored: NDArray[Any], metres_per_unit: float, what: str) -> NDArray[np.float32]:
    """Return positions [m] from stored ones in another unit.

    Raises:
        RecordingError: They are no numbers.
    """
    if stored.dtype.kind not in "fiu":
        msg = f"{what}: expected positions as numbers, got {stored.dtype}; the file is damaged"
        raise RecordingError(msg)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(stored * np.float32(metres_per_unit), dtype=np.float32)


def nanoseconds(stored: NDArray[Any], ns_per_unit: int, what: str) -> NDArray[np.int64]:
    """Return stamps [ns] from stored ones in another unit.

    Raises:
        RecordingError: They are no numbers, or beyond the range of a stamp.
    """
    if stored.dtype.kind not in "fiu" or not (np.abs(stored.astype(np.float64)) * ns_per_unit < 2**62).all():
        msg = f"{what}: expected stamps as numbers, got {stored.dtype} {stored.shape}; the file is damaged"
        raise RecordingError(msg)
    return np.asarray(stored.astype(np.int64) * ns_per_unit)


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table with titles.

    Args:
        path: The file.
        columns: Columns that it has to have.

    Raises:
        RecordingError: It cannot be read as text, or a row lacks one of the columns.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                absent = [name for name in columns if row.get(name) is None]
                if absent:
                    msg = f"{path}: line {number}: expected the columns {', '.join(columns)}, got no {absent[0]}"
                    raise RecordingError(msg)
                yield row
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: expected a table of text with the columns {', '.join(columns)}: {error}"
        raise RecordingError(msg) from error


@contextmanager
def leave_out(skipped: list[str] | None) -> Iterator[None]:
    """Context that either passes the errors of unusable recordings on or records and suppresses them.

    Args:
        skipped: None: a RecordingError is passed on; a list: its message is appended and the error is suppressed.

    Raises:
        RecordingError: The recording is unusable and `skipped` is None.
    """
    try:
        yield
    except (RecordingError, InputError, ContractError) as error:
        if skipped is None:
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(str(error)) from error
        skipped.append(str(error))


def _outliers(positions_m: NDArray[Any]) -> NDArray[np.bool_]:
    """Return True (T, J) where a joint is far from its running median."""
    size = 2 * SPIKE_HALF_WINDOW + 1
    if len(positions_m) < size:
        return np.zeros(positions_m.shape[:2], dtype=np.bool_)
    edges = ((SPIKE_HALF_WINDOW, SPIKE_HALF_WINDOW), (0, 0), (0, 0))
    padded = np.pad(positions_m, edges, mode="edge")
    padded = np.where(np.isfinite(padded), padded, np.inf)  # missing joints sort last
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)
    median = np.partition(windows, SPIKE_HALF_WINDOW, axis=-1)[..., SPIKE_HALF_WINDOW]
    finite = np.isfinite(median).all(axis=-1) & np.isfinite(positions_m).all(axis=-1)
    distance_m = np.linalg.norm(np.where(finite[..., None], positions_m - median, 0.0), axis=-1)
    return np.asarray(distance_m > SPIKE_M)


def clip_from_points(  # noqa: PLR0913  (one keyword a field of the record)
    *,
    name: str,
    dataset: str,
    subject: str,
    group: str,
    label: str,
    stamps_ns: NDArray[np.int64],
    points_m: NDArray[Any],
    smpl_names: Sequence[str],
    optical_from_set: NDArray[Any],
    tracking: NDArray[Any] | None = None,
) -> Clip:
    """Return a clip in SMPL_24 and in the optical frame from the points of a data set.

    Repeated stamps are dropped. Joints at exactly zero, joints that were not tracked and single-frame outliers become
    NaN. All of these are counted in `Clip.counts`.

    Args:
        name: Unique within the data set.
        dataset: Name of the data set.
        subject: Unique within the data set.
        group: Group of the subject in the data set; empty where it has none.
        label: Name of the movement.
        stamps_ns: (T) [ns].
        points_m: (T, K, 3) in the axes of the data set [m].
        smpl_names: (K) name of each point in SMPL_24; empty where there is none.
        optical_from_set: (3, 3) rotation from the axes of the data set to x right, y down, z forward.
        tracking: (T, K) 2 tracked, 1 inferred, 0 not tracked, as in the Kinect SDK; None = all tracked.
    """
    _check_points(f"{dataset}: {name}", stamps_ns, points_m, tracking, len(smpl_names))
    keep = np.concatenate([[True], np.diff(stamps_ns) > 0]) if len(stamps_ns) else np.zeros(0, dtype=np.bool_)
    counts = {"repeated_frames": int((~keep).sum())}
    columns = [column for column, joint in enumerate(smpl_names) if joint]
    joints = [SMPL_24.index(smpl_names[column]) for column in columns]
    given = np.asarray(points_m, dtype=np.float32)[keep][:, columns]
    missing = (given == 0.0).all(axis=-1) | ~np.isfinite(given).all(axis=-1)
    counts["all_zero_joints"] = int(missing.sum())
    with np.errstate(invalid="ignore"):
        far = (np.abs(given) > FARTHEST_M).any(axis=-1) & ~missing
    counts["far_joints"] = int(far.sum())
    missing |= far
    state = np.full(given.shape[:2], TRACKED) if tracking is None else np.asarray(tracking)[keep][:, columns]
    counts["not_tracked_joints"] = int(((state < INFERRED) & ~missing).sum())
    missing |= state < INFERRED
    optical = np.where(missing[..., None], np.nan, given @ np.asarray(optical_from_set, dtype=np.float32).T)
    jumped = _outliers(optical) & ~missing
    counts["jumped_joints"] = int(jumped.sum())
    missing |= jumped
    positions_m = np.full((len(given), len(SMPL_24), 3), np.nan, dtype=np.float32)
    confidence = np.zeros((len(given), len(SMPL_24)), dtype=np.float32)
    positions_m[:, joints] = np.where(missing[..., None], np.nan, optical)
    confidence[:, joints] = np.where(missing, 0.0, np.where(state == INFERRED, INFERRED_CONFIDENCE, 1.0))
    return Clip(
        name=name,
        dataset=dataset,
        subject=subject,
        group=group,
        label=label,
        stamps_ns=stamps_ns[keep],
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=confidence,
        counts=MappingProxyType(counts),
    )


def _check_points(
    name: str,
    stamps: NDArray[Any],
    points: NDArray[Any],
    tracking: NDArray[Any] | None,
    count: int,
) -> None:
    """Check that the arrays of a clip are numbers, fit each other, and have stamps that a recording can have.

    Raises:
        RecordingError: They do not.
    """
    states = np.zeros(points.shape[:2]) if tracking is None else tracking
    fits = stamps.ndim == 1 and points.shape == (len(stamps), count, 3) and states.shape == points.shape[:2]
    if not fits or not all(array.dtype.kind in "fiub" for array in (points, states)) or stamps.dtype.kind not in "iu":
        msg = (
            f"{name}: expected positions (T, {count}, 3) with T stamps and tracking (T, {count}), got "
            f"{points.dtype} {points.shape}, {stamps.shape} and {states.dtype} {states.shape}; the files are damaged"
        )
        raise RecordingError(msg)
    if len(stamps) and not 0 <= int(stamps.max()) - int(stamps[0]) <= MAX_DURATION_S * NS_PER_S:
        msg = f"{name}: expected stamps within {MAX_DURATION_S:g} s of the first one; the file is damaged"
        raise RecordingError(msg)


def clip_from_joints(
    frames: Sequence[Joints], *, name: str, dataset: str, subject: str, label: str, group: str = ""
) -> Clip:
    """Return a clip of the joints of consecutive frames.

    Args:
        frames: Joints of the same skeleton, in order of time.
        name: Unique within the data set.
        dataset: Name of the data set.
        subject: Unique within the data set.
        label: Name of the movement.
        group: Group of the subject in the data set; empty where it has none.
    """
    return Clip(
        name=name,
        dataset=dataset,
        subject=subject,
        group=group,
        label=label,
        stamps_ns=np.array([joints.stamp_ns for joints in frames], dtype=np.int64),
        skeleton=SMPL_24,
        positions_m=np.array([joints.positions_m for joints in frames], dtype=np.float32),
        confidence=np.array([joints.confidence for joints in frames], dtype=np.float32),
    )


def middle_of_clip(clip: Clip, longest_s: float) -> Clip:
    """Return the middle part of a clip, at most `longest_s` long [s]."""
    if clip.duration_s <= longest_s:
        return clip
    elapsed_s = (clip.stamps_ns - clip.stamps_ns[0]) * 1e-9
    inside = np.abs(elapsed_s - clip.duration_s / 2.0) <= longest_s / 2.0
    return replace(
        clip,
        stamps_ns=clip.stamps_ns[inside],
        positions_m=clip.positions_m[inside],
        confidence=clip.confidence[inside],
    )


def joints_of_clip(
    clip: Clip, *, first_stamp_ns: int | None = None, step: int = 1, sigma_m: float = KINECT_SIGMA_M
) -> Iterator[Joints]:
    """Yield the joints of a clip frame by frame, as a joint predictor would.

    Args:
        clip: Recording in SMPL_24.
        first_stamp_ns: New stamp of the first frame [ns]; None: the stamps are unchanged.
        step: Every `step`th frame is used.
        sigma_m: Standard deviation of the joints [m].
    """
    offset_ns = 0 if first_stamp_ns is None else first_stamp_ns - int(clip.stamps_ns[0])
    for index in range(0, len(clip.stamps_ns), step):
        known = np.isfinite(clip.positions_m[index]).all(axis=1)
        yield Joints(
            stamp_ns=int(clip.stamps_ns[index]) + offset_ns,
            frame_id="",
            skeleton=clip.skeleton,
            positions_m=clip.positions_m[index].astype(np.float64),
            confidence=np.where(known, clip.confidence[index], 0.0),
            sigma_m=np.full(len(clip.skeleton), sigma_m),
            visibility=np.where(known, JointVisibility.OBSERVED, JointVisibility.MISSING).astype(np.uint8),
        )

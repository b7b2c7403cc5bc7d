"""A clip: one finite recorded sequence of joints with its label, whatever set it comes from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["Clip", "clip_from_points", "joints_of_clip", "leave_out", "middle_of_clip", "required_file"]

SPIKE_M = 0.35
"""A joint this far from its own median over seven frames has jumped [m]; a hand at 4 m/s moves 0.27 m in two frames."""
SPIKE_HALF_WINDOW = 3
"""Frames on each side of the median that finds a jump."""
INFERRED_CONFIDENCE = 0.5
"""Confidence of a joint that the Kinect SDK calls inferred; tracked is 1, not tracked is missing."""
TRACKED, INFERRED = 2, 1
KINECT_SIGMA_M = 0.012
"""Error of a Kinect's joint about its own mean [m]."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One recorded sequence of joints in the camera's optical frame (x right, y down, z forward)."""

    name: str
    dataset: str
    subject: str
    group: str
    label: str
    """The movement, in the words of rehab_pose.exercise.catalogue where it is one of them."""
    stamps_ns: NDArray[np.int64]
    """(T) strictly increasing [ns]."""
    skeleton: Skeleton
    positions_m: NDArray[np.float32]
    """(T, J, 3) [m]; NaN = missing."""
    confidence: NDArray[np.float32]
    """(T, J) 0-1."""
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """What was left out while reading: all_zero_joints, not_tracked_joints, jumped_joints, repeated_frames."""

    def __post_init__(self) -> None:
        """Check shapes and that time goes forward.

        Raises:
            RecordingError: A stamp is not later than the one before it.
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
        RecordingError: It is not there.
    """
    path = root / name
    if not path.is_file():
        msg = f"{dataset}: expected {name} in {root}, it is not there; point --root at the folder of the data set"
        raise RecordingError(msg)
    return path


@contextmanager
def leave_out(skipped: list[str] | None) -> Iterator[None]:
    """Let a recording that cannot be used stop everything, or note it and go on without it.

    Args:
        skipped: None: a RecordingError passes; a list: its sentence is added there and it ends here.
    """
    try:
        yield
    except RecordingError as error:
        if skipped is None:
            raise
        skipped.append(str(error))


def _jumped(positions_m: NDArray[Any]) -> NDArray[np.bool_]:
    """Return (T, J) True where a joint is far from its own running median."""
    size = 2 * SPIKE_HALF_WINDOW + 1
    if len(positions_m) < size:
        return np.zeros(positions_m.shape[:2], dtype=np.bool_)
    edges = ((SPIKE_HALF_WINDOW, SPIKE_HALF_WINDOW), (0, 0), (0, 0))
    padded = np.pad(positions_m, edges, mode="edge")
    padded = np.where(np.isfinite(padded), padded, np.inf)  # a missing joint sorts last and is no median by itself
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
    """Make a clip in SMPL_24 and in the optical frame from the points of a data set.

    Repeated stamps are dropped; joints at exactly zero, joints that were not tracked and single-frame jumps become
    NaN. Everything that is left out is counted in `Clip.counts`.

    Args:
        name: Unique within the data set.
        dataset: The set's name.
        subject: Unique within the data set.
        group: The set's own grouping of subjects; empty where it has none.
        label: The movement.
        stamps_ns: (T) [ns].
        points_m: (T, K, 3) in the set's own axes [m].
        smpl_names: (K) SMPL_24's name of each point; empty where it has none.
        optical_from_set: (3, 3) rotation from the set's axes to x right, y down, z forward.
        tracking: (T, K) 2 tracked, 1 inferred, 0 not tracked, as in the Kinect SDK; None = all tracked.
    """
    keep = np.concatenate([[True], np.diff(stamps_ns) > 0]) if len(stamps_ns) else np.zeros(0, dtype=np.bool_)
    counts = {"repeated_frames": int((~keep).sum())}
    columns = [column for column, joint in enumerate(smpl_names) if joint]
    joints = [SMPL_24.index(smpl_names[column]) for column in columns]
    given = np.asarray(points_m, dtype=np.float32)[keep][:, columns]
    missing = (given == 0.0).all(axis=-1) | ~np.isfinite(given).all(axis=-1)
    counts["all_zero_joints"] = int(missing.sum())
    state = np.full(given.shape[:2], TRACKED) if tracking is None else np.asarray(tracking)[keep][:, columns]
    counts["not_tracked_joints"] = int(((state < INFERRED) & ~missing).sum())
    missing |= state < INFERRED
    optical = np.where(missing[..., None], np.nan, given @ np.asarray(optical_from_set, dtype=np.float32).T)
    jumped = _jumped(optical) & ~missing
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


def middle_of_clip(clip: Clip, longest_s: float) -> Clip:
    """Return the middle of a clip, at most `longest_s` of it."""
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
    """Return a clip's joints frame by frame, as a joint predictor would.

    Args:
        clip: In SMPL_24.
        first_stamp_ns: Where its first stamp is moved to; None = nowhere.
        step: Every how many frames.
        sigma_m: Error of its joints [m].
    """
    offset_ns = 0 if first_stamp_ns is None else first_stamp_ns - int(clip.stamps_ns[0])
    for index in range(0, len(clip.stamps_ns), step):
        seen = np.isfinite(clip.positions_m[index]).all(axis=1)
        yield Joints(
            stamp_ns=int(clip.stamps_ns[index]) + offset_ns,
            frame_id="",
            skeleton=clip.skeleton,
            positions_m=clip.positions_m[index].astype(np.float64),
            confidence=np.where(seen, clip.confidence[index], 0.0),
            sigma_m=np.full(len(clip.skeleton), sigma_m),
            visibility=np.where(seen, JointVisibility.OBSERVED, JointVisibility.MISSING).astype(np.uint8),
        )

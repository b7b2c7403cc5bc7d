"""UTD-MHAD: 27 actions in front of a Kinect v1, as depth of the person and joints (Chen et al., ICIP 2015).

The folder contains one s<N>.npz per subject with, per recording a<action>_t<trial>: `_depth` uint16 (T, h, w), the
person's box whose first frame is in millimetres and each later one the wrapping difference to the frame before (0 =
background, which the Kinect removed); `_box` int16 (2), row and column of the box in the 240 x 320 image; and `_joints`
float32 (T, 20, 3) [m] in the Kinect's space (x to the right of the stored image, y up, z forward).

The stored images are mirrored, and the joints with them. Both are mirrored back here, so that the left and right of
the labels are the person's own. The skeleton runs ahead of the depth by two frames, which is undone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.array_file import READ_ERRORS, ArrayFile
from rehab_pose.arrays import frozen, set_fields
from rehab_pose.datatypes import Silhouette
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rehab_pose.capture.cleaning import DepthCleaner

__all__ = [
    "FRAME_NS",
    "SMPL_INDICES",
    "UTD_CAMERA",
    "UTD_JOINTS",
    "UtdFrame",
    "UtdRecording",
    "load_utd_mhad",
    "utd_subjects",
]

UTD_JOINTS = (
    *("head", "neck", "spine", "hip_centre"),
    *(f"{side}_{name}" for side in ("left", "right") for name in ("shoulder", "elbow", "wrist", "hand")),
    *(f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle", "foot")),
)
"""The 20 joints of Kinect v1 in the order of the data set."""
_SMPL_NAMES = {"spine": "spine2", "hip_centre": "pelvis"}
SMPL_INDICES = tuple(SMPL_24.index(_SMPL_NAMES.get(name, name)) for name in UTD_JOINTS)
"""Index in SMPL_24 of the joint nearest to each of UTD_JOINTS; they differ by a constant offset of some centimetres."""

WIDTH_PX, HEIGHT_PX = 320, 240
FOCAL_PX, CENTRE_X_PX, CENTRE_Y_PX = 285.63, 160.0, 120.0
"""Focal length and principal point of the stored, mirrored images [px]."""
UTD_CAMERA = CameraIntrinsics(WIDTH_PX, HEIGHT_PX, FOCAL_PX, FOCAL_PX, WIDTH_PX - 1 - CENTRE_X_PX, CENTRE_Y_PX)
"""Intrinsics of the images that are not mirrored: column c of a stored image is column WIDTH_PX - 1 - c."""
FRAME_NS = 1_000_000_000 // 30
"""Period of the frames [ns]."""
SKELETON_LEAD_FRAMES = 2
"""Depth frame t belongs to the stored joints t - SKELETON_LEAD_FRAMES: fast wrists and hands are then 0.5 px from the
person's pixels; with one frame 0.8 px and without shift 2.0 px."""
MAX_LENGTH_ERROR = 0.15
"""An arm is marked as wrong where upper arm or forearm differs from the subject's median length by more than this
fraction: a bone does not change its length, so the tracker lost the arm."""
MAX_FRAMES, MAX_MEMBER_BYTES = 1000, 1 << 25
"""Largest number of frames, and of unpacked bytes of an array: the longest recording has 5 MB."""
MM_PER_M = 1000.0
FILE_NAME, RECORDING_NAME = re.compile(r"s(\d{1,3})\.npz"), re.compile(r"a(\d{1,3})_t(\d{1,3})")


@dataclass(frozen=True, eq=False)
class UtdFrame:
    """One depth frame and the joints that belong to it, in the camera's optical frame (x right, y down, z forward)."""

    index: int
    """Number of the frame in its recording."""
    stamp_ns: int
    box_px: tuple[int, int, int, int]
    """x, y, width, height of the stored box in the image of UTD_CAMERA."""
    depth_m: NDArray[np.float32]
    """(h, w) over the box [m]; NaN outside the person and where there is no return."""
    joints_m: NDArray[np.float64]
    """(20, 3) of UTD_JOINTS [m]; NaN in the first two frames of a recording, whose joints are not stored."""
    valid: NDArray[np.bool_]
    """(20) False where there is no joint, and for elbow, wrist and hand of an arm whose bones have a wrong length."""

    def silhouette(self, cleaner: DepthCleaner | None = None) -> Silhouette | None:
        """Return the person as the silhouette stage would: the smallest box, without colour; None without depth.

        Args:
            cleaner: Applied to the depth first, as to that of a camera; None = the depth as stored.
        """
        x, y, _, _ = self.box_px
        inside = np.isfinite(self.depth_m)
        depth_m = self.depth_m
        if cleaner is not None:
            # A border without returns: the cleaner leaves the outermost pixels of an image unchanged.
            depth_m = cleaner.clean(np.pad(depth_m, 1, constant_values=np.nan))[1:-1, 1:-1]
        if not np.isfinite(depth_m).any():
            return None
        column, row, width, height = cv2.boundingRect(inside.astype(np.uint8))
        region = (slice(row, row + height), slice(column, column + width))
        return Silhouette(
            stamp_ns=self.stamp_ns,
            frame_id="utd_mhad",
            intrinsics=UTD_CAMERA,
            box_px=(x + column, y + row, width, height),
            inside=inside[region],
            color=np.zeros((height, width, 3), dtype=np.uint8),
            depth_m=depth_m[region],
        )

    def smpl_joints_m(self) -> NDArray[np.float64]:
        """Return the joints (24, 3) in the order of SMPL_24 [m]; NaN where a joint is missing or not valid."""
        joints_m = np.full((len(SMPL_24), 3), np.nan)
        joints_m[list(SMPL_INDICES)] = np.where(self.valid[:, None], self.joints_m, np.nan)
        return joints_m


@dataclass(frozen=True, eq=False)
class UtdRecording:
    """One action of one subject."""

    subject: str
    """s<N>."""
    action: int
    """1-27 as in the data set."""
    trial: int
    box_px: tuple[int, int, int, int]
    """x, y, width, height of the box of all frames in the image of UTD_CAMERA."""
    depth_mm: NDArray[np.uint16]
    """(T, h, w) over the box [mm]; 0 = background or no return."""
    joints_m: NDArray[np.float64]
    """(T, 20, 3) that belong to each depth frame [m]; NaN in the first two."""
    valid: NDArray[np.bool_]
    """(T, 20) as `UtdFrame.valid`."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _, _, width, height = self.box_px
        length = len(self.depth_mm)
        set_fields(
            self,
            depth_mm=frozen("UtdRecording.depth_mm", self.depth_mm, (length, height, width), np.uint16),
            joints_m=frozen("UtdRecording.joints_m", self.joints_m, (length, len(UTD_JOINTS), 3), np.float64),
            valid=frozen("UtdRecording.valid", self.valid, (length, len(UTD_JOINTS)), np.bool_),
        )

    @property
    def name(self) -> str:
        """Subject, action and trial, as s2_a10_t1."""
        return f"{self.subject}_a{self.action}_t{self.trial}"

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.depth_mm)

    def frame(self, index: int) -> UtdFrame:
        """Return one frame.

        Args:
            index: 0 to len - 1.
        """
        depth_mm = self.depth_mm[index]
        depth_m = np.where(depth_mm > 0, depth_mm * np.float32(1.0 / MM_PER_M), np.float32(np.nan))
        return UtdFrame(
            index, index * FRAME_NS, self.box_px, depth_m.astype(np.float32), self.joints_m[index], self.valid[index]
        )

    def frames(self) -> Iterator[UtdFrame]:
        """Yield all frames in order of time."""
        for index in range(len(self)):
            yield self.frame(index)


def utd_subjects(root: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of the subjects in a folder (s2, s4, ...) in order of their numbers; empty where it has none."""
    matches = (FILE_NAME.fullmatch(path.name) for path in Path(root).glob("s*.npz"))
    return tuple(f"s{number}" for number in sorted(int(match[1]) for match in matches if match))


def load_utd_mhad(root: str | os.PathLike[str], *, subjects: Sequence[str] = ()) -> Iterator[UtdRecording]:
    """Yield all recordings, subject by subject; one recording at a time is in memory.

    Args:
        root: Folder of the subjects' files.
        subjects: Names of the subjects that are read; empty = all.

    Raises:
        RecordingError: There is no file, or one is damaged.
    """
    names = tuple(subjects) or utd_subjects(root)
    if not names:
        msg = f"utd_mhad: expected s<N>.npz in {root}, found none; point --root at the folder of the data set"
        raise RecordingError(msg)
    for name in names:
        path = Path(root) / f"{name}.npz"
        if not path.is_file():
            msg = f"utd_mhad: expected {path.name} in {root}, the file is missing; subjects there: {utd_subjects(root)}"
            raise RecordingError(msg)
        try:
            yield from _subject(path)
        except READ_ERRORS as error:
            msg = f"{path}: expected arrays a<action>_t<trial>_depth, _box and _joints ({error}); the file is damaged"
            raise RecordingError(msg) from error


def _subject(path: Path) -> Iterator[UtdRecording]:
    """Yield the recordings of one subject's file."""
    with ArrayFile(path, max_bytes=MAX_MEMBER_BYTES) as arrays:
        names = sorted({name.rpartition("_")[0] for name in arrays.files}, key=_recording_key)
        joints_m = {name: _joints(arrays[f"{name}_joints"], name) for name in names}
        valid = dict(zip(names, _valid([joints_m[name] for name in names]), strict=True))
        for name in names:
            depth_mm, box_px = _depth(arrays[f"{name}_depth"], arrays[f"{name}_box"], name)
            if len(depth_mm) != len(joints_m[name]):
                msg = f"{name}: expected as many frames of joints as of depth, {len(joints_m[name])} / {len(depth_mm)}"
                raise ValueError(msg)
            action, trial = _recording_key(name)
            shifted_m, shifted = _shifted(joints_m[name], valid[name])
            yield UtdRecording(path.stem, action, trial, box_px, depth_mm, shifted_m, shifted)


def _recording_key(name: str) -> tuple[int, int]:
    """Return action and trial of a recording's name."""
    match = RECORDING_NAME.fullmatch(name)
    if match is None:
        msg = f"expected a recording named a<action>_t<trial>, got {name!r}"
        raise ValueError(msg)
    return int(match[1]), int(match[2])


def _joints(stored_m: NDArray[np.float32], name: str) -> NDArray[np.float64]:
    """Return the stored joints (T, 20, 3) in the optical frame that is not mirrored [m]."""
    if (
        stored_m.dtype != np.float32
        or stored_m.ndim != 3
        or stored_m.shape[1:] != (len(UTD_JOINTS), 3)
        or not 0 < len(stored_m) <= MAX_FRAMES
    ):
        msg = f"{name}_joints: expected float32 (T, 20, 3), T from 1 to {MAX_FRAMES}, got {_described(stored_m)}"
        raise ValueError(msg)
    return np.asarray(stored_m * np.array([-1.0, -1.0, 1.0]), dtype=np.float64)


def _depth(
    stored: NDArray[np.uint16], corner: NDArray[np.int16], name: str
) -> tuple[NDArray[np.uint16], tuple[int, int, int, int]]:
    """Return depth (T, h, w) [mm] that is not mirrored, and its box x, y, width, height [px]."""
    if stored.dtype != np.uint16 or stored.ndim != 3 or 0 in stored.shape or len(stored) > MAX_FRAMES:
        msg = f"{name}_depth: expected uint16 (T, h, w), T from 1 to {MAX_FRAMES}, got {_described(stored)}"
        raise ValueError(msg)
    if corner.shape != (2,) or corner.dtype.kind not in "iu":
        msg = f"{name}_box: expected two integers, got {_described(corner)}"
        raise ValueError(msg)
    row, column = int(corner[0]), int(corner[1])
    height, width = stored.shape[1:]
    if not (0 <= row <= HEIGHT_PX - height and 0 <= column <= WIDTH_PX - width):
        msg = (
            f"{name}_box: expected a box in {WIDTH_PX}x{HEIGHT_PX}, got {width}x{height} at column {column}, row {row}"
        )
        raise ValueError(msg)
    depth_mm = np.cumsum(stored, axis=0, dtype=np.uint16)
    return np.ascontiguousarray(depth_mm[:, :, ::-1]), (WIDTH_PX - column - width, row, width, height)


def _described(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} {array.shape}"


def _valid(recordings_m: Sequence[NDArray[np.float64]]) -> list[NDArray[np.bool_]]:
    """Return (T, 20) per recording of one subject: joints that exist, on arms with bones of the usual lengths."""
    valid = [np.asarray(np.isfinite(joints_m).all(axis=2)) for joints_m in recordings_m]
    for side in ("left", "right"):
        chain = [UTD_JOINTS.index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")]
        hand = UTD_JOINTS.index(f"{side}_hand")
        lengths_m = [np.linalg.norm(np.diff(joints_m[:, chain], axis=1), axis=2) for joints_m in recordings_m]
        usual_m = np.nanmedian(np.concatenate(lengths_m), axis=0)
        for good, length_m in zip(valid, lengths_m, strict=True):
            broken = ~(np.abs(length_m - usual_m) <= MAX_LENGTH_ERROR * usual_m).all(axis=1)
            good[np.ix_(broken, [*chain[1:], hand])] = False
    return valid


def _shifted(joints_m: NDArray[np.float64], valid: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the joints (T, 20, 3) [m] and their validity (T, 20) that belong to each depth frame."""
    lead = min(SKELETON_LEAD_FRAMES, len(joints_m))
    later_m, later = np.full_like(joints_m, np.nan), np.zeros_like(valid)
    later_m[lead:] = joints_m[: len(joints_m) - lead]
    later[lead:] = valid[: len(valid) - lead]
    return later_m, later

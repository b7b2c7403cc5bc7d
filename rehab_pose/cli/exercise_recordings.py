"""Recordings of joints for `rehab-pose exercise add`: bags with joints or with images, and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import READ_ERRORS, read_arrays
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.few_shot_fit import Recording, level
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

__all__ = ["find_recordings", "read_recording"]

BAG_ENDINGS = frozenset({".mcap", ".db3", ".bag"})
MAX_RECORDINGS = 40
"""Largest number of recordings."""
MAX_ARRAY_BYTES = 256 << 20
"""Largest unpacked array [bytes]."""
IMAGE_STRIDE = 3
"""Every n-th frame of a bag without joints is processed: windows are sampled at 10 Hz."""


def find_recordings(folder: Path) -> list[tuple[str, Path]]:
    """Return person and path of the recordings in a folder, in order.

    Recordings are bags (a folder with metadata.yaml, .mcap, .db3) and .npz files. Those in a folder of their own belong
    to the person that the folder is named after; for the others it is the part of the name before the first underscore.

    Raises:
        RecordingError: There is no such folder, or it has none or too many recordings.
    """
    if not folder.is_dir():
        msg = f"--bags: expected a folder of recordings, found none at {folder}; check the path"
        raise RecordingError(msg)
    found = [(path.stem.partition("_")[0], path) for path in _recordings_in(folder)]
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not _is_recording(child):
            found.extend((child.name, path) for path in _recordings_in(child))
    if not 0 < len(found) <= MAX_RECORDINGS:
        msg = (
            f"--bags: expected 1 to {MAX_RECORDINGS} bags or .npz files in {folder}, got {len(found)}; check the folder"
        )
        raise RecordingError(msg)
    return found


def _is_recording(path: Path) -> bool:
    if path.is_dir():
        return (path / "metadata.yaml").is_file()
    return path.suffix in BAG_ENDINGS or path.suffix == ".npz"


def _recordings_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_recording(path))


def read_recording(person: str, path: Path) -> Recording:
    """Return the joints of one recording, levelled with the floor plane where it is known.

    Raises:
        RecordingError: The recording cannot be read or has no joints.
    """
    if path.suffix == ".npz":
        stamps_ns, positions_m, up = _arrays(path)
    else:
        stamps_ns, positions_m, up = _bag(path)
    order = np.unique(stamps_ns, return_index=True)[1]
    if len(order) < 2 or not np.isfinite(positions_m).any():
        msg = f"{path}: expected joints of a person in several frames, got {len(order)}; record it again"
        raise RecordingError(msg)
    return Recording(f"{person}/{path.stem}", person, stamps_ns[order], level(positions_m[order], up))


def _arrays(path: Path) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.float64]]:
    """Return stamps (T) [ns], positions (T, J, 3) [m] and the vertical (3) of a .npz file."""
    try:
        stored = read_arrays(path, ("stamps_ns", "positions_m"), max_bytes=MAX_ARRAY_BYTES, optional=("up",))
        stamps_ns, positions_m = stored["stamps_ns"].astype(np.int64), stored["positions_m"]
        up = np.asarray(stored.get("up", CAMERA_UP)).astype(np.float64)
    except READ_ERRORS as error:
        msg = f"{path}: expected arrays stamps_ns (T) and positions_m (T, J, 3) [m], got {error!r}; write them again"
        raise RecordingError(msg) from error
    columns = {len(SMPL_24): SMPL_INDICES, len(FEATURE_JOINTS): np.arange(len(FEATURE_JOINTS))}
    shape = positions_m.shape
    fits = len(shape) == 3 and shape[1] in columns and shape[2] == 3 and positions_m.dtype.kind == "f"
    if not fits or stamps_ns.shape != shape[:1] or up.shape != (3,):
        msg = (
            f"{path}: expected positions_m (T, {len(SMPL_24)} or {len(FEATURE_JOINTS)}, 3) and stamps_ns (T), got "
            f"{shape} and {stamps_ns.shape}; write them again"
        )
        raise RecordingError(msg)
    return stamps_ns, positions_m[:, columns[shape[1]]], up / np.linalg.norm(up)


def _bag(path: Path) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.float64]]:
    """Return stamps (T) [ns], positions (T, J, 3) [m] and the vertical (3) of a bag."""
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415  (not needed for arrays)
    from rehab_pose.messages import topics  # noqa: PLC0415
    from rehab_pose.messages.floor import floor_plane_from_message  # noqa: PLC0415
    from rehab_pose.messages.joints import joints_from_message  # noqa: PLC0415

    up = CAMERA_UP
    with BagReader(path) as reader:
        names = {name: name.strip("/").split("/")[-1] for name in reader.topics}
        wanted = {topics.JOINTS.name, topics.FLOOR_PLANE.name}
        if topics.JOINTS.name not in names.values():
            return _stacked(_from_images(reader), path)
        frames: list[Joints] = []
        for topic, _, message in reader.messages(*(name for name, last in names.items() if last in wanted)):
            if names[topic] == topics.FLOOR_PLANE.name:
                found = up_of_floor(floor_plane_from_message(message).plane)
                up = up if found is None else found
            else:
                joints = joints_from_message(message)
                frames.extend([] if joints is None else [joints])
    stamps_ns, positions_m, _ = _stacked(((joints, None) for joints in frames), path)
    return stamps_ns, positions_m, up


def _from_images(reader: Any) -> Iterator[tuple[Joints, NDArray[np.float64] | None]]:  # noqa: ANN401  (a BagReader)
    """Yield the joints that the pipeline finds in every IMAGE_STRIDE-th frame, with the vertical."""
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415  (loads all networks)

    pipeline = Pipeline()
    for index, frame in enumerate(reader.frames()):
        if index % IMAGE_STRIDE == 0:
            result = pipeline.process(frame)
            if result.joints is not None:
                yield result.joints, None if result.silhouette is None else result.silhouette.up


def _stacked(
    frames: Iterator[tuple[Joints, NDArray[np.float64] | None]], path: Path
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.float64]]:
    """Return stamps (T) [ns], positions (T, J, 3) [m] and the last vertical (3) of frames.

    Raises:
        RecordingError: There is no person in any frame, or the joints are of another skeleton.
    """
    stamps, positions, up = [], [], CAMERA_UP
    for joints, vertical in frames:
        if len(joints.skeleton) != len(SMPL_24):
            msg = f"{path}: expected joints of {len(SMPL_24)} points, got {len(joints.skeleton)}; process the bag again"
            raise RecordingError(msg)
        stamps.append(joints.stamp_ns)
        positions.append(joints.positions_m[SMPL_INDICES])
        up = up if vertical is None or not np.isfinite(vertical).all() else vertical
    if not stamps:
        msg = f"{path}: expected a person in the recording, found none; check the bag with `rehab-pose overlay`"
        raise RecordingError(msg)
    return np.array(stamps, dtype=np.int64), np.array(positions), up

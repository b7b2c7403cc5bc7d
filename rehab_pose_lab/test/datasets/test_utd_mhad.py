"""UTD-MHAD's files are read in the axes of the camera and damaged ones are refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.utd_mhad import (
    SMPL_INDICES,
    UTD_CAMERA,
    UTD_JOINTS,
    load_utd_mhad,
    utd_subjects,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRAMES, ROW, COLUMN, HEIGHT, WIDTH = 8, 40, 100, 60, 30
BRIGHT_ROW, BRIGHT_COLUMN, BRIGHT_MM = 20, 5, 1800
"""Place in the stored box, and depth, of the pixels in front of the rest."""


def stored_depth() -> NDArray[np.uint16]:
    """Return a plate 2 m away with a nearer block, which moves down by one row a frame [mm]."""
    depth_mm = np.full((FRAMES, HEIGHT, WIDTH), 2000, dtype=np.uint16)
    depth_mm[:, :, 20:] = 0
    for index in range(FRAMES):
        depth_mm[index, BRIGHT_ROW + index : BRIGHT_ROW + index + 4, BRIGHT_COLUMN : BRIGHT_COLUMN + 4] = BRIGHT_MM
    return depth_mm


def stored_joints() -> NDArray[np.float32]:
    """Return joints whose left wrist is at the block of each frame, two frames ahead of it."""
    joints_m = np.zeros((FRAMES, len(UTD_JOINTS), 3), dtype=np.float32)
    joints_m[..., 2] = 2.0
    for number, name in enumerate(UTD_JOINTS):
        joints_m[:, number, :2] = (0.0, 0.5 - 0.02 * number)
        if name == "left_wrist":
            z_m = BRIGHT_MM / 1000.0
            for index in range(FRAMES):
                u, v = COLUMN + BRIGHT_COLUMN + 1.5, ROW + BRIGHT_ROW + index + 2 + 1.5
                joints_m[index, number] = ((u - 160.0) * z_m / 285.63, (120.0 - v) * z_m / 285.63, z_m)
    return joints_m


def write_subject(path: Path, **replaced: NDArray[np.generic]) -> None:
    depth_mm = stored_depth()
    differences = np.concatenate([depth_mm[:1], np.diff(depth_mm, axis=0)])
    arrays: dict[str, NDArray[np.generic]] = {
        "a3_t1_depth": differences,
        "a3_t1_box": np.array([ROW, COLUMN], dtype=np.int16),
        "a3_t1_joints": stored_joints(),
    }
    np.savez_compressed(path, **(arrays | replaced))  # type: ignore[arg-type]


def test_depth_and_joints_are_mirrored_back_and_belong_together(tmp_path: Path) -> None:
    write_subject(tmp_path / "s4.npz")
    (recording,) = load_utd_mhad(tmp_path)
    assert (recording.name, recording.subject, recording.action, recording.trial) == ("s4_a3_t1", "s4", 3, 1)
    assert recording.box_px == (320 - COLUMN - WIDTH, ROW, WIDTH, HEIGHT)
    wrist = UTD_JOINTS.index("left_wrist")
    for frame in list(recording.frames())[2:]:
        x, y, _, _ = frame.box_px
        rows, columns = np.nonzero(np.abs(frame.depth_m - BRIGHT_MM / 1000.0) < 1e-4)
        # The stored block is left of the centre; mirrored back it is right of it.
        assert columns.mean() + x > UTD_CAMERA.cx
        pixel = UTD_CAMERA.project(frame.joints_m[wrist])
        np.testing.assert_allclose(pixel, (columns.mean() + x, rows.mean() + y), atol=1e-3)
    assert np.isnan(recording.frame(1).joints_m).all()
    assert not recording.frame(1).valid.any()


def test_a_silhouette_is_the_smallest_box_with_all_of_the_depth(tmp_path: Path) -> None:
    write_subject(tmp_path / "s4.npz")
    (recording,) = load_utd_mhad(tmp_path)
    frame = recording.frame(3)
    for cleaner in (None, DepthCleaner()):
        silhouette = frame.silhouette(cleaner)
        assert silhouette is not None
        assert silhouette.box_px == (320 - COLUMN - 20, ROW, 20, HEIGHT)
        assert silhouette.area_px == 20 * HEIGHT
        assert silhouette.stamp_ns == 3 * (1_000_000_000 // 30)
    assert np.nanmin(frame.depth_m) == pytest.approx(BRIGHT_MM / 1000.0)


def test_a_frame_without_depth_has_no_silhouette(tmp_path: Path) -> None:
    write_subject(tmp_path / "s4.npz", a3_t1_depth=np.zeros((FRAMES, HEIGHT, WIDTH), np.uint16))
    (recording,) = load_utd_mhad(tmp_path)
    assert recording.frame(0).silhouette() is None


def test_arms_with_bones_of_a_wrong_length_are_marked(tmp_path: Path) -> None:
    joints_m = stored_joints()
    elbow, wrist = UTD_JOINTS.index("right_elbow"), UTD_JOINTS.index("right_wrist")
    shoulder = UTD_JOINTS.index("right_shoulder")
    joints_m[:, elbow] = joints_m[:, shoulder] + np.array([0.30, 0.0, 0.0], np.float32)
    joints_m[:, wrist] = joints_m[:, elbow] + np.array([0.25, 0.0, 0.0], np.float32)
    joints_m[1, wrist] += np.array([0.25 * 0.16, 0.0, 0.0], np.float32)
    joints_m[2, wrist] += np.array([0.25 * 0.14, 0.0, 0.0], np.float32)
    write_subject(tmp_path / "s4.npz", a3_t1_joints=joints_m)
    (recording,) = load_utd_mhad(tmp_path)
    marked = [UTD_JOINTS.index(f"right_{name}") for name in ("elbow", "wrist", "hand")]
    # The skeleton is two frames ahead: joints 1 belong to depth frame 3.
    np.testing.assert_array_equal(recording.valid[3:5, marked], [[False] * 3, [True] * 3])
    assert recording.valid[2:, UTD_JOINTS.index("left_knee")].all()
    assert np.isnan(recording.frame(3).smpl_joints_m()[SMPL_24.index("right_wrist")]).all()


def test_every_joint_has_its_own_place_in_smpl() -> None:
    names = [SMPL_24.joint_names[index] for index in SMPL_INDICES]
    assert len(set(names)) == len(UTD_JOINTS)
    for name, smpl in zip(UTD_JOINTS, names, strict=True):
        assert smpl == {"spine": "spine2", "hip_centre": "pelvis"}.get(name, name)


def test_subjects_are_listed_by_number(tmp_path: Path) -> None:
    for name in ("s10", "s2", "other"):
        write_subject(tmp_path / f"{name}.npz")
    assert utd_subjects(tmp_path) == ("s2", "s10")
    assert [recording.subject for recording in load_utd_mhad(tmp_path, subjects=("s10",))] == ["s10"]


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="found none"):
        next(load_utd_mhad(tmp_path))
    write_subject(tmp_path / "s4.npz")
    with pytest.raises(RecordingError, match=r"s9\.npz.*missing"):
        next(load_utd_mhad(tmp_path, subjects=("s9",)))


@pytest.mark.parametrize(
    ("replaced", "reason"),
    [
        ({"a3_t1_joints": np.zeros((FRAMES, 19, 3), np.float32)}, r"float32 \(T, 20, 3\)"),
        ({"a3_t1_joints": stored_joints()[:-1]}, "as many frames of joints"),
        ({"a3_t1_depth": np.zeros((FRAMES, HEIGHT, WIDTH), np.int32)}, "uint16"),
        ({"a3_t1_box": np.array([230, 100], np.int16)}, "expected a box in 320x240"),
        ({"a3_t1_box": np.array([1.5, 2.0])}, "two integers"),
        ({"walk_depth": np.zeros((2, 2, 2), np.uint16)}, "a<action>_t<trial>"),
        ({"a3_t2_depth": np.zeros((2, 2, 2), np.uint16)}, "a3_t2_joints"),
        ({"a3_t1_box": np.array([{}, {}], dtype=object)}, "array of object"),
        ({"a3_t1_depth": np.zeros((1, 1 << 13, 1 << 12), np.uint16)}, "at most"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, replaced: dict[str, NDArray[np.generic]], reason: str) -> None:
    write_subject(tmp_path / "s4.npz", **replaced)
    with pytest.raises(RecordingError, match=reason):
        list(load_utd_mhad(tmp_path))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s4.npz").write_bytes(b"no archive")
    with pytest.raises(RecordingError, match="damaged"):
        list(load_utd_mhad(tmp_path))

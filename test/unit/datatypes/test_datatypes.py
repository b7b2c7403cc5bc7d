"""Records: shapes, dtypes, read-only arrays."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.arrays import frozen
from rehab_pose.datatypes import BodyParts, JointAngles, RgbdFrame, Silhouette
from rehab_pose.errors import ContractError
from rehab_pose.geometry.camera import CameraIntrinsics

CAMERA = CameraIntrinsics(8, 6, 10.0, 10.0, 4.0, 3.0)


def silhouette(box_px: tuple[int, int, int, int]) -> Silhouette:
    _, _, width, height = box_px
    return Silhouette(
        stamp_ns=1,
        frame_id="camera",
        intrinsics=CAMERA,
        box_px=box_px,
        inside=np.ones((height, width), np.bool_),
        color=np.zeros((height, width, 3), np.uint8),
        depth_m=np.ones((height, width), np.float32),
    )


def test_arrays_in_a_record_are_read_only_views() -> None:
    color, depth = np.zeros((6, 8, 3), np.uint8), np.ones((6, 8), np.float32)
    frame = RgbdFrame(1, "camera", CAMERA, color, depth)
    assert np.shares_memory(frame.depth_m, depth)
    with pytest.raises(ValueError, match="read-only"):
        frame.depth_m[0, 0] = 2.0


def test_images_of_different_sizes_are_refused() -> None:
    with pytest.raises(ContractError, match=r"RgbdFrame.depth_m: expected an array of shape \(6, 8\), got \(6, 7\)"):
        RgbdFrame(1, "camera", CAMERA, np.zeros((6, 8, 3), np.uint8), np.ones((6, 7), np.float32))


def test_the_full_mask_has_the_person_at_the_box() -> None:
    mask = silhouette((2, 1, 3, 4)).full_mask()
    assert mask.sum() == 12
    assert mask[1:5, 2:5].all()


@pytest.mark.parametrize("box_px", [(6, 0, 3, 2), (-1, 0, 2, 2), (0, 0, 0, 0)])
def test_a_box_outside_the_image_is_refused(box_px: tuple[int, int, int, int]) -> None:
    with pytest.raises(ContractError, match="box"):
        silhouette(box_px)


def test_axes_of_the_same_name_must_have_the_same_length() -> None:
    assert frozen("pair", np.zeros((3, 3)), ("N", "N"), np.float64).shape == (3, 3)
    with pytest.raises(ContractError, match="pair"):
        frozen("pair", np.zeros((3, 2)), ("N", "N"), np.float64)


def test_side_differences_are_antisymmetric_and_nan_on_the_midline() -> None:
    names = ("left_knee_flexion", "right_knee_flexion", "trunk_tilt", "left_elbow_flexion")
    unknown = np.full(4, np.nan)
    angles = JointAngles(1, "camera", names, np.array([0.9, 0.2, 0.1, 0.5]), unknown, unknown, unknown)
    np.testing.assert_allclose(angles.side_differences_rad, [0.7, -0.7, np.nan, np.nan])


def test_every_array_of_joint_angles_has_one_entry_for_each_name() -> None:
    three = np.zeros(3)
    with pytest.raises(ContractError, match=r"JointAngles\.confidence"):
        JointAngles(1, "camera", ("a", "b", "c"), three, three, np.zeros(2), three)


def test_part_labels_have_the_size_of_the_box() -> None:
    with pytest.raises(ContractError, match=r"BodyParts\.labels"):
        BodyParts(1, "camera", (0, 0, 4, 3), np.zeros((4, 3), np.uint8), np.zeros((20, 5, 2), np.float32))

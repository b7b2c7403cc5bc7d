"""Records: shapes, dtypes, read-only."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.arrays import frozen
from rehab_pose.datatypes import RgbdFrame, Silhouette
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


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ContractError, match=r"RgbdFrame.depth_m: expected an array of shape \(6, 8\), got \(6, 7\)"):
        RgbdFrame(1, "camera", CAMERA, np.zeros((6, 8, 3), np.uint8), np.ones((6, 7), np.float32))


def test_a_silhouette_knows_its_place_in_the_image() -> None:
    whole = silhouette((2, 1, 3, 4)).full_mask()
    assert whole.sum() == 12
    assert whole[1:5, 2:5].all()


@pytest.mark.parametrize("box_px", [(6, 0, 3, 2), (-1, 0, 2, 2), (0, 0, 0, 0)])
def test_a_box_outside_the_image_is_refused(box_px: tuple[int, int, int, int]) -> None:
    with pytest.raises(ContractError, match="box"):
        silhouette(box_px)


def test_named_axes_must_agree() -> None:
    assert frozen("pair", np.zeros((3, 3)), ("N", "N"), np.float64).shape == (3, 3)
    with pytest.raises(ContractError, match="pair"):
        frozen("pair", np.zeros((3, 2)), ("N", "N"), np.float64)

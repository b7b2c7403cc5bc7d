"""Conversion of sensor_msgs/CameraInfo to calibration and intrinsics, and back (REP-104)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.calibration import IDENTITY, CameraCalibration
from rehab_pose.messages.checks import whole_message

if TYPE_CHECKING:
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "Box",
    "box_from_roi",
    "calibration_from_message",
    "camera_info_message",
    "intrinsics_from_message",
    "roi_message",
]

Box = tuple[int, int, int, int]
"""x, y, width, height [px]."""
EMPTY_BOX: Box = (0, 0, 0, 0)
"""The region of interest of an uncropped image."""


@whole_message("CameraInfo")
def calibration_from_message(message: Message, *, whole_image: bool = False) -> CameraCalibration:
    """Return the contents of a CameraInfo: lens, binning, window and projection (REP-104).

    Args:
        message: A sensor_msgs/CameraInfo.
        whole_image: Ignore the region of interest: the calibration is that of the full image, and the region is a box.

    Raises:
        InputError: The camera is not calibrated (K[0] is 0), or a number is not finite or impossible.
    """
    p = np.asarray(message.p, dtype=np.float64).reshape(3, 4)
    r = np.asarray(message.r, dtype=np.float64)
    return CameraCalibration(
        width_px=int(message.width),
        height_px=int(message.height),
        k=tuple(np.asarray(message.k, dtype=np.float64).tolist()),
        # Some drivers leave P and R at zero: K and the identity are used instead.
        p=tuple(p[:, :3].ravel().tolist()) if p[0, 0] > 0 else (),
        r=tuple(r.tolist()) if r.any() else IDENTITY,
        distortion_model=str(message.distortion_model),
        d=tuple(np.asarray(message.d, dtype=np.float64).tolist()),
        binning=(max(int(message.binning_x), 1), max(int(message.binning_y), 1)),
        roi_px=EMPTY_BOX if whole_image else box_from_roi(message.roi),
    )


def intrinsics_from_message(message: Message, *, whole_image: bool = False) -> CameraIntrinsics:
    """Return the pinhole camera of the rectified images that a CameraInfo describes.

    The projection matrix P is used, or K if a driver leaves P at zero. Binning divides and the region of
    interest shifts the intrinsics, as in image_geometry.

    Args:
        message: A sensor_msgs/CameraInfo.
        whole_image: Ignore the region of interest: the intrinsics are those of the full image, and the region is a box.

    Raises:
        InputError: The camera is not calibrated (K[0] is 0), or its size is 0.
    """
    return calibration_from_message(message, whole_image=whole_image).rectified()


def box_from_roi(roi: Message) -> Box:
    """Return the box of a sensor_msgs/RegionOfInterest."""
    return int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)


def roi_message(factory: MessageFactory, box_px: Box) -> Message:
    """Return sensor_msgs/RegionOfInterest."""
    x, y, width, height = box_px
    return factory.make(
        "sensor_msgs/msg/RegionOfInterest", x_offset=x, y_offset=y, width=width, height=height, do_rectify=False
    )


def camera_info_message(
    factory: MessageFactory, message_header: Message, camera: CameraIntrinsics, box_px: Box = EMPTY_BOX
) -> Message:
    """Return sensor_msgs/CameraInfo of a rectified camera; `box_px` goes into its region of interest."""
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], dtype=np.float64)
    p = np.array([camera.fx, 0, camera.cx, 0, 0, camera.fy, camera.cy, 0, 0, 0, 1, 0], dtype=np.float64)
    return factory.make(
        "sensor_msgs/msg/CameraInfo",
        header=message_header,
        height=camera.height_px,
        width=camera.width_px,
        distortion_model="plumb_bob",
        d=factory.array(np.zeros(5)),
        k=k,
        r=np.eye(3).reshape(-1),
        p=p,
        binning_x=0,
        binning_y=0,
        roi=roi_message(factory, box_px),
    )

"""FrameBuilder: pairs of camera messages become frames; invalid messages are refused or counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages.camera_info import calibration_from_message, camera_info_message, intrinsics_from_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.frame_builder import FrameBuilder
from rehab_pose.messages.images import image_message

CAMERA = CameraIntrinsics(width_px=8, height_px=6, fx=10.0, fy=11.0, cx=3.5, cy=2.5)
MS = 1_000_000


@pytest.fixture
def factory() -> Any:  # noqa: ANN401
    return BagMessageFactory()


def color(factory: Any, stamp_ns: int, encoding: str = "rgb8", size: tuple[int, int] = (6, 8)) -> Any:  # noqa: ANN401
    return image_message(factory, header(factory, stamp_ns, "cam"), encoding, np.full((*size, 3), 9, np.uint8))


def depth(factory: Any, stamp_ns: int, size: tuple[int, int] = (6, 8)) -> Any:  # noqa: ANN401
    return image_message(factory, header(factory, stamp_ns, "cam"), "16UC1", np.full(size, 1500, np.uint16))


def info(factory: Any) -> Any:  # noqa: ANN401
    return camera_info_message(factory, header(factory, 0, "cam"), CAMERA)


def test_a_pair_becomes_a_frame_with_the_colour_images_stamp(factory: Any) -> None:  # noqa: ANN401
    builder = FrameBuilder()
    builder.add_camera_info(info(factory))
    assert builder.add_depth(depth(factory, 5 * MS)) == []
    [raw] = builder.add_color(color(factory, 9 * MS))
    frame = builder.build(raw)
    assert (frame.stamp_ns, frame.frame_id, frame.intrinsics) == (9 * MS, "cam", CAMERA)
    assert np.nanmedian(frame.depth_m) == pytest.approx(1.5)


def test_pairs_before_the_first_camera_info_are_counted(factory: Any) -> None:  # noqa: ANN401
    builder = FrameBuilder()
    builder.add_depth(depth(factory, 0))
    assert builder.add_color(color(factory, 0)) == []
    assert builder.dropped_without_camera_info == 1


def test_different_image_sizes_are_refused_and_named(factory: Any) -> None:  # noqa: ANN401
    builder = FrameBuilder()
    builder.add_camera_info(info(factory))
    builder.add_depth(depth(factory, 0, size=(3, 4)))
    [raw] = builder.add_color(color(factory, 0))
    with pytest.raises(InputError, match="colour 8x6, depth 4x3, camera_info 8x6"):
        builder.build(raw)


def test_an_uncalibrated_camera_is_refused(factory: Any) -> None:  # noqa: ANN401
    message = info(factory)
    message.k = np.zeros(9)
    with pytest.raises(InputError, match=r"K\[0\]"):
        intrinsics_from_message(message)


def test_intrinsics_from_camera_info_with_binning_and_region_of_interest(factory: Any) -> None:  # noqa: ANN401
    message = info(factory)
    assert intrinsics_from_message(message) == CAMERA
    message.binning_x = message.binning_y = 2
    binned = intrinsics_from_message(message)
    assert (binned.width_px, binned.height_px, binned.fx, binned.cy) == (4, 3, 5.0, (2.5 + 0.5) / 2 - 0.5)
    message.binning_x = message.binning_y = 0
    message.roi.x_offset, message.roi.y_offset, message.roi.width, message.roi.height = 2, 1, 4, 3
    assert intrinsics_from_message(message) == CAMERA.cropped((2, 1, 4, 3))
    assert intrinsics_from_message(message, whole_image=True) == CAMERA


def test_p_is_used_and_k_where_p_is_zero(factory: Any) -> None:  # noqa: ANN401
    message = info(factory)
    message.k = message.k * 2.0
    assert intrinsics_from_message(message).fx == CAMERA.fx
    message.p = np.zeros(12)
    assert intrinsics_from_message(message).fx == 2.0 * CAMERA.fx


def distorted_info(factory: Any) -> Any:  # noqa: ANN401
    """Return a camera_info with distortion, as drivers send it with raw images."""
    message = info(factory)
    message.d = np.array([-0.4, 0.1, 0.0, 0.0, 0.0])
    return message


def test_the_calibration_contains_distortion_and_rotation(factory: Any) -> None:  # noqa: ANN401
    message = distorted_info(factory)
    message.r = np.zeros(9)
    calibration = calibration_from_message(message)
    assert calibration.distorted
    assert calibration.d[0] == -0.4
    assert calibration.rotation().tolist() == np.eye(3).tolist(), "R = 0 means no rotation"
    assert calibration == calibration_from_message(message)
    message.distortion_model = "mystery"
    with pytest.raises(InputError, match="expected the distortion model"):
        calibration_from_message(message).coefficients()


@pytest.mark.parametrize(
    ("topic", "rectify", "changes"),
    [
        ("/camera/color/image_raw", "auto", True),
        ("/camera/color/image_rect_color", "auto", False),
        ("/camera/color/image_rect_color", "always", True),
        ("/camera/color/image_raw", "never", False),
    ],
)
def test_raw_images_are_rectified(factory: Any, topic: str, rectify: str, changes: bool) -> None:  # noqa: ANN401
    builder = FrameBuilder(CaptureSettings(rectify=rectify), color_topic=topic, depth_topic=topic)
    builder.add_camera_info(distorted_info(factory))
    picture = image_message(
        factory, header(factory, 0, "cam"), "rgb8", np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    )
    builder.add_color(picture)
    [raw] = builder.add_depth(depth(factory, 0))
    frame = builder.build(raw)
    same = np.array_equal(frame.color.reshape(-1), np.arange(6 * 8 * 3))
    assert same is not changes
    assert frame.intrinsics == CAMERA


def test_an_unknown_distortion_model_is_refused_for_raw_images_only(factory: Any) -> None:  # noqa: ANN401
    message = distorted_info(factory)
    message.distortion_model = "mystery"
    for topic, refused in (("image_raw", True), ("image_rect", False)):
        builder = FrameBuilder(color_topic=topic, depth_topic=topic)
        builder.add_camera_info(message)
        builder.add_color(color(factory, 0))
        [raw] = builder.add_depth(depth(factory, 0))
        if refused:
            with pytest.raises(InputError, match=r"expected the distortion model .*got 'mystery'"):
                builder.build(raw)
        else:
            assert builder.build(raw).intrinsics == CAMERA


def imu(factory: Any, stamp_ns: int, acceleration: tuple[float, float, float]) -> Any:  # noqa: ANN401
    """Return a measurement without an orientation."""

    def vector(x: float, y: float, z: float) -> Any:  # noqa: ANN401
        return factory.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)

    return factory.make(
        "sensor_msgs/msg/Imu",
        header=header(factory, stamp_ns, "camera_imu_optical_frame"),
        orientation=factory.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=0.0),
        orientation_covariance=np.array([-1.0] + 8 * [0.0]),
        angular_velocity=vector(0.0, 0.0, 0.0),
        angular_velocity_covariance=np.zeros(9),
        linear_acceleration=vector(*acceleration),
        linear_acceleration_covariance=np.zeros(9),
    )


def test_frames_carry_the_direction_that_the_imu_measured(factory: Any) -> None:  # noqa: ANN401
    builder = FrameBuilder()
    builder.add_camera_info(info(factory))
    builder.add_depth(depth(factory, 0))
    [before] = builder.add_color(color(factory, 0))
    assert np.isnan(builder.build(before).up).all()
    for index in range(10):
        builder.add_imu(imu(factory, index * MS, (9.81, 0.0, 0.0)))
    np.testing.assert_allclose(builder.build(before).up, [1.0, 0.0, 0.0], atol=1e-9)

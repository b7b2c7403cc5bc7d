"""Conversion of images in every accepted encoding, with padding and either byte order; others are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rehab_pose.errors import InputError
from rehab_pose.messages.images import color_from_message, depth_from_message, depth_millimetres

HEIGHT, WIDTH = 5, 7
CHANNELS = {"rgb8": "rgb", "bgr8": "bgr", "rgba8": "rgba", "bgra8": "bgra"}


def image(encoding: str, pixels: Any, padding: int = 0, *, big_endian: bool = False) -> Any:  # noqa: ANN401
    pixels = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return SimpleNamespace(
        encoding=encoding,
        height=pixels.shape[0],
        width=pixels.shape[1],
        step=padded.shape[1],
        is_bigendian=int(big_endian),
        data=padded.tobytes(),
    )


@pytest.mark.parametrize("padding", [0, 1, 13])
@pytest.mark.parametrize("encoding", list(CHANNELS))
def test_colour_is_converted_to_rgb(encoding: str, padding: int) -> None:
    given = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    order = ["rgba".index(letter) for letter in CHANNELS[encoding]]
    rgb = color_from_message(image(encoding, given[..., order], padding))
    np.testing.assert_array_equal(rgb, given[..., :3])


def test_grey_becomes_three_equal_channels() -> None:
    given = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    rgb = color_from_message(image("mono8", given, 3))
    for channel in range(3):
        np.testing.assert_array_equal(rgb[..., channel], given)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize(("encoding", "dtype"), [("16UC1", np.uint16), ("mono16", np.uint16), ("32FC1", np.float32)])
def test_depth_keeps_its_type_and_values(encoding: str, dtype: Any, padding: int, big_endian: bool) -> None:  # noqa: ANN401
    given = np.random.default_rng(0).integers(0, 9000, (HEIGHT, WIDTH)).astype(dtype)
    depth = depth_from_message(image(encoding, given, padding, big_endian=big_endian))
    assert depth.dtype == dtype
    np.testing.assert_array_equal(depth, given)


@pytest.mark.parametrize(("read", "encoding"), [(color_from_message, "yuv422_yuy2"), (depth_from_message, "rgb8")])
def test_another_encoding_is_refused_and_named(read: Any, encoding: str) -> None:  # noqa: ANN401
    with pytest.raises(InputError, match=f"expected the encoding .* got '{encoding}'"):
        read(image(encoding, np.zeros((HEIGHT, WIDTH, 3), np.uint8)))


@pytest.mark.parametrize(
    "change", [{"step": 3}, {"height": HEIGHT + 1}, {"width": WIDTH + 1}, {"data": b""}, {"height": 0}]
)
def test_sizes_that_do_not_fit_the_data_are_refused(change: dict[str, Any]) -> None:
    message = image("rgb8", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    vars(message).update(change)
    with pytest.raises(InputError, match="expected rgb8 data of"):
        color_from_message(message)


def test_millimetres_are_rounded_and_no_return_is_zero() -> None:
    depth_m = np.array([[1.2344, 1.2346, np.nan, 70.0, np.inf, -1.0]], np.float32)
    np.testing.assert_array_equal(depth_millimetres(depth_m), [[1234, 1235, 0, 0, 0, 0]])


def test_the_conversion_agrees_with_cv_bridge() -> None:
    bridge_module = pytest.importorskip("cv_bridge", reason="cv_bridge is not installed")
    sensor_messages = pytest.importorskip("sensor_msgs.msg")
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    bridge = bridge_module.CvBridge()
    for encoding, letters in CHANNELS.items():
        plain = image(encoding, pixels[..., : len(letters)])
        message = sensor_messages.Image(**{name: value for name, value in vars(plain).items() if name != "data"})
        message.data.frombytes(plain.data)
        np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message, "rgb8"), color_from_message(plain))

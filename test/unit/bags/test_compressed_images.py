"""Decoding of compressed images."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rehab_pose.bags.compressed_images import decompress
from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.errors import InputError
from rehab_pose.messages.factory import header


def compressed(image_format: str, data: Any) -> Any:  # noqa: ANN401
    factory = BagMessageFactory()
    payload = np.frombuffer(bytes(data), np.uint8)
    kind = "sensor_msgs/msg/CompressedImage"
    return factory.make(kind, header=header(factory, 7, "camera"), format=image_format, data=payload)


def test_float_depth_is_the_inverse_of_its_quantisation() -> None:
    a, b = np.float32(1000.0), np.float32(-200.0)
    depth_m = np.random.default_rng(0).uniform(0.5, 4.0, (6, 8)).astype(np.float32)
    codes = np.rint(a / depth_m + b).astype(np.uint16)
    codes[2, 3] = 0
    _, png = cv2.imencode(".png", codes)
    message = decompress(
        compressed("32FC1; compressedDepth png", b"\0" * 4 + a.tobytes() + b.tobytes() + png.tobytes())
    )
    assert (message.encoding, message.height, message.width, message.step) == ("32FC1", 6, 8, 32)
    decoded = message.data.view(np.float32).reshape(6, 8)
    assert np.isnan(decoded[2, 3])
    known = codes > 0
    # Half a step of the code is z^2 / (2 A).
    assert (np.abs(decoded - depth_m)[known] <= 1.01 * depth_m[known] ** 2 / (2.0 * a)).all()


def test_colour_is_decoded_to_bgr() -> None:
    bgr = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    _, png = cv2.imencode(".png", bgr)
    message = decompress(compressed("rgb8; png compressed bgr8", png))
    assert (message.encoding, message.step, message.header.frame_id) == ("bgr8", 21, "camera")
    np.testing.assert_array_equal(message.data.reshape(5, 7, 3), bgr)


@pytest.mark.parametrize(
    ("image_format", "message"),
    [
        ("rgb8; jpeg compressed bgr8", "expected a PNG or JPEG image"),
        ("16UC1; compressedDepth rvl", "expected 16UC1 or 32FC1 as PNG"),
        ("8UC1; compressedDepth png", "expected 16UC1 or 32FC1 as PNG"),
        ("16UC1; compressedDepth png", "expected a PNG or JPEG image"),
    ],
)
def test_damaged_data_and_unknown_formats_are_refused(image_format: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decompress(compressed(image_format, b"no image at all"))

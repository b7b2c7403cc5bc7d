"""Decoding of sensor_msgs/CompressedImage (the transports `compressed` and `compressedDepth` of image_transport)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.bags.image_header import check_image_size
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message

__all__ = ["decompress"]

DEPTH_HEADER_BYTES = 12
"""Length of the header in front of the PNG in compressed_depth_image_transport: an int32 format and two float32
quantisation parameters [bytes]."""


def decompress(message: Message) -> Message:
    """Return the decoded image with the fields of sensor_msgs/Image.

    Raises:
        InputError: The format is unknown or the data are damaged.
    """
    data = np.frombuffer(message.data, np.uint8) if len(message.data) else np.empty(0, np.uint8)
    encoding, _, transport = message.format.partition(";")
    if "compressedDepth" in transport:
        return _image_message(message, encoding.strip(), _decode_depth(encoding.strip(), transport, data))
    check_image_size(data.tobytes())
    if encoding.strip() in {"16UC1", "mono16"}:  # depth by the transport `compressed`: a PNG of the raw values
        values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if values is None or values.dtype != np.uint16 or values.ndim != 2:
            msg = f"compressed image: expected a 16-bit PNG for {message.format!r}, the {len(data)} bytes are not"
            raise InputError(msg)
        return _image_message(message, "16UC1", values)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if pixels is None:
        msg = f"compressed image: expected JPEG or PNG data, the {len(data)} bytes of {message.format!r} are not"
        raise InputError(msg)
    return _image_message(message, "bgr8", pixels)


def _decode_depth(encoding: str, transport: str, data: NDArray[np.uint8]) -> NDArray[Any]:
    if "rvl" in transport or encoding not in {"16UC1", "32FC1"}:
        msg = f"compressed depth: expected 16UC1 or 32FC1 as PNG, got {encoding!r} with {transport.strip()!r}"
        raise InputError(msg)
    check_image_size(data[DEPTH_HEADER_BYTES:].tobytes())
    values = cv2.imdecode(data[DEPTH_HEADER_BYTES:], cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        msg = f"compressed depth: expected a 16-bit PNG, the {len(data)} bytes are not"
        raise InputError(msg)
    if encoding == "16UC1":
        return values
    # 16-bit inverse depth: z = A / (v - B); 0 = no return.
    a, b = np.frombuffer(data[4:DEPTH_HEADER_BYTES].tobytes(), "<f4")
    with np.errstate(divide="ignore"):
        return np.where(values > 0, a / (values.astype(np.float32) - b), np.float32(np.nan)).astype(np.float32)


def _image_message(message: Message, encoding: str, pixels: NDArray[Any]) -> Message:
    contiguous = np.ascontiguousarray(pixels)
    return SimpleNamespace(
        header=message.header,
        height=contiguous.shape[0],
        width=contiguous.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=contiguous.strides[0],
        data=contiguous.reshape(-1).view(np.uint8),
    )

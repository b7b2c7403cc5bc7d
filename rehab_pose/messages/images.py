"""Conversion of sensor_msgs/Image to arrays and back.

Follows REP-118 for depth (16UC1: millimetres, 0 = no return; 32FC1: metres, NaN = no return) and respects `step` and
`is_bigendian`. Colour is always returned as RGB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "COLOR_ENCODINGS",
    "DEPTH_ENCODINGS",
    "color_from_message",
    "depth_from_message",
    "depth_millimetres",
    "image_message",
]

MM_PER_M = 1000.0
"""Millimetres in a metre."""

COLOR_CHANNELS = {"rgb8": (0, 1, 2), "bgr8": (2, 1, 0), "rgba8": (0, 1, 2), "bgra8": (2, 1, 0), "mono8": (0, 0, 0)}
"""Indices of the red, green and blue channel by encoding."""
CHANNEL_COUNT = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}
"""Number of channels by encoding."""
COLOR_ENCODINGS = tuple(COLOR_CHANNELS)
DEPTH_DTYPES: dict[str, DTypeLike] = {"16UC1": np.uint16, "mono16": np.uint16, "32FC1": np.float32}
"""Type of the pixels by encoding."""
DEPTH_ENCODINGS = tuple(DEPTH_DTYPES)


def _pixels(message: Message, what: str, dtype: DTypeLike, channels: int) -> NDArray[Any]:
    """Return the pixels (H, W, channels) of an image; a view of its data if the byte order is the machine's."""
    kind = np.dtype(dtype).newbyteorder(">" if message.is_bigendian else "<")
    height, width, step = int(message.height), int(message.width), int(message.step)
    row_bytes = width * channels * kind.itemsize
    data = np.frombuffer(message.data, dtype=np.uint8) if len(message.data) else np.empty(0, np.uint8)
    if height <= 0 or width <= 0 or step < row_bytes or len(data) < (height - 1) * step + row_bytes:
        msg = (
            f"{what}: expected {message.encoding} data of {height} rows of at least {row_bytes} bytes, got a step of "
            f"{step} and {len(data)} bytes in all; the publisher sets width, height or step wrongly"
        )
        raise InputError(msg)
    strides = (step, channels * kind.itemsize, kind.itemsize)
    pixels = np.ndarray((height, width, channels), dtype=kind, buffer=data, strides=strides)
    return pixels if kind.isnative else pixels.astype(kind.newbyteorder("="))


def color_from_message(message: Message) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) RGB.

    Raises:
        InputError: The encoding is none of COLOR_ENCODINGS, or the data does not fit the size.
    """
    encoding = message.encoding
    if encoding not in COLOR_CHANNELS:
        msg = (
            f"colour image: expected the encoding {', '.join(COLOR_ENCODINGS)}, got {encoding!r}; set the driver's "
            "colour format, or convert with image_proc"
        )
        raise InputError(msg)
    pixels = _pixels(message, "colour image", np.uint8, CHANNEL_COUNT[encoding])
    if encoding == "rgb8":
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[..., COLOR_CHANNELS[encoding]])


def depth_from_message(message: Message) -> NDArray[Any]:
    """Return a depth image (H, W) unconverted: uint16 [mm], 0 = no return, or float32 [m], NaN = no return.

    Raises:
        InputError: The encoding is none of DEPTH_ENCODINGS, or the data does not fit the size.
    """
    encoding = message.encoding
    if encoding not in DEPTH_DTYPES:
        msg = (
            f"depth image: expected the encoding {', '.join(DEPTH_ENCODINGS)}, got {encoding!r}; point "
            "depth_registered at the driver's registered depth topic (REP-118)"
        )
        raise InputError(msg)
    return np.ascontiguousarray(_pixels(message, "depth image", DEPTH_DTYPES[encoding], 1)[..., 0])


def image_message(factory: MessageFactory, image_header: Message, encoding: str, pixels: NDArray[Any]) -> Message:
    """Return sensor_msgs/Image from pixels (H, W) or (H, W, C) of the encoding's own type; empty pixels give 0 x 0."""
    contiguous = np.ascontiguousarray(pixels)
    height, width = contiguous.shape[:2] if contiguous.size else (0, 0)
    data = contiguous.reshape(-1).view(np.uint8)
    return factory.make(
        "sensor_msgs/msg/Image",
        header=image_header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=len(data) // height if height else 0,
        data=factory.array(data),
    )


def depth_millimetres(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return depth [m] as a camera sends it in 16UC1: whole millimetres, 0 = no return (also beyond 65.5 m)."""
    largest = np.iinfo(np.uint16).max / MM_PER_M
    with np.errstate(invalid="ignore"):
        valid = (depth_m >= 0.0) & (depth_m <= largest)
    return np.rint(np.where(valid, depth_m, np.float32(0.0)) * np.float32(MM_PER_M)).astype(np.uint16)

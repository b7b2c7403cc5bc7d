"""Decoding of colour images; rare encodings need cv_bridge, if it is installed and works."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.messages.images import COLOR_ENCODINGS, color_from_message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message

__all__ = ["decode_color"]


@lru_cache(maxsize=1)
def _bridge() -> Any | None:  # noqa: ANN401  (cv_bridge has no type hints)
    """Return a CvBridge, or None where cv_bridge is missing or does not fit the installed OpenCV."""
    try:
        from cv_bridge import CvBridge  # noqa: PLC0415

        return CvBridge()
    except (ImportError, KeyError):  # released versions raise KeyError with OpenCV 5, whose type numbers moved
        return None


def decode_color(message: Message) -> NDArray[np.uint8]:
    """Return a colour sensor_msgs/Image as (H, W, 3) RGB.

    The common encodings are read here, with the same result as cv_bridge; Bayer, YUV and 16-bit colour need cv_bridge.

    Raises:
        InputError: The encoding is unknown, or the data does not fit the size.
    """
    bridge = None if message.encoding in COLOR_ENCODINGS else _bridge()
    if bridge is None:
        return color_from_message(message)
    from cv_bridge import CvBridgeError  # noqa: PLC0415

    try:
        return np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), dtype=np.uint8)
    except CvBridgeError as error:
        msg = f"colour image: cv_bridge cannot turn {message.encoding!r} into rgb8: {error}"
        raise InputError(msg) from error

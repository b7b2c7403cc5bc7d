"""Size of a PNG or JPEG image from its header, so that it is known before a decoder allocates what the file claims."""

from __future__ import annotations

import struct

from rehab_pose.errors import InputError

__all__ = ["check_image_size"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
MAX_PIXELS = 1 << 26
"""Largest number of pixels; a decoded colour image then has 200 MB."""
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG segments with the size of the image (start of frame)."""


def check_image_size(data: bytes) -> tuple[int, int]:
    """Return width and height of an encoded image [px].

    Args:
        data: Content of a PNG or JPEG file; its first part with the header is enough.

    Raises:
        InputError: It is neither PNG nor JPEG, its header is damaged, or the image has more than MAX_PIXELS.
    """
    size = _png_size(data) if data.startswith(PNG_SIGNATURE) else _jpeg_size(data)
    if size is None or 0 in size:
        msg = f"expected a PNG or JPEG image, the {len(data)} bytes are not; the image is damaged"
        raise InputError(msg)
    if size[0] * size[1] > MAX_PIXELS:
        msg = f"expected an image of at most {MAX_PIXELS} pixels, its header claims {size[0]}x{size[1]}"
        raise InputError(msg)
    return size


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(JPEG_SIGNATURE):
        return None
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # fill bytes in front of a marker
            place += 1
            continue
        if marker in _SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 2 + max(2, struct.unpack_from(">H", data, place + 2)[0])
    return None

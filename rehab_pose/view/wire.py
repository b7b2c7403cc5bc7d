"""The binary messages from the server to a page.

A message is the length of its header (uint32, little endian), the header as JSON, and the payloads. Each payload begins
at a multiple of four bytes, so that the page can read arrays in place.

    {"number": 7, "parts": {"joints": {...}, "image": {..., "payload": [start, length]}}}

`start` counts from the end of the header.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehab_pose.view.hub import Part

__all__ = ["ALIGNMENT", "decode_message", "encode_message"]

ALIGNMENT = 4
"""Payloads begin at multiples of this [bytes]."""
_LENGTH = struct.Struct("<I")


def encode_message(number: int, parts: Mapping[str, Part]) -> bytes:
    """Return a message of parts.

    Args:
        number: Number of the message, which the page acknowledges.
        parts: Parts by name; their contents are what JSON can hold, without NaN.

    Raises:
        ValueError: A content has a NaN.
    """
    contents: dict[str, object] = {}
    payloads: list[bytes] = []
    start = 0
    for name, part in parts.items():
        content = dict(part.content)
        if part.payload is not None:
            data = part.payload.get()
            content["payload"] = [start, len(data)]
            data += bytes(-len(data) % ALIGNMENT)
            payloads.append(data)
            start += len(data)
        contents[name] = content
    header = json.dumps({"number": number, "parts": contents}, separators=(",", ":"), allow_nan=False).encode()
    header += b" " * (-(len(header) + _LENGTH.size) % ALIGNMENT)
    return b"".join((_LENGTH.pack(len(header)), header, *payloads))


def decode_message(data: bytes) -> tuple[int, dict[str, dict[str, Any]], dict[str, bytes]]:
    """Return number, contents and payloads of a message; for tests and for clients in Python.

    Raises:
        ValueError: The message is cut off, or its header is no JSON.
    """
    (length,) = _LENGTH.unpack_from(data)
    first = _LENGTH.size + length
    header = json.loads(data[_LENGTH.size : first])
    payloads = {}
    for name, content in header["parts"].items():
        if "payload" in content:
            start, size = content["payload"]
            payloads[name] = data[first + start : first + start + size]
            if len(payloads[name]) != size:
                msg = f"view message: expected {size} bytes of {name}, got {len(payloads[name])}; it is cut off"
                raise ValueError(msg)
    return int(header["number"]), header["parts"], payloads

"""The weights in an ONNX file, to find NaN and references to other files before a network is used.

ONNX is a Protocol Buffers message. Only the fields on the way to the weights are read here: ModelProto.graph (7),
GraphProto.initializer (5), and of TensorProto the type (2), float_data (4), raw_data (9), double_data (10) and
data_location (14), as numbered in onnx.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_weights"]

GRAPH, INITIALIZER = 7, 5
DATA_TYPE, FLOAT_DATA, RAW_DATA, DOUBLE_DATA, DATA_LOCATION = 2, 4, 9, 10, 14
NUMBER_TYPES = {1: "<f4", 10: "<f2", 11: "<f8"}
"""Types of floating-point numbers by TensorProto.DataType."""
EXTERNAL = 1
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of Protocol Buffers."""


def check_weights(content: bytes) -> None:
    """Check that all weights in an ONNX file are finite numbers inside it.

    Raises:
        ValueError: A weight is NaN or infinite, is in another file, or the content is cut off.
    """
    view = memoryview(content)
    for graph in _parts(view, GRAPH):
        for tensor in _parts(graph, INITIALIZER):
            _check_tensor(tensor)


def _check_tensor(tensor: memoryview) -> None:
    kind, arrays = 0, []
    for number, wire, value in _fields(tensor):
        if number == DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == DATA_LOCATION and value == EXTERNAL:
            msg = "the weights are in another file; save the network in one file"
            raise ValueError(msg)
        elif number in {FLOAT_DATA, RAW_DATA, DOUBLE_DATA} and wire == LENGTH and not isinstance(value, int):
            arrays.append((number, value))
    for number, data in arrays:
        dtype = {FLOAT_DATA: "<f4", DOUBLE_DATA: "<f8"}.get(number) or NUMBER_TYPES.get(kind)
        if dtype is None:
            continue
        whole = len(data) - len(data) % np.dtype(dtype).itemsize
        if not np.isfinite(np.frombuffer(data[:whole], dtype)).all():
            msg = "a weight is NaN or infinite; train the network again, or get the file again"
            raise ValueError(msg)


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, _, value in _fields(message):
        if number == wanted and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yield number, wire type and value of each field of a message."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        value: int | memoryview
        if wire == VARINT:
            value, place = _varint(message, place)
        elif wire in {FIXED64, FIXED32}:
            size = 8 if wire == FIXED64 else 4
            value, place = message[place : place + size], place + size
        elif wire == LENGTH:
            size, place = _varint(message, place)
            value, place = message[place : place + size], place + size
        else:
            msg = f"a field of the unknown type {wire}; the file is damaged"
            raise ValueError(msg)
        if place > len(message):
            msg = "the file is cut off"
            raise ValueError(msg)
        yield number, wire, value


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number of variable length and the place after it."""
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    msg = "the file is cut off"
    raise ValueError(msg)

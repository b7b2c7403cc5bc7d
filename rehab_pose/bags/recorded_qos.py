"""The QoS that a bag carries with each topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.metadata import parse_qos

if TYPE_CHECKING:
    from rosbags.interfaces import Qos

__all__ = ["profiles_of"]

DAMAGED = (
    ReaderError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    RecursionError,
)
"""Errors of the parsers on damaged text."""
MAX_LENGTH = 65536
"""Largest length of the text that is parsed; a profile has 400 characters, a topic a few publishers [characters]."""


def profiles_of(text: str) -> tuple[Qos, ...]:
    """Return the profiles in a text of YAML; nothing where it is damaged."""
    if len(text) > MAX_LENGTH:
        return ()
    try:
        parsed: Any = parse_qos(text)
        return tuple(parsed)
    except DAMAGED:
        return ()

"""The interface between the fuzzer and a reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

__all__ = ["Pace", "Prepared", "Target"]


@dataclass(frozen=True)
class Prepared:
    """A target that is ready to run."""

    inputs: SearchStrategy[Any]
    read: Callable[[Any], str]
    """Reads one input; returns a sentence if it accepted one that is not plausible, else ''."""


class Pace(Enum):
    """Time of one input; the value is the relative number of inputs that a target has beyond the minimum."""

    SLOW = 0
    """25 ms and more: bags, large archives."""
    USUAL = 2
    """About 10 ms: a file is written and read."""
    FAST = 5
    """About 4 ms: nothing is written."""


@dataclass(frozen=True)
class Target:
    """A reader of files or a converter of messages."""

    name: str
    prepare: Callable[[Path], Prepared]
    """Prepares the target in a folder of its own."""
    pace: Pace = Pace.USUAL
    """Time that an input takes."""

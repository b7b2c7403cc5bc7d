"""The interface between the fuzzer and a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

__all__ = ["Prepared", "Target"]


@dataclass(frozen=True)
class Prepared:
    """A target that is ready to run."""

    inputs: SearchStrategy[Any]
    read: Callable[[Any], str]
    """Reads one input; returns a sentence if it accepted one that is not plausible, else ''."""


@dataclass(frozen=True)
class Target:
    """A reader of files or a converter of messages."""

    name: str
    prepare: Callable[[Path], Prepared]
    """Prepares the target in a folder of its own."""
    slow: bool = False
    """True if an input takes much longer than those of others."""

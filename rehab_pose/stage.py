"""The protocol that every stage of the pipeline follows."""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["CompiledStage", "Stage"]

Input = TypeVar("Input", contravariant=True)  # noqa: PLC0105  (named for what it is)
Output = TypeVar("Output", covariant=True)  # noqa: PLC0105


class Stage(Protocol[Input, Output]):
    """Turns the record of one frame into the next record, frame after frame, for one person."""

    def process(self, item: Input | None) -> Output | None:
        """Return the result of one frame; None where there is no input, or where it shows no person.

        None as input means that no person is in view. The stage then forgets what must not be carried over to the next
        person, and keeps what may be (for example a person's shape, for some seconds).
        """

    def reset(self) -> None:
        """Forget all earlier frames: time jumped back, or another recording begins."""


class CompiledStage(Protocol):
    """A stage with kernels that are compiled or loaded from a cache when they first run."""

    def warm_up(self) -> None:
        """Load the kernels, so that the first live frame does not wait for them."""

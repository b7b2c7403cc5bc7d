"""Protocols of the stages of the pipeline."""

from __future__ import annotations

from typing import Protocol, TypeVar

from rehab_pose.units import NS_PER_S

__all__ = ["JUMP_BACK_NS", "CompiledStage", "Stage"]

JUMP_BACK_NS = 1 * NS_PER_S
"""A stamp older than the newest by more than this means that time jumped back, as when a recording restarts; one that
is older by less is late [ns]."""

Input = TypeVar("Input", contravariant=True)  # noqa: PLC0105  (named by its role)
Output = TypeVar("Output", covariant=True)  # noqa: PLC0105


class Stage(Protocol[Input, Output]):
    """Computes a result record from an input record for each frame of one person."""

    def process(self, item: Input | None) -> Output | None:
        """Return the result of one frame; None if there is no input or no person in it.

        None as input means that no person is in view. The stage then discards its state, except what stays valid if the
        same person returns (for example the shape of the body, for some seconds).
        """

    def reset(self) -> None:
        """Discard all state from earlier frames (time jumped back, or another recording begins)."""


class CompiledStage(Protocol):
    """A stage with kernels that are compiled or loaded from a cache when they first run."""

    def warm_up(self) -> None:
        """Load the kernels, so that the first live frame does not wait for them."""

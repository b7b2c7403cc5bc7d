"""A stage whose construction is repeated later when its model file cannot be used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.stage import CompiledStage

__all__ = ["LazyStage", "Resettable", "warmed_up"]

RETRY_S = 5.0
"""Time between two attempts to build a stage whose model file is missing or damaged [s]."""


class Resettable(Protocol):
    """A stage, or several stages in one object, that can forget earlier frames."""

    def reset(self) -> None:
        """Forget earlier frames."""


T = TypeVar("T", bound=Resettable)
C = TypeVar("C", bound="CompiledStage")


def warmed_up(stage: C) -> C:
    """Load the compiled kernels of a stage, and return the stage."""
    stage.warm_up()
    return stage


class LazyStage(Generic[T]):
    """Holds a stage, or the reason why it could not be built: its model file is missing or damaged."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._stage: T | None = None
        self._error: ModelFileError | None = None
        self._tried_s = -RETRY_S

    @property
    def built(self) -> T | None:
        """The stage, None while it could not be built."""
        return self._stage

    def get(self) -> T:
        """Return the stage; build it if the last attempt failed and was more than RETRY_S ago.

        Raises:
            ModelFileError: Its model file cannot be used.
        """
        if self._stage is None:
            now_s = time.monotonic()
            if self._error is not None and now_s - self._tried_s < RETRY_S:
                raise self._error
            self._tried_s = now_s
            try:
                self._stage = self._build()
            except ModelFileError as error:
                self._error = error
                raise
        return self._stage

    def change(self, build: Callable[[], T], adapt: Callable[[T], None]) -> None:
        """Change the settings.

        Args:
            build: Builds a stage with the new settings; used if no stage could be built yet.
            adapt: Applies the new settings to the existing stage, which keeps its state. If it raises ModelFileError, a
                new stage is built at the next use.
        """
        self._build, self._error = build, None
        if self._stage is not None:
            try:
                adapt(self._stage)
            except ModelFileError:
                self._stage = None

    def reset(self) -> None:
        """Make the stage forget earlier frames, if it was built."""
        if self._stage is not None:
            self._stage.reset()

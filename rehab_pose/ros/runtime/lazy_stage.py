"""A stage object that may not be there yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Actor", "Stage", "warmed"]

RETRY_S = 5.0
"""A stage whose model file was missing or damaged is tried again after this time [s]."""


class Actor(Protocol):
    """What all stages share."""

    def reset(self) -> None:
        """Forget earlier frames."""


class Compiled(Protocol):
    """A stage with compiled kernels."""

    def warm_up(self) -> None:
        """Load them, so that the first frame does not wait for them."""


A = TypeVar("A", bound=Actor)
C = TypeVar("C", bound=Compiled)


def warmed(stage: C) -> C:
    """Return a stage whose kernels are loaded."""
    stage.warm_up()
    return stage


class Stage(Generic[A]):
    """A stage object that may not be there yet, because its model file is missing or damaged."""

    def __init__(self, build: Callable[[], A]) -> None:
        self._build = build
        self._actor: A | None = None
        self._error: ModelFileError | None = None
        self._tried_s = -RETRY_S

    def get(self) -> A:
        """Return the stage, building it when it is not there and the last try was some seconds ago.

        Raises:
            ModelFileError: Its model file cannot be used.
        """
        if self._actor is None:
            now_s = time.monotonic()
            if self._error is not None and now_s - self._tried_s < RETRY_S:
                raise self._error
            self._tried_s = now_s
            try:
                self._actor = self._build()
            except ModelFileError as error:
                self._error = error
                raise
        return self._actor

    def change(self, build: Callable[[], A], adapt: Callable[[A], None]) -> None:
        """Take other settings.

        Args:
            build: Makes a stage with the new settings, where there is none yet.
            adapt: Brings the new settings to the one that is there, which goes on with what it knows; where its model
                file cannot be used, another is built at the next use.
        """
        self._build, self._error = build, None
        if self._actor is not None:
            try:
                adapt(self._actor)
            except ModelFileError:
                self._actor = None

    def reset(self) -> None:
        """Make the stage forget earlier frames, if it is there."""
        if self._actor is not None:
            self._actor.reset()

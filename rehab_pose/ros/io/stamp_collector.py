"""Messages of several topics with the same stamp, collected until they are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from rehab_pose.stage import JUMP_BACK_NS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["StampCollector"]

Item = TypeVar("Item")

RECENT_S = 1.0
"""A kind of message that did not come for so long is not waited for [s]."""
CAPACITY = 8
"""Stamps that wait; the oldest is given up first."""


class StampCollector(Generic[Item]):
    """Collects the messages of a frame.

    Attributes:
        incomplete: Number of stamps that were given up before they were complete.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """Wait for nothing yet; `clock_s` returns the current time [s]."""
        self._clock_s = clock_s
        self._last_s: dict[str, float] = {}
        self._waiting: dict[int, dict[str, Item]] = {}
        self._newest_ns: int | None = None
        self.incomplete = 0

    def clear(self) -> None:
        """Give up everything that waits, without counting it."""
        self._waiting.clear()
        self._newest_ns = None

    def add(self, kind: str, stamp_ns: int, item: Item) -> dict[str, Item] | None:
        """Add a message; return those of its stamp by kind once every kind that arrived lately is there.

        Older stamps that wait are given up then; what comes later for a frame that was returned is left out.
        """
        now_s = self._clock_s()
        self._last_s[kind] = now_s
        if self._newest_ns is not None and stamp_ns <= self._newest_ns:
            if stamp_ns > self._newest_ns - JUMP_BACK_NS:
                return None
            self.clear()  # time went back: a recording began again
        found = self._waiting.setdefault(stamp_ns, {})
        found[kind] = item
        wanted = {name for name, last_s in self._last_s.items() if now_s - last_s < RECENT_S}
        if wanted <= found.keys():
            older = [stamp for stamp in self._waiting if stamp <= stamp_ns]
            for stamp in older:
                del self._waiting[stamp]
            self.incomplete += len(older) - 1
            self._newest_ns = stamp_ns
            return found
        while len(self._waiting) > CAPACITY:
            del self._waiting[min(self._waiting)]
            self.incomplete += 1
        return None

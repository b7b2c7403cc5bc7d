"""Pairing of two streams by nearest stamps.

The algorithm is that of message_filters' ApproximateTimeSynchronizer (ROS 2, Python) for two topics: the stamps of a
pair differ by at most `slop`, and each item is in at most one pair. In addition, a jump back in time (for example in a
looped recording) discards the waiting items, and every item without a partner is counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from typing import Generic, TypeVar

from rehab_pose.stage import JUMP_BACK_NS
from rehab_pose.units import NS_PER_S

__all__ = ["Pairer", "StampPairer"]

MAX_STAMPS = 1000
"""Largest number of stamps of discarded items that are kept."""

First = TypeVar("First")
Second = TypeVar("Second")


class Pairer(ABC, Generic[First, Second]):
    """Pairs the items of two streams by stamp, and counts the items without a partner and the jumps back in time.

    Attributes:
        dropped_first: Number of items of the first stream that were discarded without a partner.
        dropped_second: Number of items of the second stream that were discarded without a partner.
        dropped_stamps: Stamps of the newest of these items [ns]; a reader removes what it has read.
        jumps_back: Number of jumps back in time.
    """

    def __init__(self) -> None:
        self.dropped_first = 0
        self.dropped_second = 0
        self.dropped_stamps: deque[int] = deque(maxlen=MAX_STAMPS)
        self.jumps_back = 0
        self._newest_ns: int | None = None

    def take_dropped(self) -> list[int]:
        """Return the stamps of the items discarded since the last call [ns]; of a pair with both missing, one."""
        taken: dict[int, None] = {}
        while self.dropped_stamps:  # another thread may add some meanwhile
            taken[self.dropped_stamps.popleft()] = None
        return list(taken)

    @abstractmethod
    def clear(self) -> None:
        """Discard the waiting items and count them as dropped."""

    def _check_for_jump(self, stamp_ns: int) -> None:
        if self._newest_ns is not None and stamp_ns < self._newest_ns - JUMP_BACK_NS:
            self.jumps_back += 1
            self.clear()
        self._newest_ns = stamp_ns if self._newest_ns is None else max(self._newest_ns, stamp_ns)

    @abstractmethod
    def add_first(self, stamp_ns: int, item: First) -> list[tuple[First, Second]]:
        """Add an item of the first stream; return the pair that it completes, or an empty list."""

    @abstractmethod
    def add_second(self, stamp_ns: int, item: Second) -> list[tuple[First, Second]]:
        """Add an item of the second stream; return the pair that it completes, or an empty list."""


class StampPairer(Pairer[First, Second]):
    """Pairs each item of one stream with the item of another stream that is nearest in time."""

    def __init__(self, slop_s: float = 0.016, depth: int = 8) -> None:
        """Make empty queues.

        Args:
            slop_s: Largest difference of the stamps of a pair [s].
            depth: Number of items of each stream that wait for a partner; the oldest is discarded first.
        """
        super().__init__()
        self._slop_ns = round(slop_s * NS_PER_S)
        self._depth = depth
        self._first: OrderedDict[int, First] = OrderedDict()
        self._second: OrderedDict[int, Second] = OrderedDict()

    def add_first(self, stamp_ns: int, item: First) -> list[tuple[First, Second]]:
        """Add an item of the first stream; return the pair that it completes, or an empty list."""
        self._check_for_jump(stamp_ns)
        partner_ns = self._nearest(self._second, stamp_ns)
        if partner_ns is None:
            self.dropped_first += self._store(self._first, stamp_ns, item)
            return []
        pair = (item, self._second.pop(partner_ns))
        self._discard_older(first_ns=stamp_ns, second_ns=partner_ns)
        return [pair]

    def add_second(self, stamp_ns: int, item: Second) -> list[tuple[First, Second]]:
        """Add an item of the second stream; return the pair that it completes, or an empty list."""
        self._check_for_jump(stamp_ns)
        partner_ns = self._nearest(self._first, stamp_ns)
        if partner_ns is None:
            self.dropped_second += self._store(self._second, stamp_ns, item)
            return []
        pair = (self._first.pop(partner_ns), item)
        self._discard_older(first_ns=partner_ns, second_ns=stamp_ns)
        return [pair]

    def clear(self) -> None:
        """Discard the waiting items and count them as dropped."""
        self.dropped_first += len(self._first)
        self.dropped_second += len(self._second)
        self.dropped_stamps.extend((*self._first, *self._second))
        self._first.clear()
        self._second.clear()
        self._newest_ns = None

    def _nearest(self, queue: OrderedDict[int, First] | OrderedDict[int, Second], stamp_ns: int) -> int | None:
        candidates = [other for other in queue if abs(other - stamp_ns) <= self._slop_ns]
        return min(candidates, key=lambda other: abs(other - stamp_ns), default=None)

    def _store(
        self, queue: OrderedDict[int, First] | OrderedDict[int, Second], stamp_ns: int, item: First | Second
    ) -> int:
        """Append an item to its queue; return the number of items that it replaced or displaced."""
        dropped = 1 if stamp_ns in queue else 0  # another item has its stamp: no frame is lost
        queue[stamp_ns] = item  # type: ignore[assignment]
        while len(queue) > self._depth:
            self.dropped_stamps.append(queue.popitem(last=False)[0])
            dropped += 1
        return dropped

    def _discard_older(self, *, first_ns: int, second_ns: int) -> None:
        """Discard the items older than a pair: pairs are in the order of their stamps, so these have no partner."""
        for stamp_ns in [other for other in self._first if other < first_ns]:
            del self._first[stamp_ns]
            self.dropped_first += 1
            self.dropped_stamps.append(stamp_ns)
        for stamp_ns in [other for other in self._second if other < second_ns]:
            del self._second[stamp_ns]
            self.dropped_second += 1
            self.dropped_stamps.append(stamp_ns)

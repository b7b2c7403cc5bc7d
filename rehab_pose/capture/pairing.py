"""Pairing of two streams by nearest stamps.

The algorithm is that of message_filters' ApproximateTimeSynchronizer (ROS 2, Python) for two topics: the stamps of a
pair differ by at most `slop`, and each item is in at most one pair. In addition, every item without a partner is
counted, and time may jump back, as in a looped recording. The streams do not reach the receiver at the same moment, so
the jump is one of each stream: what waits when the first stream jumps is kept until the other one has jumped too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rehab_pose.stage import JUMP_BACK_NS
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Pairer", "StampPairer"]

MAX_STAMPS = 1000
"""Largest number of stamps of discarded items that are kept."""
FIRST, SECOND = 0, 1
"""Places of the two streams."""

First = TypeVar("First")
Second = TypeVar("Second")


class Pairer(ABC, Generic[First, Second]):
    """Pairs the items of two streams by stamp, and counts the items without a partner.

    Attributes:
        dropped_first: Number of items of the first stream that were discarded without a partner.
        dropped_second: Number of items of the second stream that were discarded without a partner.
        dropped_stamps: Stamps of the newest of these items [ns]; a reader removes what it has read.
    """

    def __init__(self, slop_s: float) -> None:
        """Make empty queues.

        Args:
            slop_s: Largest difference of the stamps of a pair [s].
        """
        self.dropped_first = 0
        self.dropped_second = 0
        self.dropped_stamps: deque[int] = deque(maxlen=MAX_STAMPS)
        self._slop_ns = round(slop_s * NS_PER_S)
        self._waiting: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        self._before_jump: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        self._newest_ns: list[int | None] = [None, None]

    def add_first(self, stamp_ns: int, item: First) -> list[tuple[First, Second]]:
        """Add an item of the first stream; return the pair that it completes, or an empty list."""
        return self._add(FIRST, stamp_ns, item)

    def add_second(self, stamp_ns: int, item: Second) -> list[tuple[First, Second]]:
        """Add an item of the second stream; return the pair that it completes, or an empty list."""
        return self._add(SECOND, stamp_ns, item)

    def clear(self) -> None:
        """Discard the waiting items and count them as dropped."""
        self._drop_before_jump()
        for place in (FIRST, SECOND):
            self._count_dropped(place, self._take_waiting(place))
        self._newest_ns = [None, None]

    def take_dropped(self) -> list[int]:
        """Return the stamps of the items discarded since the last call [ns]; of a pair with both missing, one."""
        taken: dict[int, None] = {}
        while self.dropped_stamps:  # another thread may add some meanwhile
            taken[self.dropped_stamps.popleft()] = None
        return list(taken)

    @abstractmethod
    def _pair(self, place: int, stamp_ns: int, item: Any) -> list[tuple[First, Second]]:  # noqa: ANN401  (First or Second)
        """Pair an item of the stream at a place with a waiting one, or make it wait; return the pair, if any."""

    def _take_waiting(self, place: int) -> dict[int, Any]:
        """Empty the queue of a stream and return its items by stamp."""
        taken = dict(self._waiting[place])
        self._waiting[place].clear()
        return taken

    def _add(self, place: int, stamp_ns: int, item: Any) -> list[tuple[First, Second]]:  # noqa: ANN401  (First or Second)
        newest_ns = self._newest_ns[place]
        if newest_ns is not None and stamp_ns < newest_ns - JUMP_BACK_NS:
            self._drop_before_jump()
            self._before_jump[place].update(self._take_waiting(place))
            newest_ns = None
        self._newest_ns[place] = stamp_ns if newest_ns is None else max(newest_ns, stamp_ns)
        earlier = self._before_jump[1 - place]
        partner_ns = self._nearest(earlier, stamp_ns)
        if partner_ns is not None:
            partner = earlier.pop(partner_ns)
            self._drop_older(1 - place, earlier, partner_ns)
            return [_in_order(place, item, partner)]
        pairs = self._pair(place, stamp_ns, item)
        if pairs:  # both streams have jumped
            self._drop_before_jump()
        return pairs

    def _nearest(self, items: Iterable[int], stamp_ns: int) -> int | None:
        near = [other for other in items if abs(other - stamp_ns) <= self._slop_ns]
        return min(near, key=lambda other: abs(other - stamp_ns), default=None)

    def _drop_older(self, place: int, items: dict[int, Any], paired_ns: int) -> None:
        """Discard the items older than a pair: pairs are in the order of their stamps, so these have no partner."""
        older = [stamp_ns for stamp_ns in items if stamp_ns < paired_ns]
        for stamp_ns in older:
            del items[stamp_ns]
        self._count_dropped(place, older)

    def _drop_before_jump(self) -> None:
        for place, items in enumerate(self._before_jump):
            self._count_dropped(place, items)
            items.clear()

    def _count_dropped(self, place: int, stamps_ns: Iterable[int]) -> None:
        for stamp_ns in stamps_ns:
            self.dropped_stamps.append(stamp_ns)
            self._count(place)

    def _count(self, place: int) -> None:
        if place == FIRST:
            self.dropped_first += 1
        else:
            self.dropped_second += 1


class StampPairer(Pairer[First, Second]):
    """Pairs each item of one stream with the item of another stream that is nearest in time."""

    def __init__(self, slop_s: float = 0.016, depth: int = 8) -> None:
        """Make empty queues.

        Args:
            slop_s: Largest difference of the stamps of a pair [s].
            depth: Number of items of each stream that wait for a partner; the oldest is discarded first.
        """
        super().__init__(slop_s)
        self._depth = depth

    def _pair(self, place: int, stamp_ns: int, item: Any) -> list[tuple[First, Second]]:  # noqa: ANN401  (First or Second)
        others = self._waiting[1 - place]
        partner_ns = self._nearest(others, stamp_ns)
        if partner_ns is None:
            self._store(place, stamp_ns, item)
            return []
        partner = others.pop(partner_ns)
        self._drop_older(place, self._waiting[place], stamp_ns)
        self._drop_older(1 - place, others, partner_ns)
        return [_in_order(place, item, partner)]

    def _store(self, place: int, stamp_ns: int, item: Any) -> None:  # noqa: ANN401  (First or Second)
        queue = self._waiting[place]
        if stamp_ns in queue:
            self._count(place)  # another item has its stamp: no frame is lost
        queue[stamp_ns] = item
        while len(queue) > self._depth:
            oldest_ns = next(iter(queue))
            del queue[oldest_ns]
            self._count_dropped(place, [oldest_ns])


def _in_order(place: int, item: Any, partner: Any) -> tuple[Any, Any]:  # noqa: ANN401  (First and Second)
    """Return a pair with the item of the first stream first; `place` is that of the stream of `item`."""
    return (item, partner) if place == FIRST else (partner, item)

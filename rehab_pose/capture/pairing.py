"""Pair colour and depth images by their stamps.

The rule of message_filters' ApproximateTimeSynchronizer for two topics (each pair at most `slop` apart, each image
used once), with two guards that the Python version lacks: a jump back in time (a looped recording) clears what was
waiting, and every image that never found a partner is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from rehab_pose.units import NS_PER_S

__all__ = ["StampPairer"]

JUMP_BACK_NS = 1 * NS_PER_S
"""A stamp this much older than the newest seen means that time was set back, not that a message came late [ns]."""

C = TypeVar("C")
D = TypeVar("D")


class StampPairer(Generic[C, D]):
    """Matches each colour image with the depth image nearest in time.

    Attributes:
        dropped_first: Colour images that left the queue without a partner.
        dropped_second: Depth images that left the queue without a partner.
        jumps_back: How often time was set back.
    """

    def __init__(self, slop_s: float = 0.016, depth: int = 8) -> None:
        self._slop_ns = round(slop_s * NS_PER_S)
        self._depth = depth
        self._color: OrderedDict[int, C] = OrderedDict()
        self._depth_images: OrderedDict[int, D] = OrderedDict()
        self._newest_ns: int | None = None
        self.dropped_first = 0
        self.dropped_second = 0
        self.jumps_back = 0

    def add_first(self, stamp_ns: int, item: C) -> list[tuple[C, D]]:
        """Take a colour image; return the pairs it completes (none or one)."""
        self._watch_time(stamp_ns)
        partner = self._nearest(self._depth_images, stamp_ns)
        if partner is None:
            self.dropped_first += self._store(self._color, stamp_ns, item)
            return []
        depth_item = self._depth_images.pop(partner)
        self.dropped_second += self._discard_until(self._depth_images, partner)
        self.dropped_first += self._discard_until(self._color, stamp_ns)
        return [(item, depth_item)]

    def add_second(self, stamp_ns: int, item: D) -> list[tuple[C, D]]:
        """Take a depth image; return the pairs it completes (none or one)."""
        self._watch_time(stamp_ns)
        partner = self._nearest(self._color, stamp_ns)
        if partner is None:
            self.dropped_second += self._store(self._depth_images, stamp_ns, item)
            return []
        color_item = self._color.pop(partner)
        self.dropped_first += self._discard_until(self._color, partner)
        self.dropped_second += self._discard_until(self._depth_images, stamp_ns)
        return [(color_item, item)]

    def clear(self) -> None:
        """Forget what is waiting, counting it as dropped."""
        self.dropped_first += len(self._color)
        self.dropped_second += len(self._depth_images)
        self._color.clear()
        self._depth_images.clear()
        self._newest_ns = None

    @property
    def waiting(self) -> int:
        """Images that still wait for a partner."""
        return len(self._color) + len(self._depth_images)

    def _watch_time(self, stamp_ns: int) -> None:
        if self._newest_ns is not None and stamp_ns < self._newest_ns - JUMP_BACK_NS:
            self.jumps_back += 1
            self.clear()
        self._newest_ns = stamp_ns if self._newest_ns is None else max(self._newest_ns, stamp_ns)

    def _nearest(self, queue: OrderedDict[int, C] | OrderedDict[int, D], stamp_ns: int) -> int | None:
        candidates = [other for other in queue if abs(other - stamp_ns) <= self._slop_ns]
        return min(candidates, key=lambda other: abs(other - stamp_ns), default=None)

    def _store(self, queue: OrderedDict[int, C] | OrderedDict[int, D], stamp_ns: int, item: C | D) -> int:
        """Put an image in its queue; return how many were pushed out (or replaced) for it."""
        dropped = 1 if stamp_ns in queue else 0
        queue[stamp_ns] = item  # type: ignore[assignment]
        while len(queue) > self._depth:
            queue.popitem(last=False)
            dropped += 1
        return dropped

    @staticmethod
    def _discard_until(queue: OrderedDict[int, C] | OrderedDict[int, D], stamp_ns: int) -> int:
        """Drop images older than one already paired: frames leave in order, so these can have no partner any more."""
        old = [other for other in queue if other < stamp_ns]
        for other in old:
            del queue[other]
        return len(old)

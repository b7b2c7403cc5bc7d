"""Pairing by message_filters, where that is installed, with the interface of `rehab_pose.capture.pairing.StampPairer`.

Two traps of ApproximateTimeSynchronizer are avoided. It never releases its lock when its callback raises: the callback
here only stores the pair. After a jump back in time the old, later stamps stay in its queues and displace each new
message: `Pairer` empties the queue of a stream that jumps.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rehab_pose.capture.pairing import FIRST, SECOND, Pairer, StampPairer
from rehab_pose.errors import MissingDependencyError

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["MessageFiltersPairer", "message_pairer"]


def message_pairer(pairing: str, slop_s: float, depth: int) -> Pairer[Message, Message]:
    """Return the pairing of the parameter camera.pairing.

    Args:
        pairing: auto (message_filters where it is installed), message_filters, or own.
        slop_s: Largest difference of the stamps of a pair [s].
        depth: Number of messages of each stream that wait for a partner.

    Raises:
        MissingDependencyError: message_filters is asked for and not installed.
    """
    if pairing == "own":
        return StampPairer(slop_s, depth)
    try:
        filters = importlib.import_module("message_filters")
    except ImportError as error:
        if pairing == "auto":
            return StampPairer(slop_s, depth)
        msg = (
            "camera.pairing: expected the package message_filters, it is not installed; install it "
            "(sudo apt install ros-$ROS_DISTRO-message-filters) or set camera.pairing to auto"
        )
        raise MissingDependencyError(msg) from error
    return MessageFiltersPairer(filters, slop_s, depth)


class MessageFiltersPairer(Pairer["Message", "Message"]):
    """Pairs messages of two streams with message_filters' ApproximateTimeSynchronizer."""

    def __init__(self, filters: Any, slop_s: float, depth: int) -> None:  # noqa: ANN401  (a module without type hints)
        """Make empty queues.

        Args:
            filters: The module message_filters.
            slop_s: Largest difference of the stamps of a pair [s].
            depth: Number of messages of each stream that wait for a partner.
        """
        super().__init__(slop_s)
        self._streams = (filters.SimpleFilter(), filters.SimpleFilter())
        self._synchroniser = filters.ApproximateTimeSynchronizer(list(self._streams), depth, slop_s)
        self._synchroniser.registerCallback(self._keep)
        self._pairs: list[tuple[Message, Message]] = []

    def _take_waiting(self, place: int) -> dict[int, Message]:
        self._synchroniser.queues[place].clear()
        return super()._take_waiting(place)

    def _pair(self, place: int, stamp_ns: int, item: Message) -> list[tuple[Message, Message]]:
        waiting = self._waiting[place]
        if stamp_ns in waiting:
            self._count(place)  # another message has its stamp: no frame is lost
        waiting[stamp_ns] = item
        self._pairs = []
        self._streams[place].signalMessage(item)
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            stamps = [self._stamp_of(index, message) for index, message in enumerate(pair)]
            for index, paired_ns in enumerate(stamps):
                del self._waiting[index][paired_ns]
                # Pairs are in the order of their stamps: what is older has no partner any more.
                for older_ns in [other for other in self._waiting[index] if other < paired_ns]:
                    self._drop(index, older_ns)
        for index in (FIRST, SECOND):
            for displaced_ns in self._waiting[index].keys() - self._synchroniser.queues[index].keys():
                self._drop(index, displaced_ns)
        return pairs

    def _keep(self, first: Message, second: Message) -> None:
        self._pairs.append((first, second))

    def _stamp_of(self, place: int, message: Message) -> int:
        return next(stamp for stamp, waiting in self._waiting[place].items() if waiting is message)

    def _drop(self, place: int, stamp_ns: int) -> None:
        del self._waiting[place][stamp_ns]
        self._synchroniser.queues[place].pop(stamp_ns, None)
        self._count_dropped(place, [stamp_ns])

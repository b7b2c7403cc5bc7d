"""A bounded queue between the receiving and the worker thread: when it is full, the oldest item is dropped."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Mailbox"]

T = TypeVar("T")
CLOSE_TIMEOUT_S = 5.0
"""Longest time that closing waits for the item being processed [s]."""


class Mailbox(Generic[T]):
    """Queue of the newest items, with the worker thread that processes them.

    Items are processed in the order of their arrival, so that a delay of the worker costs none of them while they find
    room. Where more items arrive than can be processed, waiting would only add delay: a mailbox that `skips` then drops
    one more of the oldest for each that it takes, until only the newest waits. That ends when the worker has to wait.

    Attributes:
        capacity: Items kept; may be changed at any time.
        replaced: Items that were dropped because newer ones arrived.
        overloaded: Whether items were dropped since the worker last had to wait for one.
    """

    def __init__(
        self,
        work: Callable[[T], None],
        name: str,
        capacity: int = 1,
        *,
        skips: bool = False,
        dropped: Callable[[T], None] | None = None,
    ) -> None:
        """Start the worker.

        Args:
            work: Called with each item on the worker thread. It has to handle its own errors: one that escapes
                ends the worker and is reported by threading.excepthook.
            name: Name of the thread, for debuggers.
            capacity: Items kept; 1 for images, more for small messages that should all be processed.
            skips: Whether items are skipped once more arrive than can be processed; False for messages all of which
                matter.
            dropped: Called with each item that is dropped for a newer one, on the thread that drops it.
        """
        self._work, self._dropped, self._skips = work, dropped, skips
        self._items: deque[T] = deque()
        self.capacity = capacity
        self._condition = threading.Condition()
        self._closed = False
        self.overloaded = False
        self.replaced = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue an item; when the mailbox is full the oldest is dropped and counted."""
        replaced: list[T] = []
        with self._condition:
            if self._closed:
                return
            while len(self._items) >= self.capacity:
                replaced.append(self._items.popleft())
            self.replaced += len(replaced)
            self.overloaded = self.overloaded or bool(replaced)
            self._items.append(item)
            self._condition.notify()
        self._report(replaced)

    def close(self) -> None:
        """Stop the worker after the item being processed; waiting items are counted as replaced."""
        with self._condition:
            self._closed = True
            self.replaced += len(self._items)
            self._items.clear()
            self._condition.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while True:
            skipped: list[T] = []
            with self._condition:
                while not self._items and not self._closed:
                    self.overloaded = False
                    self._condition.wait()
                if self._closed:
                    return
                if self._skips and self.overloaded and len(self._items) > 1:
                    skipped.append(self._items.popleft())
                    self.replaced += 1
                item = self._items.popleft()
            self._report(skipped)
            self._work(item)

    def _report(self, items: list[T]) -> None:
        if self._dropped is not None:
            for item in items:
                self._dropped(item)

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

    Attributes:
        capacity: Items kept; may be changed at any time.
        replaced: Items that were dropped because newer ones arrived.
    """

    def __init__(self, work: Callable[[T], None], name: str, capacity: int = 1) -> None:
        """Start the worker.

        Args:
            work: Called with each item on the worker thread. It has to handle its own errors: one that escapes
                ends the worker and is reported by threading.excepthook.
            name: Name of the thread, for debuggers.
            capacity: Items kept; 1 for images, more for small messages that should all be processed.
        """
        self._work = work
        self._items: deque[T] = deque()
        self.capacity = capacity
        self._condition = threading.Condition()
        self._closed = False
        self.replaced = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> list[T]:
        """Queue an item; when the mailbox is full the oldest is dropped, counted and returned."""
        replaced: list[T] = []
        with self._condition:
            if self._closed:
                return replaced
            while len(self._items) >= self.capacity:
                replaced.append(self._items.popleft())
                self.replaced += 1
            self._items.append(item)
            self._condition.notify()
        return replaced

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
            with self._condition:
                while not self._items and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                item = self._items.popleft()
            self._work(item)

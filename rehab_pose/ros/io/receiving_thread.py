"""A thread that takes the messages of a few fast subscriptions, so that they do not pass through the executor.

For every message rclpy's executor collects all entities of the node and builds a wait set of them, three times on
average; with the 30 entities of the node `pipeline` that takes more time than receiving an image.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rclpy.impl.implementation_singleton import rclpy_implementation

from rehab_pose.ros.io.polled_input import poll
from rehab_pose.ros.runtime.guard import guarded
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rclpy.subscription import Subscription

    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["ReceivingThread"]

WAIT_S = 0.1
"""Longest time until another subscription, or the end of the node, is noticed [s]."""


class ReceivingThread:
    """Waits for messages and passes them to the callbacks of their subscriptions, which count them."""

    def __init__(self, node: StageNode, subscriptions: Callable[[], Sequence[Subscription[Any]]]) -> None:
        """Start the thread.

        Args:
            node: Errors are counted and reported there.
            subscriptions: Returns the present subscriptions, in the order in which their messages are taken. Their
                callback group keeps them out of the executor.
        """
        self._node, self._subscriptions = node, subscriptions
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{node.get_name()}_receiver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the messages that are being taken."""
        self._ending.set()
        if self._thread is not threading.current_thread():
            self._thread.join(10.0 * WAIT_S)

    def _run(self) -> None:
        while not self._ending.is_set() and self._node.context.ok():
            with guarded(self._node, "receiver") as outcome:
                self._receive(self._subscriptions())
            if outcome.error:
                self._ending.wait(WAIT_S)

    def _receive(self, subscriptions: Sequence[Subscription[Any]]) -> None:
        """Take the messages of these subscriptions for as long as they are the present ones."""
        context = self._node.context
        with ExitStack() as kept:
            try:
                for entity in (*(subscription.handle for subscription in subscriptions), context.handle):
                    kept.enter_context(entity)
            except rclpy_implementation.InvalidHandle:  # destroyed in between; another one takes its place
                self._ending.wait(WAIT_S)
                return
            ready = rclpy_implementation.WaitSet(len(subscriptions), 0, 0, 0, 0, 0, context.handle)
            while not self._ending.is_set() and context.ok() and subscriptions == self._subscriptions():
                ready.clear_entities()
                for subscription in subscriptions:
                    ready.add_subscription(subscription.handle)
                ready.wait(round(WAIT_S * NS_PER_S))
                for place, subscription in enumerate(subscriptions):
                    if ready.is_ready("subscription", place):
                        poll(subscription)

"""Inputs of a node that are subscribed to only while an output of the node has subscribers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["OnDemandInputs"]

CHECK_PERIOD_S = 0.5
"""Period of the check for subscribers, and thus the longest delay of the first result [s]."""


class OnDemandInputs:
    """Subscribes and unsubscribes a node, so that results without subscribers cost no time."""

    def __init__(self, node: StageNode, subscribe: Callable[[], None]) -> None:
        """Check for subscribers from now on.

        Args:
            node: Its row in `rehab_pose.graph` names the inputs and the outputs.
            subscribe: Subscribes the node to all of its inputs on demand.
        """
        self._node, self._subscribe = node, subscribe
        self._subscribed = False
        self._check()
        node.create_timer(CHECK_PERIOD_S, self._check)

    def _check(self) -> None:
        needed = any(self._node.has_subscribers(topic) for topic in self._node.spec.outputs)
        if needed and not self._subscribed:
            self._subscribe()
        elif self._subscribed and not needed:
            for topic in self._node.spec.on_demand:
                self._node.stop_listening(topic)
        self._subscribed = needed

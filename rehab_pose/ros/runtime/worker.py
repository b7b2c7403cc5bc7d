"""A worker thread of a node, with the stages that only this thread uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehab_pose.ros.runtime.guard import guarded
from rehab_pose.ros.runtime.mailbox import Mailbox
from rehab_pose.stage import JUMP_BACK_NS
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.ros.runtime.lazy_stage import LazyStage
    from rehab_pose.ros.runtime.stage_node import StageNode

    Entry = tuple[Callable[[Any], bool], Any, int, float]
    """A handler, its item, the stamp of the item [ns], and the time of its arrival [s]."""

__all__ = ["Worker"]


class Worker:
    """Processes items one by one on a thread, reports errors, and resets its stages when time jumps back."""

    def __init__(self, node: StageNode, name: str, *, main: bool) -> None:
        """Set up the worker without starting its thread.

        Args:
            node: Receives counts and errors.
            name: Last part of the thread's name.
            main: Its items are counted as the node's processed frames. A second worker gets the same frames again, so
                only its drops and errors are counted.
        """
        self._node, self._name, self._main = node, name, main
        self.stages: list[LazyStage[Any]] = []
        self._newest_ns: dict[str, int] = {}
        self._mailbox: Mailbox[Entry] | None = None

    @property
    def started(self) -> bool:
        """True if the thread was started."""
        return self._mailbox is not None

    @property
    def replaced(self) -> int:
        """Items that were dropped because newer ones arrived."""
        return self._mailbox.replaced if self._mailbox is not None else 0

    def start(self, capacity: int, *, skips: bool) -> None:
        """Start the thread.

        Args:
            capacity: Items that may wait.
            skips: Whether items are skipped, and counted, once more arrive than can be processed.
        """
        name = f"{self._node.get_name()}_{self._name}"
        self._mailbox = Mailbox(self._work, name, capacity, skips=skips, dropped=self._note_dropped)

    def set_capacity(self, capacity: int) -> None:
        """Change the number of items that may wait."""
        if self._mailbox is not None:
            self._mailbox.capacity = capacity

    def put(self, handler: Callable[[Any], bool], item: object, stamp: int, arrived_s: float) -> None:
        """Queue an item with its stamp [ns]; the handler returns whether a person was in view."""
        if self._mailbox is not None:
            self._mailbox.put((handler, item, stamp, arrived_s))

    def close(self) -> None:
        """Stop the thread after the item that it is processing."""
        if self._mailbox is not None:
            self._mailbox.close()

    def reset_stages(self) -> None:
        """Make the stages forget earlier frames."""
        for stage in self.stages:
            stage.reset()

    def _note_dropped(self, entry: Entry) -> None:
        if self._main:
            self._node.health.note_dropped([entry[2]])

    def _work(self, entry: Entry) -> None:
        handler, item, stamp, arrived_s = entry
        node = self._node
        self._reset_after_jump(getattr(handler, "__name__", ""), stamp)
        with guarded(node, stamp_ns=stamp if self._main else None) as outcome:
            present = handler(item)
        if outcome.error or not self._main:
            return
        age_s = (node.get_clock().now().nanoseconds - stamp) / NS_PER_S
        node.health.done(arrived_s, present=present, age_s=age_s)

    def _reset_after_jump(self, handler_name: str, stamp: int) -> None:
        """Reset the stages when time jumps back; stamps are compared per handler, as one input may lag."""
        newest_ns = self._newest_ns.get(handler_name, stamp)
        if stamp < newest_ns - JUMP_BACK_NS:
            if self._main:
                self._node.health.jumps_back += 1
                seconds = (newest_ns - stamp) / NS_PER_S
                sentence = f"time jumped back by {seconds:.1f} s: earlier frames are forgotten"
                if self._node.reads_camera:
                    self._node.get_logger().info(sentence)
                else:
                    self._node.get_logger().debug(sentence)
            self.reset_stages()
            self._newest_ns.clear()
            newest_ns = stamp
        self._newest_ns[handler_name] = max(stamp, newest_ns)

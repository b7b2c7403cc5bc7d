"""A worker thread of a node, with the stages that only it touches."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RehabPoseError
from rehab_pose.ros.runtime.mailbox import Mailbox
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.ros.runtime.lazy_stage import Stage
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["NS_PER_S", "Worker"]

JUMP_BACK_NS = NS_PER_S
"""A stamp this much older than the newest means that time was set back [ns]."""


class Worker:
    """Works on items one after the other, deals with what goes wrong, and starts afresh when time is set back."""

    def __init__(self, node: StageNode, name: str, *, main: bool) -> None:
        """Prepare; nothing is worked on before `start`.

        Args:
            node: Gets the counts and the complaints.
            name: Of the worker, for the thread.
            main: Its items are the node's frames; another worker's are the same frames again, only its losses count.
        """
        self._node, self._name, self._main = node, name, main
        self.stages: list[Stage[Any]] = []
        self._newest_ns: dict[str, int] = {}
        self._mailbox: Mailbox[tuple[Callable[[Any], bool], Any, int, float]] | None = None

    @property
    def started(self) -> bool:
        """Whether it takes items."""
        return self._mailbox is not None

    @property
    def replaced(self) -> int:
        """Items that newer ones pushed out."""
        return self._mailbox.replaced if self._mailbox is not None else 0

    def start(self, capacity: int) -> None:
        """Start the thread; so many items may wait."""
        self._mailbox = Mailbox(self._work, f"{self._node.get_name()}_{self._name}", capacity)

    def set_capacity(self, capacity: int) -> None:
        """Let so many items wait from now on."""
        if self._mailbox is not None:
            self._mailbox.capacity = capacity

    def put(self, handler: Callable[[Any], bool], item: object, stamp: int, arrived_s: float) -> None:
        """Leave an item with stamp [ns]; the handler returns whether a person was there."""
        if self._mailbox is not None:
            self._mailbox.put((handler, item, stamp, arrived_s))

    def close(self) -> None:
        """Stop after the item in hand."""
        if self._mailbox is not None:
            self._mailbox.close()

    def reset_stages(self) -> None:
        """Make the stages forget earlier frames."""
        for stage in self.stages:
            stage.reset()

    def _work(self, entry: tuple[Callable[[Any], bool], Any, int, float]) -> None:
        handler, item, stamp, arrived_s = entry
        node = self._node
        self._watch_time(getattr(handler, "__name__", ""), stamp)
        try:
            present = handler(item)
        except RehabPoseError as error:
            node.health.drop(type(error).__name__)
            node.complain(str(error))
        except Exception as error:  # noqa: BLE001
            # A fault in our own code must not end the worker thread silently: the node would look alive and answer
            # nothing. It is logged with its traceback, counted and shown as an error on /diagnostics.
            if not node.context.ok():
                return  # told to stop in the middle of the work: publishing is over
            node.health.drop("internal error")
            node.complain(f"internal error: {type(error).__name__}: {error}", detail=traceback.format_exc())
        else:
            if not self._main:
                return
            age_s = (node.get_clock().now().nanoseconds - stamp) / NS_PER_S
            node.health.done(arrived_s, present=present, age_s=age_s)

    def _watch_time(self, stream: str, stamp: int) -> None:
        """Start afresh when time was set back. Each stream has its own time: one may lag behind another."""
        newest_ns = self._newest_ns.get(stream, stamp)
        if stamp < newest_ns - JUMP_BACK_NS:
            if self._main:
                self._node.health.jumps_back += 1
                seconds = (newest_ns - stamp) / NS_PER_S
                self._node.get_logger().warning(f"time went back by {seconds:.1f} s: starting afresh")
            self.reset_stages()
            self._newest_ns.clear()
            newest_ns = stamp
        self._newest_ns[stream] = max(stamp, newest_ns)

"""Handles errors in the callbacks and on the workers of a node, so that no single message ends the node."""

from __future__ import annotations

import functools
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RehabPoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["Outcome", "guarded", "guarded_callback", "guarded_service"]


class Outcome:
    """The end of a guarded block.

    Attributes:
        error: The sentence that was reported; '' = the block ended without an error.
    """

    error = ""


@contextmanager
def guarded(node: StageNode, place: str = "", *, stamp_ns: int | None = None) -> Iterator[Outcome]:
    """Count, log and report an error of a block as a drop, instead of raising it.

    Args:
        node: Counts the drop under the kind of the error, and shows it on /diagnostics.
        place: Where the error happened, which the reason of the drop contains: a topic or a service; '' = the worker.
        stamp_ns: Stamp of the frame that gets no label because of an error; None = no frame.
    """
    outcome = Outcome()
    suffix = f" on {place}" if place else ""
    try:
        yield outcome
    except RehabPoseError as error:
        outcome.error = str(error) or type(error).__name__
        node.health.drop(type(error).__name__ + suffix, stamp_ns=stamp_ns)
        node.report_error(outcome.error)
    except Exception as error:  # noqa: BLE001
        # A programming error must not end the node, nor its worker silently: it would seem to run and publish nothing.
        # It is logged with its traceback, counted and shown as an error on /diagnostics.
        outcome.error = f"internal error: {type(error).__name__}: {error}"
        if node.context.ok():  # after a shutdown nothing can be published, and rclpy's errors result from that
            node.health.drop("internal error" + suffix, stamp_ns=stamp_ns)
            node.report_error(outcome.error, detail=traceback.format_exc())


def guarded_callback(node: StageNode, place: str, callback: Callable[..., Any]) -> Callable[..., None]:
    """Return a callback whose errors are counted and reported; rclpy sees the parameters of the original one."""

    @functools.wraps(callback)
    def call(*arguments: Any) -> None:  # noqa: ANN401  (rclpy passes a message, or a message and information about it)
        with guarded(node, place):
            callback(*arguments)

    return call


def guarded_service(node: StageNode, name: str, callback: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a service's callback that always answers; after an error with `success` false and a sentence.

    A response without these fields is returned as it came.
    """

    @functools.wraps(callback)
    def answer(request: Any, response: Any) -> Any:  # noqa: ANN401  (the classes of the service's type)
        with guarded(node, name) as outcome:
            response = callback(request, response)
        if outcome.error and hasattr(response, "success"):
            response.success, response.message = False, outcome.error
        return response

    return answer

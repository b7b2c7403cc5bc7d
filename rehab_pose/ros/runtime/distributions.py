"""Differences between ROS 2 distributions: Humble (Python 3.10), Jazzy (3.12), Kilted, Lyrical.

| difference | first distribution |
|---|---|
| callbacks that receive the publisher's sequence number | Iron |
| `Node.add_post_set_parameters_callback` | Iron |
| `Subscription.get_publisher_count` | Jazzy |
| Fast DDS 3 and `FASTDDS_DEFAULT_PROFILES_FILE` (before: `FASTRTPS_...`) | Kilted; see rehab_pose/cli/transport.py |
| `Node.list_parameters`; fields that are checked when set (before: always, later: on demand) | Iron |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rclpy.subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rcl_interfaces.msg import SetParametersResult
    from rclpy.node import Node
    from rclpy.parameter import Parameter
    from rclpy.subscription import Subscription

__all__ = ["callbacks_get_info", "on_parameters_set", "publication", "publisher_count"]


def callbacks_get_info() -> bool:
    """Return whether rclpy passes information about a message, such as its sequence number, as a second argument."""
    return hasattr(rclpy.subscription, "MessageInfo")


def publication(info: dict[str, Any]) -> tuple[bytes, int | None]:
    """Return the publisher's identifier and the sequence number of a message; b'' and None where they are unknown.

    Args:
        info: The second argument of a subscription's callback.
    """
    gid = info.get("publisher_gid")
    return gid["data"] if gid else b"", info.get("publication_sequence_number")


def publisher_count(node: Node, subscription: Subscription[Any], topic: str) -> int:
    """Return the number of publishers matched with a subscription; before Jazzy, those of its topic."""
    matched = hasattr(subscription, "get_publisher_count")
    count: int = subscription.get_publisher_count() if matched else node.count_publishers(topic)
    return count


def on_parameters_set(
    node: Node,
    check: Callable[[Sequence[Parameter[Any]]], SetParametersResult],
    apply: Callable[[Sequence[Parameter[Any]]], None],
) -> None:
    """Register callbacks that check parameters before they are set and apply them afterwards.

    Args:
        node: The node with the parameters.
        check: Returns whether they may be set, with the reason if not.
        apply: Called once they are set; on Humble before that, but after the check.
    """
    if hasattr(node, "add_post_set_parameters_callback"):
        node.add_on_set_parameters_callback(check)
        node.add_post_set_parameters_callback(apply)
        return

    def check_and_apply(parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        result = check(parameters)
        if result.successful:
            apply(parameters)
        return result

    node.add_on_set_parameters_callback(check_and_apply)

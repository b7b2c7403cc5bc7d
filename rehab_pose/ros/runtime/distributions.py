"""Differences between ROS 2 distributions: Humble (Python 3.10), Jazzy (3.12), Kilted, Lyrical.

| what | where it came |
|---|---|
| callbacks that get the publisher's running number | Iron |
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

__all__ = ["callbacks_get_info", "on_parameters_set", "publisher_count"]


def callbacks_get_info() -> bool:
    """Tell whether rclpy passes what it knows of a message to callbacks with two arguments."""
    return hasattr(rclpy.subscription, "MessageInfo")


def publisher_count(node: Node, subscription: Subscription[Any], topic: str) -> int:
    """Return the number of publishers matched with a subscription, or of its topic where rclpy lacks that number."""
    matched = hasattr(subscription, "get_publisher_count")
    count: int = subscription.get_publisher_count() if matched else node.count_publishers(topic)
    return count


def on_parameters_set(
    node: Node,
    check: Callable[[Sequence[Parameter[Any]]], SetParametersResult],
    apply: Callable[[Sequence[Parameter[Any]]], None],
) -> None:
    """Have parameters checked before they are set, and applied after.

    Args:
        node: Whose parameters.
        check: Returns whether they may be set and why not.
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

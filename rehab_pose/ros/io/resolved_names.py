"""Full name of a topic for a node, with the remappings of its command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages.topic_names import full_name

if TYPE_CHECKING:
    from rclpy.node import Node

__all__ = ["resolved_name"]


def resolved_name(node: Node, name: str) -> str:
    """Return the full name of a topic after remapping.

    ROS takes a relative name in a remapping, such as `-r imu:=/camera/imu`, as one in the node's namespace, in which
    the camera's topics are not. Such a rule is applied to them all the same.

    Args:
        node: Gives namespace and remappings.
        name: Name as in `rehab_pose.graph`, or an absolute one.
    """
    remapped: str = node.resolve_topic_name(name)
    if remapped != node.resolve_topic_name(name, only_expand=True):
        return remapped
    resolved: str = node.resolve_topic_name(full_name(name, node.get_namespace()))
    return resolved

"""Full names: the namespace of the nodes, what stays outside it, and the names under which recordings have topics.

All nodes live in the namespace `rehab_pose`, below that of the robot if it has one: `/robot1/rehab_pose/joints`. The
camera belongs to the robot: its topics are in the namespace above, `/robot1/rgb/image_rect_color`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.factory import BODY_ID
from rehab_pose.messages.topics import Delivery, Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ALL_TOPICS",
    "NAMESPACE",
    "body_id",
    "full_name",
    "nodes_namespace",
    "parent_namespace",
    "recorded_name",
]

NAMESPACE = "rehab_pose"
"""Last part of the namespace of all nodes."""
ALL_TOPICS = tuple(topic for topic in vars(topics).values() if isinstance(topic, Topic))
CAMERA_NAMES = frozenset(topic.name for topic in ALL_TOPICS if topic.delivery is Delivery.CAMERA)
BODIES = "/humans/bodies/"
"""Beginning of REP-155's topics of one body, before its id."""


def nodes_namespace(parent: str = "") -> str:
    """Return the namespace of the nodes below a namespace, which may end with that of the nodes already."""
    parts = [part for part in parent.split("/") if part]
    return "/" + "/".join(parts if parts[-1:] == [NAMESPACE] else [*parts, NAMESPACE])


def parent_namespace(namespace: str) -> str:
    """Return the namespace above that of the nodes, without a slash at its end: '' = the root.

    A namespace that a person chose for a node, and that does not end with `rehab_pose`, stands for both.
    """
    parts = [part for part in namespace.split("/") if part]
    above = parts[:-1] if parts[-1:] == [NAMESPACE] else parts
    return "".join(f"/{part}" for part in above)


def body_id(namespace: str) -> str:
    """Return the id of the subject outside the nodes' namespace, where the bodies of several robots meet.

    Args:
        namespace: Namespace of the nodes; the parts above theirs are a prefix of the id.
    """
    return "_".join([*(part for part in parent_namespace(namespace).split("/") if part), BODY_ID])


def full_name(topic: Topic | str, namespace: str = "/" + NAMESPACE) -> str:
    """Return the full name of a topic, service or action.

    Args:
        topic: A topic, or the name of one or of a service or action, as in `rehab_pose.graph`; or an absolute name.
        namespace: Namespace of the nodes.
    """
    name = topic if isinstance(topic, str) else topic.name
    is_camera = name in CAMERA_NAMES if isinstance(topic, str) else topic.delivery is Delivery.CAMERA
    if name.startswith(BODIES):
        return name.replace(f"/{BODY_ID}/", f"/{body_id(namespace)}/")
    if name.startswith("/"):
        return name
    inside = "".join(f"/{part}" for part in namespace.split("/") if part)
    return f"{parent_namespace(namespace) if is_camera else inside}/{name}"


def recorded_name(name: str, recorded: Iterable[str]) -> str | None:
    """Return the name under which a recording has a topic, None if it has not.

    Recordings of earlier versions have the topics without the nodes' namespace; other ones were made on a robot with
    a namespace. Of the topics of several robots the one with the shortest name is taken.

    Args:
        name: Name as in `rehab_pose.graph`, or as it was recorded.
        recorded: Names in the recording.
    """
    names = sorted(recorded, key=lambda each: (len(each), each))
    for wanted in (name, f"/{name}", full_name(name)):
        if wanted in names:
            return wanted
    ending = f"/{name}" if name in CAMERA_NAMES else f"/{NAMESPACE}/{name}"
    return next((each for each in names if each.endswith(ending)), None)

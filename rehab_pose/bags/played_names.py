"""Names on which the topics of a bag are published: remapped, and in the namespace of the nodes that listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.bags.camera_topics import CameraTopics
from rehab_pose.errors import SettingsError
from rehab_pose.messages.topic_names import ALL_TOPICS, full_name, nodes_namespace
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PlayedNames", "parse_remappings"]

OWN_TOPICS = {
    name: topic
    for topic in ALL_TOPICS
    if not topic.name.startswith("/")
    for name in (f"/{topic.name}", full_name(topic.name))
}
"""Topics that the nodes listen to or publish, by their names without a robot's namespace; recordings of earlier
versions have them without that of the nodes too."""


def parse_remappings(rules: Sequence[str]) -> dict[str, str]:
    """Return the target of each topic from rules such as `/camera/color:=/rgb/image_rect_color`.

    Raises:
        SettingsError: A rule has not this form.
    """
    found = {}
    for rule in rules:
        source, separator, target = rule.partition(":=")
        if not (separator and source.strip("/") and target.strip("/")):
            msg = f"--remap: expected FROM:=TO with two topics, got {rule!r}"
            raise SettingsError(msg)
        found[_absolute(source)] = _absolute(target)
    return found


class PlayedNames:
    """Gives the name on which a topic of a bag is published."""

    def __init__(
        self,
        namespace: str = "",
        remappings: Mapping[str, str] | None = None,
        camera: CameraTopics | None = None,
    ) -> None:
        """Set the rules.

        Args:
            namespace: Namespace above that of the nodes that listen: topics with the names and types that nodes
                listen to without one get it; a camera driver's own topics, /tf and /clock keep their names.
            remappings: Absolute names by absolute names, as of `parse_remappings`; they are not put into the namespace.
            camera: Topics that are published under the names to which the nodes listen.
        """
        self._namespace = nodes_namespace(namespace)
        self._remappings = dict(remappings or {})
        chosen = camera or CameraTopics()
        defaults = ((chosen.color, COLOR), (chosen.camera_info, CAMERA_INFO), (chosen.depth, DEPTH))
        self._camera = {_absolute(name): f"/{topic.name}" for name, topic in defaults if name}

    def __call__(self, name: str, type_name: str) -> str:
        """Return the name on which a topic of a type is published."""
        absolute = _absolute(name)
        if absolute in self._remappings:
            return self._remappings[absolute]
        own = self._camera.get(absolute, absolute)
        topic = OWN_TOPICS.get(own)
        return full_name(topic.name, self._namespace) if topic and topic.type_name == type_name else own


def _absolute(name: str) -> str:
    return f"/{name.strip('/')}"

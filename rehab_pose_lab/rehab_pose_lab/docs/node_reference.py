"""docs/nodes.md: the topics and parameters of every node, from the sources and the messages' comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError
from rehab_pose.settings import specifications
from rehab_pose_lab.docs.node_facts import (
    PACKAGE,
    deliveries,
    live_sections,
    node_facts,
    sections_of_every_node,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rehab_pose.messages.topics import Topic
    from rehab_pose.settings import SettingSpec
    from rehab_pose_lab.docs.node_facts import NodeFacts

__all__ = ["node_reference"]

INTERFACES = PACKAGE.parent / "rehab_pose_msgs"
STANDARD_MEANINGS = {
    "rgb/image_rect_color": "the camera's colour image",
    "rgb/camera_info": "its intrinsics",
    "depth_registered/image_rect": "depth registered to the colour image: 16UC1 [mm] or 32FC1 [m]",
    "silhouette/image": "the silhouette over the whole image: 255 = person; only while somebody looks",
    "joint_states": "the measured joint angles as ROS's own message [rad]",
    "exercise/label": "the name of the exercise",
    "markers": "joints, bones and label for RViz; only while somebody looks",
    "mesh_marker": "the mesh for RViz; only while somebody looks",
    "/tf": "`body_<id>` in the camera's frame, and each link of the body in it",
    "/humans/bodies/tracked": "the ids of the bodies that are tracked (REP-155)",
    "/humans/bodies/aaaaa/skeleton2d": "18 points of the body in the image, 0 to 1; confidence 0 = missing (REP-155)",
    "/humans/bodies/aaaaa/roi": "the box around the body in the image, 0 to 1 (REP-155)",
    "/humans/bodies/aaaaa/joint_states": "the joints of ROS4HRI's human_description [rad] (REP-155)",
}
"""Of topics whose message is not ours and therefore says nothing about them."""
TYPE_NAMES = {bool: "bool", int: "integer", float: "double", str: "string"}
"""As ROS calls the types of parameters."""
HEAD = """# Nodes: topics and parameters

Made by `rehab-pose docs nodes > docs/nodes.md` from the sources; a test compares. Change the sources, not this page.

Topics are relative to the node's namespace. Parameters are named `section.setting`, so that one YAML file
([config/rehab_pose.yaml](../config/rehab_pose.yaml)) serves all nodes. They are read when the node starts; those
marked *live* may also be changed while it runs (`ros2 param set`), and what does not fit is refused with a sentence.
"""


def node_reference(nodes: Sequence[str]) -> str:
    """Return the page, the nodes in the order given.

    Raises:
        InputError: The messages' sources are not beside the package.
    """
    parts = [HEAD, _delivery_table(), "## Every node\n", "Publishes its health on `/diagnostics` once a second.\n"]
    parts.append(_parameter_table(sections_of_every_node()))
    home: dict[str, str] = {}
    for facts in map(node_facts, nodes):
        parts += [f"## {facts.name}\n", f"{facts.summary}\n", _topic_table(facts)]
        new = [section for section in facts.sections if section not in home]
        if new:
            parts.append(_parameter_table(new))
        home.update(dict.fromkeys(new, facts.name))
        links = [f"[{section}](#{home[section]})" for section in facts.sections if section not in new]
        if links:
            parts.append(f"Parameters as above: {', '.join(links)}.\n")
    return "\n".join(parts)


def _delivery_table() -> str:
    rows = [f"| {name} | {meaning} |\n" for name, meaning in deliveries().items()]
    return "| delivery | means |\n|---|---|\n" + "".join(rows)


def _topic_table(facts: NodeFacts) -> str:
    rows = [("in", topic) for topic in facts.inputs] + [("out", topic) for topic in facts.outputs]
    lines = [
        f"| {way} | `{topic.name}` | `{topic.type_name}` | {_meaning(topic)} | {topic.delivery.value} |\n"
        for way, topic in rows
    ]
    for action, kind in facts.actions:
        lines.append(
            f"| action | `{action}` | `rehab_pose_msgs/action/{kind}` | {_first_sentence('action', kind)} | |\n"
        )
    for service, kind in facts.services:
        lines.append(f"| service | `{service}` | `rehab_pose_msgs/srv/{kind}` | {_first_sentence('srv', kind)} | |\n")
    return "| | name | type | says | delivery |\n|---|---|---|---|---|\n" + "".join(lines)


def _meaning(topic: Topic) -> str:
    package, _, name = topic.type_name.partition("/msg/")
    return _first_sentence("msg", name) if package == INTERFACES.name else STANDARD_MEANINGS[topic.name]


def _first_sentence(kind: str, name: str) -> str:
    """Return the first sentence of an interface's leading comment."""
    file = INTERFACES / kind / f"{name}.{kind}"
    if not file.is_file():
        msg = f"expected the message's source at {file}, there is none; run this in a checkout of the repository"
        raise InputError(msg)
    comment = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# "))
    return re.split(r"\.(?:\s|$)", " ".join(comment))[0]


def _parameter_table(sections: Iterable[str]) -> str:
    live = live_sections()
    rows = [
        f"| `{section}.{spec.name}` | {TYPE_NAMES[spec.kind]} | {_shown(spec.default)} | {_range(spec)} "
        f"| {'*live* ' if section in live else ''}{spec.description.replace('|', '/')} |\n"
        for section in sections
        for spec in specifications(settings_of(section))
    ]
    return "| parameter | type | default | range | |\n|---|---|---|---|---|\n" + "".join(rows)


def _shown(value: object) -> str:
    """Return a default as YAML writes it."""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else '`""`'


def _range(spec: SettingSpec) -> str:
    if spec.choices:
        return ", ".join(f"`{choice}`" for choice in spec.choices)
    low, high = (
        None if bound is None else str(int(bound)) if spec.kind is int else f"{bound:g}"
        for bound in (spec.minimum, spec.maximum)
    )
    if low is None:
        return "" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"

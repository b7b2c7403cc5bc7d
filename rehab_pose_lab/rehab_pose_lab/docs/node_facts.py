"""What the sources say about the nodes: topics, services, sections of parameters, and the settings behind those.

Nothing stands twice: the nodes' files say what they subscribe to, publish and declare. Files that import ROS are read
as syntax trees, not imported, so that the reference can be made and checked without ROS.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.messages import topics
from rehab_pose.messages.topics import Topic
from rehab_pose.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NodeFacts", "deliveries", "node_facts", "sections_of_every_node", "settings_of"]

PACKAGE = Path(__file__).resolve().parents[1]
ROS_SIDE = ("rehab_pose.ros.", "rehab_pose.nodes.")
INPUT_MODULES = {"CameraInput": "rehab_pose.ros.io.camera_input", "ExactTimeInput": ""}
"""Objects that subscribe for a node: the module that names their topics, or '' where the node passes them."""


@dataclass(frozen=True)
class NodeFacts:
    """What a node's file says."""

    name: str
    summary: str
    inputs: tuple[Topic, ...]
    outputs: tuple[Topic, ...]
    services: tuple[tuple[str, str], ...]
    """Name, and name of the type."""
    actions: tuple[tuple[str, str], ...]
    """Name, and name of the type."""
    sections: tuple[str, ...]
    """Of parameters, without those that every node has."""


def node_facts(name: str) -> NodeFacts:
    """Return what the file of a node says."""
    tree = _tree(f"rehab_pose.nodes.{name}")
    inputs: list[Topic] = []
    sections = _declared_sections(tree)
    # Publishers that are made in a loop stand in a constant OUTPUTS, sections that are in PipelineSettings.
    outputs = [topic for value in _assigned(tree, "OUTPUTS") for topic in _named_topics(value)]
    if _uses(tree, "PipelineSettings"):
        fields = _class_body(_tree("rehab_pose.pipeline"), "PipelineSettings")
        sections += [ast.unparse(field.target) for field in fields if isinstance(field, ast.AnnAssign)]
    for call in _calls(tree):
        called = _called_name(call)
        if called == "output":
            outputs += _named_topics(call)
        elif called in {"input", "listen", *INPUT_MODULES}:
            inputs += _named_topics(call)
        if INPUT_MODULES.get(called):
            shared = _tree(INPUT_MODULES[called])
            inputs += [topic for topic in topics.CAMERA_TOPICS if topic in _named_topics(shared)]
            sections = [*_declared_sections(shared), *sections]
    return NodeFacts(
        name=name,
        summary=" ".join((ast.get_docstring(tree) or "").split()),
        inputs=tuple(dict.fromkeys(inputs)),
        outputs=tuple(dict.fromkeys(outputs)),
        services=_session_services() if _uses(tree, "SessionServices") else (),
        actions=_exercise_action() if _uses(tree, "ExerciseAction") else (),
        sections=tuple(dict.fromkeys(sections)),
    )


def sections_of_every_node() -> tuple[str, ...]:
    """Return the sections of parameters that the nodes' base declares."""
    return tuple(_declared_sections(_tree("rehab_pose.ros.runtime.stage_node")))


def settings_of(section: str) -> type[Settings]:
    """Return the settings class of a section of parameters; one of the ROS side is rebuilt from its source."""
    [table] = _assigned(_tree("rehab_pose.ros.runtime.sections"), "SETTINGS_BY_SECTION")
    module, _, name = ast.literal_eval(table)[section].partition(":")
    if module.startswith(ROS_SIDE):
        return _settings_from_source(_tree(module), name)
    found: type[Settings] = getattr(importlib.import_module(module), name)
    return found


def deliveries() -> dict[str, str]:
    """Return the meaning of each kind of delivery: the strings under the members of `Delivery`."""
    body = _class_body(_tree(topics.__name__), "Delivery")
    return {
        ast.literal_eval(member.value): ast.literal_eval(comment.value)
        for member, comment in itertools.pairwise(body)
        if isinstance(member, ast.Assign) and isinstance(comment, ast.Expr)
    }


def _session_services() -> tuple[tuple[str, str], ...]:
    [table] = _assigned(_tree("rehab_pose.ros.adapters.session_services"), "_SERVICE_NAMES")
    return tuple((service, kind) for kind, service in ast.literal_eval(table).items())


def _exercise_action() -> tuple[tuple[str, str], ...]:
    tree = _tree("rehab_pose.ros.adapters.exercise_action")
    [name], [kind] = _assigned(tree, "ACTION"), _assigned(tree, "TYPE")
    return ((ast.literal_eval(name), ast.literal_eval(kind).rpartition("/")[2]),)


def live_sections() -> set[str]:
    """Return the sections of parameters that may be changed while a node runs."""
    files = [path for folder in ("nodes", "ros") for path in (PACKAGE / folder).glob("*.py")]
    trees = [_tree(f"rehab_pose.{path.parent.name}.{path.stem}") for path in files]
    return {section for tree in trees for section in _declared_sections(tree, ("live_settings",))}


def _settings_from_source(tree: ast.Module, name: str) -> type[Settings]:
    fields: list[tuple[str, type, Any]] = []
    for statement in _class_body(tree, name):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Call):
            arguments = [_value(argument, tree) for argument in statement.value.args]
            named = {keyword.arg or "": _value(keyword.value, tree) for keyword in statement.value.keywords}
            fields.append((ast.unparse(statement.target), type(arguments[0]), setting(*arguments, **named)))
    return dataclasses.make_dataclass(name, fields, bases=(Settings,), frozen=True)


def _value(expression: ast.expr, tree: ast.Module) -> Any:  # noqa: ANN401  (whatever a setting takes)
    """Return a literal, or what a constant of this module or of the one it is imported from holds."""
    if not isinstance(expression, ast.Name):
        return ast.literal_eval(expression)
    for value in _assigned(tree, expression.id):
        return _value(value, tree)
    [origin] = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and expression.id in {alias.name for alias in node.names}
    ]
    return _value(expression, _tree(origin))


@functools.cache
def _tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _class_body(tree: ast.Module, name: str) -> list[ast.stmt]:
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    return body


def _assigned(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """Yield what a module assigns to a name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == name for target in node.targets):
            yield node.value


def _calls(tree: ast.Module) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _uses(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def _declared_sections(tree: ast.Module, methods: tuple[str, ...] = ("settings", "live_settings")) -> list[str]:
    """Return the first arguments of calls `.settings("section", ...)` and `.live_settings("section", ...)`."""
    first = [call.args[0] for call in _calls(tree) if _called_name(call) in methods and call.args]
    return [str(argument.value) for argument in first if isinstance(argument, ast.Constant)]


def _named_topics(tree: ast.AST) -> list[Topic]:
    """Return the topics that a piece of code names as topics.NAME."""
    found: list[Topic] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "topics":
            named = getattr(topics, node.attr)
            found += [named] if isinstance(named, Topic) else list(named)
    return found

"""The table of all nodes of the graph: stages, topics, parameters. Imports no ROS.

The nodes, `rehab-pose run`, the launch files, the executables of setup.py and docs/nodes.md all read this table. A new
node is a stage, a row here, and a module in `rehab_pose/nodes` with the name of the row. Classes are given as
"module:Class", so that reading the table loads no stage.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import SettingsError
from rehab_pose.messages import topics

if TYPE_CHECKING:
    from collections.abc import Collection

    from rehab_pose.messages.topics import Topic
    from rehab_pose.settings import Settings

__all__ = [
    "NODES",
    "SECTIONS",
    "NodeSpec",
    "Option",
    "Section",
    "choose_nodes",
    "find_section",
    "load_class",
    "node_spec",
    "plugin_nodes",
    "plugin_sections",
    "settings_class",
]

PACKAGE = "rehab_pose"
PLUGIN_NODES = "rehab_pose.nodes"
"""Entry point group of the NodeSpecs of other packages, such as the simulated camera."""
PLUGIN_SECTIONS = "rehab_pose.sections"
"""Entry point group of the Sections of other packages."""


@dataclass(frozen=True)
class Section:
    """A section of parameters, named `section.setting`; one YAML file serves all nodes."""

    settings: str
    """The settings class of the section, "module:Class"."""
    live: bool = False
    """True if the parameters can be changed while the node runs."""


class Option(Enum):
    """Parts of the graph that a launch argument or an option of `rehab-pose run` switches on and off."""

    MESH = "use_mesh"
    RECOGNITION = "use_recognition"
    MARKERS = "use_markers"
    TF = "use_tf"
    REP155 = "use_rep155"
    VIEW = "use_view"


@dataclass(frozen=True)
class NodeSpec:
    """Description of one node."""

    name: str
    """Name of the node, of its module and of its executable."""
    summary: str
    """The node's data flow in one sentence."""
    stages: tuple[str, ...]
    """Classes of the stages that the node runs, "module:Class"."""
    inputs: tuple[Topic, ...]
    outputs: tuple[Topic, ...]
    settings: tuple[str, ...]
    """Sections of parameters, in addition to `node`, which every node has."""
    on_demand: tuple[Topic, ...] = ()
    """Inputs that are subscribed to only while one of the outputs has subscribers."""
    optional: tuple[Topic, ...] = ()
    """Inputs that are subscribed to only while a setting of the node, or a page that it serves, asks for them."""
    composed: bool | None = None
    """True: started only if all stages share one process; False: only if each has its own process; None: always."""
    option: Option | None = None
    """The part of the graph that the node belongs to; None: started independently of the options."""
    services: tuple[tuple[str, str], ...] = ()
    """Name and type of each service, the type without its package."""
    actions: tuple[tuple[str, str], ...] = ()
    """Name and type of each action, the type without its package."""
    package: str = PACKAGE
    niceness: int = 0
    """Increase of the process's niceness. Above 0 for nodes that the label does not depend on, so that the others are
    scheduled first."""

    @property
    def module(self) -> str:
        """The node's module, with its `main()`."""
        return f"{self.package}.nodes.{self.name}"


SECTIONS = {
    "node": Section("rehab_pose.ros.runtime.settings:NodeSettings", live=True),
    "camera": Section("rehab_pose.ros.io.settings:CameraSettings"),
    "capture": Section("rehab_pose.capture.settings:CaptureSettings"),
    "image_joints": Section("rehab_pose.image_joints.settings:ImageJointSettings"),
    "silhouette": Section("rehab_pose.silhouette.settings:SilhouetteSettings"),
    "keypoints": Section("rehab_pose.keypoints.settings:KeypointSettings"),
    "parts": Section("rehab_pose.parts.settings:PartSettings"),
    "joints": Section("rehab_pose.joints.settings:JointSettings"),
    "body": Section("rehab_pose.body.settings:BodySettings"),
    "biomechanics": Section("rehab_pose.biomechanics.settings:BiomechanicsSettings"),
    "bones": Section("rehab_pose.bones.settings:BoneSettings"),
    "exercise": Section("rehab_pose.exercise.settings:ExerciseSettings", live=True),
    "session": Section("rehab_pose.session.settings:SessionSettings", live=True),
    "markers": Section("rehab_pose.ros.adapters.settings:MarkerSettings", live=True),
    "tf": Section("rehab_pose.ros.adapters.settings:TfSettings"),
    "view": Section("rehab_pose.view.settings:ViewSettings"),
}

IMAGE_DETECTOR = "rehab_pose.image_joints.detector:ImageJointDetector"
SEGMENTER = "rehab_pose.silhouette.segmenter:SilhouetteSegmenter"
DETECTOR = "rehab_pose.keypoints.detector:KeypointDetector"
PREDICTOR = "rehab_pose.joints.predictor:JointPredictor"
LABELLER = "rehab_pose.parts.labeller:PartLabeller"
FITTER = "rehab_pose.body.fitter:BodyFitter"
SOLVER = "rehab_pose.biomechanics.solver:AngleSolver"
INFERRER = "rehab_pose.bones.inferrer:BoneInferrer"
RECOGNISER = "rehab_pose.exercise.recogniser:ExerciseRecogniser"
SELECT_PERSON = ("select_person", "SelectPerson")
FOR_PEOPLE = 10
"""Niceness of the page's node: where the CPU is busy the page skips frames, not the graph."""
OFF_LABEL_PATH = 5
"""Niceness of nodes that the label does not wait for; chosen by measuring the label's latency on two cores."""

NODES = (
    NodeSpec(
        "rgbd_sync",
        "Camera topics -> rgbd: colour and depth paired by stamp, converted, rectified, cleaned; depth registered to "
        "colour.",
        (),
        (*topics.CAMERA_TOPICS, topics.IMU),
        (topics.RGBD,),
        ("camera", "capture"),
        composed=False,
    ),
    NodeSpec(
        "silhouette",
        "rgbd -> image_joints and silhouette: landmarks and pixels of the followed person; floor_plane; people: who "
        "was seen. The service select_person chooses whom to follow.",
        (IMAGE_DETECTOR, SEGMENTER),
        (topics.RGBD,),
        (topics.IMAGE_JOINTS, topics.SILHOUETTE, topics.SILHOUETTE_IMAGE, topics.FLOOR_PLANE, topics.PEOPLE),
        ("image_joints", "silhouette"),
        composed=False,
        services=(SELECT_PERSON,),
    ),
    NodeSpec(
        "keypoints",
        "silhouette -> keypoints: classical 2D points of the person; only while keypoints have subscribers.",
        (DETECTOR,),
        (topics.SILHOUETTE,),
        (topics.KEYPOINTS,),
        ("keypoints",),
        on_demand=(topics.SILHOUETTE,),
        composed=False,
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "parts",
        "silhouette + joints of the same stamp -> parts: body regions and their contours; only while parts have "
        "subscribers.",
        (LABELLER,),
        (topics.SILHOUETTE, topics.JOINTS),
        (topics.PARTS,),
        ("parts",),
        on_demand=(topics.SILHOUETTE, topics.JOINTS),
        composed=False,
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "joints",
        "silhouette + image_joints of the same stamp -> joints (24 joint centres in 3D), body (SMPL parameters), "
        "body/vertices and the latched body/topology.",
        (PREDICTOR, FITTER),
        (topics.SILHOUETTE, topics.IMAGE_JOINTS),
        (topics.JOINTS, topics.BODY, topics.VERTICES, topics.TOPOLOGY),
        ("joints", "body"),
        composed=False,
    ),
    NodeSpec(
        "biomechanics",
        "body + floor_plane -> joint_angles, human_joint_states, and bones while they have subscribers.",
        (SOLVER, INFERRER),
        (topics.BODY, topics.FLOOR_PLANE),
        (topics.JOINT_ANGLES, topics.JOINT_STATES, topics.BONES),
        ("biomechanics", "bones"),
        composed=False,
        option=Option.MESH,
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "exercise",
        "joints + floor_plane -> exercise (and its label as a String), exercise/list, repetition, repetition/progress; "
        "with exercise.streams = fused also keypoints, parts, body, body/vertices, for which the label does not wait.",
        (RECOGNISER,),
        (topics.JOINTS, topics.FLOOR_PLANE, topics.KEYPOINTS, topics.PARTS, topics.BODY, topics.VERTICES),
        (
            topics.EXERCISE,
            topics.EXERCISE_LABEL,
            topics.EXERCISE_LIST,
            topics.REPETITION,
            topics.REPETITION_PROGRESS,
        ),
        ("exercise",),
        optional=(topics.KEYPOINTS, topics.PARTS, topics.BODY, topics.VERTICES),
        composed=False,
        option=Option.RECOGNITION,
    ),
    NodeSpec(
        "pipeline",
        "All stages in one process: camera topics -> all results; frames pass between stages as records.",
        (IMAGE_DETECTOR, SEGMENTER, PREDICTOR, FITTER, RECOGNISER, DETECTOR, LABELLER, SOLVER, INFERRER),
        (*topics.CAMERA_TOPICS, topics.IMU),
        (*topics.STAGE_TOPICS, topics.SILHOUETTE, topics.SILHOUETTE_IMAGE, topics.PEOPLE, topics.VERTICES),
        (
            "camera",
            "capture",
            "image_joints",
            "silhouette",
            "keypoints",
            "parts",
            "joints",
            "body",
            "biomechanics",
            "bones",
            "exercise",
        ),
        composed=True,
        services=(SELECT_PERSON,),
    ),
    NodeSpec(
        "session",
        "repetition, repetition/progress, exercise and exercise/list -> session_state, feedback, recordings, reports; "
        "the action run_exercise. joints, joint_angles and floor_plane give a report its pictures and angles.",
        (),
        (
            topics.EXERCISE,
            topics.EXERCISE_LIST,
            topics.REPETITION,
            topics.REPETITION_PROGRESS,
            topics.JOINTS,
            topics.JOINT_ANGLES,
            topics.FLOOR_PLANE,
        ),
        (topics.SESSION_STATE, topics.FEEDBACK),
        ("session",),
        option=Option.RECOGNITION,
        services=(
            ("start_session", "StartSession"),
            ("stop_session", "StopSession"),
            ("list_exercises", "ListExercises"),
        ),
        actions=(("run_exercise", "RunExercise"),),
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "markers",
        "joints, bones, joint_angles, exercise/label, body/vertices and floor_plane -> markers, mesh_marker; only "
        "while they have subscribers.",
        (),
        (
            topics.EXERCISE_LABEL,
            topics.TOPOLOGY,
            topics.FLOOR_PLANE,
            topics.JOINT_ANGLES,
            topics.JOINTS,
            topics.BONES,
            topics.VERTICES,
        ),
        (topics.MARKERS, topics.MESH_MARKER),
        ("markers",),
        on_demand=(topics.JOINTS, topics.JOINT_ANGLES, topics.BONES, topics.VERTICES),
        option=Option.MARKERS,
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "view",
        "results and the colour image -> a page in the browser, whose buttons start and stop sessions; subscribes only "
        "while a page is open.",
        (),
        (
            *topics.PAGE_TOPICS,
            topics.TOPOLOGY,
            topics.EXERCISE_LIST,
            topics.REPETITION,
            topics.SESSION_STATE,
            topics.FEEDBACK,
        ),
        (),
        ("view",),
        optional=topics.PAGE_TOPICS,
        option=Option.VIEW,
        niceness=FOR_PEOPLE,
    ),
    NodeSpec(
        "tf_bridge",
        "body -> /tf: body_<id> in the camera's frame and every link of the body in it; needs tf2_msgs.",
        (),
        (topics.BODY,),
        (topics.TF,),
        ("tf",),
        option=Option.TF,
        niceness=OFF_LABEL_PATH,
    ),
    NodeSpec(
        "rep155_bridge",
        "joints + body + camera_info -> /humans/bodies as ROS4HRI (REP-155) expects them; needs hri_msgs and tf2_msgs.",
        (),
        (topics.CAMERA_INFO, topics.JOINTS, topics.BODY),
        (topics.HRI_TRACKED, topics.HRI_SKELETON, topics.HRI_REGION, topics.HRI_JOINT_STATES, topics.TF),
        ("tf",),
        option=Option.REP155,
        niceness=OFF_LABEL_PATH,
    ),
)


def node_spec(name: str) -> NodeSpec:
    """Return the row of a node of this package.

    Raises:
        SettingsError: The name is unknown.
    """
    for spec in NODES:
        if spec.name == name:
            return spec
    msg = f"expected one of the nodes {', '.join(spec.name for spec in NODES)}, got {name!r}"
    raise SettingsError(msg)


def choose_nodes(options: Collection[Option], *, composed: bool) -> list[NodeSpec]:
    """Return the nodes to start, in the order of the table.

    Args:
        options: The parts of the graph to start.
        composed: Whether all stages run in one process.
    """
    return [
        spec for spec in NODES if spec.composed in {None, composed} and (spec.option is None or spec.option in options)
    ]


def plugin_nodes() -> list[NodeSpec]:
    """Return the nodes that other installed packages add with an entry point in the group `rehab_pose.nodes`."""
    return [entry.load() for entry in sorted(entry_points(group=PLUGIN_NODES), key=lambda entry: entry.name)]


def plugin_sections() -> dict[str, Section]:
    """Return the sections of parameters that other installed packages add, by name."""
    return {entry.name: entry.load() for entry in entry_points(group=PLUGIN_SECTIONS)}


def load_class(reference: str) -> Any:  # noqa: ANN401  (any class)
    """Return the class of a reference "module:Class"."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def find_section(name: str) -> Section:
    """Return a section of parameters of this package or of a plug-in.

    Raises:
        SettingsError: The name is unknown.
    """
    sections = SECTIONS if name in SECTIONS else plugin_sections()
    if name not in sections:
        msg = f"expected one of the sections {', '.join(SECTIONS)}, got {name!r}"
        raise SettingsError(msg)
    return sections[name]


def settings_class(section: str) -> type[Settings]:
    """Return the settings class of a section of this package or of a plug-in.

    Raises:
        SettingsError: The name is unknown.
    """
    settings: type[Settings] = load_class(find_section(section).settings)
    return settings

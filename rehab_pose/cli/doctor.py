"""`rehab-pose doctor`: check camera, transport, models and running nodes, and print remedies."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from rehab_pose.bags.camera_names import CAMERAS
from rehab_pose.bags.camera_topics import camera_preset
from rehab_pose.errors import RehabPoseError, SettingsError
from rehab_pose.launching.shared_files import shared_file
from rehab_pose.launching.shared_memory import OLD_VARIABLE, VARIABLE, use_shared_memory
from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import full_name, nodes_namespace

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from rehab_pose.ros.diagnosis.findings import CameraNames, Finding

__all__ = ["add_parser", "run"]

LISTEN_S = 4.0
"""Default duration of listening [s]."""
EXIT_ATTENTION = 1
"""Exit code if a finding is not OK."""
WORDS = ("ok", "WARN", "ERROR")
"""Printed words by level."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="check camera, transport, models and running nodes",
        description="Listens to the graph, then prints findings with remedies. Exit code 1: problems found.",
    )
    parser.add_argument(
        "--camera", choices=CAMERAS, help="camera whose topics are checked (default: the topic names of the nodes)"
    )
    parser.add_argument("--namespace", default="", help="namespace of the robot, as of `rehab-pose run`")
    parser.add_argument(
        "--listen",
        type=float,
        default=LISTEN_S,
        metavar="S",
        help="duration of listening in seconds (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and print the findings; return 0 if all are OK, else 1.

    Raises:
        SettingsError: The time to listen is not positive.
    """
    if not arguments.listen > 0:
        msg = f"--listen: expected more than 0 s, got {arguments.listen}"
        raise SettingsError(msg)
    transport = [*_transport()]  # before ROS is loaded, which reads the environment
    from rehab_pose.ros.diagnosis.findings import findings, highest_level  # noqa: PLC0415  (see above)
    from rehab_pose.ros.diagnosis.survey import survey  # noqa: PLC0415

    presets = {name: _preset(name) for name in CAMERAS}
    camera = presets[arguments.camera] if arguments.camera else _default_names(arguments.namespace)
    types = (topics.COLOR.type_name, topics.CAMERA_INFO.type_name, topics.DEPTH.type_name)
    expected = zip((camera.color, camera.camera_info, camera.depth), types, strict=True)
    graph = survey([*expected], arguments.listen)
    results = [*transport, *_models(), *findings(graph, camera, presets)]
    level = highest_level(results)
    if arguments.json:
        listed = [
            {"what": entry.what, "level": entry.level.name, "message": entry.message, "remedy": entry.remedy}
            for entry in results
        ]
        print(json.dumps({"level": level.name, "findings": listed}, indent=1))
    else:
        for entry in results:
            print(f"{WORDS[entry.level]:5s}  {entry.what}: {entry.message}")
            if entry.remedy:
                print(f"       -> {entry.remedy}")
    return EXIT_ATTENTION if level else 0


def _transport() -> Iterator[Finding]:
    given = os.environ.get(VARIABLE) or os.environ.get(OLD_VARIABLE)
    problem = use_shared_memory(os.environ)
    from rehab_pose.ros.diagnosis.findings import Finding  # noqa: PLC0415  (after the transport is set)
    from rehab_pose.ros.runtime.health import Level  # noqa: PLC0415

    if problem:
        yield Finding("transport", Level.WARN, problem, "enlarge /dev/shm")
    elif given and not os.path.isfile(given):  # noqa: PTH113  (a str)
        yield Finding("transport", Level.ERROR, f"the profile {given} does not exist", f"correct {VARIABLE}")
    elif given:
        yield Finding("transport", Level.OK, f"profile {given}")
    else:
        remedy = f"for the camera's driver too: export {VARIABLE}={shared_file('config/fastdds_shm.xml')}"
        message = "this shell sets no profile; the launch file and `rehab-pose run` set it for their own nodes"
        yield Finding("transport", Level.OK, message, remedy)


def _models() -> Iterator[Finding]:
    """Try to load the shipped model of each stage."""
    from rehab_pose.body.fitter import BodyFitter  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.exercise.recogniser import ExerciseRecogniser  # noqa: PLC0415
    from rehab_pose.joints.predictor import JointPredictor  # noqa: PLC0415
    from rehab_pose.ros.diagnosis.findings import Finding  # noqa: PLC0415
    from rehab_pose.ros.runtime.health import Level  # noqa: PLC0415
    from rehab_pose.silhouette.segmenter import SilhouetteSegmenter  # noqa: PLC0415

    loaders: dict[str, Callable[[], str]] = {
        "silhouette": lambda: SilhouetteSegmenter().model_id,
        "joints": lambda: JointPredictor().model_id,
        "body": lambda: BodyFitter().model.model_id,
        "exercise": lambda: ExerciseRecogniser().model_id,
    }

    def check_model(name: str, load: Callable[[], str]) -> Finding:
        try:
            return Finding(f"model {name}", Level.OK, load())
        except RehabPoseError as error:
            return Finding(f"model {name}", Level.ERROR, str(error), "install the package again")

    for name, load in loaders.items():
        yield check_model(name, load)


def _preset(name: str) -> CameraNames:
    from rehab_pose.ros.diagnosis.findings import CameraNames  # noqa: PLC0415  (needs ROS)

    return CameraNames(**vars(camera_preset(name)))


def _default_names(namespace: str) -> CameraNames:
    from rehab_pose.ros.diagnosis.findings import CameraNames  # noqa: PLC0415  (needs ROS)

    place = nodes_namespace(namespace)
    return CameraNames(*(full_name(topic.name, place) for topic in (topics.COLOR, topics.CAMERA_INFO, topics.DEPTH)))

"""Findings about camera, calibration, transport, frames and nodes from a survey of the graph, with remedies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.capture.depth_plausibility import check_depth_frame, check_depth_unit
from rehab_pose.errors import RehabPoseError
from rehab_pose.messages.camera_info import calibration_from_message
from rehab_pose.messages.images import COLOR_ENCODINGS, DEPTH_ENCODINGS, depth_from_message
from rehab_pose.ros.runtime.health import SILENCE, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.diagnosis.survey import GraphSurvey, TopicSurvey

__all__ = ["CameraNames", "Finding", "findings", "highest_level"]

LOST_FRACTION = 0.5
"""An image rate below this fraction of camera_info's rate means that images are lost in transport."""
SLOW_HZ = 15.0
"""Image rate [Hz] below which repetitions are still counted, but with coarse tempo and smoothness."""
LARGE_DATA = "set FASTDDS_DEFAULT_PROFILES_FILE to config/fastdds_shm.xml for all programs, the camera's driver too"
TF_TOPICS = ("/tf", "/tf_static")


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    what: str
    level: Level
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class CameraNames:
    """Names of the camera's topics."""

    color: str
    camera_info: str
    depth: str


def findings(graph: GraphSurvey, camera: CameraNames, presets: Mapping[str, CameraNames]) -> list[Finding]:
    """Return the findings about camera, calibration, frames and nodes.

    Args:
        graph: The survey of the graph.
        camera: Names of the expected topics.
        presets: Topic names of known cameras, by the camera's name.
    """
    return [*_camera(graph, camera, presets), *_calibration(graph, camera), *_frames(graph, camera), *_nodes(graph)]


def _camera(graph: GraphSurvey, camera: CameraNames, presets: Mapping[str, CameraNames]) -> Iterator[Finding]:
    color, info, depth = (graph.topics[name] for name in (camera.color, camera.camera_info, camera.depth))
    for topic in (color, info, depth):
        yield _topic(topic, info, graph, presets)


def _topic(topic: TopicSurvey, info: TopicSurvey, graph: GraphSurvey, presets: Mapping[str, CameraNames]) -> Finding:
    what = f"topic {topic.name}"
    if not topic.count:
        message, remedy = _no_messages(topic, graph, presets)
        return Finding(what, Level.ERROR, message, remedy)
    rate = f"{topic.rate_hz:.1f} Hz, offered {'best effort' if topic.best_effort else 'reliable'}"
    if topic is not info and topic.rate_hz < LOST_FRACTION * info.rate_hz:
        message = f"{rate}; camera_info has {info.rate_hz:.1f} Hz: images are lost in transport"
        return Finding(what, Level.WARN, message, LARGE_DATA)
    if topic.publishers > 1:
        return Finding(what, Level.WARN, f"{rate}, {topic.publishers} publishers", "stop all but one camera or player")
    if topic.rate_hz < SLOW_HZ:
        return Finding(what, Level.WARN, rate, "raise the camera's frame rate, or give the machine less to do")
    return Finding(what, Level.OK, rate)


def _no_messages(topic: TopicSurvey, graph: GraphSurvey, presets: Mapping[str, CameraNames]) -> tuple[str, str]:
    """Return the message and the remedy for a topic without messages."""
    if topic.other_types:
        remedy = "point it to the raw image topic, or start `ros2 run image_transport republish`"
        return f"expected {topic.type_name}, the topic has {', '.join(topic.other_types)}", remedy
    if not topic.publishers:
        matching = [name for name, names in presets.items() if names.color in graph.published]
        remedy = (
            f"start the launch file with camera:={matching[0]}" if matching else "start the camera, or name its topics"
        )
        return "it has no publisher", remedy
    remedy = "is the camera streaming? Is another ROS_DOMAIN_ID or discovery range set?"
    return f"{topic.publishers} publisher(s), but no message was received", remedy


def _calibration(graph: GraphSurvey, camera: CameraNames) -> Iterator[Finding]:
    info = graph.topics[camera.camera_info].first
    if info is None:
        return
    try:
        calibration_from_message(info).rectified()
    except RehabPoseError as error:
        remedy = "calibrate the camera (camera_calibration), or have the driver publish its factory calibration"
        yield Finding("calibration", Level.ERROR, str(error), remedy)
    else:
        yield Finding("calibration", Level.OK, f"{info.width}x{info.height} px, focal length {info.k[0]:.1f} px")
    for name, encodings in ((camera.color, COLOR_ENCODINGS), (camera.depth, DEPTH_ENCODINGS)):
        image = graph.topics[name].first
        if image is None:
            continue
        if image.encoding not in encodings:
            message = f"expected the encoding {', '.join(encodings)}, got {image.encoding!r}"
            yield Finding(f"image {name}", Level.ERROR, message, "change the driver's format, or the topic")
        elif (image.width, image.height) != (info.width, info.height):
            message = f"{image.width}x{image.height} px, camera_info gives {info.width}x{info.height} px"
            remedy = "take the depth that is registered to the colour image (RealSense: align_depth.enable:=true)"
            yield Finding(f"image {name}", Level.ERROR, message, remedy)
        else:
            yield Finding(f"image {name}", Level.OK, f"{image.width}x{image.height} px, {image.encoding}")
    yield from _depth(graph.topics[camera.color].first, graph.topics[camera.depth].first)


def _depth(color: Message | None, depth: Message | None) -> Iterator[Finding]:
    """Yield findings about the unit and the registration of depth."""
    if color is None or depth is None or depth.encoding not in DEPTH_ENCODINGS:
        return
    remedy = "take the depth that is registered to the colour image, in the unit of REP-118"
    try:
        check_depth_frame(color.header.frame_id, depth.header.frame_id)
        check_depth_unit(depth_from_message(depth))
    except RehabPoseError as error:
        yield Finding("depth", Level.ERROR, str(error), remedy)
    else:
        yield Finding("depth", Level.OK, "registered to colour, its range is that of a room")


def _frames(graph: GraphSurvey, camera: CameraNames) -> Iterator[Finding]:
    image = graph.topics[camera.color].first
    if image is None:
        return
    frame_id = image.header.frame_id
    if not frame_id:
        remedy = "set the driver's frame_id: all results are published in that frame, and RViz needs it"
        yield Finding("frame", Level.WARN, "the colour image has no frame_id", remedy)
    elif not any(name in graph.published for name in TF_TOPICS):
        message = f"frame_id {frame_id}; TF has no publisher"
        yield Finding("frame", Level.OK, f"{message}: set RViz's fixed frame to {frame_id}")
    else:
        yield Finding("frame", Level.OK, f"frame_id {frame_id}")


def _nodes(graph: GraphSurvey) -> Iterator[Finding]:
    if not graph.nodes:
        remedy = "start them: ros2 launch rehab_pose rehab_pose.launch.py, or rehab-pose run"
        yield Finding("nodes", Level.WARN, "no node reports on /diagnostics", remedy)
    for name, status in sorted(graph.nodes.items()):
        shown_keys = ("rate [Hz]", "latency [ms]", "age of the frame [ms]")
        values = ", ".join(f"{key} {status.values[key]}" for key in shown_keys if key in status.values)
        dropped = sum(_number(value) for key, value in status.values.items() if key.startswith(("dropped", "lost")))
        more = f" ({values}; {dropped} dropped or lost)" if values else ""
        level = Level(min(status.level, int(Level.ERROR)))
        yield Finding(f"node {name}", level, f"{status.message}{more}", _remedy(level, status.message))


def _remedy(level: Level, message: str) -> str:
    if level is Level.OK:
        return ""
    if SILENCE in message:
        return "look at the node that publishes that topic first"
    return "see the node's log" if not any(word in message for word in ("set ", "expected ")) else ""


def _number(value: str) -> int:
    return int(value) if value.isdecimal() else 0


def highest_level(results: Sequence[Finding]) -> Level:
    """Return the highest level of the findings; OK if there are none."""
    return max((finding.level for finding in results), default=Level.OK)

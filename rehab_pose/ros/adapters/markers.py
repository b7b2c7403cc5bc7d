"""RViz markers of a person: joints, lines between them, the inferred bones, and the exercise's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import JointVisibility
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.geometry.rotations import quaternions_from_matrices
from rehab_pose.messages.factory import header
from rehab_pose.ros.io.message_factory import message_class

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from rehab_pose.datatypes import BoneMesh, Bones, JointAngles, Joints
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "ADD",
    "ANGLE_NAMESPACE",
    "BONE_NAMESPACE",
    "LABEL_NAMESPACE",
    "LIFETIME_NS",
    "LINE_LIST",
    "NAME_NAMESPACE",
    "SHOWN_ANGLES",
    "angle_markers",
    "bone_mesh_marker",
    "color_message",
    "name_markers",
    "no_person_markers",
    "person_markers",
    "rod_markers",
    "rod_poses",
    "shown_text",
]

CYLINDER, LINE_LIST, SPHERE_LIST, TEXT_VIEW_FACING, TRIANGLE_LIST = 3, 5, 7, 9, 11
"""Types of visualization_msgs/Marker."""
ADD, DELETE_ALL = 0, 3
"""Actions of visualization_msgs/Marker."""
LIFETIME_NS = 500_000_000
"""Lifetime of a marker [ns]: markers of a body that is no longer sent disappear after half a second."""
JOINT_DIAMETER_M = 0.05
"""Diameter of a joint's sphere [m]."""
BONE_WIDTH_M = 0.02
"""Width of the lines between joints [m]."""
TEXT_HEIGHT_M = 0.12
"""Height of the label's letters [m]."""
TEXT_ABOVE_HEAD_M = 0.30
"""Height of the label above the head joint [m]."""
JOINT_COLORS = {
    JointVisibility.OBSERVED: (0.10, 0.75, 0.25, 1.0),
    JointVisibility.OCCLUDED: (0.95, 0.60, 0.10, 1.0),
    JointVisibility.PREDICTED: (0.85, 0.20, 0.20, 1.0),
}
"""RGBA of a joint by its visibility."""
BONE_COLOR = (0.90, 0.90, 0.95, 1.0)
TEXT_COLOR = (1.0, 1.0, 1.0, 1.0)
JOINTS_ID, BONES_ID = 0, 1
"""Ids of the markers in the namespace `joints`."""
BONE_NAMESPACE, ANGLE_NAMESPACE, NAME_NAMESPACE, LABEL_NAMESPACE = "bones", "angles", "names", "label"
ANGLE_HEIGHT_M, NAME_HEIGHT_M = 0.08, 0.04
"""Heights of the letters of angles and joint names [m]."""
ANGLE_COLOR = (1.0, 0.9, 0.4, 1.0)
TEXT_OFFSET_M, TRUNK_OFFSET_M = 0.25, 0.45
"""Distance of an angle's text from its joint, and of those of the trunk from the pelvis, towards the outside [m]: RViz
centres texts, and half a text of twelve letters is 0.2 m wide."""
SHOWN_ANGLES = {
    "pelvis": ("trunk_flexion", "lumbar_flexion", "trunk_lateral_tilt"),
    **{
        f"{side}_{joint}": tuple(f"{side}_{joint}_{kind}" for kind in kinds)
        for side in ("left", "right")
        for joint, kinds in (
            ("shoulder", ("elevation",)),
            ("elbow", ("flexion",)),
            ("hip", ("flexion", "abduction")),
            ("knee", ("flexion",)),
            ("ankle", ("dorsiflexion",)),
        )
    },
}
"""Angles that can be written next to each joint, where the model has them."""
ROD_M = 0.010
"""Largest radius of a rod that represents a bone without a mesh [m]."""
Y_TO_Z = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Columns: x, -z and y of a bone. Maps the bone's axis y to z, the axis of an RViz cylinder."""


def _marker(
    factory: MessageFactory, stamp_ns: int, frame_id: str, marker_id: int, kind: int, scale_m: tuple[float, ...]
) -> Message:
    marker = factory.make(
        "visualization_msgs/msg/Marker",
        header=header(factory, stamp_ns, frame_id),
        ns="joints",
        id=marker_id,
        type=kind,
        action=ADD,
    )
    marker.pose.orientation.w = 1.0
    marker.scale.x, marker.scale.y, marker.scale.z = scale_m
    marker.lifetime.nanosec = LIFETIME_NS
    marker.color = color_message(BONE_COLOR)
    return marker


def color_message(rgba: tuple[float, float, float, float]) -> Message:
    """Return std_msgs/ColorRGBA of red, green, blue and opacity, 0-1."""
    r, g, b, a = rgba
    return message_class("std_msgs/msg/ColorRGBA")(r=r, g=g, b=b, a=a)


def person_markers(factory: MessageFactory, joints: Joints, label: str) -> Message:
    """Return a MarkerArray of the joints with finite positions, lines between them, and the label above the head."""
    point = message_class("geometry_msgs/msg/Point")
    has_position: NDArray[np.bool_] = np.asarray(np.isfinite(joints.positions_m).all(axis=1))
    points = [point(x=x, y=y, z=z) for x, y, z in joints.positions_m.tolist()]
    spheres = _marker(factory, joints.stamp_ns, joints.frame_id, JOINTS_ID, SPHERE_LIST, (JOINT_DIAMETER_M,) * 3)
    spheres.points = [points[index] for index in np.flatnonzero(has_position)]
    spheres.colors = [
        color_message(JOINT_COLORS[JointVisibility(joints.visibility[index])]) for index in np.flatnonzero(has_position)
    ]
    lines = _marker(factory, joints.stamp_ns, joints.frame_id, BONES_ID, LINE_LIST, (BONE_WIDTH_M, 0.0, 0.0))
    lines.points = [points[end] for bone in joints.skeleton.bones if has_position[list(bone)].all() for end in bone]
    markers = [spheres, lines]
    head = joints.skeleton.index("head")
    if label not in {"", NONE} and has_position[head]:
        x, y, z = joints.positions_m[head].tolist()  # y points down in the optical frame
        text = _text(factory, joints, 0, [x, y - TEXT_ABOVE_HEAD_M, z], TEXT_HEIGHT_M)
        text.ns, text.color, text.text = LABEL_NAMESPACE, color_message(TEXT_COLOR), shown_text(label)
        markers.append(text)
    return factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def bone_mesh_marker(factory: MessageFactory, bones: Bones, mesh: BoneMesh) -> Message:
    """Return a MarkerArray with one mesh of all bones."""
    marker = _marker(factory, bones.stamp_ns, bones.frame_id, 0, TRIANGLE_LIST, (1.0, 1.0, 1.0))
    marker.ns = BONE_NAMESPACE
    point = message_class("geometry_msgs/msg/Point")
    corners = mesh.vertices_m[mesh.faces.ravel()]
    marker.points = [point(x=x, y=y, z=z) for x, y, z in corners.astype(np.float64).tolist()]
    return factory.make("visualization_msgs/msg/MarkerArray", markers=[marker])


def rod_poses(bones: Bones) -> NDArray[np.float64]:
    """Return position (3) [m], quaternion (4) and scale (3) [m] of a cylinder for each bone (B, 10)."""
    # RViz's cylinder is along z; a bone is along y.
    camera_from_rod = bones.camera_from_bone[:, :3, :3] @ Y_TO_Z
    middles = bones.camera_from_bone[:, :3, 3] + 0.5 * bones.length_m[:, None] * camera_from_rod[:, :, 2]
    diameters = 2.0 * np.minimum(bones.radius_m, ROD_M)
    scales = np.stack([diameters, diameters, bones.length_m], axis=-1)
    return np.concatenate([middles, quaternions_from_matrices(camera_from_rod), scales], axis=-1)


def rod_markers(factory: MessageFactory, stamp_ns: int, frame_id: str, poses: NDArray[np.float64]) -> Message:
    """Return a MarkerArray of a cylinder for each pose (B, 10) of `rod_poses`.

    Slow; `RodTemplate` is compared with it.
    """
    markers = []
    for number, (x, y, z, qx, qy, qz, qw, *scale_m) in enumerate(poses.tolist()):
        marker = _marker(factory, stamp_ns, frame_id, number, CYLINDER, tuple(scale_m))
        marker.ns = BONE_NAMESPACE
        position, orientation = marker.pose.position, marker.pose.orientation
        position.x, position.y, position.z = x, y, z
        orientation.x, orientation.y, orientation.z, orientation.w = qx, qy, qz, qw
        markers.append(marker)
    return factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def _text(factory: MessageFactory, joints: Joints, marker_id: int, position_m: list[float], height_m: float) -> Message:
    marker = _marker(factory, joints.stamp_ns, joints.frame_id, marker_id, TEXT_VIEW_FACING, (0.0, 0.0, height_m))
    position = marker.pose.position
    position.x, position.y, position.z = position_m
    return marker


def shown_text(text: str) -> str:
    """Return a text as RViz draws it: the font has ASCII only, and a space is as wide as in a text of 1 m height."""
    return text.replace(" ", "_").encode("ascii", "replace").decode()


def angle_markers(factory: MessageFactory, joints: Joints, angles: JointAngles, shown: Collection[str]) -> Message:
    """Return a MarkerArray with some angles [degrees] next to the joints with finite positions, as `flexion:4`."""
    degrees = dict(zip(angles.names, np.rad2deg(angles.angles_rad).tolist(), strict=True))
    middle_x = float(joints.positions_m[joints.skeleton.index("pelvis"), 0])
    markers = []
    for joint, names in SHOWN_ANGLES.items():
        index = joints.skeleton.index(joint)
        x, y, z = joints.positions_m[index].tolist()
        shown_names = [name for name in names if name in shown and np.isfinite(degrees.get(name, np.nan))]
        if not shown_names or not np.isfinite(joints.positions_m[index]).all():
            continue
        offset_m = TRUNK_OFFSET_M if joint == "pelvis" else float(np.copysign(TEXT_OFFSET_M, x - middle_x))
        marker = _text(factory, joints, index, [x + offset_m, y, z], ANGLE_HEIGHT_M)
        marker.ns, marker.color = ANGLE_NAMESPACE, color_message(ANGLE_COLOR)
        lines = [(name.removeprefix(f"{joint}_"), round(degrees[name])) for name in shown_names]  # no negative zero
        marker.text = "\n".join(shown_text(f"{name}:{angle}") for name, angle in lines)
        markers.append(marker)
    return factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def name_markers(factory: MessageFactory, joints: Joints) -> Message:
    """Return a MarkerArray with the names of the joints that have finite positions."""
    markers = []
    for index, name in enumerate(joints.skeleton.joint_names):
        if np.isfinite(joints.positions_m[index]).all():
            marker = _text(factory, joints, index, joints.positions_m[index].tolist(), NAME_HEIGHT_M)
            marker.ns, marker.text = NAME_NAMESPACE, shown_text(name)
            markers.append(marker)
    return factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def no_person_markers(factory: MessageFactory, stamp_ns: int, frame_id: str) -> Message:
    """Return a MarkerArray that deletes all earlier markers."""
    stamp = header(factory, stamp_ns, frame_id)
    clear = factory.make("visualization_msgs/msg/Marker", header=stamp, ns="joints", action=DELETE_ALL)
    return factory.make("visualization_msgs/msg/MarkerArray", markers=[clear])

"""A fitted body as coordinate frames: body_<id> at the hips and its links as children (REP-155, REP-103)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import quaternions_from_matrices
from rehab_pose.messages.factory import header
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["BODY_AXES", "REP155_LINKS", "body_frame", "link_transforms"]

BODY_AXES = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""Columns: x forward, y left, z up (REP-103) in an SMPL joint's own axes, which are x left, y up, z forward."""
REP155_LINKS = {
    "waist": "pelvis",
    "torso": "spine3",
    "head": "head",
    **{
        f"{short}_{link}": f"{side}_{link}"
        for short, side in (("l", "left"), ("r", "right"))
        for link in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
"""Links of human_description and the SMPL joints at their origins; every other joint keeps its SMPL name."""
LINK_NAMES = tuple(
    {joint: link for link, joint in REP155_LINKS.items()}.get(name, name) for name in SMPL_24.joint_names
)
"""Name of the link of each SMPL_24 joint."""


def body_frame(body: Body) -> NDArray[np.float64]:
    """Return camera_from_body (4, 4): origin between the hips, x out of the chest, y to the left, z to the head."""
    pelvis, left, right = (SMPL_24.index(name) for name in ("pelvis", "left_hip", "right_hip"))
    camera_from_body = np.eye(4)
    camera_from_body[:3, :3] = body.joint_rotations[pelvis] @ BODY_AXES
    camera_from_body[:3, 3] = 0.5 * (body.joint_positions_m[left] + body.joint_positions_m[right])
    return camera_from_body


def link_transforms(
    factory: MessageFactory, body: Body, body_id: str, *, prefix: str = "", links: bool = True
) -> Message:
    """Return tf2_msgs/TFMessage: body_<id> in the camera, and, if `links`, each link in body_<id>.

    Args:
        factory: Makes the message.
        body: The body.
        body_id: Its id, with which the names of its frames end.
        prefix: Beginning of the names of its frames.
        links: Whether the links are wanted.
    """
    camera_from_body = body_frame(body)
    rotation, origin_m = camera_from_body[:3, :3], camera_from_body[:3, 3]
    rotations = rotation.T @ body.joint_rotations @ BODY_AXES
    positions_m = (body.joint_positions_m - origin_m) @ rotation
    parent = f"{prefix}body_{body_id}"
    children = [parent, *(f"{prefix}{name}_{body_id}" for name in LINK_NAMES)]
    parents = [body.frame_id, *(parent for _ in LINK_NAMES)]
    count = len(children) if links else 1
    quaternions = quaternions_from_matrices(np.concatenate([rotation[None], rotations]))
    return factory.make(
        "tf2_msgs/msg/TFMessage",
        transforms=[
            _transform(factory, body.stamp_ns, parent_frame, child, position, quaternion)
            for parent_frame, child, position, quaternion in zip(
                parents[:count],
                children[:count],
                [origin_m.tolist(), *positions_m.tolist()][:count],
                quaternions.tolist()[:count],
                strict=True,
            )
        ],
    )


def _transform(
    factory: MessageFactory, stamp_ns: int, parent: str, child: str, position_m: list[float], quaternion: list[float]
) -> Message:
    x, y, z = position_m
    q_x, q_y, q_z, q_w = quaternion
    return factory.make(
        "geometry_msgs/msg/TransformStamped",
        header=header(factory, stamp_ns, parent),
        child_frame_id=child,
        transform=factory.make(
            "geometry_msgs/msg/Transform",
            translation=factory.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
            rotation=factory.make("geometry_msgs/msg/Quaternion", x=q_x, y=q_y, z=q_z, w=q_w),
        ),
    )

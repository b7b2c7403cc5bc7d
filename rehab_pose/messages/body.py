"""Conversion of the fitted body to messages (Body, MeshVertices, MeshTopology) and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rehab_pose.datatypes import Body, BodyParameters
from rehab_pose.geometry.rotations import matrices_from_quaternions, quaternions_from_matrices
from rehab_pose.messages.checks import between, near_camera, not_negative, whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "body_from_message",
    "body_message",
    "topology_message",
    "vertices_from_message",
    "vertices_message",
]

JOINT_COUNT = 24
"""Joints of SMPL_24, the length of the fixed arrays of Body.msg."""
LARGEST_BETA = 50.0
"""Shape coefficients are standard deviations of people."""
LARGEST_ROTATION_RAD = 100.0
"""Beyond any rotation vector of a fit [rad]."""
NO_VERTICES = np.empty((0, 3), np.float32)


def _fixed(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return a flat float32 array for a field of fixed length."""
    return np.ascontiguousarray(values, dtype=np.float32).reshape(-1)


def body_message(factory: MessageFactory, stamp: int, frame_id: str, body: Body | None) -> Message:
    """Return rehab_pose_msgs/Body; None gives the message of a frame without a person."""
    missing = np.full(4 * JOINT_COUNT, np.nan, np.float32)
    rotations = _fixed(body.parameters.rotations_rad) if body else missing[: 3 * JOINT_COUNT]
    return factory.make(
        "rehab_pose_msgs/msg/Body",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if body else NO_BODY_ID,
        model=body.model_id if body else "",
        betas=numbers(factory, body.parameters.betas if body else np.empty(0), np.float32),
        global_orient=rotations[:3],
        body_pose=rotations[3:],
        transl=_fixed(body.parameters.translation_m) if body else missing[:3],
        joint_positions=_fixed(body.joint_positions_m) if body else missing[: 3 * JOINT_COUNT],
        joint_orientations=_fixed(quaternions_from_matrices(body.joint_rotations)) if body else missing,
        joint_sigma=_fixed(body.joint_sigma_m) if body else missing[:JOINT_COUNT],
        residual=float(body.residual_m) if body else float("nan"),
        iterations=int(body.iterations) if body else 0,
        converged=bool(body.converged) if body else False,
    )


@whole_message("Body")
def body_from_message(message: Message, vertices_m: NDArray[np.float32] = NO_VERTICES) -> Body | None:
    """Return the body of a rehab_pose_msgs/Body, None when no person is in view; vertices have another message.

    Raises:
        InputError: Lengths differ, or a number is out of its range.
    """
    if message.body_id == NO_BODY_ID:
        return None
    rotations = np.concatenate([np.asarray(message.global_orient), np.asarray(message.body_pose)])
    return Body(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        model_id=message.model,
        parameters=BodyParameters(
            betas=between("Body.betas", message.betas, -LARGEST_BETA, LARGEST_BETA),
            rotations_rad=between("Body.body_pose", rotations, -LARGEST_ROTATION_RAD, LARGEST_ROTATION_RAD).reshape(
                JOINT_COUNT, 3
            ),
            translation_m=near_camera("Body.transl", message.transl),
        ),
        vertices_m=vertices_m,
        joint_positions_m=near_camera("Body.joint_positions", message.joint_positions).reshape(JOINT_COUNT, 3),
        joint_rotations=matrices_from_quaternions(np.asarray(message.joint_orientations).reshape(JOINT_COUNT, 4)),
        residual_m=float(not_negative("Body.residual", message.residual)),
        iterations=int(message.iterations),
        converged=bool(message.converged),
        joint_sigma_m=not_negative("Body.joint_sigma", message.joint_sigma),
    )


def vertices_message(factory: MessageFactory, stamp: int, frame_id: str, body: Body | None) -> Message:
    """Return rehab_pose_msgs/MeshVertices; None gives the message of a frame without a person."""
    return factory.make(
        "rehab_pose_msgs/msg/MeshVertices",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if body else NO_BODY_ID,
        topology_id=body.model_id if body else "",
        vertices=numbers(factory, body.vertices_m if body else NO_VERTICES, np.float32),
    )


@whole_message("MeshVertices")
def vertices_from_message(message: Message) -> NDArray[np.float32]:
    """Return the vertices (V, 3) [m] of a rehab_pose_msgs/MeshVertices; V = 0 when no person is in view.

    Raises:
        InputError: The number is no multiple of three, or a vertex is farther than a camera sees.
    """
    return near_camera("MeshVertices.vertices", message.vertices).astype(np.float32).reshape(-1, 3)


class MeshModel(Protocol):
    """Interface of a body model: its name and its triangles."""

    @property
    def model_id(self) -> str:
        """Name and hash of the model."""

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3) vertex indices."""


def topology_message(factory: MessageFactory, model: MeshModel) -> Message:
    """Return rehab_pose_msgs/MeshTopology of a body model."""
    return factory.make(
        "rehab_pose_msgs/msg/MeshTopology",
        header=header(factory, 0, ""),
        topology_id=model.model_id,
        vertex_count=int(model.faces.max()) + 1,
        triangles=numbers(factory, model.faces, np.uint32),
    )
